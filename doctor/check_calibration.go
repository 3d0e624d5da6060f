package doctor

import (
	"fmt"
	"time"
)

// Calibration is what stands for the thermometer of one lane.
type Calibration struct {
	Lane int
	// State is "missing", "due", "good", or empty where nothing can be said.
	State string
	// Due is when it is to be compared again, where it has a certificate.
	Due time.Time
}

// Drift says that the daily median of a lane's thermometer lies where it should
// not: away from its own days before or, where Against is not 0, from that lane.
type Drift struct {
	Lane, Against int
	By            string
}

// checkCalibration says whether the thermometers have been compared lately, and
// whether their own readings speak against them.
func checkCalibration(_ files, p Patient) []Finding {
	if p.Gate == nil {
		return nil
	}
	var all []Finding
	for _, c := range p.Gate.Calibrations {
		wrong := Finding{
			Why: Text{"读数差多少没有人知道;照常放行", "nobody knows how far its readings are off; people pass as always"},
			Fix: Text{"用黑体或水浴校准;没有时用三个人和体温计,管 30 天", "compare it with a blackbody or a water bath; where there is none, with three people and a clinical thermometer, which is good for 30 days"},
			Commands: []string{
				fmt.Sprintf("gatectl calibrate -by NUMBER,NUMBER %d", c.Lane), fmt.Sprintf("gatectl calibrate -field -by NUMBER,NUMBER %d", c.Lane),
			},
		}
		switch c.State {
		case "good":
			day := c.Due.Local().Format(time.DateOnly)
			wrong = good(fmt.Sprintf("通道 %d 测温已校准,有效至 %s", c.Lane, day), fmt.Sprintf("thermometer of lane %d is calibrated until %s", c.Lane, day))
		case "due":
			day := c.Due.Local().Format(time.DateOnly)
			wrong.What = Text{fmt.Sprintf("通道 %d 测温的校准 %s 已到期", c.Lane, day), fmt.Sprintf("the calibration of lane %d's thermometer ended on %s", c.Lane, day)}
		case "missing":
			wrong.What = Text{fmt.Sprintf("通道 %d 测温没有校准", c.Lane), fmt.Sprintf("thermometer of lane %d has never been calibrated", c.Lane)}
		default:
			continue
		}
		all = append(all, wrong)
	}
	for _, d := range p.Gate.Drifts {
		all = append(all, drifting(d))
	}
	return all
}

func drifting(d Drift) Finding {
	f := Finding{
		Why:      Text{"镜头脏了、位置动了,或测温仪老化", "the lens is dirty, was moved, or the part ages"},
		Fix:      Text{"擦镜头,看站位,再校准", "wipe the lens, see where people stand, then compare it"},
		Commands: []string{fmt.Sprintf("gatectl calibrate -by NUMBER,NUMBER %d", d.Lane)},
		What:     Text{fmt.Sprintf("通道 %d 测温比前几天偏 %s", d.Lane, d.By), fmt.Sprintf("thermometer of lane %d lies %s from its days before", d.Lane, d.By)},
	}
	if d.Against != 0 {
		f.What = Text{fmt.Sprintf("通道 %d 与 %d 测温相差 %s", d.Lane, d.Against, d.By), fmt.Sprintf("thermometers of lanes %d and %d lie %s apart", d.Lane, d.Against, d.By)}
	}
	return f
}
