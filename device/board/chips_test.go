package board

import (
	"testing"

	"github.com/menshen/menshen/config"
)

func TestAChipThatCannotBeLookedIntoIsListedWithItsFault(t *testing.T) {
	root := t.TempDir()
	put(t, root, "dev/gpiochip0", "")
	put(t, root, "dev/null", "")
	chips, err := newBoard(root, config.Profile{}).Chips()
	if err != nil || len(chips) != 1 || chips[0].Err == nil {
		t.Fatalf("got %+v, %v", chips, err)
	}
}
