package gate

import (
	"context"
	"crypto/ed25519"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/relay"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	firmwareconfig "github.com/menshen/menshen/firmware-config"
	"github.com/menshen/menshen/room"
	"github.com/menshen/menshen/web"
)

// network is one cable of a school: what is dialled here arrives at one listener,
// unless the cable is out.
type network struct {
	arrive chan net.Conn
	closed chan struct{}

	mu     sync.Mutex
	down   bool
	silent bool // what is sent vanishes, and nobody is told
	ends   []net.Conn
}

func newNetwork() *network {
	return &network{arrive: make(chan net.Conn), closed: make(chan struct{})}
}

func (n *network) Accept() (net.Conn, error) {
	select {
	case c := <-n.arrive:
		return c, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

func (n *network) Close() error {
	close(n.closed)
	n.cut(false)
	return nil
}

func (n *network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 8631} }

// dial reaches the listener.
func (n *network) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	n.mu.Lock()
	down, silent := n.down, n.silent
	n.mu.Unlock()
	if down && !silent {
		return nil, errors.New("no route to host")
	}
	near, mine := net.Pipe()
	theirs, far := net.Pipe()
	n.mu.Lock()
	n.ends = append(n.ends, mine, theirs)
	n.mu.Unlock()
	go n.pump(mine, theirs)
	go n.pump(theirs, mine)
	if down {
		return near, nil // nobody answers
	}
	select {
	case n.arrive <- far:
		return near, nil
	case <-n.closed:
	case <-ctx.Done():
	}
	near.Close() // the pumps end with it
	far.Close()
	return nil, errors.New("connection refused")
}

// pump carries bytes one way. What was lost once ends the connection for good.
func (n *network) pump(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 16<<10)
	for lost := false; ; {
		k, err := from.Read(b)
		n.mu.Lock()
		lost = lost || n.down
		n.mu.Unlock()
		if err == nil && !lost {
			_, err = to.Write(b[:k])
		}
		if err != nil {
			return
		}
	}
}

// cut pulls the cable out, silently or so that both ends learn of it.
func (n *network) cut(silent bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down, n.silent = true, silent
	if !silent {
		for _, c := range n.ends {
			c.Close()
		}
		n.ends = nil
	}
}

func (n *network) plug() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down = false
}

// boardRun is a board that runs, with its beacon on relay 1 and its buzzer on 2.
type boardRun struct {
	*room.Board
	relay *sim.RelayBoard
	stop  func()
}

