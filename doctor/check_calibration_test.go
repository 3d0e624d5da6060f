package doctor

import (
	"strings"
	"testing"
	"time"
)

func TestAThermometerThatNobodyComparedLatelyIsWrong(t *testing.T) {
	due := time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local)
	for rule, tt := range map[string]struct {
		gate Gate
		mark Mark
		says string
	}{
		"calibrated":            {Gate{Calibrations: []Calibration{{2, "good", due}}}, Good, "lane 2 is calibrated until 2026-03-01"},
		"too long ago":          {Gate{Calibrations: []Calibration{{2, "due", due}}}, Wrong, "calibration of lane 2's thermometer ended on 2026-03-01"},
		"never":                 {Gate{Calibrations: []Calibration{{Lane: 2, State: "missing"}}}, Wrong, "lane 2 has never been calibrated"},
		"away from itself":      {Gate{Drifts: []Drift{{Lane: 2, By: "-0.35 K"}}}, Wrong, "lane 2 lies -0.35 K from its days before"},
		"away from another one": {Gate{Drifts: []Drift{{1, 2, "+0.65 K"}}}, Wrong, "lanes 1 and 2 lie +0.65 K apart"},
	} {
		t.Run(rule, func(t *testing.T) {
			all := checkCalibration(files{}, Patient{Gate: &tt.gate})
			if len(all) != 1 || all[0].Mark != tt.mark || !strings.Contains(all[0].What.English, tt.says) || all[0].What.Chinese == "" {
				t.Fatalf("found %+v", all)
			}
			if tt.mark == Wrong && (!strings.HasPrefix(all[0].Commands[0], "gatectl calibrate ") || all[0].Fix.Chinese == "" || all[0].Why.English == "") {
				t.Errorf("says not what to do: %+v", all[0])
			}
		})
	}
}

func TestOfAThermometerOfWhichNothingIsKnownNothingIsSaid(t *testing.T) {
	if all := checkCalibration(files{}, Patient{}); all != nil {
		t.Errorf("without a gate: %+v", all)
	}
	if all := checkCalibration(files{}, Patient{Gate: &Gate{Calibrations: []Calibration{{Lane: 1}}}}); all != nil {
		t.Errorf("by a clock that nobody trusts: %+v", all)
	}
}
