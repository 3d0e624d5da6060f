//go:build race

package syncsim

// usualSeeds is how many runs there are under the race detector.
const usualSeeds = 300
