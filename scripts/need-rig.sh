#!/bin/sh
# Checks that this machine has what the rig needs beside Go: QEMU, the cross
# compilers, tools for file systems and modules. As root on a Debian it installs
# what is missing; elsewhere it prints the line to run and exits 1.
set -eu

packages="qemu-system-arm qemu-user-static gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-arm-linux-gnueabihf libc6-dev-armhf-cross kmod e2fsprogs"
PATH=$PATH:/sbin:/usr/sbin
missing=
for program in qemu-system-aarch64 qemu-aarch64-static qemu-arm-static aarch64-linux-gnu-gcc arm-linux-gnueabihf-gcc modprobe debugfs mkfs.ext4; do
	command -v "$program" >/dev/null || missing="$missing $program"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "the rig needs$missing. Run:" >&2
	echo "  sudo apt-get update && sudo apt-get install -y $packages" >&2
	exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q >&2 || echo "the package lists could not be brought up to date" >&2
exec apt-get install -y -q --no-install-recommends $packages >&2
