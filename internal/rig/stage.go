package rig

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/device/sim"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/gate"
	"github.com/menshen/menshen/roster"
	"github.com/menshen/menshen/web/guard"
)

// guardPIN is the PIN of the guard in every scenario.
const guardPIN = "260713"

// warmUp is how long a started gate is left alone: scanners and thermometers
// throw away what came before they were opened.
const warmUp = time.Second

// stage is a gate while a scenario is played on it.
type stage struct {
	o      PlayOptions
	cfg    *config.Config
	hw     *Hardware
	people map[string]roster.Person // by their letter
	files  map[string][]byte
	clock  *scriptClock
	settle func()
	board  *roomBoard // nil where there is none

	gate           *gate.Gate
	pages, control *pipes
	stopIt         context.CancelFunc
	ended          chan error
	client         *http.Client

	mu     sync.Mutex
	ons    []On        // every ON of every barrier, in order
	asked  map[int]int // how many of a lane's were asked for
	record cursor
}

func newStage(ctx context.Context, s Scenario, o PlayOptions) (*stage, error) {
	if err := empty(o.Dir); err != nil {
		return nil, err
	}
	cfg, err := configure(Options{Dir: o.Dir, Listen: "127.0.0.1:0", Profile: s.Profile, Profiles: o.Profiles})
	if err != nil {
		return nil, err
	}
	st := &stage{o: o, cfg: cfg, hw: NewHardware(cfg.Board, 1), files: s.files, settle: o.Settle, clock: &scriptClock{quality: entry.ClockSynced}, asked: map[int]int{}}
	st.record.path = filepath.Join(o.Dir, "journal.db")
	for _, l := range st.hw.Lanes {
		l.Empty(22)
		if b := l.Config.Barrier; b != nil {
			st.hw.Watch(b.Channel, func(on bool) { st.edge(l.Number, on) })
		}
	}
	if st.people, err = s.enrol(ctx, filepath.Join(o.Dir, "roster.db"), o.Log); err != nil {
		return nil, err
	}
	if s.board != "" {
		if st.board, err = newRoomBoard(s.board, o, cfg); err != nil {
			return nil, err
		}
		st.hw.parts["board"] = st.board.cable
	}
	return st, s.bringIntoForce(ctx, st)
}

// typesPIN reports whether somebody types the PIN, the cost of which is most of
// what a short scenario costs.
func (s Scenario) typesPIN() bool {
	return slices.ContainsFunc(s.steps, func(x step) bool {
		return slices.ContainsFunc(x.words, func(w string) bool {
			return w == "sign-on" || w == guard.KindOverride || strings.HasPrefix(w, "pin=")
		})
	})
}

// enrol writes the roster that every scenario has, and returns it by letter.
func (s Scenario) enrol(ctx context.Context, path string, log *slog.Logger) (map[string]roster.Person, error) {
	more, err := readKnown(s.roster)
	if err != nil {
		return nil, err
	}
	r, err := roster.Open(ctx, path, log)
	if err != nil {
		return nil, err
	}
	var list []roster.Person
	for i, letter := range []string{"A", "B", "C", "D", "Y", "R", "S", "T", "G"} {
		p := roster.Person{Number: letter, Name: "某" + letter, Class: "1年级1班", Role: roster.Student, Badge: fmt.Sprintf("%016d", 1000+i)}
		if letter >= "S" && letter <= "T" || letter == "G" {
			p.Role, p.Class = roster.Staff, ""
		}
		if c := map[string]roster.Colour{"Y": roster.Yellow, "R": roster.Red, "S": roster.Green, "G": roster.Green}[letter]; c != "" {
			p.Colour, p.ColourTime = c, time.Now().Add(-time.Hour)
		}
		p.Evidence, p.Guardian1, p.Guardian2 = more[letter].Evidence, more[letter].Guardian1, more[letter].Guardian2
		list = append(list, p)
	}
	_, err = r.Import(ctx, list, roster.ImportOpts{By: "scenario"})
	if err == nil && s.typesPIN() {
		err = r.SetPIN(ctx, "G", guardPIN)
	}
	if err == nil {
		err = r.SetDuty(ctx, "G", roster.Guard|roster.Desk|roster.Nurse|roster.Leader)
	}
	if err == nil {
		_, err = r.MakeCards(ctx, 2)
	}
	people := map[string]roster.Person{"X": {Badge: "9999000011112222"}, "Q": {Badge: "https://example.org/code/1"}}
	for p := range r.Snapshot().All() {
		people[p.Number] = p
	}
	for _, c := range r.Snapshot().Cards() {
		people[c.String()] = roster.Person{ID: c.ID(), Badge: c.Badge}
	}
	return people, errors.Join(err, r.Close())
}

