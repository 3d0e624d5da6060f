package entry

import (
	"crypto/sha256"
	"fmt"
	"iter"
	"math/bits"

	"golang.org/x/mod/sumdb/tlog"
)

// Head is the whole journal in 40 bytes: RFC 6962's tree head.
type Head struct {
	// Size is the number of leaves.
	Size uint64
	// Root is the Merkle tree hash over them (RFC 6962 §2.1).
	Root [sha256.Size]byte
}

// Tree is the right edge of an RFC 6962 tree: what must be known to add
// leaves. It is a value: a copy goes its own way. The zero Tree is empty.
type Tree struct {
	size uint64
	// edge holds at level l the hash of the complete subtree of 1<<l leaves,
	// meaningful where bit l of size is set.
	edge [64]tlog.Hash
}

// Append adds one leaf and returns the hashes that it completes: its own leaf
// hash and those of every subtree that ends with it, lowest first, 32 bytes
// each, in the order of tlog.StoredHashes.
func (t *Tree) Append(leaf []byte) []byte {
	h := tlog.RecordHash(leaf)
	hashes := append(make([]byte, 0, 2*len(h)), h[:]...)
	level := 0
	for ; t.size>>level&1 == 1; level++ {
		h = tlog.NodeHash(t.edge[level], h)
		hashes = append(hashes, h[:]...)
	}
	t.edge[level] = h
	t.size++
	return hashes
}

// Size returns the number of leaves.
func (t *Tree) Size() uint64 { return t.size }

// Head returns size and root. The root of no leaves is the SHA-256 of nothing.
func (t *Tree) Head() Head {
	if t.size == 0 {
		return Head{Root: sha256.Sum256(nil)}
	}
	low := bits.TrailingZeros64(t.size)
	root := t.edge[low]
	for level := low + 1; t.size>>level != 0; level++ {
		if t.size>>level&1 == 1 {
			root = tlog.NodeHash(t.edge[level], root)
		}
	}
	return Head{Size: t.size, Root: root}
}

// Edge returns the hashes of the complete subtrees, largest first, 32 bytes
// each: with the size all that Restore needs, at most 2 KiB.
func (t *Tree) Edge() []byte {
	var edge []byte
	for level := bits.Len64(t.size) - 1; level >= 0; level-- {
		if t.size>>level&1 == 1 {
			edge = append(edge, t.edge[level][:]...)
		}
	}
	return edge
}

// Restore rebuilds a tree from its size and what Edge returned. It checks
// lengths only: whether the hashes are true, only leaves or a trusted Head can say.
func Restore(size uint64, edge []byte) (Tree, error) {
	if want := bits.OnesCount64(size) * sha256.Size; len(edge) != want {
		return Tree{}, fmt.Errorf("restore tree of %d leaves: edge of %d bytes, want %d", size, len(edge), want)
	}
	t := Tree{size: size}
	for level := bits.Len64(size) - 1; level >= 0; level-- {
		if size>>level&1 == 1 {
			edge = edge[copy(t.edge[level][:], edge):]
		}
	}
	return t, nil
}

// EdgeLeaves yields the sequence numbers of the leaves at which the subtrees
// of Edge end, in the same order. The hash wanted is the last one that Append
// returned for that leaf.
func EdgeLeaves(size uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		end := uint64(0)
		for level := bits.Len64(size) - 1; level >= 0; level-- {
			if size>>level&1 == 0 {
				continue
			}
			end += 1 << level
			if !yield(end - 1) {
				return
			}
		}
	}
}

// HashesLen returns how many bytes of hashes Append returns for leaf seq.
func HashesLen(seq uint64) int {
	return (bits.TrailingZeros64(^seq) + 1) * sha256.Size
}
