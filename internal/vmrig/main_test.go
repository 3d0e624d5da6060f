package vmrig

import (
	"os"
	"testing"

	"github.com/menshen/menshen/internal/e2e"
)

func TestMain(m *testing.M) { os.Exit(e2e.Main(m)) }
