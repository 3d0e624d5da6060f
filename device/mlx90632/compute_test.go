package mlx90632

import (
	"math"
	"testing"
)

// melexis are the constants of Melexis' own tests: mlx90632-library, commit
// fea9b16, test/TestDSP.c, from which all vectors here are but those that say
// otherwise.
func melexis() calibration {
	return calibrate(map[uint16]int64{
		eePR: 0x00587F5B, eePG: 0x04A10289, eePT: -0x00069908, eePO: 0x00001E0F,
		eeEa: 4859535, eeEb: 5686508, eeFa: 53855361, eeFb: 42874149, eeGa: -14556410,
		eeHa: 16384, eeHb: 0, eeGb: 9728, eeKa: 10752,
	})
}

// plain is a black body seen by a part that is as warm as what surrounds it.
var plain = optics{emissivity: 1, reflected: math.NaN()}

func words(object, ambientNew, ambientOld float64) raw {
	return raw{object: object, ambientNew: ambientNew, ambientOld: ambientOld}
}

func wantNear(t *testing.T, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("got %.4f, want %.4f within %g", got, want, tolerance)
	}
}

// Tolerances are those that stand beside the vectors.
func TestRatiosEqualMelexisVectors(t *testing.T) {
	c := melexis()
	for _, v := range []struct{ ambientNew, ambientOld, want float64 }{
		{22454, 23030, 24041.27},
		{100, 150, 19065.018},
		{32767, 32766, 24385.9},
	} {
		r := words(0, v.ambientNew, v.ambientOld)
		wantNear(t, r.ratio(r.ambientNew, c.gb), v.want, 0.01)
	}
	for _, v := range []struct{ object, want float64 }{
		{(3237 + 3239) / 2, 3314.89},
		{(149 + 151) / 2, 153.562},
		{(-149 - 151) / 2, -153.562},
		{32767, 33545.08},
		{-32767, -33545.08},
	} {
		r := words(v.object, 22454, 23030)
		wantNear(t, r.ratio(r.object, c.ka), v.want, 0.01)
	}
}

func TestAmbientEqualsMelexisVectors(t *testing.T) {
	c := melexis()
	for _, v := range []struct{ ambientNew, ambientOld, want float64 }{
		{22454, 23030, 48.724},
		{100, 150, -18.734},
		{32767, 32766, 53.350},
	} {
		wantNear(t, c.ambient(words(0, v.ambientNew, v.ambientOld)), v.want, 0.01)
	}
}

func TestObjectEqualsMelexisVectors(t *testing.T) {
	for _, v := range []struct{ object, hb, want float64 }{
		{(609 + 611) / 2, 0, 55.507},
		{(149 + 151) / 2, 0, 51.123},
		{(-149 - 151) / 2, 0, 48.171},
		{(-147 - 149) / 2, 0, 48.192},
		{32767, 0, 212.844},
		{-5000, 0, -16.653},
		{(26901 + 26899) / 2, 0, 193.917},
		{(27105 + 27095) / 2, 0, 194.599},

		{(609 + 611) / 2, 10240, 45.495},
		{(149 + 151) / 2, 10240, 41.121},
		{(-149 - 151) / 2, 10240, 38.174},
		{32767, 10240, 202.628},
		{-5000, 10240, -26.457},
	} {
		c := melexis()
		c.hb = v.hb / (1 << 10)
		wantNear(t, c.object(words(v.object, 22454, 23030), plain), v.want, 0.01)
	}
}

// The extended range has half the sensitivity and names its surroundings.
func TestExtendedObjectEqualsMelexisVectors(t *testing.T) {
	for _, v := range []struct{ object, want float64 }{
		{305, 55.507},
		{75, 51.123},
		{-75, 48.171},
		{32767, 292.381},
		{-2500, -16.653},
		{13550, 194.599},
		{26900, 267.609},
		{27100, 268.508},
	} {
		c := melexis()
		c.fa /= 2
		got := c.object(words(v.object, 22454, 23030), optics{emissivity: 1, reflected: 25})
		wantNear(t, got, v.want, 0.02)
	}
}

// The vectors of a mirror, of emissivity 0.1, were computed from ratios that
// the C library cuts to whole numbers. At 1 that costs 8 mK; at 0.1 it costs
// 60 mK, so the ratios are cut here as well.
func TestReflectedObjectEqualsMelexisVectors(t *testing.T) {
	for _, v := range []struct{ reflected, want float64 }{
		{49.66, 98.141},
		{40.00, 143.956},
	} {
		o := optics{emissivity: 0.1, reflected: v.reflected}
		for _, half := range []float64{1, 2} { // medical, extended
			c := melexis()
			c.fa /= half
			r := words(610/half, 22454, 23030)
			cut := c.solve(math.Trunc(r.ratio(r.object, c.ka)), math.Trunc(r.ratio(r.ambientNew, c.gb)), o)
			wantNear(t, cut, v.want, 0.01*half)
			wantNear(t, c.object(r, o), v.want, 0.06)
		}
	}
}

// Vectors of our own about the body's temperatures, from the same constants and
// an independent computation, at an ambient of 24.994 °C.
func TestObjectAtBodyTemperatures(t *testing.T) {
	c := melexis()
	skin := optics{emissivity: 0.98, reflected: math.NaN()}
	for _, v := range []struct{ object, skin, black float64 }{
		{623, 34.012, 33.856},
		{784, 36.008, 35.816},
		{833, 36.609, 36.405},
		{890, 37.303, 37.087},
		{948, 38.005, 37.776},
		{1031, 39.001, 38.755},
	} {
		r := words(v.object, 19696, 23030)
		wantNear(t, c.ambient(r), 24.994, 0.002)
		wantNear(t, c.object(r, skin), v.skin, 0.002)
		wantNear(t, c.object(r, plain), v.black, 0.002)
	}
}

func TestSurroundingsAsWarmAsThePartChangeNothing(t *testing.T) {
	c := melexis()
	r := words(833, 19696, 23030)
	part := c.part(r.ratio(r.ambientNew, c.gb))
	for _, e := range []float64{0.1, 0.5, 0.98, 1} {
		got := c.object(r, optics{emissivity: e, reflected: part})
		wantNear(t, got, c.object(r, optics{emissivity: e, reflected: math.NaN()}), 1e-9)
	}
}
