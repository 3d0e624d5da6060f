#!/bin/sh
# Builds gated and gatectl for another processor: static, with SQLite in them,
# needing nothing of the system that they run on.
#
#   scripts/cross.sh arm64|armv7 DIR    DIR/gated and DIR/gatectl
set -eu

case ${1-} in
arm64)
	export GOARCH=arm64 CC=aarch64-linux-gnu-gcc
	packages="gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
	;;
armv7)
	export GOARCH=arm GOARM=7 CC=arm-linux-gnueabihf-gcc
	packages="gcc-arm-linux-gnueabihf libc6-dev-armhf-cross"
	;;
*)
	echo "usage: scripts/cross.sh arm64|armv7 DIR" >&2
	exit 2
	;;
esac
out=$2
case $out in /*) ;; *) out=$PWD/$out ;; esac
if ! command -v $CC >/dev/null; then
	echo "$CC is not installed. Run:" >&2
	echo "  sudo apt-get update && sudo apt-get install -y $packages" >&2
	exit 1
fi
cd "$(dirname "$0")/.."
export GOOS=linux CGO_ENABLED=1 CGO_CFLAGS="-O2 -g -DHAVE_FDATASYNC=1"
# A static program opens no library later: SQLite is told to load no extension,
# and names of hosts and users are looked up by Go itself.
exec go build -trimpath -buildvcs=false -tags netgo,osusergo,sqlite_omit_load_extension \
	-ldflags "-s -w -linkmode external -extldflags -static -X main.version=${VERSION:-devel}" \
	-o "$out/" ./cmd/gated ./cmd/gatectl
