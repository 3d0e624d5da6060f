-- What stands at a gate by its own journal, kept with the entries that say so.
-- source is empty for what was found at the gate itself, and otherwise names
-- who placed the hold there. subject is a roster number as 64 bits with a sign.
CREATE TABLE hold (
	stream  INTEGER NOT NULL REFERENCES stream (id),
	subject INTEGER NOT NULL,
	source  TEXT NOT NULL,
	PRIMARY KEY (stream, subject, source)
) STRICT, WITHOUT ROWID;

-- The newest entry of a journal about a topic, where only the newest counts.
CREATE TABLE newest (
	stream INTEGER NOT NULL REFERENCES stream (id),
	topic  TEXT NOT NULL,
	entry  INTEGER NOT NULL REFERENCES entry (id),
	PRIMARY KEY (stream, topic)
) STRICT, WITHOUT ROWID;

-- What goes down: only the newest of a kind and scope, as it is sent. What it
-- replaces is gone, for a list of people is kept no longer than it counts. No
-- program has written to the table that stood here before.
DROP TABLE posted;
CREATE TABLE posted (
	kind    TEXT NOT NULL,
	scope   TEXT NOT NULL,
	number  INTEGER NOT NULL CHECK (number > 0),
	message BLOB NOT NULL,
	sum     BLOB NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (kind, scope)
) STRICT;

-- The highest number that was given out of a kind: a gate takes none that is
-- not above the last.
CREATE TABLE numbered (
	kind   TEXT PRIMARY KEY NOT NULL,
	number INTEGER NOT NULL CHECK (number > 0)
) STRICT;
