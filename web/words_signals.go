package web

// signalWords are of buttons, the counter, the fire contact and lamps.
func signalWords() map[string]phrase {
	return map[string]phrase{
		"word.fire": {"火警", "Fire"},

		"fault.fire":         {"火警:道闸已由消防线放开 · 只管疏散", "Fire: barriers are released by wire · get everybody out"},
		"fault.button-lost":  {"按钮断开 · 用屏幕", "Button out · use this screen"},
		"fault.open-lost":    {"开闸按钮断开 · 用屏幕上的人工放行", "Opening button out · admit by hand on this screen"},
		"fault.counter-lost": {"过人计数断开 · 看着道闸", "Passage counter out · watch the barrier"},

		"problem.fire":                  {"火警 · 道闸已放开 · 不拦不测", "Fire · barriers released · stop and screen nobody"},
		"problem.fire-contact-lost":     {"消防触点断开 · 道闸仍由消防线放开 · 告诉管理员", "Fire contact out · wires still release the barriers · tell the administrator"},
		"problem.opened-alone":          {"{1} 号通道无人登记而开闸 {2} 次 · 最后 {3} · 去看是谁", "Lane {1} opened {2} times without an admission · last {3} · see who went in"},
		"problem.isolation-alarm-lost":  {"隔离室的灯和铃断开 · 打电话", "The room's lamp and buzzer are out · telephone"},
		"problem.isolation-button-lost": {"隔离室按钮断开 · 用那里的屏幕", "The room's button is out · use the screen there"},

		"ask.reason":      {"{1} 号通道 {2} 人工开闸", "Lane {1} opened by hand at {2}"},
		"ask.reason-give": {"补原因", "Say why"},
		"ask.reason-open": {"欠 {1} 个原因", "{1} reasons owed"},
		"ask.reason-late": {"已过 10 分钟", "over 10 minutes ago"},
		"badge.type":      {"输入卡号", "Type a badge number"},
		"badge.digits":    {"卡上的 16 位数", "the 16 digits on the badge"},
		"badge.enter":     {"照刷卡办", "As if scanned"},
		"said.no-badge":   {"没有人有这张卡 · 请核对", "Nobody has that badge · check it"},
		"owed.why":        {"为什么放行?", "Why was it opened?"},
		"owed.give":       {"登记原因", "Enter it"},
	}
}
