package desk

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/menshen/menshen/web"
)

// Thermometers know what the lanes' thermometers show of themselves.
type Thermometers interface {
	// Thermometers returns those that are fitted, by lane. It waits for nothing.
	Thermometers() []Thermometer
	// Drifting returns those whose medians lie where they should not.
	Drifting() []Drifting
}

// Thermometer is what one lane's instrument shows of itself.
type Thermometer struct {
	Lane int
	// State is "good", "due", "missing" or empty, as web's words have it behind
	// "calibration."; Due is when the certificate ends, zero where there is none.
	State string
	Due   time.Time
	// Days are the medians of the days before, Hours those of today; the newest last.
	Days, Hours []Spot
}

// Spot is one median.
type Spot struct {
	// Label is the day or the hour, Value thousandths of a degree, N how many
	// readings there were.
	Label string
	Value int
	N     int
}

// Drifting is a median that lies where it should not.
type Drifting struct {
	Lane int
	// By is how far, such as "+0.35 K"; Against the lane above which it lies, 0 where
	// it is its own days before.
	By      string
	Against int
}

// Drift is one line about it.
func (s screen) Drift(d Drifting) string {
	if d.Against != 0 {
		return s.T("drift.apart", d.Lane, d.Against, d.By)
	}
	return s.T("drift.moved", d.Lane, d.By)
}

// thermometersPage shows the charts.
type thermometersPage struct {
	web.Page
	Charts []chart
}

// A chart is drawn in these units, a hundredth of a degree high each.
const (
	chartStep   = 24 // from one spot to the next
	chartHeight = 200
	chartMargin = 40
	chartWidth  = 480 // at least
)

// chart is one lane's medians as they are drawn.
type chart struct {
	Thermometer
	Width, Height, Right int
	Spots                []spot
	// Line joins today's hours.
	Line  string
	Rules []rule
}

// spot is where one median lies.
type spot struct {
	Spot
	X, Y  int
	Today bool
	// Shown is the value as a person reads it.
	Shown string
}

// rule is a horizontal line with its temperature.
type rule struct {
	Y     int
	Shown string
}

// draw lays the medians of a lane out, the middle of them in the middle.
func draw(t Thermometer) chart {
	all := append(append([]Spot{}, t.Days...), t.Hours...)
	c := chart{Thermometer: t, Height: chartHeight}
	c.Width = max(chartMargin+(len(all)+1)*chartStep, chartWidth)
	c.Right = c.Width - chartStep/2
	if len(all) == 0 {
		return c
	}
	low, high := all[0].Value, all[0].Value
	for _, s := range all {
		low, high = min(low, s.Value), max(high, s.Value)
	}
	middle := (low + high) / 2 / 500 * 500 // to half a degree
	height := func(value int) int { return min(max(chartHeight/2-(value-middle)/10, 4), chartHeight-16) }
	for _, value := range []int{middle + 500, middle, middle - 500} {
		c.Rules = append(c.Rules, rule{height(value), fmt.Sprintf("%.1f", float64(value)/1000)})
	}
	var line []string
	for i, s := range all {
		at := spot{Spot: s, X: chartMargin + (i+1)*chartStep, Y: height(s.Value), Today: i >= len(t.Days), Shown: fmt.Sprintf("%.2f", float64(s.Value)/1000)}
		c.Spots = append(c.Spots, at)
		if at.Today {
			line = append(line, fmt.Sprintf("%d,%d", at.X, at.Y))
		}
	}
	c.Line = strings.Join(line, " ")
	return c
}

// showThermometers shows what the thermometers show of themselves.
func (p *page) showThermometers(w http.ResponseWriter, r *http.Request) {
	out := thermometersPage{Page: p.site.Page(r, "page.desk")}
	if p.lenses != nil {
		for _, t := range p.lenses.Thermometers() {
			out.Charts = append(out.Charts, draw(t))
		}
	}
	p.site.Show(w, http.StatusOK, p.medians, out)
}
