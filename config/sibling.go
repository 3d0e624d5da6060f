package config

import (
	"fmt"

	"github.com/menshen/menshen/tomlfile"
)

// Sibling is another gate of the same school. The two follow each other, and
// each names the other.
type Sibling struct {
	// Gate is the other gate's name, [a-z0-9-]{1,32}: not this one's, and unique.
	Gate string
	// Called is what people call it, at most 24 bytes; empty where its name does.
	Called string
	// Address is host:port of the other gate's [boards].
	Address string
	// Key is the other gate's, in the form of Collector.Key.
	Key string
}

const (
	maxSiblings = 8
	// maxCalled is eight Chinese characters: a name stands in one line with a time.
	maxCalled = 24
)

// readSiblings reads every [[sibling]] of a gate.
func readSiblings(t *tomlfile.Table, gate string) []Sibling {
	var all []Sibling
	for i, one := range t.Tables("sibling") {
		s := readSibling(one)
		if s.Gate == gate && gate != "" {
			one.Fault("gate", tomlfile.Quote(gate)+" is this gate", "name the other one")
		}
		for _, other := range all {
			if s.Gate == other.Gate && s.Gate != "" {
				one.Fault("gate", tomlfile.Quote(s.Gate)+" stands there twice", "name each gate once")
			}
		}
		if i == maxSiblings {
			one.Fault("", fmt.Sprintf("more than %d gates", maxSiblings), "remove some")
		}
		if i == 0 && !t.Has("boards") && !t.Has("follow") {
			one.Fault("", "the other gate meets this one nowhere", `add [boards] with listen = "0.0.0.0:8631"; its keys may be left out`)
		}
		all = append(all, s)
	}
	return all
}

func readSibling(t *tomlfile.Table) Sibling {
	defer t.End()
	s := Sibling{Gate: readName(t, "gate"), Called: t.Text("called", "")}
	if len(s.Called) > maxCalled {
		t.Fault("called", fmt.Sprintf("longer than %d bytes", maxCalled), "use at most 8 Chinese characters, or 24 letters")
	}
	s.Address, s.Key = readPeer(t)
	return s
}
