//go:build !cgo

package journal

// Without cgo the SQLite driver is an empty shell that links and then fails
// at the first open: at a school gate, in the morning. So it does not compile.
var _ = the_journal_needs_cgo_for_SQLite
