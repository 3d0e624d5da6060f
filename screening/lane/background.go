package lane

// unmeasurable are the faults under which no reading is taken: what is missing is
// typed.
const unmeasurable = ThermometerLost | PresenceLost | BackgroundWarm

// Background says that what the lens sees while nobody stands before it is as
// warm as skin, or no longer. Without a presence input nothing would tell such a
// wall from a forehead.
type Background struct{ Warm bool }

func (Background) event() {}

// background takes no reading before a warm background. With a presence input
// somebody is known to be there.
func (m *Machine) background(warm bool) {
	if m.cfg.Presence || warm == (m.faults&BackgroundWarm != 0) {
		return
	}
	if warm {
		m.faults |= BackgroundWarm
		m.measuresNoMore()
	} else {
		m.faults &^= BackgroundWarm
	}
	m.settlePhase()
}
