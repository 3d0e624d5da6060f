package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/menshen/menshen/device"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/lane"
)

// Bounds of what is handed to those who watch the devices.
const (
	liveQueue    = 64 // events that one of them may be behind
	liveWatchers = 4
	livePrefix   = 4 // characters of a code that are shown
)

// Live is one thing that a device of a lane sent: a scan or a sample. It holds
// no name, and of a code too little to print a badge from.
type Live struct {
	At   time.Time
	Lane int
	// Scan is nil for a sample, and Sample for a scan.
	Scan   *LiveScan   `json:",omitempty"`
	Sample *LiveSample `json:",omitempty"`
	// Fault is why there was neither; empty in what a gate hands out.
	Fault string `json:",omitempty"`
	// Missed is how many came before this one that the watcher was too slow for.
	Missed int `json:",omitempty"`
}

// String is the event as it is printed on one line, in both languages.
func (e Live) String() string {
	line := fmt.Sprintf("%s 通道 lane %d  ", e.At.Local().Format("15:04:05.000"), e.Lane)
	switch {
	case e.Scan != nil:
		line += fmt.Sprintf("扫码 scan  %s… %d bytes  #%s", e.Scan.Prefix, e.Scan.Length, e.Scan.Digest)
	case e.Sample != nil && e.Sample.Quality == "ok":
		line += fmt.Sprintf("测温 raw  %.2f °C  环境 ambient %.2f °C", float64(e.Sample.Object)/1000, float64(e.Sample.Ambient)/1000)
	case e.Sample != nil:
		line += "测温 raw  无效 no valid sample"
	default:
		line += "! " + e.Fault
	}
	if e.Missed > 0 {
		line += fmt.Sprintf("  (漏掉 missed %d)", e.Missed)
	}
	return line
}

// LiveScan is what may be shown of a code.
type LiveScan struct {
	// Digest is the beginning of the code's SHA-256, as entries have it, in
	// hexadecimal.
	Digest string
	// Length counts bytes; Prefix is at most 4 of them, as far as they are
	// letters and digits of ASCII.
	Length int
	Prefix string
}

// LiveSample is one sample before any formula.
type LiveSample struct {
	Object, Ambient screening.MilliC
	// Quality is "ok", or "fault" where the sample is no evidence and both
	// temperatures mean nothing.
	Quality string
}

// ScanShown returns what may be shown of a code.
func ScanShown(code []byte) *LiveScan {
	sum := sha256.Sum256(code)
	n := 0
	for n < len(code) && n < livePrefix && plain(code[n]) {
		n++
	}
	return &LiveScan{Digest: hex.EncodeToString(sum[:8]), Length: len(code), Prefix: string(code[:n])}
}

func plain(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// SampleShown returns what is shown of a sample.
func SampleShown(m device.Sample) *LiveSample {
	return &LiveSample{Object: milliC(m.Object), Ambient: milliC(m.Ambient), Quality: "ok"}
}

// live hands what devices send to whoever watches, and waits for nobody.
type live struct {
	mu   sync.Mutex
	list map[*liveWatch]struct{}
}

// liveWatch is one who watches.
type liveWatch struct {
	events chan Live
	missed int // guarded by live.mu
}

// saw hands on an event of a lane's device. It never waits, and costs nothing
// while nobody watches.
func (v *live) saw(number int, ev any, now func() entry.Stamp) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) == 0 {
		return
	}
	e := Live{At: now().Wall, Lane: number}
	switch ev := ev.(type) {
	case scanned:
		e.Scan = ScanShown(ev.text)
	case lane.Sample:
		e.Sample = &LiveSample{Object: ev.Object, Ambient: ev.Ambient, Quality: "ok"}
		if ev.Fault {
			e.Sample.Quality = "fault"
		}
	default:
		return
	}
	for w := range v.list {
		e.Missed = w.missed
		select {
		case w.events <- e:
			w.missed = 0
		default:
			w.missed++
		}
	}
}

// watch registers one who watches, false where there are too many; end takes
// them off.
func (v *live) watch() (w *liveWatch, end func(), ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if len(v.list) >= liveWatchers {
		return nil, nil, false
	}
	w = &liveWatch{events: make(chan Live, liveQueue)}
	if v.list == nil {
		v.list = map[*liveWatch]struct{}{}
	}
	v.list[w] = struct{}{}
	return w, func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		delete(v.list, w)
	}, true
}

// showLive streams what the devices send, one JSON object a line, until the
// caller leaves or the gate stops.
func (g *Gate) showLive(w http.ResponseWriter, r *http.Request) {
	watch, end, ok := g.live.watch()
	if !ok {
		answer(w, nil, errors.New("too many watch already: end another 'gatectl live' first"))
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
			if lines.Encode(e) != nil || out.Flush() != nil {
				return
			}
		case <-r.Context().Done():
			return
		}
	}
}
