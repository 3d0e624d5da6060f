package web

// calibrationWords are of the thermometers themselves.
func calibrationWords() map[string]phrase {
	return map[string]phrase{
		"problem.calibration-missing": {"{1} 号通道测温未校准", "Thermometer not calibrated · lane {1}"},
		"problem.calibration-due":     {"{1} 号通道测温校准到期", "Thermometer calibration overdue · lane {1}"},
		"fault.background-warm":       {"镜头背景太热 · 用耳温枪输入", "Warm background · type ear reading"},

		"calibration.good":    {"已校准", "Calibrated"},
		"calibration.due":     {"校准到期 · 告诉管理员", "Calibration overdue · tell the administrator"},
		"calibration.missing": {"未校准 · 告诉管理员", "Not calibrated · tell the administrator"},
		"calibration.until":   {"有效至 {1}", "until {1}"},

		"drift.title": {"测温仪走势", "Thermometers"},
		"drift.how":   {"每点是一天或一小时的体温中位数;○ 前几天,● 今天", "Each dot is the median of a day or an hour: ○ the days before, ● today"},
		"drift.lane":  {"{1} 号通道", "Lane {1}"},
		"drift.none":  {"还没有读数", "No reading yet"},
		"drift.moved": {"{1} 号通道测温比前几天偏 {2} · 擦镜头,告诉管理员", "Lane {1} measures {2} off its days before · wipe the lens, tell the administrator"},
		"drift.apart": {"{1} 号与 {2} 号通道测温相差 {3} · 擦镜头,告诉管理员", "Lanes {1} and {2} measure {3} apart · wipe both lenses, tell the administrator"},
	}
}
