package doctor

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Synchronised asks the kernel whether network time holds its clock
// (adjtimex(2), STA_UNSYNC).
func Synchronised() bool {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	return err == nil && state != unix.TIME_ERROR && t.Status&unix.STA_UNSYNC == 0
}

// Free returns how many bytes anybody may still write where a directory lies.
func Free(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("statfs %s: %w", dir, err)
	}
	return s.Bavail * uint64(s.Bsize), nil
}
