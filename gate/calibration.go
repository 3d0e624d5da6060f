package gate

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/menshen/menshen/config"
	"github.com/menshen/menshen/entry"
	"github.com/menshen/menshen/journal"
	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/calibration"
	"github.com/menshen/menshen/screening/lane"
)

// calibrations knows which certificate stands for which instrument, and which
// instrument is fitted where. It is rebuilt from the journal.
type calibrations struct {
	g *Gate

	mu sync.Mutex
	// found are the certificates of the journal until the gate's key is there.
	found []found
	// stand are certificates by device, fitted devices by lane.
	stand  map[string]standing
	fitted map[int]string
	// heights is when a lane's lens was last seen to see all heights alike.
	heights map[int]time.Time
}

// found is a certificate as it stands in the journal.
type found struct {
	seq  uint64
	lane uint8
	by   []uint64
	text string
}

// standing is what holds for one device.
type standing struct {
	found
	newest calibration.Certificate
	// compared is the newest certificate that is no check by people.
	compared calibration.Certificate
}

// due is when the device is to be compared again. A check by people never takes
// back what a blackbody has given.
func (s standing) due(days int) time.Time {
	due := s.newest.Due(days)
	if s.compared.Device != "" && s.compared.Due(days).After(due) {
		return s.compared.Due(days)
	}
	return due
}

func newCalibrations(g *Gate) *calibrations {
	return &calibrations{g: g, stand: map[string]standing{}, fitted: map[int]string{}, heights: map[int]time.Time{}}
}

// replay takes the record of an entry at start. It reports whether that is all
// that it means.
func (c *calibrations) replay(row journal.Row, rec lane.Record) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch uint8(rec.Act) {
	case entry.ActCalibrated:
		c.found = append(c.found, found{row.Seq, row.Entry.Lane, rec.By, rec.Reason})
		c.g.drift.renewed(int(row.Entry.Lane))
	case entry.ActHeightsSeen:
		c.heights[int(row.Entry.Lane)] = time.UnixMilli(row.Entry.Wall)
	default:
		return false
	}
	return true
}

// open takes the certificates of the journal that this gate has signed. Without
// its key none counts: an instrument shows then what it shows.
func (c *calibrations) open(key ed25519.PrivateKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.found {
		if key == nil {
			break
		}
		cert, err := calibration.Verify(f.text, key.Public().(ed25519.PublicKey))
		if err != nil {
			c.g.log.Warn("certificate of a thermometer is not taken", "entry", f.seq, "err", err)
			continue
		}
		c.put(f, cert)
	}
	c.found = nil
}

// put lets a certificate stand. The caller holds mu.
func (c *calibrations) put(f found, cert calibration.Certificate) {
	s := c.stand[cert.Device]
	s.found, s.newest = f, cert
	if cert.Method != calibration.FieldCheck {
		s.compared = cert
	}
	c.stand[cert.Device] = s
}

// carried returns what stands of the journal that was replayed, for the next one:
// of each device the newest comparison, and the newest check by people.
func (c *calibrations) carried(now entry.Stamp) (drafts []journal.Draft) {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := map[string]uint64{}
	key := func(f found) string {
		cert, err := calibration.Parse(f.text[:max(strings.LastIndexByte(f.text, ' '), 0)]) // without its signature
		if err != nil {
			return ""
		}
		return fmt.Sprint(cert.Device, " ", cert.Method == calibration.FieldCheck)
	}
	for _, f := range c.found {
		last[key(f)] = f.seq
	}
	for _, f := range c.found {
		if k := key(f); k != "" && last[k] == f.seq {
			drafts = append(drafts, journal.Draft{Kind: entry.KindAnswer, Stamp: now, Lane: f.lane, Body: entry.Answer{Act: entry.ActCalibrated, By: f.by, Reason: f.text}})
		}
	}
	return drafts
}

// of returns what a lane is told of a device. The caller holds mu.
func (c *calibrations) of(device string) lane.Calibrated {
	s, ok := c.stand[device]
	if !ok || device == "" {
		return lane.Calibrated{}
	}
	return lane.Calibrated{Certificate: s.seq, Correction: s.newest.Correction}
}

// fit says which device a lane has opened, and tells the lane what its
// certificate takes out.
func (c *calibrations) fit(l *laneLoop, device string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fitted[l.cfg.Number] = device
	l.send(c.of(device))
}

// identified is a thermometer that knows which one it is.
type identified interface {
	ID(ctx context.Context) (uint64, error)
}

// deviceName names the instrument of a lane: what it is, where it hangs, and the
// number that its maker gave it, where it has one. A serial module has none: that
// it was replaced nobody sees.
func deviceName(ctx context.Context, c config.Lane, dev Thermometer) string {
	t := c.Thermometer
	name := fmt.Sprintf("%s@%d:%s", t.Kind, c.Number, t.Port)
	if t.Bus != "" {
		name = fmt.Sprintf("%s@%d:%s:%02x", t.Kind, c.Number, t.Bus, t.Address)
	}
	if n, ok := dev.(identified); ok {
		for range 3 { // a transfer may be disturbed
			if id, err := n.ID(ctx); err == nil {
				return name + fmt.Sprintf(":%016x", id)
			}
		}
	}
	return name
}

