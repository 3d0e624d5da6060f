package calibration

import (
	"crypto/ed25519"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/menshen/menshen/screening"
)

func key(first byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = first
	return ed25519.NewKeyFromSeed(seed)
}

func certificate() Certificate {
	points := three(34_800, 36_800, 38_800)
	return Certificate{
		Device: "mlx90614@1:i2c:5a:def09abc56781234", Method: BlackBody, At: time.Unix(1_663_200_000, 0), By: [2]uint64{12, 15},
		Correction: screening.Correction{Offset: 200, Slope: 1_000_000}, Points: points,
	}
}

func TestACertificateComesBackAsItWasSigned(t *testing.T) {
	c := certificate()
	signed := c.Sign(key(1))
	const text = "cal/1 blackbody mlx90614@1:i2c:5a:def09abc56781234 1663200000 12,15 200 1000000 35000:34800:40:20 37000:36800:40:20 39000:38800:40:20 "
	if !strings.HasPrefix(signed, text) {
		t.Errorf("spelled %s", signed)
	}
	got, err := Verify(signed, key(1).Public().(ed25519.PublicKey))
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestACertificateThatIsNotThisGatesOrNotSoundIsRefused(t *testing.T) {
	signed := certificate().Sign(key(1))
	with := func(change func(*Certificate)) string {
		c := certificate()
		change(&c)
		return c.Sign(key(1))
	}
	for rule, text := range map[string]string{
		"by another gate":               certificate().Sign(key(2)),
		"with another offset":           strings.Replace(signed, " 200 1000000", " 300 1000000", 1),
		"without a signature":           certificate().Text(),
		"nothing":                       "",
		"longer than any":               signed + strings.Repeat("A", MaxText),
		"with one name":                 with(func(c *Certificate) { c.By[1] = 0 }),
		"with one name twice":           with(func(c *Certificate) { c.By[1] = c.By[0] }),
		"of no device":                  with(func(c *Certificate) { c.Device = "" }),
		"of a device with a blank":      with(func(c *Certificate) { c.Device = "a b" }),
		"by no method":                  with(func(c *Certificate) { c.Method = "guess" }),
		"that its points do not bear":   with(func(c *Certificate) { c.Correction.Offset = -100 }),
		"whose slope draws in":          with(func(c *Certificate) { c.Correction.Slope = 999_999 }),
		"whose offset is out of bounds": with(func(c *Certificate) { c.Method, c.Correction.Offset = FieldCheck, 1_001 }),
		"of a part that normalises":     with(func(c *Certificate) { c.Points = three(36_200, 36_600, 37_000) }),
	} {
		t.Run(rule, func(t *testing.T) {
			if c, err := Verify(text, key(1).Public().(ed25519.PublicKey)); err == nil {
				t.Errorf("taken: %+v", c)
			}
		})
	}
}

func TestACheckByPeopleIsGoodForThirtyDaysOnly(t *testing.T) {
	c := certificate()
	if got := c.Due(365).Sub(c.At); got != 365*24*time.Hour {
		t.Errorf("by blackbody: %v", got)
	}
	c.Method = FieldCheck
	if got := c.Due(365).Sub(c.At); got != 30*24*time.Hour {
		t.Errorf("by people: %v", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(certificate().Text())
	f.Add("cal/1 field a 0 0,0 0 0")
	f.Add("cal/1 blackbody a -1 01,1 +1 1 1:1:1:1")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		if c.Text() != text || len(c.Points) > MostPoints {
			t.Errorf("%q is read as %+v", text, c)
		}
		if c.Check() == nil && c.Correction != (screening.Correction{}) && !c.Correction.Sound() {
			t.Errorf("%q is taken", text)
		}
	})
}
