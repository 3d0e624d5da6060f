package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/calibration"
)

const (
	// pointSamples are taken of each reference.
	pointSamples = 40
	// settling are the first of them, which are not counted.
	settling = 5
	// silentFor is how long the gate may send nothing.
	silentFor = 30 * time.Second
)

// comparing is one comparison of a lane's thermometer under way.
type comparing struct {
	t       *tool
	in      *bufio.Reader
	samples <-chan gate.Live
	lane    gate.Calibration
	n       int
	// ahead is how much later it is by the gate's clock than here, or a little more.
	ahead time.Duration
}

// calibrate compares the thermometer of a lane with what two people know the
// temperature of, and lets the gate sign what comes of it.
func (t *tool) calibrate(ctx context.Context, args []string) error {
	var by, method string
	var field, heights bool
	n := pointSamples
	rest, err := t.flagsOf("calibrate", args, 1, func(f *flag.FlagSet) {
		f.StringVar(&by, "by", "", "")
		f.StringVar(&method, "method", string(calibration.BlackBody), "")
		f.BoolVar(&field, "field", false, "")
		f.BoolVar(&heights, "heights", false, "")
		f.IntVar(&n, "n", n, "")
	})
	people := strings.Split(by, ",")
	how := calibration.Method(method)
	if err != nil || len(people) != 2 || people[0] == people[1] || field && heights || n < calibration.LeastSamples || n > calibration.MostSamples ||
		how != calibration.BlackBody && how != calibration.WaterBath {
		return errUsage
	}
	c := &comparing{t: t, in: bufio.NewReader(io.LimitReader(t.stdin, 64<<10)), n: n}
	if err := c.instrument(ctx, rest[0]); err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	defer end()
	if c.samples, err = t.compare(ctx, c.lane.Lane); err != nil {
		return err
	}
	request := gate.CalibrationRequest{Lane: c.lane.Lane, Method: how, By: [2]string(people)}
	switch {
	case heights:
		request.Heights, err = c.heights(ctx)
	case field:
		request.Method = calibration.FieldCheck
		request.Points, err = c.people(ctx)
	default:
		request.Points, err = c.references(ctx)
	}
	if err != nil {
		return err
	}
	return c.sign(ctx, request)
}

// instrument finds what is called so, by its lane or its whole name.
func (c *comparing) instrument(ctx context.Context, name string) error {
	var s gate.Status
	before := time.Now()
	if err := c.t.ask(ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return err
	}
	c.ahead = s.Now.Sub(before)
	for _, x := range s.Calibrations {
		if x.Device != "" && (name == x.Device || name == strconv.Itoa(x.Lane)) {
			c.lane = x
			fmt.Fprintf(c.t.stdout, "通道 lane %d: %s\n", x.Lane, x.Device)
			return nil
		}
	}
	return fmt.Errorf("no thermometer that answers is called %q: see 'gatectl status'", name)
}

// compare takes the thermometer out of its lane until the context ends, and
// returns what it shows. What nobody waits for is dropped.
func (t *tool) compare(ctx context.Context, lane int) (<-chan gate.Live, error) {
	stream, err := t.send(ctx, http.MethodGet, "/v1/calibration/samples?lane="+url.QueryEscape(strconv.Itoa(lane)), nil)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { stream.Close() })
	samples := make(chan gate.Live)
	go func() {
		defer close(samples)
		for events := json.NewDecoder(stream); ; {
			var e gate.Live
			if events.Decode(&e) != nil {
				return
			}
			select {
			case samples <- e:
			default:
			}
		}
	}()
	return samples, nil
}

// ask asks for one line.
func (c *comparing) ask(format string, args ...any) (string, error) {
	fmt.Fprintf(c.t.stderr, format, args...)
	s, err := c.in.ReadString('\n')
	if err != nil && s == "" {
		return "", errors.New("nothing was typed: nothing is stored")
	}
	return strings.TrimSpace(s), nil
}

