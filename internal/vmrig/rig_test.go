package vmrig

import (
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/e2e"
)

// sized is how much a test does: what the environment says, or what fits into
// minutes.
func sized(t *testing.T, key string, usual int) int {
	t.Helper()
	text := os.Getenv(key)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s = %q is not a number from 1 on", key, text)
	}
	return n
}

// TestAPowerCutUnderARealKernelLeavesNoRiseWithoutItsEntry cuts the power of the
// guest in the middle of arrivals.
func TestAPowerCutUnderARealKernelLeavesNoRiseWithoutItsEntry(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 6))
	cuts, arrivals := sized(t, "MENSHEN_RIG_CUTS", 8), sized(t, "MENSHEN_RIG_ARRIVALS", 100)
	b := newBench(t, setupOf{pupils: arrivals})
	began, pupil := time.Now(), 0
	for life := range cuts {
		b.silently("start", func() {
			b.boot()
			b.awaitUp()
		})
		for ; pupil < (life+1)*arrivals/(cuts+1)-1; pupil++ {
			b.admit(laneFor(pupil+1), pupil+1)
		}
		pupil++
		b.cutDuring(r, laneFor(pupil), pupil)
		b.judge()
		t.Logf("%d of %d cuts, %d of %d arrivals in %.0f s", life+1, cuts, pupil, arrivals, time.Since(began).Seconds())
		if t.Failed() {
			return
		}
	}
	b.boot()
	b.awaitUp()
	for ; pupil < arrivals; pupil++ {
		b.admit(laneFor(pupil+1), pupil+1)
	}
	b.stop()
	b.cutPower()
	b.judge()
}

// TestNoLineGlitchesUnderARealKernel: at a start, a stop, a crash and while a
// cable is out nothing rises, and a pulse that one of them ended does not go on.
func TestNoLineGlitchesUnderARealKernel(t *testing.T) {
	b := newBench(t, setupOf{pupils: 20, pulse: "3s"})
	b.silently("start", func() {
		b.boot()
		b.awaitUp()
	})
	b.rise(1, 1)
	b.clear()
	b.silently("crash", func() {
		b.run("killall -9 gated")
		b.awaitUp()
		b.falls(1)
	})
	b.rise(1, 2)
	b.stop()
	b.clear()
	b.silently("start after a stop", func() {
		b.run("rm /run/held")
		b.awaitUp()
	})

	b.rise(1, 3)
	b.gpio.pull()
	b.falls(1)
	b.silently("re-plug of the lines", func() {
		must(t, b.plugGPIO(b.machine))
		b.awaitBack("0 relay lines")
	}, barriers()...)
	b.rise(1, 4)
	b.falls(1)

	// The kernel holds back every plug of a hub while somebody has an adapter open
	// that was pulled: both lanes measure, so that both find out at once.
	// Whom they stop for it nobody answers there: the gate is started anew.
	b.enter(1, 5)
	b.enter(2, 6)
	b.silently("re-plug of everything else in mid-arrival", func() {
		b.i2c.pull()
		b.keys.pull()
		must(t, b.serial.Close())
		must(t, errors.Join(b.plugI2C(b.machine), b.plugKeys(b.machine), b.plugSerial(b.machine)))
		b.lens[1].show(emptyView)
		b.lens[2].show(emptyView)
		b.awaitBack("1 scanner", "1 thermometer", "2 scanner", "2 thermometer")
	}, barriers()...)
	b.rise(1, 7)
	b.rise(2, 8)
	b.falls(1)
	b.falls(2)

	// Who is stopped stays so: the lamp comes back, and no barrier does.
	stopped := func() bool { return b.lines.high(redLine(2)) }
	b.come(2, 9, fever, stopped)
	b.silently("re-plug of the lines at a stop", func() {
		b.gpio.pull()
		must(t, b.plugGPIO(b.machine))
		e2e.Await(t, patience, "the red lamp is on again", stopped)
	}, barriers()...)
	// A machine that hangs is ended by its watchdog.
	b.silently("hang", func() {
		b.run("killall -STOP watchdog")
		e2e.Await(t, patience, "the watchdog bites", b.ended)
		b.cutPower()
	})
	b.judge()
}

