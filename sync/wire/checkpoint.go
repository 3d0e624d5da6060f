package wire

import (
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/menshen/menshen/entry"
)

// Checkpoint is a journal at one size.
type Checkpoint struct {
	// Origin is the gate's name.
	Origin string
	// Epoch says which journal of the gate it is, from 1.
	Epoch uint32
	// Head is size and root over the first Size entries.
	entry.Head
}

// SignedCheckpoint is a checkpoint under its gate's signature: whoever holds
// two that contradict each other can prove it to anybody.
type SignedCheckpoint struct {
	_ struct{} `cbor:",toarray"`
	Checkpoint
	// Signature is the gate's over the statement "menshen checkpoint v1".
	Signature [ed25519.SignatureSize]byte
}

// Sign puts the gate's signature under c.
func (c Checkpoint) Sign(key ed25519.PrivateKey) SignedCheckpoint {
	return SignedCheckpoint{Checkpoint: c, Signature: sign(key, c.statement())}
}

// Verify says whether the gate with the public key pub has signed s.
func (s SignedCheckpoint) Verify(pub ed25519.PublicKey) error {
	if err := signature(s.Signature).verify(pub, s.statement()); err != nil {
		return fmt.Errorf("verify checkpoint: %w", err)
	}
	return nil
}

func (c Checkpoint) statement() []byte {
	return statement("menshen checkpoint v1", c.Origin, c.Epoch, c.Size, c.Root)
}

func (c Checkpoint) check() error {
	if err := checkName("origin", c.Origin); err != nil {
		return err
	}
	if c.Epoch == 0 {
		return errors.New("no epoch")
	}
	var empty entry.Tree
	if c.Size == 0 && c.Head != empty.Head() {
		return errors.New("not the root of an empty tree")
	}
	return checkCount("size", c.Size)
}

// from says whether c is about the gate that is spoken with.
func (c Checkpoint) from(origin string) error {
	if c.Origin != origin {
		return fmt.Errorf("origin is %q, not %q", c.Origin, origin)
	}
	return nil
}