// runBoard runs the board of an isolation room that follows a gate.
func runBoard(t *testing.T, dir string, n *network, key ed25519.PrivateKey, gate ed25519.PublicKey) boardRun {
	t.Helper()
	text := "gate = \"room\"\ndata = \"" + dir + "\"\nprofile = \"isolation-room\"\n[[follow]]\ngate = \"test\"\naddress = \"192.0.2.1:8631\"\nkey = \"ed25519:gTl3Dqh9F19Wo1Rmw0x+zMuNipG07jeiXfYPW4/Js5Q=\"\n"
	cfg, err := config.Parse(config.File{Name: "gated.toml", Source: []byte(text)}, func(name string) (config.File, error) {
		source, err := fs.ReadFile(firmwareconfig.Profiles(), name+".toml")
		return config.File{Name: name, Source: source}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	w := sim.NewWorld()
	r := boardRun{relay: w.AddRelayBoard("relay", 2)}
	r.Board, err = room.New(room.Options{
		Config: cfg, Gates: []room.Gate{{Name: "test", Address: "192.0.2.1:8631", Key: gate}}, Key: key, Opener: w, Dial: n.dial,
		OpenRelay: func(c config.Relay) (relay.Board, error) { return OpenBoard(w, c) }, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	r.stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("board ended: %v", err)
		}
		if r.relay.On(1) || r.relay.On(2) {
			t.Error("beacon or buzzer does not rest")
		}
	}
	return r
}

// lists are the alarms of the page by what it says of them.
func (r boardRun) lists() (open, missed []string) {
	for _, a := range r.View().Alarms {
		if a.Missed {
			missed = append(missed, a.Arrival)
		} else if !a.Answered {
			open = append(open, a.Arrival)
		}
	}
	return open, missed
}

// wants compares what stands on the page, and what beacon and buzzer do.
func (r boardRun) wants(t *testing.T, when string, open, missed []string) {
	t.Helper()
	gotOpen, gotMissed := r.lists()
	if !slices.Equal(gotOpen, open) || !slices.Equal(gotMissed, missed) {
		t.Errorf("%s: open %v and missed %v, want %v and %v", when, gotOpen, gotMissed, open, missed)
	}
	if on := len(open) > 0; r.relay.On(1) != on || r.relay.On(2) != on {
		t.Errorf("%s: beacon %v, buzzer %v, want %v", when, r.relay.On(1), r.relay.On(2), on)
	}
}

// blinks returns how often the beacon came on in a while, and for how long at a
// time it was on.
func (r boardRun) blinks(from time.Time) (n int, longest time.Duration) {
	var since time.Time
	for _, e := range r.relay.Edges() {
		switch {
		case e.Channel != 1 || e.At.Before(from):
		case e.On:
			n, since = n+1, e.At
		default:
			longest = max(longest, e.At.Sub(since))
		}
	}
	return n, longest
}

// met builds a gate that one board may follow over a network.
func met(t *testing.T, dir string, n *network, board ed25519.PrivateKey) (g *Gate, key ed25519.PublicKey) {
	t.Helper()
	g, _ = build(t, dir, NewClock().Now)
	own, err := MakeIdentity(dir)
	if err != nil {
		t.Fatal(err)
	}
	g.o.Boards = Boards{Listen: func() (net.Listener, error) { return n, nil }, Keys: []ed25519.PublicKey{board.Public().(ed25519.PublicKey)}}
	return g, own.Public().(ed25519.PublicKey)
}

func TestABoardThatWasCutOffForTenMinutesShowsEveryMissedAlarmOnce(t *testing.T) {
	for rule, silent := range map[string]bool{"the cable is pulled": false, "a switch swallows everything": true} {
		t.Run(rule, func(t *testing.T) {
			gateDir, boardDir := t.TempDir(), t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				n, own := newNetwork(), testKey(7)
				g, key := met(t, gateDir, n, own)
				stopGate := run(t, g)
				b := runBoard(t, boardDir, n, own, key)
				before := isolate(g, 1).String()
				<-time.After(2 * time.Second)
				b.wants(t, "before the cut", []string{before}, nil)

				n.cut(silent)
				missed, answered := isolate(g, 2).String(), isolate(g, 3)
				b.button()
				<-time.After(5 * time.Second)
				b.wants(t, "not lost yet", nil, nil)
				cut := time.Now()
				<-time.After(5 * time.Minute)
				if v := b.View().Gates[0]; !v.Lost || time.Since(v.Since) < 5*time.Minute {
					t.Errorf("the gate is not lost: %+v", v)
				}
				if blinks, longest := b.blinks(cut); blinks < 70 || longest > time.Second {
					t.Errorf("%d blinks of at most %v in 5 minutes", blinks, longest)
				}
				g.alarms.acknowledge(answered, []uint64{1})
				b.stop() // a power cut on top of it
				b = runBoard(t, boardDir, n, own, key)
				if v := b.View().Gates[0]; !v.Lost {
					t.Error("a restart forgets that the gate is lost")
				}
				if !b.HeardOfLoss("test") {
					t.Error("nobody can say that the loss is known")
				}
				<-time.After(5 * time.Minute)
				if blinks, _ := b.blinks(cut); blinks > 1 {
					t.Errorf("%d blinks although it is known", blinks)
				}

				n.plug()
				<-time.After(8 * time.Second)
				b.wants(t, "after the cut", []string{missed}, []string{answered.String()})
				if b.View().Gates[0].Lost {
					t.Error("the gate is back and still lost")
				}
				if open := g.alarms.list(); len(open) != 1 || open[0].id.String() != missed {
					t.Errorf("the answer that was given without the network did not arrive: %v", open)
				}
				b.stop()
				b = runBoard(t, boardDir, n, own, key)
				<-time.After(2 * time.Second)
				b.wants(t, "after a restart", []string{missed}, []string{answered.String()})
				for _, arrival := range []string{missed, answered.String()} {
					if !b.Answer("test", arrival, web.Person{}) {
						t.Errorf("%s cannot be answered", arrival)
					}
				}
				<-time.After(2 * time.Second)
				b.wants(t, "answered", nil, nil)
				n.cut(silent)
				<-time.After(time.Minute)
				b.stop()
				n.plug()
				b = runBoard(t, boardDir, n, own, key)
				<-time.After(8 * time.Second)
				b.wants(t, "cut off and restarted once more", nil, nil)
				b.stop()
				if err := stopGate(); err != nil {
					t.Error(err)
				}
				wantAnswers(t, g, gateDir, before, missed, answered.String())
			})
		})
	}
}

