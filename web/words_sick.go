package web

// sickWords are of those who are ill at home.
func sickWords() map[string]phrase {
	return map[string]phrase{
		"desk.sick":         {"病假登记", "Sick at home"},
		"sick.what":         {"什么症状?不清楚就直接登记", "Which symptoms? None if unknown"},
		"sick.report":       {"登记", "Report"},
		"sick.today":        {"今日病假 {1}", "Sick at home today: {1}"},
		"sick.unknown":      {"原因未明", "cause unknown"},
		"said.sick":         {"病假已登记", "Reported sick"},
		"said.sick-already": {"今天已登记过", "Reported already today"},
	}
}