// edge notes that a barrier went on, and how many admissions of its lane were
// durable at that moment: its own relay waits for the answer.
func (st *stage) edge(lane int, on bool) {
	if !on {
		return
	}
	admits, err := admissions(st.record.path, lane)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ons = append(st.ons, On{Lane: lane, Admits: admits, Err: err})
}

// start runs the gate and waits until it is open.
func (st *stage) start(ctx context.Context) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	st.clock.begin()
	st.pages, st.control = newPipes(), newPipes()
	st.client = &http.Client{Jar: jar, Transport: &http.Transport{DialContext: st.pages.dial, DisableKeepAlives: true}}
	st.gate, err = gate.New(gate.Options{
		Config: st.cfg, Opener: st.hw.World, Now: st.clock.Now, Log: st.o.Log, Version: "scenario", Web: st.pages, Control: st.control,
		Rules: officeRules(), Boards: st.board.met(),
	})
	if err != nil {
		return err
	}
	run, stop := context.WithCancel(ctx)
	st.stopIt, st.ended = stop, make(chan error, 1)
	go func() { st.ended <- st.gate.Run(run) }()
	limit, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	if err := st.gate.Alive(limit); err != nil {
		return errors.Join(err, st.stop())
	}
	st.settle()
	return sleep(ctx, warmUp)
}

// stop ends the gate in good order.
func (st *stage) stop() error {
	st.stopIt()
	return <-st.ended
}

// again ends the gate in good order and starts another on the same hardware.
func (st *stage) again(ctx context.Context) error {
	if err := st.stop(); err != nil {
		return err
	}
	return st.start(ctx)
}

func (st *stage) lane(word string) (*Lane, error) {
	n, err := strconv.Atoi(word)
	if err != nil || st.hw.Lane(n) == nil {
		return nil, errUsage
	}
	return st.hw.Lane(n), nil
}

// hands does what people do in a lane.
func (st *stage) hands(verb string, args []string) error {
	if verb == "push" && slices.Equal(args, []string{"room"}) {
		return st.push(st.hw.Room)
	}
	if len(args) == 0 {
		return errUsage
	}
	l, err := st.lane(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	switch {
	case verb == "push" && len(args) == 0:
		return st.push(l.Button)
	case verb == "empty" && len(args) == 0:
		l.Empty(l.ambient)
	case len(args) != 1:
		return errUsage
	case verb == "scan" && st.people[args[0]].Badge != "":
		l.Scanner.Scan(st.people[args[0]].Badge)
	case verb == "presence" && l.Presence != nil:
		l.Presence.Drive(args[0] == "on")
	case verb == "see", verb == "ambient":
		v, err := strconv.ParseFloat(args[0], 64)
		if err != nil {
			return errUsage
		}
		if verb == "see" {
			l.Show(v, l.ambient)
		} else {
			l.Empty(v)
		}
	case verb == "sensor":
		fault, ok := map[string]sim.Fault{
			"sound": sim.NoFault, "nak": sim.NAK, "check": sim.BadCheck, "frozen": sim.Frozen, "hot": sim.Hot,
		}[args[0]]
		if !ok {
			return errUsage
		}
		l.Thermometer.Fail(fault)
	default:
		return errUsage
	}
	return nil
}

func (st *stage) push(button *sim.Line) error {
	if button == nil {
		return errUsage
	}
	button.Drive(true)
	st.settle()
	button.Drive(false)
	return nil
}
