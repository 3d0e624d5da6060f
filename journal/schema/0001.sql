-- One row: which journal of this gate this is. A restored or replaced card
-- starts the next epoch.
CREATE TABLE origin (
	one   INTEGER PRIMARY KEY CHECK (one = 1),
	epoch INTEGER NOT NULL CHECK (epoch > 0)
) STRICT;
INSERT INTO origin (one, epoch) VALUES (1, 1);

-- The record. hashes are those that the leaf completes in the tree, lowest
-- first, 32 bytes each: in a table of their own they would cost every commit
-- a second page. There is no other index, for the same reason.
CREATE TABLE entry (
	seq     INTEGER PRIMARY KEY CHECK (seq >= 0),
	leaf    BLOB NOT NULL,
	hashes  BLOB NOT NULL,
	private BLOB
) STRICT;
