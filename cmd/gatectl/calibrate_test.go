package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/calibration"
)

// workbench is the socket of a gate whose one thermometer shows what the test
// says, from the moment on at which the tool has read a line.
type workbench struct {
	config string

	mu    sync.Mutex
	lines []shown // what is typed, and what the lens sees from then on
	sees  screening.MilliC
	n     int
	got   []gate.CalibrationRequest
}

// shown is one typed line and what is before the lens then.
type shown struct {
	line string
	sees screening.MilliC
}

func newWorkbench(t *testing.T, correction screening.Correction, lines ...shown) *workbench {
	t.Helper()
	dir := shortDir(t)
	b := &workbench{config: configuration(t, dir), lines: lines, sees: 20_000}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(gate.Status{Now: time.Now(), Calibrations: []gate.Calibration{{Lane: 1, Device: "mlx90614@1:i2c:5a", Correction: correction}}})
	})
	mux.HandleFunc("GET /v1/calibration/samples", b.stream)
	mux.HandleFunc("POST /v1/calibration", func(w http.ResponseWriter, r *http.Request) {
		var in gate.CalibrationRequest
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		b.mu.Lock()
		b.got = append(b.got, in)
		b.mu.Unlock()
		_ = json.NewEncoder(w).Encode(gate.Calibration{Lane: 1, Certificate: 1042, Due: time.Now()})
	})
	l, err := net.Listen("unix", filepath.Join(dir, "gated.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: mux}
	go func() { _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close() })
	return b
}

// stream sends samples that flicker by 0.02 K, and now and then one that is none.
func (b *workbench) stream(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		b.mu.Lock()
		b.n++
		e := gate.Live{At: time.Now(), Lane: 1, Sample: &gate.LiveSample{Object: b.sees + screening.MilliC(b.n%2*20), Quality: "ok"}}
		if b.n%10 == 0 {
			e.Sample = &gate.LiveSample{Quality: "fault"}
		}
		b.mu.Unlock()
		if json.NewEncoder(w).Encode(e) != nil || http.NewResponseController(w).Flush() != nil {
			return
		}
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// Read types one line.
func (b *workbench) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.lines) == 0 {
		return 0, io.EOF
	}
	next := b.lines[0]
	b.lines = b.lines[1:]
	if next.sees != 0 {
		b.sees = next.sees
	}
	return copy(p, next.line+"\n"), nil
}

// calibrate runs the tool over the bench.
func (b *workbench) calibrate(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	var out, diag bytes.Buffer
	code = run(ctx, append([]string{"-config", b.config, "calibrate", "-n", "20"}, args...), b, &out, &diag)
	return code, out.String() + diag.String()
}

func TestCalibrateComputesOffsetAndSlopeAndHasThemSigned(t *testing.T) {
	b := newWorkbench(t, screening.Correction{}, shown{"35", 34_700}, shown{"warm", 0}, shown{"37.02", 36_700}, shown{"39", 38_700}, shown{"", 0}, shown{"481516", 0}, shown{"274916", 0})
	code, said := b.calibrate(t, "-by", "T1,S1", "1")
	for _, want := range []string{"mlx90614@1:i2c:5a", `"warm" is no number`, "修正 correction: +0.", "× 1.00", "余差 left", "certificate 1042"} {
		if !strings.Contains(said, want) {
			t.Errorf("says nothing of %q", want)
		}
	}
	if code != 0 || len(b.got) != 1 {
		t.Fatalf("exit %d, %d requests:\n%s", code, len(b.got), said)
	}
	r := b.got[0]
	if r.Method != calibration.BlackBody || r.By != [2]string{"T1", "S1"} || r.PIN != [2]string{"481516", "274916"} || len(r.Points) != 3 || r.Points[1].Reference != 37_020 ||
		r.Points[1].Samples != 20 || r.Points[1].Spread != 20 || r.Points[1].Shown < 36_700 || r.Points[1].Shown > 36_720 {
		t.Errorf("asked %+v", r)
	}
}

