package evdev

import (
	"bytes"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Requests of an event device (include/uapi/linux/input.h), as x86 and ARM
// encode them.
const (
	requestID   = 0x80084502 // EVIOCGID: four 16-bit words
	requestName = 0x80FF4506 // EVIOCGNAME with room for 255 bytes
	requestGrab = 0x40044590 // EVIOCGRAB
)

// ID says what an input device is.
type ID struct {
	// Vendor and Product are the USB numbers.
	Vendor, Product uint16
	// Name is the device's own.
	Name string
}

// Claim takes an open event device for this process alone and says what it is.
// Until then every scan is typed on the system's console as well, and a code
// could restart the machine: a device that cannot be claimed must not be used.
// The device is free again when fd is closed.
func Claim(fd uintptr) (ID, error) {
	if err := unix.IoctlSetInt(int(fd), requestGrab, 1); err != nil {
		return ID{}, fmt.Errorf("take for this process alone: %w", err)
	}
	var numbers [4]uint16 // bus, vendor, product, version
	if err := ask(fd, requestID, unsafe.Pointer(&numbers)); err != nil {
		return ID{}, fmt.Errorf("ask for its numbers: %w", err)
	}
	var name [255]byte
	if err := ask(fd, requestName, unsafe.Pointer(&name)); err != nil {
		return ID{}, fmt.Errorf("ask for its name: %w", err)
	}
	text, _, _ := bytes.Cut(name[:], []byte{0})
	return ID{Vendor: numbers[1], Product: numbers[2], Name: string(text)}, nil
}

// ask lets the kernel fill what p points to, which has the size that the
// request names.
func ask(fd uintptr, request uintptr, p unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(p)); errno != 0 {
		return errno
	}
	return nil
}
