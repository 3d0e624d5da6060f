package entry_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/menshen/menshen/entry"
)

// naiveRoot is RFC 6962 §2.1 word for word, with no state and no sharing.
func naiveRoot(leaves [][]byte) [32]byte {
	switch len(leaves) {
	case 0:
		return sha256.Sum256(nil)
	case 1:
		return sha256.Sum256(append([]byte{0}, leaves[0]...))
	}
	k := 1
	for k*2 < len(leaves) {
		k *= 2
	}
	left, right := naiveRoot(leaves[:k]), naiveRoot(leaves[k:])
	return sha256.Sum256(slices.Concat([]byte{1}, left[:], right[:]))
}

func leaves(n int) [][]byte {
	l := make([][]byte, n)
	for i := range l {
		l[i] = fmt.Appendf(nil, "leaf %d", i)
	}
	return l
}

func TestRootIsThatOfRFC6962AtEverySize(t *testing.T) {
	var tree entry.Tree
	var roots strings.Builder
	all := leaves(130)
	for n := 0; n <= len(all); n++ {
		head := tree.Head()
		if want := naiveRoot(all[:n]); head.Size != uint64(n) || head.Root != want {
			t.Fatalf("size %d: got %d %x, want %x", n, head.Size, head.Root, want)
		}
		fmt.Fprintf(&roots, "%d %x\n", n, head.Root)
		if n < len(all) {
			tree.Append(all[n])
		}
	}
	checkGolden(t, "tree.hex", roots.String())
}

func TestAppendReturnsTheSubtreesThatTheLeafCompletes(t *testing.T) {
	var tree entry.Tree
	all := leaves(64)
	for seq := range all {
		hashes := tree.Append(all[seq])
		if len(hashes) != entry.HashesLen(uint64(seq)) {
			t.Fatalf("leaf %d: %d bytes, HashesLen says %d", seq, len(hashes), entry.HashesLen(uint64(seq)))
		}
		for level := 0; len(hashes) > 0; level++ {
			want := naiveRoot(all[seq+1-1<<level : seq+1])
			if !bytes.Equal(hashes[:32], want[:]) {
				t.Fatalf("leaf %d level %d: got %x, want %x", seq, level, hashes[:32], want)
			}
			hashes = hashes[32:]
		}
	}
}

func TestATreeGoesOnFromItsEdge(t *testing.T) {
	all := leaves(40)
	for size := range all {
		var tree entry.Tree
		last := make([][]byte, size)
		for i := range size {
			hashes := tree.Append(all[i])
			last[i] = hashes[len(hashes)-32:]
		}
		var edge []byte
		for seq := range entry.EdgeLeaves(uint64(size)) {
			edge = append(edge, last[seq]...)
		}
		if !bytes.Equal(edge, tree.Edge()) {
			t.Fatalf("size %d: the leaves' edge is %x, the tree's %x", size, edge, tree.Edge())
		}
		back, err := entry.Restore(uint64(size), edge)
		if err != nil {
			t.Fatal(err)
		}
		for _, leaf := range all[size:] {
			back.Append(leaf)
		}
		if got, want := back.Head().Root, naiveRoot(all); got != want {
			t.Fatalf("from size %d: got %x, want %x", size, got, want)
		}
	}
}

func TestRestoreRefusesAnEdgeOfAnotherLength(t *testing.T) {
	for _, edge := range [][]byte{nil, make([]byte, 32), make([]byte, 63), make([]byte, 96)} {
		if _, err := entry.Restore(3, edge); err == nil {
			t.Errorf("%d bytes: accepted", len(edge))
		}
	}
}

func TestACopyOfATreeGoesItsOwnWay(t *testing.T) {
	all := leaves(8)
	var tree entry.Tree
	for _, leaf := range all[:7] {
		tree.Append(leaf)
	}
	trial := tree
	trial.Append([]byte("never stored"))
	tree.Append(all[7])
	if got, want := tree.Head().Root, naiveRoot(all); got != want {
		t.Errorf("got %x, want %x", got, want)
	}
}