// button presses the room's button.
func (r boardRun) button() {
	open, _ := r.lists()
	for _, arrival := range open {
		r.Answer("test", arrival, web.Person{})
	}
}

// wantAnswers opens the journal once more: one answer of the room to each alarm.
func wantAnswers(t *testing.T, g *Gate, dir string, arrivals ...string) {
	t.Helper()
	again, _ := build(t, dir, g.o.Now)
	open(t, again)
	defer shut(t, again)
	if err := again.rebuild(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []string
	for row, err := range again.journal.Rows(t.Context(), 0) {
		var a entry.Answer
		if err != nil {
			t.Fatal(err)
		}
		if row.Entry.Kind == entry.KindAnswer && row.Entry.Decode(&a) == nil && a.Reason == reasonRoom {
			got = append(got, a.Arrival.String())
		}
	}
	slices.Sort(got)
	slices.Sort(arrivals)
	if !slices.Equal(got, arrivals) {
		t.Errorf("answered %v, want %v", got, arrivals)
	}
	if len(again.alarms.answers) != len(arrivals) || len(again.alarms.list()) != 0 {
		t.Errorf("after a restart %d answers are known and %v stand", len(again.alarms.answers), again.alarms.list())
	}
}

func TestABoardThatIsConnectedStaysSoAndGatesSpeakEverySecond(t *testing.T) {
	gateDir, boardDir := t.TempDir(), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		n, own := newNetwork(), testKey(7)
		g, key := met(t, gateDir, n, own)
		stopGate := run(t, g)
		b := runBoard(t, boardDir, n, own, key)
		<-time.After(10 * time.Minute)
		n.mu.Lock()
		ends := len(n.ends)
		n.mu.Unlock()
		if v := b.View().Gates[0]; ends != 2 || !v.Here {
			t.Errorf("%d connections in ten minutes, %+v", ends/2, v)
		}
		b.stop()
		if err := stopGate(); err != nil {
			t.Error(err)
		}
	})
}

func TestAStrangerHearsNothingOfAGateAndAStrangersGateIsNotBelieved(t *testing.T) {
	for rule, c := range map[string]struct{ board, gate byte }{
		"a board that the gate does not name": {8, 0},
		"a gate that the board does not name": {7, 9},
	} {
		t.Run(rule, func(t *testing.T) {
			gateDir, boardDir := t.TempDir(), t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork()
				g, key := met(t, gateDir, n, testKey(7))
				if c.gate != 0 {
					key = testKey(c.gate).Public().(ed25519.PublicKey)
				}
				stopGate := run(t, g)
				isolate(g, 1)
				b := runBoard(t, boardDir, n, testKey(c.board), key)
				<-time.After(30 * time.Second)
				if v := b.View(); !v.Gates[0].Lost || len(v.Alarms) != 0 {
					t.Errorf("the board shows %+v", v)
				}
				b.stop()
				if err := stopGate(); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
