package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/menshen/menshen/screening/policy"
)

func TestHowOldACertificateMayBeIsAYearUnlessThePolicySaysAnother(t *testing.T) {
	if got := parse(t, least).CalibrationAge(); got != 365 {
		t.Errorf("by default %d days", got)
	}
	got := parse(t, "calibration_days = 180\n"+least)
	if again := parse(t, string(got.Format())); got.CalibrationAge() != 180 || again.CalibrationAge() != 180 {
		t.Errorf("got %d, written %d days", got.CalibrationAge(), again.CalibrationAge())
	}
	for _, days := range []int{0, 29, 731} {
		_, err := policy.Parse("policy.toml", []byte(fmt.Sprintf("calibration_days = %d\n", days)+least))
		if err == nil || !strings.Contains(err.Error(), "calibration_days") {
			t.Errorf("%d days: %v", days, err)
		}
	}
}
