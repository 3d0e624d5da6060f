package sound

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// Aplay plays on an ALSA device, such as default or plughw:1,0, through the
// program aplay of alsa-utils. That program or the card missing is an error
// like any other: both may be there at the next try.
func Aplay(device string) Play {
	return func(ctx context.Context, wav []byte) error {
		var said tail
		cmd := exec.CommandContext(ctx, "aplay", "-q", "-D", device, "-")
		cmd.Env = append(os.Environ(), "LC_ALL=C")
		cmd.Stdin, cmd.Stderr = bytes.NewReader(wav), &said
		cmd.WaitDelay = time.Second // something else may hold its pipes
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("aplay on %q: %w: %s", device, err, said.lastLine())
		}
		return nil
	}
}

// tail keeps the end of what is written to it.
type tail struct{ kept []byte }

// tailMost is how many bytes a tail keeps; ALSA explains itself at length, and
// the last line says it.
const tailMost = 200

// Write implements io.Writer and takes everything.
func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - tailMost; over > 0 {
		t.kept = append([]byte(nil), t.kept[over:]...)
	}
	return len(b), nil
}

func (t *tail) lastLine() []byte {
	text := bytes.TrimSpace(t.kept)
	return text[bytes.LastIndexByte(text, '\n')+1:]
}
