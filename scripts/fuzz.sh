#!/bin/bash
# Runs every fuzz target of the module, one after the other, each for FUZZTIME
# (30s unless set). A crasher stays in the package's testdata/fuzz: commit it
# with its remedy.
#
#   scripts/fuzz.sh [packages]    all of them by default
set -euo pipefail

time=${FUZZTIME:-30s}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# go test -list prints a package's targets and then the line that names it.
targets=$(go test -list '^Fuzz' "${@:-./...}" | awk '
	/^Fuzz/ { names[n++] = $1 }
	/^ok/   { for (i = 0; i < n; i++) print $2, names[i]; n = 0 }')
if [ -z "$targets" ]; then
	echo "fuzz: no target found" >&2
	exit 1
fi

# A target that is stopped by its own time limit now and then reports that limit
# as its failure; only that is tried again.
fuzz() {
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" "$1" >"$log" 2>&1 && return
	grep -q 'context deadline exceeded' "$log" && ! grep -q 'Failing input written' "$log" || return 1
	go test -run '^$' -fuzz "^$2\$" -fuzztime "$time" "$1" >"$log" 2>&1
}

failed=0
while read -r package name; do
	if fuzz "$package" "$name"; then
		echo "ok    $package $name  $(grep -o 'execs: [0-9]*' "$log" | tail -1)"
	else
		failed=1
		echo "FAIL  $package $name"
		cat "$log"
	fi
done <<<"$targets"
exit $failed
