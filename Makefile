# Menshen. `make` lists what there is to make.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

SEED      ?= 1
SPEED     ?= 10
FUZZTIME  ?= 30s
ROWS      ?= 10000000
CAMPAIGN  ?= 10m
CUTS      ?= 50
ARRIVALS  ?= 500
# The race detector wants a 64-bit machine; `make test RACE=` does without.
RACE      ?= -race
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)

# SQLite flushes with fdatasync only if it is told that there is one; the value
# stands in the key of Go's build cache, so it is the same everywhere.
export CGO_CFLAGS := -O2 -g -DHAVE_FDATASYNC=1
export FUZZTIME

# What starts whole programs and machines takes the longest, and mostly waits: it
# begins first where nothing is left out.
LONGEST = github.com/menshen/menshen/internal/e2e github.com/menshen/menshen/internal/vmrig

TEST = go test -json $(RACE) -shuffle=on -timeout 40m ./... | go run ./internal/testsum

.PHONY: help build menshen cross demo test test-full test-everything lint fuzz bench bench-bridge campaign rig rig-ci screenshots need need-race need-rig clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

build: ## programs into bin/
	@scripts/need.sh -trimpath
	go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/ ./cmd/...

# One file for one kind of machine, without a shared library: with GOARCH and CC
# set for another one, such as arm64 and aarch64-linux-gnu-gcc, for that one.
menshen: ## bin/menshen: the one file that installs a gate: sudo bin/menshen install
	@scripts/need.sh -trimpath
	@mkdir -p bin/one
	CGO_ENABLED=1 go build -trimpath -buildvcs=false -tags netgo,osusergo -ldflags '-X main.version=$(VERSION) -linkmode external -extldflags "-static"' -o bin/one/ ./cmd/gated ./cmd/gatectl
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/one/ ./cmd/menshen
	env -u GOARCH -u GOARM -u CC go run ./cmd/menshen pack bin/menshen bin/one/menshen bin/one
	rm -r bin/one

cross: need ## static programs for ARM into bin/arm64 and bin/armv7
	VERSION=$(VERSION) scripts/cross.sh arm64 bin/arm64
	VERSION=$(VERSION) scripts/cross.sh armv7 bin/armv7

demo: build ## a scripted winter Monday at two simulated gates: SEED=1 SPEED=10
	bin/gatesim demo --seed $(SEED) --speed $(SPEED)

test: need-race ## the tests that take seconds; ends with what was not run and why
	@$(TEST)

test-full: need-race ## all tests, minutes too, none left out; lint; every fuzz target; a tree left as it was
	@scripts/unchanged.sh $(MAKE) --no-print-directory test-everything

test-everything:
	@export MENSHEN_FULL=1; $(subst ./...,-p 3 $(LONGEST) $$(go list ./... | grep -vE '/internal/(e2e|vmrig)$$'),$(TEST)) -full
	@go test -json -shuffle=on -count=1 ./internal/syncsim | go run ./internal/testsum -full
	@$(MAKE) --no-print-directory lint fuzz

lint: need ## gofmt, go vet, staticcheck
	@scripts/lint.sh

fuzz: need ## every fuzz target for FUZZTIME=30s
	@scripts/fuzz.sh

bench: need ## every benchmark, one package at a time: ROWS=10000000
	MENSHEN_BENCH_ROWS=$(ROWS) go test -p 1 -run '^$$' -bench . -timeout 3h ./...

bench-bridge: need ## catching up, beside a bridge between two mosquittos
	bench/bridge.sh

campaign: need-race ## hours: every test twenty times in changing order, then CAMPAIGN=10m of fuzzing a target
	@export MENSHEN_FULL=1; go test -json $(RACE) -shuffle=on -count=20 -timeout 6h ./... | go run ./internal/testsum -full
	@FUZZTIME=$(CAMPAIGN) scripts/fuzz.sh

rig: need need-rig ## power cuts of a gate under a real ARM kernel in QEMU, and its hot plug: CUTS=50 ARRIVALS=500
	MENSHEN_FULL=1 MENSHEN_RIG_CUTS=$(CUTS) MENSHEN_RIG_ARRIVALS=$(ARRIVALS) go test -v -count=1 -timeout 12h ./internal/vmrig

rig-ci: need need-rig ## the same in minutes, with 8 cuts and 100 arrivals
	@export MENSHEN_FULL=1; go test -json -count=1 ./internal/vmrig | go run ./internal/testsum -full

screenshots: need ## a picture of every state of every screen at every size, into screenshots/
	for page in web web/guard web/desk web/isolation web/class; do \
		MENSHEN_SCREENSHOTS=$(CURDIR)/screenshots/$$page go test -count=1 -run Touched ./$$page; \
	done

need:
	@scripts/need.sh

need-race:
	@scripts/need.sh $(RACE)

need-rig:
	@scripts/need-rig.sh

clean: ## what build has made
	rm -rf bin
