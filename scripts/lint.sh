#!/bin/sh
# Format, vet and staticcheck; everything is looked at before it fails.
set -u

failed=0
unformatted=$(gofmt -l .) || failed=1
if [ -n "$unformatted" ]; then
	printf 'not formatted (run gofmt -w):\n%s\n' "$unformatted" >&2
	failed=1
fi
go vet ./... || failed=1
go tool staticcheck ./... || failed=1
exit $failed
