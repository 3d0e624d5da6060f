package wire

import (
	"errors"
	"slices"
	"strings"
)

const root = "menshen/v1/"

// TopicAnnounce is where a collector announces itself when it connects.
const TopicAnnounce = root + "-/collector"

// FilterUp is what a collector subscribes to: everything from every gate.
const FilterUp = root + "+/up/+"

// FilterDown returns what a gate subscribes to beside TopicAnnounce:
// everything for itself.
func FilterDown(gate string) string { return root + gate + "/down/+" }

// ValidName says whether s can name a gate or a collector: 1 to 32 of a-z, 0-9
// and hyphen. A gate's name is also its user name and client id at the broker.
func ValidName(s string) bool {
	return len(s) >= 1 && len(s) <= 32 &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// Topic returns where a message of kind k about a gate is published. It is for
// names that ValidName accepts; for KindAnnounce the gate is not looked at.
func Topic(gate string, k Kind) string {
	if k == KindAnnounce {
		return TopicAnnounce
	}
	return root + gate + direction(k) + k.String()
}

func direction(k Kind) string {
	if slices.Contains([]Kind{KindHave, KindPolicy, KindRoster, KindHold}, k) {
		return "/down/"
	}
	return "/up/"
}

// ParseTopic reads what Topic writes, and nothing else. The gate is empty for
// TopicAnnounce. What a topic says is the broker's word only: who wrote a
// message, its signature says.
func ParseTopic(topic string) (gate string, k Kind, err error) {
	if topic == TopicAnnounce {
		return "", KindAnnounce, nil
	}
	rest, ok := strings.CutPrefix(topic, root)
	gate, _, _ = strings.Cut(rest, "/")
	if ok && ValidName(gate) {
		for k := KindHello; k <= KindHold; k++ {
			if topic == Topic(gate, k) {
				return gate, k, nil
			}
		}
	}
	return "", 0, errors.New("parse topic: none of this protocol")
}
