package main

import (
	"fmt"
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/menshen/menshen/internal/pty"
)

func TestRestWritesOffTwiceToEveryChannelInUse(t *testing.T) {
	board, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer board.Close()
	name := configuration(t, shortDir(t), "[ports]", fmt.Sprintf("relay = %q", board.Path))
	gatectl(t, "", "-config", name, "rest").want(t, 0)
	const channels = 6 // of the profile all-serial
	if err := board.Master.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	frames := make([][4]byte, 2*channels)
	off := map[byte]int{}
	for i := range frames {
		f := &frames[i]
		if _, err := io.ReadFull(board.Master, f[:]); err != nil {
			t.Fatal(err)
		}
		if *f != [4]byte{0xA0, f[1], 0, 0xA0 + f[1]} {
			t.Fatalf("frame % x", *f)
		}
		off[f[1]]++
	}
	for n := byte(1); n <= channels; n++ {
		if off[n] != 2 {
			t.Errorf("channel %d: %d times OFF", n, off[n])
		}
	}
	if err := board.Master.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if n, _ := board.Master.Read(make([]byte, 1)); n > 0 {
		t.Error("something follows")
	}
}

func TestRestSaysWhichBoardItCannotReach(t *testing.T) {
	dir := shortDir(t)
	missing := filepath.Join(dir, "relay")
	name := configuration(t, dir, "[ports]", fmt.Sprintf("relay = %q", missing))
	gatectl(t, "", "-config", name, "rest").want(t, exitFailed, "relay board", missing)
}

// Its OFF would silence the lamps and alarms that the gate shows.
func TestRestIsRefusedBesideARunningGate(t *testing.T) {
	start(t).call("", "rest").want(t, exitFailed, "gated is running", "systemctl stop gated")
}
