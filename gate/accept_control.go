package gate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// AcceptanceWord is what gatectl says of one step of an acceptance.
type AcceptanceWord struct {
	// Step is its key, and Word one of package setup's.
	Step, Word string
}

// AcceptanceNames are who tries a gate where it stands.
type AcceptanceNames struct{ Installer, Witness string }

func (g *Gate) showAcceptance(w http.ResponseWriter, r *http.Request) {
	a, err := setupPage{g}.Accepting(r.Context())
	answer(w, a, err)
}

func (g *Gate) beginAcceptance(w http.ResponseWriter, r *http.Request) {
	var in AcceptanceNames
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	answer(w, struct{}{}, setupPage{g}.BeginAcceptance(r.Context(), in.Installer, in.Witness))
}

func (g *Gate) sayAcceptance(w http.ResponseWriter, r *http.Request) {
	var in AcceptanceWord
	if err := json.NewDecoder(io.LimitReader(r.Body, 4096)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("read request: %w", err))
		return
	}
	answer(w, struct{}{}, setupPage{g}.SayAcceptance(r.Context(), in.Step, in.Word))
}
