package room

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/menshen/menshen/web"
	"github.com/menshen/menshen/web/board"
)

// View implements board.Board.
func (b *Board) View() board.View {
	v := board.View{School: b.o.Config.School, Name: b.o.Config.Gate, Now: time.Now(), LastGood: b.o.Banner != "", Dark: b.dark.Load() > 0}
	w := b.ward
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.gates {
		g := board.Gate{Name: f.name, Phone: f.phone, Here: f.spoke && f.Lost == nil}
		if f.Lost != nil {
			g.Lost, g.Since, g.Heard = true, f.Lost.Since, f.Lost.Seen
		}
		v.Gates = append(v.Gates, g)
		for _, x := range f.Alarms {
			if x.Sent {
				continue // the gate has the answer, and will say so
			}
			v.Alarms = append(v.Alarms, board.Alarm{
				Gate: f.name, Arrival: x.Arrival, Number: int(x.Number), Name: x.Name, Class: x.Class,
				Since: time.UnixMilli(x.Since), Recorded: x.Recorded, Drill: x.Drill, Missed: !x.Open, Answered: x.Seen,
			})
		}
	}
	return v
}

// Watch implements board.Board.
func (b *Board) Watch(ctx context.Context) <-chan struct{} { return b.ward.watch(ctx) }

// Answer implements board.Board.
func (b *Board) Answer(gate, arrival string, by web.Person) bool {
	return arrival != "" && b.ward.answer(gate, arrival, b.staff.number(by.ID))
}

// HeardOfLoss implements board.Board.
func (b *Board) HeardOfLoss(gate string) bool { return b.ward.heardOfLoss(gate) }

// control answers gatectl, in the words in which a gate does.
func (b *Board) control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/key", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, struct{ Gate, Key string }{b.o.Config.Gate, b.o.Identity})
	})
	mux.HandleFunc("GET /v1/status", func(w http.ResponseWriter, _ *http.Request) { answer(w, b.status()) })
	return mux
}

// status is what gatectl shows of a board.
type status struct {
	Gate, Version string
	Now           time.Time
	Alarms        int
	Banner        string
	Problems      []problem
}

type problem struct{ Key, Text string }

func (b *Board) status() status {
	v := b.View()
	s := status{Gate: v.Name, Version: b.o.Version, Now: v.Now, Banner: b.o.Banner}
	for _, a := range v.Alarms {
		if !a.Missed && !a.Answered {
			s.Alarms++
		}
	}
	for _, g := range v.Gates {
		if g.Lost {
			s.Problems = append(s.Problems, problem{"gate-lost", web.English.Text("board.lost", g.Name, g.Since.Format("15:04"))})
		}
	}
	if v.Dark {
		s.Problems = append(s.Problems, problem{"barrier-lost", web.English.Text("board.dark")})
	}
	return s
}

// answer writes a value to gatectl.
func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a caller that left needs no answer
}