// TestTheGateMeasuresWhatTheKernelsOwnDriversDo: both read the same parts, and
// have no line of code in common.
func TestTheGateMeasuresWhatTheKernelsOwnDriversDo(t *testing.T) {
	b := newBench(t, setupOf{pupils: 2})
	b.boot()
	b.awaitUp()
	b.admit(1, 1)
	b.admit(2, 2)
	b.stop()
	b.run(`for m in /oracle/*.ko; do insmod $m; done
cd /sys/bus/i2c/devices/i2c-0 && echo mlx90614 0x5a >new_device && echo mlx90632 0x3a >new_device`)
	for lane := 1; lane <= lanes; lane++ {
		b.lens[lane].show(forehead)
	}
	// 3 measurements of the slower part fill both of its rows with the forehead.
	kernel := map[int]float64{}
	e2e.Await(t, patience, "the kernel sees the forehead", func() bool {
		kernel[1] = b.number("cat /sys/bus/i2c/devices/0-005a/iio:device*/in_temp_object_raw")*0.02 - 273.15
		kernel[2] = b.number("cat /sys/bus/i2c/devices/0-003a/iio:device*/in_temp_object_input") / 1000
		return math.Abs(kernel[1]-forehead) < tolerance && math.Abs(kernel[2]-forehead) < tolerance
	})
	b.cutPower()
	for _, e := range b.judge() {
		if a := e.Arrival; a != nil && a.Reading != nil {
			gate := float64(a.Reading.Value) / 1000
			t.Logf("lane %d: the gate measured %.3f °C, the kernel %.3f °C", e.Lane, gate, kernel[e.Lane])
			if math.Abs(gate-kernel[e.Lane]) > tolerance {
				t.Errorf("lane %d: the gate measured %.3f °C, the kernel %.3f °C", e.Lane, gate, kernel[e.Lane])
			}
			delete(kernel, e.Lane)
		}
	}
	if len(kernel) > 0 {
		t.Errorf("the gate has no reading of %v", kernel)
	}
}

// tolerance is what two readings of one forehead may differ by, in degrees: the
// noise of both, the part's steps, and the kernel's sums in integers.
const tolerance = 0.1

// number reads a number in the guest; what cannot be read is none.
func (b *bench) number(command string) float64 {
	b.t.Helper()
	out, _, err := b.shell(command)
	must(b.t, err)
	n, err := strconv.ParseFloat(strings.TrimSpace(out), 64)
	if err != nil {
		return math.NaN()
	}
	return n
}

// TestWhatWasRecordedWithoutANetworkArrivesAfterwards, over a network card that
// a kernel drives.
func TestWhatWasRecordedWithoutANetworkArrivesAfterwards(t *testing.T) {
	e2e.Long(t)
	need(t, "qemu-system-aarch64")
	d := e2e.NewDistrict(t, e2e.DistrictSetup{})
	b := newBench(t, setupOf{pupils: 5, district: d})
	b.boot()
	b.awaitUp()
	b.admit(1, 1)
	// The gate that enrolled the school wrote three entries, this one its start.
	e2e.Await(t, patience, "the district has the first pupil", func() bool { return d.Size(e2e.GateName) > 4 })
	must(t, b.network(false))
	const unseen = 4
	whole := d.Size(e2e.GateName) + unseen
	for pupil := range unseen {
		b.admit(1, 2+pupil)
	}
	if n := d.Size(e2e.GateName); n >= whole {
		t.Errorf("the network is down, and the district has %d entries", n)
	}
	must(t, b.network(true))
	e2e.Await(t, patience, "the district has all pupils", func() bool { return d.Size(e2e.GateName) >= whole })
	b.cutPower()
	b.judge()
}

// laneFor is where a pupil goes: the part at lane 2 measures twice a second, so
// most go to lane 1.
func laneFor(pupil int) int {
	if pupil%5 == 0 {
		return 2
	}
	return 1
}

// cutDuring cuts the power while a pupil is measured, or at the very edge at
// which the barrier rises.
func (b *bench) cutDuring(r *rand.Rand, lane, pupil int) {
	b.t.Helper()
	if r.IntN(2) == 0 {
		b.mu.Lock()
		b.atRise = true
		b.mu.Unlock()
		b.come(lane, pupil, forehead, func() bool { return b.ended() })
	} else {
		after := r.IntN(20)
		b.come(lane, pupil, forehead, func() bool { return b.lens[lane].looked() > after })
	}
	b.cutPower()
	b.lens[lane].show(emptyView)
}
