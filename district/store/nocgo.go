//go:build !cgo

package store

// Without cgo the SQLite driver is an empty shell that links and then fails at
// the first open. So it does not compile.
var _ = the_store_needs_cgo_for_SQLite
