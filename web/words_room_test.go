package web

import "testing"

func TestNoKeyHasTwoTexts(t *testing.T) {
	one, other := map[string]phrase{"a": {"一", "one"}}, map[string]phrase{"b": {"二", "two"}}
	if all := joined(one, other); len(all) != 2 || all["b"].en != "two" {
		t.Errorf("joined %v", all)
	}
	defer func() {
		if recover() == nil {
			t.Error("a key with two texts is taken")
		}
	}()
	joined(one, other, one)
}
