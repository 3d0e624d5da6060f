package lane

import "github.com/menshen/menshen/screening"

// This file takes the known error of the lane's thermometer out of its samples
// before anything else sees them, and keeps beside each reading what the
// instrument showed.

// Calibrated says what the certificate of the lane's thermometer takes out.
type Calibrated struct {
	// Certificate is the number of its entry, 0 where there is none.
	Certificate uint64
	Correction  screening.Correction
}

func (Calibrated) event() {}

// setCalibration takes a certificate. Samples of before are none of the reading
// that follows; what was seen was seen.
func (m *Machine) setCalibration(c Calibrated) {
	if c != m.calibration {
		m.calibration, m.body.samples = c, nil
	}
}

// corrected returns a sample as it is judged.
func (m *Machine) corrected(s Sample) Sample {
	if m.calibration.Certificate != 0 && !s.Fault {
		s.Raw, s.Object = s.Object, m.calibration.Correction.Of(s.Object)
	}
	return s
}

// formula names how a reading of the body in view came about; value is 0 of one
// that has only a peak. A peak that is not the body's own has been seen while the
// lane did something else: what was shown for it follows from the certificate.
func (m *Machine) formula(value, peak screening.MilliC) string {
	if m.calibration.Certificate == 0 {
		return screening.FormulaSkin1
	}
	var raw, rawPeak screening.MilliC
	for _, s := range m.body.samples {
		if s.Object == value {
			raw = s.Raw
		}
	}
	if peak == m.body.peak {
		rawPeak = m.body.rawPeak
	}
	return screening.FormulaCalibrated(m.calibration.Certificate, raw, rawPeak)
}
