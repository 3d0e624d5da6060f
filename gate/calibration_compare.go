package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/screening/calibration"
	"github.com/menshen/menshen/screening/lane"
)

// comparison is a lane's thermometer in the hands of whoever compares it: what it
// sees then is no person, and reaches nobody but them. The lane goes on without
// it, by what is typed.
type comparison struct {
	mu   sync.Mutex
	on   bool
	lost bool // the thermometer itself is gone
}

// running reports whether samples are the comparison's.
func (t *comparison) running() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.on
}

// hears notes that a part vanished or returned, and reports whether the lane need
// not know: during a comparison its thermometer is gone in any case.
func (t *comparison) hears(r lane.Role, lost bool) (quiet bool) {
	if r != lane.RoleThermometer {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lost = lost
	return t.on
}

// errCompared: somebody else is at it.
var errCompared = errors.New("the thermometer of that lane is being compared already")

// beginComparison takes the thermometer out of the lane; the function returned gives
// it back.
func (l *laneLoop) beginComparison() (end func(), err error) {
	t := &l.compared
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.on {
		return nil, errCompared
	}
	t.on = true
	l.send(lane.DeviceLost{Role: lane.RoleThermometer})
	l.g.deviceEntry(uint8(l.cfg.Number), lane.RoleThermometer.String(), errors.New("is being compared"))
	l.gauge.hold(true)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		l.gauge.hold(false)
		t.on = false
		if !t.lost {
			l.send(lane.DeviceBack{Role: lane.RoleThermometer})
			l.g.deviceEntry(uint8(l.cfg.Number), lane.RoleThermometer.String(), nil)
		}
	}, nil
}

// measuring returns a lane with a thermometer, by its number.
func (g *Gate) measuring(number string) (*laneLoop, error) {
	i := slices.IndexFunc(g.lanes, func(l *laneLoop) bool { return strconv.Itoa(l.cfg.Number) == number && l.cfg.Thermometer != nil })
	if i < 0 {
		return nil, fmt.Errorf("no lane %q has a thermometer", clip(number, 20))
	}
	return g.lanes[i], nil
}

// showComparison streams what the thermometer of a lane shows, before any correction,
// one JSON object a line. As long as it is read the thermometer is not the lane's.
func (g *Gate) showComparison(w http.ResponseWriter, r *http.Request) {
	l, err := g.measuring(r.URL.Query().Get("lane"))
	if err != nil {
		answer(w, nil, err)
		return
	}
	watch, unwatch, ok := g.live.watch()
	if !ok {
		answer(w, nil, errors.New("too many watch already: end a 'gatectl live' first"))
		return
	}
	defer unwatch()
	end, err := l.beginComparison()
	if err != nil {
		answer(w, nil, err)
		return
	}
	defer end()
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/jsonl")
	if out.Flush() != nil {
		return
	}
	lines := json.NewEncoder(w)
	for {
		select {
		case e := <-watch.events:
			if e.Lane != l.cfg.Number || e.Sample == nil {
				continue
			}
			if lines.Encode(e) != nil || out.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}

// CalibrationRequest is what two people measured at a lane: points of a method,
// or heights.
type CalibrationRequest struct {
	Lane   int
	Method calibration.Method
	Points []calibration.Point
	// Heights are given in place of points.
	Heights []calibration.Height `json:",omitempty"`
	// By are the numbers of two members of staff on the roster, PIN theirs.
	By, PIN [2]string
}

// takeCalibration signs what was measured in the names of two people.
func (g *Gate) takeCalibration(w http.ResponseWriter, r *http.Request) {
	var in CalibrationRequest
	if err := json.NewDecoder(io.LimitReader(r.Body, 16<<10)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	l, err := g.measuring(strconv.Itoa(in.Lane))
	if err != nil {
		answer(w, nil, err)
		return
	}
	var by [2]uint64
	for i := range by {
		p, err := g.member(in.By[i])
		if err == nil {
			_, err = g.roster.CheckPIN(r.Context(), p.Badge, in.PIN[i])
		}
		if err != nil {
			answer(w, nil, fmt.Errorf("%s: %w", clip(in.By[i], 40), err))
			return
		}
		by[i] = p.ID
	}
	if by[0] == by[1] {
		answer(w, nil, errors.New("two people sign a calibration, not one twice"))
		return
	}
	if in.Heights != nil {
		answer(w, Calibration{Lane: in.Lane}, g.calibrations.seeHeights(r.Context(), l, in.Heights, by))
		return
	}
	c, err := g.calibrations.certify(r.Context(), l, in.Method, in.Points, by)
	answer(w, c, err)
}

// member finds somebody on the roster by the number that the school gave them.
func (g *Gate) member(number string) (roster.Person, error) {
	for p := range g.roster.Snapshot().All() {
		if p.Number == number && number != "" {
			return p, nil
		}
	}
	return roster.Person{}, errors.New("nobody on the roster has that number")
}
