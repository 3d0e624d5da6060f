#!/bin/sh
# Checks that this machine can build Menshen: Go 1.26, cgo, a C compiler with
# its headers. As root on a Debian it installs what is missing; elsewhere it
# prints the line to run and exits 1.
#
#   scripts/need.sh [go build flags]    the flags of the build that follows
set -eu

say() { printf '%s\n' "$*" >&2; }

debian() {
	[ -r /etc/os-release ] && (. /etc/os-release && case " $ID ${ID_LIKE:-} " in
	*" debian "*) exit 0 ;;
	*) exit 1 ;;
	esac)
}

# An old go command refuses this module's go.mod before it says its own version,
# so it is asked again from elsewhere.
need_go() {
	have=$(go env GOVERSION 2>/dev/null || cd / && GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
	rest=${have#go1.}
	minor=${rest%%[!0-9]*}
	[ "$have" != "$rest" ] && [ "${minor:-0}" -ge 26 ] && return
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	armv*) arch=armv6l ;;
	*) arch=$(uname -m) ;;
	esac
	say "Menshen needs Go 1.26 or newer; ${have:-no Go} is installed. Run:"
	say "  curl -fLO https://go.dev/dl/go1.26.8.linux-$arch.tar.gz && sudo rm -rf /usr/local/go && sudo tar -C /usr/local -xzf go1.26.8.linux-$arch.tar.gz && export PATH=/usr/local/go/bin:\$PATH"
	exit 1
}

# SQLite is C: without a compiler the go command switches cgo off by itself and
# builds a gate that cannot open its journal.
can_compile() {
	printf '#include <stdlib.h>\n' | $(go env CC) -x c -fsyntax-only - 2>/dev/null
}

need_cc() {
	can_compile && return
	if ! debian; then
		say "Menshen needs a C compiler and the C library's headers (for SQLite): install them with this system's package manager."
		exit 1
	fi
	if [ "$(id -u)" != 0 ]; then
		say "Menshen needs a C compiler (for SQLite). Run:"
		say "  sudo apt-get update && sudo apt-get install -y gcc libc6-dev"
		exit 1
	fi
	say "installing gcc and libc6-dev"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -q >&2 || say "the package lists could not be brought up to date"
	apt-get install -y -q --no-install-recommends gcc libc6-dev >&2
	can_compile || {
		say "gcc and libc6-dev are installed, but $(go env CC) compiles nothing. Run:"
		say "  unset CC; go env -u CC"
		exit 1
	}
}

need_cgo() {
	[ "$(go env CGO_ENABLED)" = 1 ] && return
	say "Menshen needs cgo (for SQLite), and it is switched off. Run:"
	say "  unset CGO_ENABLED; go env -u CGO_ENABLED"
	exit 1
}

need_go
need_cc
need_cgo
if [ "$(go list "$@" -f '{{.Stale}}' github.com/mattn/go-sqlite3)" = true ]; then
	say "compiling SQLite, 1–3 minutes, once"
fi
