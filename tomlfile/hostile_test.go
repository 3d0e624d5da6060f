package tomlfile

import (
	"strings"
	"testing"
)

// Without a bound these need hundreds of megabytes; TOML itself allows them.
func TestHostileKeysCostLittle(t *testing.T) {
	const most = 64 << 10
	for rule, body := range map[string]string{
		"deep keys":        strings.Repeat("a.", most/2-4) + "a=1",
		"long table names": "[" + strings.Repeat("a", most/2) + "]\n" + strings.Repeat("b.", 4000) + "b=1\n",
	} {
		t.Run(rule, func(t *testing.T) {
			d, err := Parse("f.toml", []byte(body), most)
			if err != nil {
				t.Fatal(err)
			}
			size := 0
			for place := range d.lines {
				size += len(place)
			}
			if size > 2*most {
				t.Errorf("%d bytes of places", size)
			}
		})
	}
}
