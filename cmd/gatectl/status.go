package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/menshen/menshen/gate"
)

// status prints what the gate is doing, and for everything that is wrong what
// to do about it.
func (t *tool) status(ctx context.Context) error {
	var s gate.Status
	if err := t.ask(ctx, http.MethodGet, "/v1/status", nil, &s); err != nil {
		return err
	}
	p := func(format string, args ...any) { fmt.Fprintf(t.stdout, format+"\n", args...) }
	p("gate %s, gated %s", s.Gate, s.Version)
	p("time      %s (%s)", s.Now.Format("2006-01-02 15:04:05"), s.Clock)
	p("journal   %d entries, %d waiting, %d lost, boot %d, root %s", s.Entries, s.Waiting, s.Lost, s.Boot, s.Root)
	p("roster    %d people, %d arrived today", s.Roster, s.Arrived)
	if n := s.Commits.Commits; n > 0 {
		p("commits   %d since the start, %.2f ms each", n, s.Commits.Took.Seconds()*1000/float64(n))
	}
	for _, o := range s.Outages {
		p("outages   %s", outage(o))
	}
	p("open      %d set aside, %d alarms, %d on hold, %d on duty", s.Asides, s.Alarms, s.Holds, s.OnDuty)
	t.printPolicies(s.Policies)
	for _, l := range s.Lanes {
		p("lane %-4d %s, %s", l.Number, l.Direction, l.Phase)
		t.printProblems(l.Faults)
	}
	t.printCalibrations(s)
	for _, c := range s.Collectors {
		heard := "not heard of since the gate started"
		if !c.Heard.IsZero() {
			heard = "heard " + c.Heard.Format("2006-01-02 15:04:05")
		}
		p("collector %s: %s, has %d of %d entries, %s", c.Name, c.Phase, c.Acked, c.Size, heard)
		t.printAdvice(c)
	}
	t.printProblems(s.Problems)
	if s.Banner != "" {
		p("  %s", strings.ReplaceAll(s.Banner, "\n", "\n  "))
	}
	return nil
}

// outage is a part that was lost, on one line.
func outage(o gate.Outage) string {
	line := o.Part
	if o.Lane > 0 {
		line = fmt.Sprintf("lane %d, %s", o.Lane, o.Part)
	}
	line += fmt.Sprintf(": %d since the start", o.Times)
	if o.Lost {
		line += ", gone now"
	}
	return line
}

func (t *tool) printProblems(list []gate.Problem) {
	for _, p := range list {
		fmt.Fprintf(t.stdout, "! %s\n  -> %s\n", p.Text, remedy(p.Key))
	}
}

// printAdvice prints what is wrong with a collector, and what to type.
func (t *tool) printAdvice(c gate.CollectorStatus) {
	if c.Cause == "" {
		return
	}
	fmt.Fprintf(t.stdout, "! %s\n  %s\n  -> %s\n     %s\n", c.Text.Chinese, c.Text.English, c.Remedy.Chinese, c.Remedy.English)
	for _, command := range c.Commands {
		fmt.Fprintf(t.stdout, "     $ %s\n", command)
	}
}

// remedy says what an administrator does about a problem of the gate or a
// fault of a lane.
func remedy(key string) string {
	switch key {
	case "not-recorded", "journal-failed":
		return "free space on the disk, or see with 'findmnt' whether it is read-only; entries are tried again every 5 s"
	case "last-good-configuration":
		return "mend what stands below, try it with 'gatectl check', then 'systemctl restart gated'"
	case "no-roster":
		return "'gatectl roster import FILE.csv'"
	case "clock-untrusted":
		return "somebody on duty confirms the time on the page, or set it with 'timedatectl'"
	case "nobody-on-duty":
		return "a member of staff signs on at the page; 'gatectl roster pin NUMBER' gives a PIN"
	case "insecure-web":
		return "listen on 127.0.0.1 in [web], unless everybody on that network may read and press along"
	case "collector-diverged", "collector-refused", "collector-silent", "no-collector":
		return "do what stands below that collector's line above"
	case "insecure-collector":
		return "write mqtts:// in the url of that [[collector]], unless nobody else is on the way"
	case "visitor-overstay":
		return "look for the visitor; whoever is back is taken off the list at the desk"
	case "visitors-later":
		return "nothing: the desk takes visitors from then on, as [visitors] says"
	case "calendar-fault":
		return "find the fault with 'gatectl calendar check FILE', then 'gatectl calendar load FILE'"
	case "rules-ended":
		return "publish a policy at the district, or 'gatectl policy load FILE'"
	case "offline":
		return "nothing: the gate works without the network, and sends what waits when it is back"
	case "scanner-lost", "thermometer-lost", "barrier-lost":
		return "plug it in again; if that does not help, compare its path in the profile or [ports] with 'ls -l /dev/serial/by-id'"
	case "beacon-lost", "isolation-alarm-lost":
		return "plug in the board of the lamps again, and compare its port as for a scanner; until then go by the screen"
	case "button-lost", "open-lost", "counter-lost", "fire-contact-lost", "isolation-button-lost", "presence-lost":
		return "compare chip and line of its pin in the profile with 'gatectl scan'; the screen does what the button did"
	case "fire":
		return "nothing: the barriers are released by wire; lanes serve again when the contact opens"
	case "opened-alone":
		return "see who went in; if nobody did, see that the counter's output is that of the direction inwards"
	case "gate-lost":
		return "see whether that gate runs and the network reaches it; compare its [[follow]] here and [boards] there with 'gatectl key show' at both"
	case "sibling-lost":
		return "see whether that gate runs and the network reaches it; each names the other in [[sibling]], with the key that 'gatectl key show' prints there"
	case "sound-lost":
		return "plug in the loudspeaker's card, see that alsa-utils is installed, and compare device in [sound] with 'aplay -L'"
	case "calibration-missing", "calibration-due":
		return "'gatectl calibrate -by NUMBER,NUMBER LANE' with a blackbody or a water bath; where there is none, '-field' with three people"
	case "background-warm":
		return "shade the lens's background, or turn the lens from the wall or the sun behind the queue; a presence input ends this for good"
	case "barrier-open":
		return "see whether the barrier is shut and what its relay does; then stop gated and try 'gatectl rest'"
	}
	return "see 'journalctl -u gated'"
}
