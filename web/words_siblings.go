package web

// siblingWords are of what the school's other gates have told.
func siblingWords() map[string]phrase {
	return map[string]phrase{
		"problem.sibling-lost": {"{1} 自 {2} 无消息 · 只凭本门所知", "{1} not heard since {2} · going by this gate alone"},
		"reason.gate-here":     {"此刻也在{1}", "Is at {1} at this moment"},
		"reason.gate-in":       {"{2} 已从{1}进校", "Came in at {1} at {2}"},
		"reason.gate-out":      {"{2} 已从{1}离校", "Left by {1} at {2}"},
	}
}
