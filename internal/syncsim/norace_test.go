//go:build !race

package syncsim

// usualSeeds is how many runs there are without the race detector.
const usualSeeds = 2000
