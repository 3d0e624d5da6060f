package web

// reportWords are of the reports that a school owes.
func reportWords() map[string]phrase {
	return map[string]phrase{
		"report.title":   {"今日应报", "Reports due today"},
		"report.daily":   {"日报", "Daily report"},
		"report.zero":    {"零报告", "Zero report"},
		"report.absence": {"缺勤报告", "Absence report"},
		"report.weekly":  {"周报", "Weekly report"},
		"report.monthly": {"月报", "Monthly report"},
		"report.open":    {"未报", "not sent yet"},
		"report.soon":    {"快到时间,请上报", "due soon: send it"},
		"report.late":    {"已超时,请立即上报", "overdue: send it now"},
		"report.done":    {"已报", "Sent"},
		"report.undo":    {"其实未报", "Not sent"},
		"report.sent":    {"{1} 已报 {2}", "sent {1} {2}"},
		"said.report":    {"已登记", "Noted"},
	}
}
