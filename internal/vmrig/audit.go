package vmrig

import (
	"fmt"

	"github.com/menshen/menshen/internal/e2e"
)

// rise is one rising edge at a barrier, and which pupil stood there; 0 is nobody.
type rise struct{ lane, pupil int }

// barrierLine is the line of a lane's barrier: channel n of the profile is line
// n-1.
func barrierLine(lane int) int { return e2e.Barrier(lane) - 1 }

// redLine is the line of a lane's red lamp.
func redLine(lane int) int { return e2e.Red(lane) - 1 }

// greenLine is the line of a lane's green lamp.
func greenLine(lane int) int { return e2e.Green(lane) - 1 }

// laneOf is the lane whose barrier is on a line, 0 for any other line.
func laneOf(line int) int {
	for lane := 1; lane <= lanes; lane++ {
		if line == barrierLine(lane) {
			return lane
		}
	}
	return 0
}

// audit holds what the lines did against what is in a journal, and returns what
// is wrong: a barrier that rose more often than its lane has admissions, one
// that rose for somebody who has none, and an arrival that ends twice.
func audit(edges []edge, rises []rise, list []e2e.Entry) []error {
	var frames []e2e.Frame
	for _, e := range edges {
		frames = append(frames, e2e.Frame{At: e.at, Channel: e.line + 1, On: e.high})
	}
	wrong := e2e.Audit(frames, list)
	admitted := map[rise]bool{}
	for _, e := range list {
		switch {
		case e.Arrival != nil && e.Arrival.Outcome == e2e.Admit:
			admitted[rise{e.Lane, e2e.Pupil(e.Arrival.Subject)}] = true
		case e.Answer != nil && e.Answer.Outcome == e2e.Admit:
			admitted[rise{e.Lane, e2e.Pupil(e.Answer.Subject)}] = true
		}
	}
	for _, r := range rises {
		if !admitted[r] {
			wrong = append(wrong, fmt.Errorf("barrier %d rose for pupil %d, who has no admission there", r.lane, r.pupil))
		}
	}
	return wrong
}
