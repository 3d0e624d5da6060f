package screening

// Text is one short text for people: Chinese, and English beside it.
type Text struct{ Zh, En string }
