// Package vmrig is a gate whose hardware this machine plays: a real kernel in
// QEMU runs the product's own ARM program, and everything that the kernel finds
// on its USB ports, its disk and its network ends in this process.
//
// It knows the chips behind the USB bridges, the moment of every edge on every
// line, the bytes of the disk after the power was cut, and what a gate may have
// done given these. It does not know how the gate came to do so: neither what
// the program in the guest says nor what its clock says decides anything here,
// and no time of the guest's is measured, because an emulated processor is slow
// and not wrong.
package vmrig

import "time"

// patience is how long something may take that a machine with nothing else to do
// has done in a second.
const patience = 3 * time.Minute
