package gate

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/isolation"
)

// told counts how often the gate has told of a cluster since it began.
func (s *sister) told() int { return strings.Count(s.log.String(), "msg=cluster ") }

// people returns how many the clusters have that the desk shows, one after the
// other.
func (s *sister) people() (list []int) {
	for _, c := range (deskPage{s.Gate}).Watched().Clusters {
		list = append(list, c.People)
	}
	return list
}

// ill opens a case of the n-th pupil.
func (s *sister) ill(t *testing.T, n uint64) {
	t.Helper()
	roomPage{s.Gate}.illOf(t, pupilID+n, "vomiting")
	later(3 * time.Second)
}

func (s *sister) wantCluster(t *testing.T, when string, told, people int) {
	t.Helper()
	if got := s.people(); s.told() != told || people == 0 && len(got) != 0 || people > 0 && (len(got) != 1 || got[0] != people) {
		t.Errorf("%s, at %s: told %d times, %v people, want %d and %d", when, s.name, s.told(), got, told, people)
	}
}

func TestAClusterOverTwoGatesIsToldOnceAtEach(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		east, west := sisters(t, dirs)
		both := func(when string, told, people int) {
			t.Helper()
			east.wantCluster(t, when, told, people)
			west.wantCluster(t, when, told, people)
		}
		east.ill(t, 0)
		west.ill(t, 0)
		east.ill(t, 1)
		both("two people, one of them at both gates", 0, 0)
		west.ill(t, 2)
		both("three", 1, 3)
		east.ill(t, 2)
		both("one of them at the other gate too", 1, 3)

		west.restart(t, false)
		later(5 * time.Second)
		east.wantCluster(t, "the other gate began anew", 1, 3)
		west.wantCluster(t, "after a restart", 0, 3)

		east.cutOff(true)
		east.ill(t, 3)
		later(time.Minute)
		east.wantCluster(t, "during a cut", 1, 4)
		west.wantCluster(t, "during a cut", 0, 3)
		east.plugIn()
		later(10 * time.Second)
		east.wantCluster(t, "after it", 1, 4)
		west.wantCluster(t, "after it", 0, 4)
		east.end(t)
		west.end(t)
	})
}

func TestAClusterThatComesWithALateWordIsToldThen(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		east, west := sisters(t, dirs)
		east.cutOff(false)
		east.ill(t, 0)
		east.ill(t, 1)
		west.ill(t, 2)
		later(5 * time.Minute)
		west.wantCluster(t, "during the cut", 0, 0)
		east.plugIn()
		later(10 * time.Second)
		east.wantCluster(t, "after it", 1, 3)
		west.wantCluster(t, "after it", 1, 3)
		east.end(t)
		west.end(t)
	})
}

func TestWhatTheOtherGateFoundToBeNoIllnessCountsNoMore(t *testing.T) {
	dirs := schools(t)
	synctest.Test(t, func(t *testing.T) {
		east, west := sisters(t, dirs)
		east.ill(t, 0)
		west.ill(t, 1)
		west.ill(t, 2)
		west.wantCluster(t, "three", 1, 3)
		r := roomPage{east.Gate}
		r.must(t, isolation.Step{Kind: isolation.StepNotThis, Reason: "wrong-badge", By: web.Person{ID: nurseID}})
		later(3 * time.Second)
		west.wantCluster(t, "one was somebody else", 1, 0)
		east.end(t)
		west.end(t)
	})
}
