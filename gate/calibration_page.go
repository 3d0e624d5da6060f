package gate

import (
	"fmt"
	"maps"
	"slices"

	"github.com/menshen/menshen/screening"
	"github.com/menshen/menshen/screening/calibration"
	"github.com/menshen/menshen/web/desk"
)

// Thermometers implements desk.Thermometers.
func (p deskPage) Thermometers() (list []desk.Thermometer) {
	now := p.recorder.clock.look()
	for _, c := range p.calibrations.list(now) {
		t := desk.Thermometer{Lane: c.Lane, State: c.State, Due: c.Due}
		t.Days, t.Hours = p.drift.spots(c.Lane)
		list = append(list, t)
	}
	return list
}

// Drifting implements desk.Thermometers.
func (p deskPage) Drifting() (list []desk.Drifting) {
	for _, d := range p.drift.alarms(p.recorder.clock.look().Wall) {
		list = append(list, desk.Drifting{Lane: d.Lane, By: kelvin(d.By), Against: d.Against})
	}
	return list
}

// kelvin writes a difference of temperatures.
func kelvin(d screening.MilliC) string { return fmt.Sprintf("%+.2f K", float64(d)/1000) }

// spots returns a lane's medians of the days before and of today's hours.
func (d *drift) spots(number int) (days, hours []desk.Spot) {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.lanes[number]
	if m == nil {
		return nil, nil
	}
	spot := func(label string, m calibration.Median) desk.Spot {
		return desk.Spot{Label: label, Value: int(m.Value), N: m.N}
	}
	for _, x := range m.days {
		days = append(days, spot(x.day[len("2006-"):], x.Median))
	}
	for _, hour := range slices.Sorted(maps.Keys(m.hours)) {
		hours = append(hours, spot(fmt.Sprintf("%d:00", hour), m.hours[hour].Median()))
	}
	return days, hours
}
