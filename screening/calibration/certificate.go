package calibration

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/menshen/menshen/screening"
)

// Method is how an instrument was compared.
type Method string

// The methods.
const (
	BlackBody Method = "blackbody"
	WaterBath Method = "waterbath"
	// FieldCheck is three people and a clinical thermometer.
	FieldCheck Method = "field"
)

const (
	// FieldDays is how long a check by people is good for: until a blackbody can be
	// had, and no season long.
	FieldDays = 30
	// MaxText bounds a certificate in bytes, with its signature.
	MaxText = 1024
	// maxDevice bounds the name of a device.
	maxDevice = 120

	certified = "cal/1"
	domain    = "menshen calibration v1\n"
)

// errForm: a text is no certificate.
var errForm = errors.New("not in the form of a certificate")

// Certificate says what one instrument's error is. People stand in it by their
// roster numbers, never by name.
type Certificate struct {
	// Device is which instrument, as the gate names it: letters, digits and -_@:./
	Device string
	Method Method
	// At is when it was signed, in whole seconds.
	At time.Time
	// By are the two who measured.
	By [2]uint64
	// Correction is what is taken out from then on.
	Correction screening.Correction
	// Points are what was measured.
	Points []Point
}

// Due is when the instrument is to be compared again, where the policy allows
// that many days.
func (c Certificate) Due(days int) time.Time {
	if c.Method == FieldCheck {
		days = FieldDays
	}
	return c.At.Add(time.Duration(days) * 24 * time.Hour)
}

// Text spells the certificate in one line of ASCII.
func (c Certificate) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s %s %d %d,%d %d %d", certified, c.Method, c.Device, c.At.Unix(), c.By[0], c.By[1], c.Correction.Offset, c.Correction.Slope)
	for _, p := range c.Points {
		fmt.Fprintf(&b, " %d:%d:%d:%d", p.Reference, p.Shown, p.Spread, p.Samples)
	}
	return b.String()
}

// Sign spells the certificate with the signature of the gate behind it.
func (c Certificate) Sign(key ed25519.PrivateKey) string {
	text := c.Text()
	return text + " " + base64.RawStdEncoding.EncodeToString(ed25519.Sign(key, []byte(domain+text)))
}

// Verify reads what Sign wrote with the key of that gate. Anything else, and
// every other spelling, is refused; so is a correction that its points do
// not bear out.
func Verify(signed string, key ed25519.PublicKey) (Certificate, error) {
	if len(signed) > MaxText {
		return Certificate{}, fmt.Errorf("read certificate: %d bytes are more than %d", len(signed), MaxText)
	}
	cut := strings.LastIndexByte(signed, ' ')
	if cut < 0 {
		return Certificate{}, fmt.Errorf("read certificate: %w", errForm)
	}
	text := signed[:cut]
	signature, err := base64.RawStdEncoding.Strict().DecodeString(signed[cut+1:])
	if err != nil || !ed25519.Verify(key, []byte(domain+text), signature) {
		return Certificate{}, errors.New("read certificate: it is not signed by this gate")
	}
	c, err := Parse(text)
	if err == nil {
		err = c.Check()
	}
	if err != nil {
		return Certificate{}, fmt.Errorf("read certificate: %w", err)
	}
	return c, nil
}

// Check says whether the certificate says something that can be. A check by
// people goes on with the correction that held before it.
func (c Certificate) Check() error {
	switch {
	case !validDevice(c.Device):
		return fmt.Errorf("%q names no device", c.Device)
	case c.By[0] == 0 || c.By[1] == 0 || c.By[0] == c.By[1]:
		return errors.New("it needs the names of two people")
	}
	switch c.Method {
	case FieldCheck:
		if c.Correction != (screening.Correction{}) && !c.Correction.Sound() {
			return errors.New("its correction is out of bounds")
		}
		return Field(c.Points, c.Correction)
	case BlackBody, WaterBath:
		points := inOrder(c.Points)
		if err := usable(points); err != nil {
			return err
		}
		_, err := judge(points, c.Correction)
		return err
	}
	return fmt.Errorf("%q is no method", c.Method)
}

func validDevice(name string) bool {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_@:./", r)) {
			return false
		}
	}
	return name != "" && len(name) <= maxDevice
}

// Parse reads what Text writes and no other spelling of it.
func Parse(text string) (Certificate, error) {
	f := strings.Split(text, " ")
	if len(text) > MaxText || len(f) < 7 || len(f) > 7+MostPoints || f[0] != certified {
		return Certificate{}, errForm
	}
	c := Certificate{Method: Method(f[1]), Device: f[2], At: time.Unix(number(f[3]), 0)}
	first, second, _ := strings.Cut(f[4], ",")
	c.By = [2]uint64{uint64(number(first)), uint64(number(second))}
	c.Correction = screening.Correction{Offset: milli(f[5]), Slope: int32(milli(f[6]))}
	for _, point := range f[7:] {
		n := strings.Split(point, ":")
		if len(n) != 4 {
			return Certificate{}, errForm
		}
		c.Points = append(c.Points, Point{milli(n[0]), milli(n[1]), milli(n[2]), int(milli(n[3]))})
	}
	if c.Text() != text {
		return Certificate{}, errForm
	}
	return c, nil
}

// number reads a number, 0 of what is none: then the text is not written again
// as it was.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func milli(s string) screening.MilliC {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0
	}
	return screening.MilliC(n)
}