func TestCalibrateStoresNothingOfAPartThatItRefuses(t *testing.T) {
	for rule, tt := range map[string]struct {
		args  []string
		lines []shown
		why   string
	}{
		"one that normalises":      {nil, []shown{{"35", 36_300}, {"37", 36_600}, {"39", 36_900}, {"", 0}}, "normalises"},
		"a span that is too small": {nil, []shown{{"36", 36_000}, {"37", 37_000}, {"38", 38_000}, {"", 0}}, "span 2.0"},
		"two references":           {nil, []shown{{"35", 35_000}, {"39", 39_000}, {"", 0}}, "2 points"},
		"input that ends":          {nil, []shown{{"35", 35_000}}, "nothing is stored"},
		"people who disagree":      {[]string{"-field"}, []shown{{"36.5", 36_500}, {"36.5", 36_500}, {"36.5", 35_900}}, "person 3"},
		"a child who is not seen":  {[]string{"-heights"}, []shown{{"1.0", 33_000}, {"1.3", 34_000}, {"1.7", 34_000}}, "differ by"},
		"a height that is none":    {[]string{"-heights"}, []shown{{"small", 0}}, "no number"},
	} {
		t.Run(rule, func(t *testing.T) {
			b := newWorkbench(t, screening.Correction{}, tt.lines...)
			code, said := b.calibrate(t, append(tt.args, "-by", "T1,S1", "1")...)
			if code != exitFailed || !strings.Contains(said, tt.why) || len(b.got) != 0 {
				t.Errorf("exit %d, %d requests:\n%s", code, len(b.got), said)
			}
		})
	}
}

func TestCalibrateByPeopleCountsWhatIsCorrectedAlready(t *testing.T) {
	c := screening.Correction{Offset: 600, Slope: 1_000_000}
	b := newWorkbench(t, c, shown{"36.5", 35_900}, shown{"36.8", 36_100}, shown{"36.2", 35_800}, shown{"481516", 0}, shown{"274916", 0})
	code, said := b.calibrate(t, "-field", "-by", "T1,S1", "mlx90614@1:i2c:5a")
	if code != 0 || len(b.got) != 1 || b.got[0].Method != calibration.FieldCheck || len(b.got[0].Points) != 3 {
		t.Errorf("exit %d, asked %+v:\n%s", code, b.got, said)
	}
}

func TestCalibrateHeightsAreSigned(t *testing.T) {
	b := newWorkbench(t, screening.Correction{}, shown{"1.02", 34_000}, shown{"1.3", 34_200}, shown{"1.72", 34_100}, shown{"481516", 0}, shown{"274916", 0})
	code, said := b.calibrate(t, "-heights", "-by", "T1,S1", "1")
	if code != 0 || len(b.got) != 1 || len(b.got[0].Heights) != 3 || b.got[0].Heights[0].MM != 1_020 || !strings.Contains(said, "sees all heights alike") {
		t.Errorf("exit %d, asked %+v:\n%s", code, b.got, said)
	}
}

func TestWrongCallsOfCalibrateAreRefused(t *testing.T) {
	name := configuration(t, shortDir(t))
	for _, args := range []string{
		"", "1", "-by T1 1", "-by T1,T1 1", "-by T1,S1", "-by T1,S1 1 2", "-by T1,S1 -field -heights 1", "-by T1,S1 -n 19 1", "-by T1,S1 -n 1001 1", "-by T1,S1 -method guess 1", "-by T1,S1 -method field 1",
	} {
		gatectl(t, "", append([]string{"-config", name, "calibrate"}, strings.Fields(args)...)...).want(t, exitUsage, usage)
	}
	gatectl(t, "", "-config", name, "calibrate", "-by", "T1,S1", "1").want(t, exitFailed, "no gate answers")
}

func TestStatusSaysWhatStandsForEachThermometer(t *testing.T) {
	var out bytes.Buffer
	u := &tool{stdout: &out}
	u.printCalibrations(gate.Status{
		Calibrations: []gate.Calibration{
			{Lane: 1, Device: "a", Certificate: 42, Method: calibration.WaterBath, At: time.Date(2026, 3, 1, 12, 0, 0, 0, time.Local), Due: time.Date(2027, 3, 1, 12, 0, 0, 0, time.Local),
				Correction: screening.Correction{Offset: -180, Slope: 1_004_000}},
			{Lane: 2, Device: "b"}, {Lane: 3},
		},
		Drifts: []gate.Drift{{Lane: 1, By: -350}, {Lane: 1, By: 650, Against: 2, Hour: 7}},
	})
	for _, want := range []string{
		"lane 1: a, calibrated 2026-03-01 (waterbath), due 2027-03-01, -0.180 K × 1.0040 (entry 42)", "lane 2: b, never calibrated",
		"! the thermometer of lane 1 lies -0.35 K from its days before", "! the thermometers of lanes 1 and 2 lie +0.65 K apart at 7:00",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}
}
