package relay

import "testing"

func TestARefreshFindsOutThatABoardWasPulledInSilence(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Signal(3, true)
		r.want("0s 3 on")
		r.o.Refresh()
		r.want("0s 3 on", "0s 4 off") // no barrier is touched
		r.o.Signal(3, true)
		r.want()
		r.breaks(errNoPort, all(errUnplugged))
		r.o.Refresh()
		r.want("0s 3 on fails", "0s close", "0s lost")
	})
}

func TestARefreshAfterRestWritesNoOn(t *testing.T) {
	warm(t, func(r *rig) {
		r.o.Signal(3, true)
		r.want("0s 3 on")
		if err := r.o.Rest(); err != nil {
			t.Error(err)
		}
		r.restart()
		r.o.Refresh()
		r.want("0s 3 off", "0s 4 off")
	})
}
