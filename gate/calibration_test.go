package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/calibration"
	"github.com/menshen/menshen/screening/lane"
)

// lensed makes a gate of two lanes, with the lens of the first.
func lensed(t *testing.T, dir string, now func() entry.Stamp, profile func(string) string) (*Gate, *sim.Thermometer) {
	t.Helper()
	text := "gate = \"test\"\ndata = \"" + dir + "\"\nsocket = \"" + filepath.Join(dir, "s") + "\"\nprofile = \"all-serial-2\"\n"
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(name string) (config.File, error) {
		source, err := fs.ReadFile(firmwareconfig.Profiles(), name+".toml")
		return config.File{Name: name, Source: []byte(profile(string(source)))}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.NewWorld()
	var first *sim.Thermometer
	for i, c := range cfg.Board.Lanes {
		w.AddScanner(c.Scanner.Port)
		if lens := w.AddSerialThermometer(c.Thermometer.Port); i == 0 {
			first = lens
		}
	}
	w.AddRelayBoard("relay", 8)
	g, err := New(Options{Config: cfg, Opener: w, Now: now, Log: slog.New(slog.DiscardHandler), Version: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return g, first
}

func asShipped(profile string) string { return profile }

// points are what a part shows that is off by so much.
func points(off screening.MilliC) (list []calibration.Point) {
	for _, ref := range []screening.MilliC{35_000, 37_000, 39_000} {
		list = append(list, calibration.Point{Reference: ref, Shown: ref + off, Spread: 40, Samples: 20})
	}
	return list
}

// asks sends a request to the socket's handler and returns what it answers.
func (g *Gate) asks(in CalibrationRequest) (Calibration, string) {
	body, _ := json.Marshal(in) // of numbers and text
	w := httptest.NewRecorder()
	g.takeCalibration(w, httptest.NewRequest(http.MethodPost, "/v1/calibration", bytes.NewReader(body)))
	var c Calibration
	if w.Code == http.StatusOK {
		_ = json.Unmarshal(w.Body.Bytes(), &c)
		return c, ""
	}
	return c, w.Body.String()
}

// by are the two who sign, with their PINs.
func signedBy(in CalibrationRequest) CalibrationRequest {
	in.By, in.PIN = [2]string{"T1", "S1"}, [2]string{teacherPIN, teacherPIN}
	return in
}

// comesIn shows a badge and then a forehead to lane 1, and returns what came of
// it.
func comesIn(t *testing.T, g *Gate, lens *sim.Thermometer, badge string, celsius float64) lane.View {
	t.Helper()
	scan(t, g, 0, badge)
	n := 0
	lens.Look(func() (object, ambient float64) { n++; return celsius - 0.01*float64(n%3), 22 })
	later(2 * time.Second)
	v := g.lanes[0].shown.Load().view
	lens.See(20, 22)
	later(40 * time.Second)
	return v
}

func TestACertificateCorrectsFromThenOnAndAfterARestart(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		now := since(7, 30)
		g, lens := lensed(t, dir, now, asShipped)
		stop := run(t, g)
		later(time.Second)
		if got := keys(g); !slices.Contains(got, "calibration-missing") {
			t.Errorf("without a certificate the page says %v", got)
		}
		c, refused := g.asks(signedBy(CalibrationRequest{Lane: 1, Method: calibration.BlackBody, Points: points(-400)}))
		if refused != "" || c.Correction != (screening.Correction{Offset: 400, Slope: 1_000_000}) || c.Device != "gy-mcu90614@1:thermometer-1" {
			t.Fatalf("got %+v, %s", c, refused)
		}
		written := acts(t, g, entry.ActCalibrated)
		if len(written) != 1 || !slices.Equal(written[0].By, []uint64{teacherID, cookID}) || written[0].Until != c.Due.UnixMilli() || c.Due.Sub(c.At) != 365*24*time.Hour {
			t.Errorf("recorded %+v", written)
		}
		for i, when := range []string{"at once", "after a restart"} {
			badge := []string{pupilBadge, cookBadge}[i]
			lens.See(20, 22)
			later(10 * time.Second)
			v := comesIn(t, g, lens, badge, 36.95) // 37.35 in truth
			if v.Reading == nil || v.Reading.Peak < 37_300 || v.Decision.Outcome == screening.Admit {
				t.Errorf("%s: %+v, %+v", when, v.Reading, v.Decision)
			} else if want := fmt.Sprintf("skin/1 cal/%d raw/36", c.Certificate); !strings.HasPrefix(v.Reading.Formula, want) {
				t.Errorf("%s: formula %s, want %s…", when, v.Reading.Formula, want)
			}
			if got := g.View().Problems; slices.ContainsFunc(g.calibrations.list(now()), func(x Calibration) bool { return x.Lane == 1 && x.State != CalibrationGood }) {
				t.Errorf("%s: %+v", when, got)
			}
			if err := stop(); err != nil {
				t.Error(err)
			}
			g, lens = lensed(t, dir, now, asShipped)
			stop = run(t, g)
			later(time.Second)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestOfAnotherPartACertificateSaysNothing(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := lensed(t, dir, since(7, 30), asShipped)
		stop := run(t, g)
		later(time.Second)
		if _, refused := g.asks(signedBy(CalibrationRequest{Lane: 1, Method: calibration.WaterBath, Points: points(-400)})); refused != "" {
			t.Fatal(refused)
		}
		g.calibrations.fit(g.lanes[0], "mlx90614@1:i2c:5a:0000000000000001")
		later(time.Second)
		for _, x := range g.calibrations.list(g.o.Now()) {
			if x.State != CalibrationMissing {
				t.Errorf("%+v", x)
			}
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhatIsNotCertified(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		clock := since(7, 30)
		quality := entry.ClockSynced
		g, _ := lensed(t, dir, func() entry.Stamp { s := clock(); s.Clock = quality; return s }, asShipped)
		stop := run(t, g)
		later(time.Second)
		good := signedBy(CalibrationRequest{Lane: 1, Method: calibration.BlackBody, Points: points(-100)})
		for rule, c := range map[string]struct {
			change func(*CalibrationRequest)
			why    string
		}{
			"a part that normalises": {func(r *CalibrationRequest) { r.Points[0].Shown, r.Points[2].Shown = 36_400, 37_000 }, "normalises"},
			"by one person twice":    {func(r *CalibrationRequest) { r.By[1] = "T1" }, "two people"},
			"heights by one twice": {func(r *CalibrationRequest) {
				r.By[1] = "T1"
				r.Heights = []calibration.Height{{MM: 1_000, Shown: 34_000}, {MM: 1_300, Shown: 34_100}, {MM: 1_700, Shown: 34_000}}
			}, "two people"},
			"with a wrong PIN":         {func(r *CalibrationRequest) { r.PIN[1] = "000000" }, "S1"},
			"by somebody unknown":      {func(r *CalibrationRequest) { r.By[0] = "X9" }, "nobody on the roster"},
			"of no lane":               {func(r *CalibrationRequest) { r.Lane = 9 }, "no lane"},
			"by a method that is none": {func(r *CalibrationRequest) { r.Method = "guess" }, "no method"},
			"by people who do not fit": {func(r *CalibrationRequest) { r.Method = calibration.FieldCheck; r.Points[1].Shown += 1_000 }, "person 2"},
			"heights that differ": {func(r *CalibrationRequest) {
				r.Heights = []calibration.Height{{MM: 1_000, Shown: 34_000}, {MM: 1_300, Shown: 34_500}, {MM: 1_700, Shown: 34_000}}
			}, "differ"},
			"by a clock nobody trusts":  {func(*CalibrationRequest) { quality = entry.ClockFloor }, "clock"},
			"of a part that is not yet": {func(*CalibrationRequest) { delete(g.calibrations.fitted, 1) }, "opened"},
		} {
			r := good
			r.Points = slices.Clone(good.Points)
			fitted := g.calibrations.fitted[1]
			c.change(&r)
			if _, refused := g.asks(r); !strings.Contains(refused, c.why) {
				t.Errorf("%s: %q", rule, refused)
			}
			quality, g.calibrations.fitted[1] = entry.ClockSynced, fitted
		}
		if n := len(acts(t, g, entry.ActCalibrated)) + len(acts(t, g, entry.ActHeightsSeen)); n != 0 {
			t.Errorf("%d entries", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestACertificateThatIsTooOldIsWarnedOfAndStillCorrects(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := lensed(t, dir, since(7, 30), asShipped)
		stop := run(t, g)
		later(time.Second)
		state := func(age time.Duration) Calibration {
			now := g.o.Now()
			now.Wall = now.Wall.Add(age)
			return g.calibrations.list(now)[0]
		}
		const day = 24 * time.Hour
		field := signedBy(CalibrationRequest{Lane: 1, Method: calibration.FieldCheck, Points: points(-200)})
		if _, refused := g.asks(field); refused != "" {
			t.Fatal(refused)
		}
		if a, b := state(29*day), state(31*day); a.State != CalibrationGood || b.State != CalibrationDue {
			t.Errorf("by people: after 29 days %s, after 31 %s", a.State, b.State)
		}
		if _, refused := g.asks(signedBy(CalibrationRequest{Lane: 1, Method: calibration.BlackBody, Points: points(-200)})); refused != "" {
			t.Fatal(refused)
		}
		if _, refused := g.asks(field); refused != "" { // goes on with the correction, and takes back no day
			t.Fatal(refused)
		}
		if a, b := state(364*day), state(366*day); a.State != CalibrationGood || b.State != CalibrationDue || b.Correction.Offset != 200 {
			t.Errorf("by blackbody: after 364 days %s, after 366 %+v", a.State, b)
		}
		now := g.o.Now()
		now.Wall, now.Clock = now.Wall.Add(999*day), entry.ClockFloor
		if x := g.calibrations.list(now)[0]; x.State != "" {
			t.Errorf("by a clock that nobody trusts: %s", x.State)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestWhileAThermometerIsComparedNobodyIsMeasuredByIt(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, lens := lensed(t, dir, since(7, 30), asShipped)
		stop := run(t, g)
		later(time.Second)
		ctx, leave := context.WithCancel(t.Context())
		seen, ended := httptest.NewRecorder(), make(chan struct{})
		go func() {
			defer close(ended)
			g.showComparison(seen, httptest.NewRequestWithContext(ctx, "GET", "/v1/calibration/samples?lane=1", nil))
		}()
		lens.See(39, 22) // a blackbody, as still as can be
		later(5 * time.Second)
		second := httptest.NewRecorder()
		g.showComparison(second, httptest.NewRequest("GET", "/v1/calibration/samples?lane=1", nil))
		if second.Code == http.StatusOK || !strings.Contains(second.Body.String(), "compared already") {
			t.Errorf("a second one: %d %s", second.Code, second.Body)
		}
		if l := g.View().Lanes[0]; !slices.Contains(l.Faults, "thermometer-lost") || l.Phase != "idle" {
			t.Errorf("the lane shows %+v", l)
		}
		scan(t, g, 0, pupilBadge)
		later(time.Second)
		if v := g.lanes[0].shown.Load().view; v.Reading != nil || !v.Decision.Has(screening.NoTemperature) {
			t.Errorf("measured %+v", v)
		}
		leave()
		<-ended
		lens.See(20, 22)
		later(40 * time.Second)
		if n := strings.Count(seen.Body.String(), `"Object":39000`); n < 20 {
			t.Errorf("%d samples were shown", n)
		}
		if l := g.View().Lanes[0]; len(l.Faults) != 0 {
			t.Errorf("afterwards the lane shows %v", l.Faults)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestThreeHeightsAreAnEntry(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	synctest.Test(t, func(t *testing.T) {
		g, _ := lensed(t, dir, since(7, 30), asShipped)
		stop := run(t, g)
		later(time.Second)
		list := []calibration.Height{{MM: 1_000, Shown: 34_000}, {MM: 1_300, Shown: 34_200}, {MM: 1_700, Shown: 34_100}}
		if _, refused := g.asks(signedBy(CalibrationRequest{Lane: 1, Heights: list})); refused != "" {
			t.Error(refused)
		}
		seen := acts(t, g, entry.ActHeightsSeen)
		if len(seen) != 1 || seen[0].Reason != "1000:34000 1300:34200 1700:34100" || g.calibrations.list(g.o.Now())[0].Heights.IsZero() {
			t.Errorf("recorded %+v", seen)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// The journal that follows one that was restored knows the newest of each.
func TestTheNextJournalGoesOnWithWhatStands(t *testing.T) {
	c := newCalibrations(&Gate{})
	key := make([]byte, 64)
	text := func(device string, m calibration.Method, off screening.MilliC) string {
		return calibration.Certificate{Device: device, Method: m, At: time.Unix(1, 0), By: [2]uint64{1, 2}, Points: points(off)}.Sign(key)
	}
	for i, f := range []string{text("a", calibration.BlackBody, 100), text("a", calibration.BlackBody, 200), text("a", calibration.FieldCheck, 0), text("b", calibration.WaterBath, 0), "no certificate"} {
		c.found = append(c.found, found{seq: uint64(i), lane: 1, by: []uint64{1, 2}, text: f})
	}
	var got []string
	for _, d := range c.carried(stillClock()) {
		got = append(got, d.Body.(entry.Answer).Reason)
	}
	if want := []string{c.found[1].text, c.found[2].text, c.found[3].text}; !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestACertificateThatThisGateHasNotSignedIsNotTaken(t *testing.T) {
	dir := t.TempDir()
	schooled(t, dir)
	g, _ := build(t, dir, stillClock)
	open(t, g)
	defer shut(t, g)
	foreign := calibration.Certificate{Device: "gy-mcu90614@1:thermometer-1", Method: calibration.BlackBody, At: time.Unix(1, 0), By: [2]uint64{1, 2},
		Correction: screening.Correction{Offset: 400, Slope: 1_000_000}, Points: points(-400)}.Sign(make([]byte, 64))
	g.collectors.open()
	if !g.calibrations.replay(journal.Row{Seq: 7}, lane.Record{Act: lane.Act(entry.ActCalibrated), By: []uint64{1, 2}, Reason: foreign}) {
		t.Error("it is taken for something else")
	}
	g.calibrations.open(g.collectors.key)
	if len(g.calibrations.stand) != 0 {
		t.Errorf("it stands: %+v", g.calibrations.stand)
	}
}
