package e2e

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// Guard is a browser at the gate's page.
type Guard struct {
	t      testing.TB
	g      *Gate
	client *http.Client
}

// Shown is what a page shows.
type Shown struct {
	Lanes  []ShownLane
	Asides []ShownAside
	// Text is the whole page.
	Text string
}

// ShownLane is one lane on the page. Arrival is empty while there is nothing to
// be pressed.
type ShownLane struct {
	Number  int
	Verdict string
	// Person is class and masked name, empty when nobody is known.
	Person string
	Target
	Text string
}

// ShownAside is one arrival that was set aside.
type ShownAside struct {
	Ticket int
	Target
	Text string
}

// Target is what an act names: what the person was looking at.
type Target struct{ Arrival, Version string }

// visitor is a browser without a session.
func (g *Gate) visitor() *Guard {
	return &Guard{t: g.b.t, g: g, client: &http.Client{Timeout: Soon}}
}

// SignOn signs the guard on by badge and PIN.
func (g *Gate) SignOn() *Guard {
	g.b.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		g.b.t.Fatal(err)
	}
	p := g.visitor()
	p.client.Jar = jar
	if err := p.post("/sign-on", url.Values{"badge": {Badge(0)}, "pin": {PIN}}); err != nil {
		g.b.t.Fatal(err)
	}
	return p
}

// Look reads the page.
func (p *Guard) Look() Shown {
	p.t.Helper()
	s, err := p.Read()
	if err != nil {
		p.t.Fatal(err)
	}
	return s
}

// Read reads the page, from any goroutine.
func (p *Guard) Read() (Shown, error) {
	resp, err := p.client.Get(p.g.url("/guard/"))
	if err != nil {
		return Shown{}, err
	}
	text, err := read(resp)
	if err != nil {
		return Shown{}, fmt.Errorf("read page: %w", err)
	}
	return parsePage(text)
}

// Lane returns one lane as the page shows it now.
func (p *Guard) Lane(n int) ShownLane {
	p.t.Helper()
	for _, l := range p.Look().Lanes {
		if l.Number == n {
			return l
		}
	}
	p.t.Fatalf("the page has no lane %d", n)
	return ShownLane{}
}

// AwaitVerdict waits until a lane shows one of the verdicts.
func (p *Guard) AwaitVerdict(lane int, verdicts ...string) ShownLane {
	p.t.Helper()
	var last ShownLane
	Await(p.t, Soon, fmt.Sprintf("lane %d shows one of %v", lane, verdicts), func() bool {
		last = p.Lane(lane)
		return strings.Contains(" "+strings.Join(verdicts, " ")+" ", " "+last.Verdict+" ")
	})
	return last
}

// Act presses a button about what was shown; fields are name, value, and so on.
// The error is what the page answered when it did not take the press.
func (p *Guard) Act(target Target, kind string, fields ...string) error {
	form := url.Values{"arrival": {target.Arrival}, "version": {target.Version}, "kind": {kind}}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return p.post("/guard/act", form)
}

// MustAct presses a button that must work.
func (p *Guard) MustAct(target Target, kind string, fields ...string) {
	p.t.Helper()
	if err := p.Act(target, kind, fields...); err != nil {
		p.t.Fatalf("%s: %v", kind, err)
	}
}

// SetAside takes a stopped arrival out of its lane, however often the page
// changes under the finger.
func (p *Guard) SetAside(lane int) error {
	var err error
	if !Poll(Soon, func() bool {
		var s Shown
		if s, err = p.Read(); err != nil {
			return false
		}
		l := s.Lanes[lane-1]
		if !strings.Contains(l.Text, `value="aside"`) {
			err = fmt.Errorf("lane %d shows %q without the button", lane, l.Verdict)
			return false
		}
		err = p.Act(l.Target, "aside")
		return err == nil
	}) {
		return fmt.Errorf("set aside: %w", err)
	}
	return nil
}

// post sends a form. A refusal is an error, whether it is a page of its own or
// a word on the next page.
func (p *Guard) post(path string, form url.Values) error {
	resp, err := p.client.PostForm(p.g.url(path), form)
	if err != nil {
		return err
	}
	if _, err := read(resp); err != nil {
		return fmt.Errorf("post %s: %w", path, err)
	}
	if said := resp.Request.URL.Query().Get("said"); said != "" {
		return fmt.Errorf("post %s: page says %s", path, said)
	}
	return nil
}

func read(resp *http.Response) (string, error) {
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(body), err
}

// What is read of a page.
var (
	laneSection = regexp.MustCompile(`(?s)<section class="lane ([a-z]+)" id="lane-(\d+)"[^>]*>(.*?)</section>`)
	asideItem   = regexp.MustCompile(`(?s)<li class="aside[^"]*" id="aside-(\d+)">(.*?)</li>`)
	person      = regexp.MustCompile(`<p class="person">([^<]*)</p>`)
	hidden      = regexp.MustCompile(`name="arrival" value="([^"]*)"><input type="hidden" name="version" value="(\d+)"`)
)

// parsePage reads lanes, asides and the targets of their forms.
func parsePage(text string) (Shown, error) {
	s := Shown{Text: html.UnescapeString(text)}
	for _, m := range laneSection.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[2])
		if err != nil {
			return Shown{}, err
		}
		l := ShownLane{Number: n, Verdict: m[1], Target: target(m[3]), Text: html.UnescapeString(m[3])}
		if who := person.FindStringSubmatch(l.Text); who != nil {
			l.Person = strings.TrimSpace(who[1])
		}
		s.Lanes = append(s.Lanes, l)
	}
	for _, m := range asideItem.FindAllStringSubmatch(text, -1) {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return Shown{}, err
		}
		s.Asides = append(s.Asides, ShownAside{Ticket: n, Target: target(m[2]), Text: html.UnescapeString(m[2])})
	}
	if len(s.Lanes) == 0 {
		return Shown{}, errors.New("page has no lane")
	}
	return s, nil
}

// target finds the hidden fields of the first form.
func target(form string) Target {
	m := hidden.FindStringSubmatch(form)
	if m == nil {
		return Target{}
	}
	return Target{Arrival: m[1], Version: m[2]}
}
