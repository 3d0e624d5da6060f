#!/bin/bash
# Runs every fuzz target of the module, each for FUZZTIME (30s unless set), two at
# a time for each processor, one worker each. A crasher stays in the package's
# testdata/fuzz: commit it with its remedy.
#
#   scripts/fuzz.sh [packages]    all of them by default
set -euo pipefail

if [ "${1:-}" = one ]; then # one target: scripts/fuzz.sh one PACKAGE NAME
	package=$2 name=$3
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	fuzz() {
		# Minimising an input that only covers something new may take longer
		# than the whole run; a crasher is as good a witness unminimised.
		go test -run '^$' -fuzz "^$name\$" -fuzztime "${FUZZTIME:-30s}" -fuzzminimizetime 10x -parallel 1 "$package" >"$log" 2>&1
	}
	# A target that is stopped by its own time limit now and then reports that
	# limit as its failure; only that is tried again.
	if fuzz || { grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log" && fuzz; }; then
		echo "ok    $package $name  $(grep -o 'execs: [0-9]*' "$log" | tail -1)"
		exit 0
	fi
	echo "FAIL  $package $name"
	cat "$log"
	exit 1
fi

# go test -list prints a package's targets and then the line that names it.
targets=$(go test -list '^Fuzz' "${@:-./...}" | awk '
	/^Fuzz/ { names[n++] = $1 }
	/^ok/   { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
if [ -z "$targets" ]; then
	echo "fuzz: no target found" >&2
	exit 1
fi
xargs -P "$((2 * $(nproc)))" -L 1 "$0" one <<<"$targets"