// thousandths reads a decimal number as thousandths.
func thousandths(s string) (int, error) {
	x, err := strconv.ParseFloat(strings.ReplaceAll(s, "。", "."), 64)
	if err != nil || math.IsNaN(x) || x < 0 || x > 1000 {
		return 0, fmt.Errorf("%q is no number such as 37.05", s)
	}
	return int(math.Round(x * 1000)), nil
}

// take takes samples of what is before the lens from now on; of people those in
// which nobody is seen do not count.
func (c *comparing) take(ctx context.Context, skin bool) ([]screening.MilliC, error) {
	var list []screening.MilliC
	from := time.Now().Add(c.ahead)
	silent := time.NewTimer(silentFor)
	defer silent.Stop()
	for skip := settling; len(list) < c.n; {
		select {
		case e, ok := <-c.samples:
			switch {
			case !ok:
				return nil, errors.New("the gate ended the comparison")
			case e.Sample == nil, e.Sample.Quality != "ok", e.At.Before(from), skin && e.Sample.Object < screening.EmptyBelow:
				continue // silence it is
			case skip > 0:
				skip--
			default:
				list = append(list, e.Sample.Object)
				fmt.Fprintf(c.t.stderr, "\r  %d/%d  %s °C ", len(list), c.n, e.Sample.Object.Exact())
			}
			silent.Reset(silentFor)
		case <-silent.C:
			return nil, errors.New("the thermometer shows nothing that counts: see 'gatectl live'")
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	fmt.Fprintln(c.t.stderr)
	return list, nil
}

// point asks for one reference and measures it, again as long as what was
// measured cannot be used.
func (c *comparing) point(ctx context.Context, skin bool, prompt string, args ...any) (calibration.Point, bool, error) {
	for {
		s, err := c.ask(prompt, args...)
		if err != nil || s == "" {
			return calibration.Point{}, false, err
		}
		reference, err := thousandths(s)
		if err == nil {
			var list []screening.MilliC
			if list, err = c.take(ctx, skin); err != nil {
				return calibration.Point{}, false, err
			}
			p := calibration.Sum(screening.MilliC(reference), list)
			if err = p.Check(); err == nil {
				fmt.Fprintf(c.t.stdout, "  %s °C: 显示 shows %s °C, ±%s\n", p.Reference.Exact(), p.Shown.Exact(), (p.Spread / 2).Exact())
				return p, true, nil
			}
		}
		fmt.Fprintf(c.t.stdout, "! 不采用,请重来 · not taken, once more: %v\n", err)
	}
}

// references measures known temperatures until an empty line.
func (c *comparing) references(ctx context.Context) ([]calibration.Point, error) {
	fmt.Fprintln(c.t.stdout, "把黑体或水浴放在镜头前,站位的距离上;依次用 35、37、39 °C,稳定后输入参考值;空行结束\n"+
		"put the blackbody or the water bath before the lens, where foreheads are; 35, 37 and 39 °C in turn; type the reference once it is steady; an empty line ends")
	var points []calibration.Point
	for len(points) < calibration.MostPoints {
		p, more, err := c.point(ctx, false, "参考温度 reference °C: ")
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		points = append(points, p)
	}
	fit, left, err := calibration.Fit(points)
	if err != nil {
		return nil, fmt.Errorf("此测温仪不予采用 / this thermometer is refused: %w", err)
	}
	fmt.Fprintf(c.t.stdout, "修正 correction: %+.3f K at 37 °C, × %.4f\n", float64(fit.Offset)/1000, float64(fit.Slope)/1e6)
	for _, x := range left {
		fmt.Fprintf(c.t.stdout, "  余差 left: %+.3f K\n", float64(x)/1000)
	}
	return points, nil
}

// people measures three people twice.
func (c *comparing) people(ctx context.Context) ([]calibration.Point, error) {
	fmt.Fprintln(c.t.stdout, "三个人,先用体温计量,输入读数后把额头对准镜头\nthree people: a clinical thermometer first; type what it shows, then the forehead before the lens")
	var points []calibration.Point
	for len(points) < calibration.People {
		p, more, err := c.point(ctx, true, "第 %d 人 person %d, 体温计 clinical thermometer °C: ", len(points)+1, len(points)+1)
		if err == nil && !more {
			err = fmt.Errorf("%d people, want %d: nothing is stored", len(points), calibration.People)
		}
		if err != nil {
			return nil, err
		}
		points = append(points, p)
	}
	return points, calibration.Field(points, c.lane.Correction)
}

// heights measures somebody at each of three heights.
func (c *comparing) heights(ctx context.Context) ([]calibration.Height, error) {
	fmt.Fprintln(c.t.stdout, "同一人的额头,先后在三个高度对准镜头(蹲下、弯腰、站直)\none forehead before the lens at three heights, one after the other")
	var list []calibration.Height
	for _, about := range calibration.Heights() {
		s, err := c.ask("高度约 %.1f m,实际 height (m): ", float64(about)/1000)
		if err != nil {
			return nil, err
		}
		mm, err := thousandths(s)
		if err != nil {
			return nil, err
		}
		samples, err := c.take(ctx, true)
		if err != nil {
			return nil, fmt.Errorf("at %s m: %w", s, err)
		}
		h := calibration.Height{MM: mm, Shown: calibration.Sum(0, samples).Shown}
		fmt.Fprintf(c.t.stdout, "  %.2f m: %s °C\n", float64(mm)/1000, h.Shown.Exact())
		list = append(list, h)
	}
	return list, calibration.CheckHeights(list)
}

// sign asks both for their PIN and lets the gate store what was measured.
func (c *comparing) sign(ctx context.Context, request gate.CalibrationRequest) error {
	for i, who := range request.By {
		pin, err := c.ask("%s 的密码 PIN of %s: ", who, who)
		if err != nil {
			return err
		}
		request.PIN[i] = pin
	}
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	var done gate.Calibration
	if err := c.t.ask(ctx, http.MethodPost, "/v1/calibration", bytes.NewReader(body), &done); err != nil {
		return err
	}
	if request.Heights != nil {
		fmt.Fprintln(c.t.stdout, "三个高度一致,已记录 · the lens sees all heights alike; recorded")
		return nil
	}
	fmt.Fprintf(c.t.stdout, "证书 certificate %d, 有效至 due %s\n", done.Certificate, done.Due.Local().Format(time.DateOnly))
	return nil
}

// printCalibrations prints what stands for each thermometer, and what drifts.
func (t *tool) printCalibrations(s gate.Status) {
	for _, c := range s.Calibrations {
		switch {
		case c.Device == "":
		case c.Certificate == 0:
			fmt.Fprintf(t.stdout, "thermometer of lane %d: %s, never calibrated\n", c.Lane, c.Device)
		default:
			fmt.Fprintf(t.stdout, "thermometer of lane %d: %s, calibrated %s (%s), due %s, %+.3f K × %.4f (entry %d)\n", c.Lane, c.Device, c.At.Local().Format(time.DateOnly),
				c.Method, c.Due.Local().Format(time.DateOnly), float64(c.Correction.Offset)/1000, float64(c.Correction.Slope)/1e6, c.Certificate)
		}
	}
	for _, d := range s.Drifts {
		fmt.Fprintf(t.stdout, "! %s\n", driftText(d))
	}
}

func driftText(d gate.Drift) string {
	by := fmt.Sprintf("%+.2f K", float64(d.By)/1000)
	if d.Against != 0 {
		return fmt.Sprintf("the thermometers of lanes %d and %d lie %s apart at %d:00", d.Lane, d.Against, by, d.Hour)
	}
	return fmt.Sprintf("the thermometer of lane %d lies %s from its days before", d.Lane, by)
}
