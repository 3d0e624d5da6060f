package archtest

import (
	"slices"
	"strings"
)

// arrow forbids direct imports: none of the packages that from selects may
// import a target that bad selects.
type arrow struct {
	name, why string
	tests     bool // binds test files too
	from      func(dir string) bool
	bad       func(target) bool
}

// below selects the packages at and below some directories.
func below(roots ...string) func(string) bool {
	return func(dir string) bool { return within(dir, roots...) }
}

// outside selects all the others.
func outside(roots ...string) func(string) bool {
	return func(dir string) bool { return !within(dir, roots...) }
}

// ours selects targets at and below some of this module's directories.
func ours(roots ...string) func(target) bool {
	return func(g target) bool { return g.dir != "" && within(g.dir, roots...) }
}

// importRules is the drawing of the module's packages, read as prohibitions.
func importRules() []rule {
	arrows := []arrow{
		{
			name: "screening-stands-alone",
			why:  "a decision must be provable without a device, a disk or a network",
			from: func(dir string) bool { return within(dir, "screening") && !within(dir, "screening/policy") },
			bad:  func(g target) bool { return g.dir != "" && !within(g.dir, "screening") },
		}, {
			name: "policy-reads-files-only",
			why:  "what a policy file says must not depend on the gate that reads it",
			from: below("screening/policy"),
			bad:  func(g target) bool { return g.dir != "" && !within(g.dir, "screening", "tomlfile") },
		}, {
			name: "tomlfile-stands-alone",
			why:  "how a file is read has nothing to do with what it says",
			from: below("tomlfile"),
			bad:  func(g target) bool { return g.dir != "" && !within(g.dir, "tomlfile") },
		}, {
			name: "screening-is-standard-library",
			why:  "what decides about a child depends on no one else's release",
			from: func(dir string) bool { return dir == "screening" },
			bad:  func(g target) bool { return !g.std() },
		}, {
			name: "device-knows-no-policy",
			why:  "a driver says what a chip said and never what it means",
			from: below("device"),
			bad:  ours("screening", "journal", "gate"),
		}, {
			name: "pages-ask-the-gate",
			why:  "a page that reaches past the actions it declares could open a barrier without a record",
			from: below("web"),
			bad:  ours("journal", "device"),
		}, {
			name: "journal-knows-no-network",
			why:  "an entry must be durable with the network gone",
			from: below("journal"),
			bad:  ours("sync"),
		}, {
			name: "sync-knows-no-journal",
			why:  "a collector runs without a gate's file",
			from: below("sync"),
			bad:  ours("journal"),
		}, {
			name: "entry-lies-at-the-bottom",
			why:  "the bytes that are hashed must not move with anything above them",
			from: below("entry"),
			bad: func(g target) bool {
				return !g.std() && !within(g.dir, "entry") &&
					!within(g.path, "github.com/fxamacker/cbor/v2", "golang.org/x/mod")
			},
		}, {
			name: "config-stands-alone",
			why:  "a configuration is read before anything else can be trusted to work",
			from: below("config"),
			bad:  func(g target) bool { return g.dir != "" && !within(g.dir, "config", "calendar", "tomlfile") },
		}, {
			name: "calendar-stands-alone",
			why:  "whom a school expects is the same question at a gate and above it",
			from: below("calendar"),
			bad:  func(g target) bool { return g.dir != "" && !within(g.dir, "calendar", "tomlfile") },
		}, {
			name: "board-knows-no-lane",
			why:  "a board that reaches a journal or a policy could decide, or forget, in a gate's place",
			from: below("room"),
			bad:  ours("gate", "journal", "roster", "screening", "sync"),
		}, {
			name: "doctor-knows-no-gate",
			why:  "a machine is looked at where no gate runs, and before there is a journal",
			from: below("doctor"),
			bad:  ours("gate", "journal", "roster", "screening", "sync", "web"),
		}, {
			name:  "commands-are-leaves",
			why:   "a command is flags and signals; what another package needs belongs below it",
			tests: true,
			from:  func(string) bool { return true },
			bad:   ours("cmd"),
		}, {
			name:  "hardware-only-in-board",
			why:   "periph's host and the GPIO back end touch the machine as soon as they are used",
			tests: true,
			from:  outside("device/board"),
			bad: func(g target) bool {
				return within(g.path, "periph.io/x/host", "github.com/warthog618/go-gpiocdev")
			},
		}, {
			name: "internal-is-for-rigs",
			why:  "internal holds test rigs; no part of the product may lean on one",
			from: outside("internal", "cmd/gatesim"),
			bad:  ours("internal"),
		},
	}
	var list []rule
	for _, a := range arrows {
		list = append(list, rule{a.name, a.why, a.find})
	}
	return append(list, rule{
		"product-without-simulation",
		"a gate that can be linked with made-up chips can be run with them",
		findSimulation,
	}, rule{
		"sync-holds-no-file",
		"a package named sync would shadow the standard one",
		findSyncFiles,
	})
}

func (a arrow) find(t *tree, say report) {
	for _, p := range t.pkgs {
		if !a.from(p.dir) {
			continue
		}
		for _, f := range p.files {
			if f.test && !a.tests {
				continue
			}
			for _, g := range t.imports(f) {
				if a.bad(g) {
					say(g.pos, p.dir+" imports "+g.path)
				}
			}
		}
	}
}

// findSimulation follows the imports of every command but the simulator.
func findSimulation(t *tree, say report) {
	simulation := ours("device/sim", "device/devicetest", "internal")
	for _, product := range t.pkgs {
		if !within(product.dir, "cmd") || within(product.dir, "cmd/gatesim") {
			continue
		}
		seen := map[string]bool{product.dir: true}
		var follow func(p *pkg, chain []string)
		follow = func(p *pkg, chain []string) {
			for _, f := range p.code() {
				for _, g := range t.imports(f) {
					if simulation(g) {
						say(g.pos, strings.Join(append(slices.Clone(chain), g.dir), " → "))
						continue
					}
					next := t.byDir[g.dir]
					if next != nil && !seen[g.dir] {
						seen[g.dir] = true
						follow(next, append(slices.Clone(chain), g.dir))
					}
				}
			}
		}
		follow(product, []string{product.dir})
	}
}

func findSyncFiles(t *tree, say report) {
	if p := t.byDir["sync"]; p != nil {
		for _, f := range p.files {
			say(f.Package, "package "+f.Name.Name+" in sync/ itself")
		}
	}
}