// Calibration is what stands for the thermometer of one lane.
type Calibration struct {
	Lane int
	// Device is empty until the thermometer has been opened.
	Device string
	// Certificate is the number of its entry, 0 where there is none; Method, At,
	// Due and Correction mean something where there is one.
	Certificate uint64
	Method      calibration.Method
	At, Due     time.Time
	Correction  screening.Correction
	// State is "missing", "due", "good", or empty where nothing can be said: no
	// device, or a clock that nobody vouches for.
	State string
	// Heights is when the heights were checked; zero if never.
	Heights time.Time
}

// What State says.
const (
	CalibrationMissing = "missing"
	CalibrationDue     = "due"
	CalibrationGood    = "good"
)

// list returns what stands, by lane.
func (c *calibrations) list(now entry.Stamp) (list []Calibration) {
	days := c.g.document().CalibrationAge()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.g.lanes {
		if l.cfg.Thermometer == nil {
			continue
		}
		x := Calibration{Lane: l.cfg.Number, Device: c.fitted[l.cfg.Number], Heights: c.heights[l.cfg.Number]}
		s, ok := c.stand[x.Device]
		switch {
		case x.Device == "":
		case !ok:
			x.State = CalibrationMissing
		default:
			x.Certificate, x.Method, x.At, x.Due, x.Correction = s.seq, s.newest.Method, s.newest.At, s.due(days), s.newest.Correction
			if now.Clock >= entry.ClockConfirmed {
				x.State = CalibrationGood
				if now.Wall.After(x.Due) {
					x.State = CalibrationDue
				}
			}
		}
		list = append(list, x)
	}
	return list
}

// problems says which lanes are to be compared. Where no temperature is asked for
// there is nothing to say.
func (c *calibrations) problems(now entry.Stamp, add func(key string, args ...any)) {
	if c.g.policy().Spec().Kind == screening.Attendance {
		return
	}
	lanes := map[string][]string{}
	for _, x := range c.list(now) {
		lanes[x.State] = append(lanes[x.State], strconv.Itoa(x.Lane))
	}
	for _, state := range []string{CalibrationDue, CalibrationMissing} {
		if list := lanes[state]; list != nil {
			add("calibration-"+state, strings.Join(list, " "))
		}
	}
}

// errNoInstrument: a certificate would be of nothing.
var errNoInstrument = errors.New("the thermometer of that lane has not been opened: see 'gatectl doctor'")

// certify signs what was measured and writes it; from then on it holds. A check
// by people goes on with the correction that holds now.
func (c *calibrations) certify(ctx context.Context, l *laneLoop, method calibration.Method, points []calibration.Point, by [2]uint64) (Calibration, error) {
	now := c.g.recorder.now()
	if now.Clock < entry.ClockConfirmed {
		return Calibration{}, errors.New("nobody vouches for the clock, and a certificate is dated: confirm the time first")
	}
	key := c.g.collectors.key
	if key == nil {
		return Calibration{}, errors.New("the gate has no key to sign with: see 'gatectl status'")
	}
	c.mu.Lock()
	device := c.fitted[l.cfg.Number]
	correction := c.of(device).Correction
	c.mu.Unlock()
	if device == "" {
		return Calibration{}, errNoInstrument
	}
	if method != calibration.FieldCheck {
		var err error
		if correction, _, err = calibration.Fit(points); err != nil {
			return Calibration{}, err
		}
	}
	cert := calibration.Certificate{Device: device, Method: method, At: now.Wall.Truncate(time.Second), By: by, Correction: correction, Points: points}
	if err := cert.Check(); err != nil {
		return Calibration{}, err
	}
	text, due := cert.Sign(key), cert.Due(c.g.document().CalibrationAge())
	seq, err := c.g.recorder.seqAt(ctx, uint8(l.cfg.Number), entry.Answer{Act: entry.ActCalibrated, By: by[:], Reason: text, Until: due.UnixMilli()})
	if err != nil {
		return Calibration{}, err
	}
	c.mu.Lock()
	c.put(found{seq: seq, text: text}, cert)
	l.send(c.of(device))
	c.mu.Unlock()
	c.g.drift.renewed(l.cfg.Number)
	c.g.changed()
	return Calibration{Lane: l.cfg.Number, Device: device, Certificate: seq, Method: method, At: cert.At, Due: due, Correction: correction, State: CalibrationGood}, nil
}

// seeHeights writes that the lens of a lane sees all heights alike.
func (c *calibrations) seeHeights(ctx context.Context, l *laneLoop, list []calibration.Height, by [2]uint64) error {
	if err := calibration.CheckHeights(list); err != nil {
		return err
	}
	now := c.g.recorder.now()
	_, err := c.g.recorder.seqAt(ctx, uint8(l.cfg.Number), entry.Answer{Act: entry.ActHeightsSeen, By: by[:], Reason: calibration.HeightsText(list)})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heights[l.cfg.Number] = now.Wall
	return nil
}
