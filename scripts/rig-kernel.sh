#!/bin/bash
# Fetches what the rig boots: Debian's own arm64 kernel, the modules that the
# rig's hardware needs, in the order in which they are loaded, and busybox.
# dpkg's own architectures are not touched.
#
#   scripts/rig-kernel.sh DIR    DIR/{vmlinuz,busybox,modules/,oracle/}
set -euo pipefail

dir=$1
[ -e "$dir/complete" ] && exit 0
mkdir -p "$dir"
work=$(mktemp -d "$dir/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
mkdir -p lists/partial cache/archives/partial kernel tools
apt=(-q -oAPT::Architecture=arm64 -oAPT::Architectures=arm64 -oDir::State::Lists="$work/lists" -oDir::Cache="$work/cache" -oAPT::Sandbox::User=root)
apt-get "${apt[@]}" update
image=$(apt-cache "${apt[@]}" depends linux-image-arm64 | awk '/Depends:/ { print $2; exit }')
apt-get "${apt[@]}" download "$image-unsigned" busybox-static
dpkg-deb -x "$image"-unsigned_*.deb kernel
dpkg-deb -x busybox-static_*.deb tools
release=$(ls kernel/lib/modules)
PATH=$PATH:/sbin:/usr/sbin
depmod -b kernel "$release"

# load NAME TO: what a module needs and the module itself, numbered, each once.
count=100
declare -A have
load() {
	local path
	while read -r _ path _; do
		[ -n "${have[$path]-}" ] && continue
		have[$path]=1 count=$((count + 1))
		cp "$path" "$2/$count-$(basename "$path")"
	done < <(modprobe -d kernel -S "$release" --show-depends "$1" | grep ^insmod)
}
mkdir modules oracle
# The I2C bridge comes before the GPIO bridge, which brings an adapter too: the
# numbers of the adapters are those of their order.
for name in virtio_pci virtio_blk virtio_console virtio_net ext4 i2c-dev evdev i6300esb \
	xhci-pci usbhid hid-generic ftdi_sio i2c-tiny-usb hid-cp2112; do
	load "$name" modules
done
for name in mlx90614 mlx90632; do
	load "$name" oracle
done
rm -rf "$dir/modules" "$dir/oracle"
mv kernel/boot/vmlinuz-"$release" "$dir/vmlinuz"
mv tools/bin/busybox modules oracle "$dir/"
touch "$dir/complete"
