#!/bin/sh
# Runs a command and fails if it left the working tree otherwise than it found
# it: tests write into their own temporary folders.
#
#   scripts/unchanged.sh command [arguments]
set -eu

state() { git status --porcelain && git diff; }

before=$(state)
"$@"
if [ "$(state)" != "$before" ]; then
	echo "the working tree has changed:" >&2
	git status --porcelain >&2
	exit 1
fi
