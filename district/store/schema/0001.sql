-- One row: which store this is. Cursors name it, so that one given out by
-- another store is never taken for a place in this one.
CREATE TABLE identity (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	id  BLOB NOT NULL CHECK (length(id) = 16)
) STRICT;
INSERT INTO identity (one, id) VALUES (1, randomblob(16));

-- Who may be collected from. Times everywhere are Unix milliseconds; revoked
-- is 0 while the gate is admitted. A cloned card has its origin's key: no two
-- gates may have the same. password is a hash, all zero where there is none.
CREATE TABLE gate (
	id       INTEGER PRIMARY KEY,
	name     TEXT NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 32 AND name NOT GLOB '*[^a-z0-9-]*'),
	key      BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
	password BLOB NOT NULL CHECK (length(password) = 32),
	school   TEXT NOT NULL,
	duty     TEXT NOT NULL,
	admitted INTEGER NOT NULL,
	revoked  INTEGER NOT NULL
) STRICT;

-- One journal of one gate. size is the watermark: a batch is taken only where
-- it stands, which makes every batch count once without a key on each entry.
CREATE TABLE stream (
	id         INTEGER PRIMARY KEY,
	gate       INTEGER NOT NULL REFERENCES gate (id),
	epoch      INTEGER NOT NULL CHECK (epoch > 0),
	size       INTEGER NOT NULL,
	edge       BLOB NOT NULL,
	root       BLOB NOT NULL CHECK (length(root) = 32),
	checkpoint BLOB NOT NULL,
	received   INTEGER NOT NULL,
	began      INTEGER NOT NULL,
	reason     TEXT NOT NULL,
	UNIQUE (gate, epoch)
) STRICT;

-- The commits in their order. A number is never used twice.
CREATE TABLE batch (
	number   INTEGER PRIMARY KEY AUTOINCREMENT,
	stream   INTEGER NOT NULL REFERENCES stream (id),
	first    INTEGER NOT NULL,
	n        INTEGER NOT NULL CHECK (n BETWEEN 1 AND 8192),
	received INTEGER NOT NULL,
	UNIQUE (stream, first)
) STRICT;

-- The record: id is batch number * 8192 + place in the batch. So every insert
-- appends, whoever sends, the table needs no second index, reading in commit
-- order is one scan, and (stream, first) above finds an entry by its number.
-- A key of (gate, epoch, seq) would scatter the inserts of many gates over the
-- tree. Leaves are kept as they were hashed, one a row and not compressed: the
-- record is there to be asked, and a district's year is a few gigabytes.
CREATE TABLE entry (
	id   INTEGER PRIMARY KEY,
	leaf BLOB NOT NULL
) STRICT;

-- How many entries of a stream fell on a local day under a key.
CREATE TABLE tally (
	stream INTEGER NOT NULL REFERENCES stream (id),
	day    TEXT NOT NULL,
	key    TEXT NOT NULL,
	n      INTEGER NOT NULL,
	PRIMARY KEY (stream, day, key)
) STRICT, WITHOUT ROWID;

-- Alarms that were announced ahead of the entry that they are about.
CREATE TABLE announced (
	gate     INTEGER NOT NULL REFERENCES gate (id),
	epoch    INTEGER NOT NULL,
	seq      INTEGER NOT NULL,
	leaf     BLOB NOT NULL,
	received INTEGER NOT NULL,
	PRIMARY KEY (gate, epoch, seq)
) STRICT;

-- What was not let in: the newest, and the beginning of each.
CREATE TABLE refused (
	number   INTEGER PRIMARY KEY,
	gate     TEXT NOT NULL,
	reason   TEXT NOT NULL,
	received INTEGER NOT NULL,
	sum      BLOB NOT NULL CHECK (length(sum) = 32),
	head     BLOB NOT NULL
) STRICT;

-- The first two checkpoints of a journal that do not fit each other. held may
-- be of size 0 and unsigned: then nothing had been collected.
CREATE TABLE diverged (
	gate         INTEGER NOT NULL REFERENCES gate (id),
	epoch        INTEGER NOT NULL,
	noticed      INTEGER NOT NULL,
	held_size    INTEGER NOT NULL,
	held_root    BLOB NOT NULL CHECK (length(held_root) = 32),
	held_sig     BLOB NOT NULL,
	claimed_size INTEGER NOT NULL,
	claimed_root BLOB NOT NULL CHECK (length(claimed_root) = 32),
	claimed_sig  BLOB NOT NULL,
	PRIMARY KEY (gate, epoch)
) STRICT;

-- What was signed to go down. The numbers of a kind only rise: a gate refuses
-- one that does not.
CREATE TABLE posted (
	kind   TEXT NOT NULL,
	number INTEGER NOT NULL CHECK (number > 0),
	scope  TEXT NOT NULL,
	body   BLOB NOT NULL,
	sig    BLOB NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (kind, number)
) STRICT;

-- Who may pull: the SHA-256 of a bearer token, never the token.
CREATE TABLE token (
	name   TEXT PRIMARY KEY NOT NULL CHECK (length(name) BETWEEN 1 AND 64),
	hash   BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
	names  INTEGER NOT NULL CHECK (names IN (0, 1)),
	issued INTEGER NOT NULL
) STRICT;
