-- Erasing accounts: one row for each account that was closed, kept when all is done.

CREATE TABLE erasures (
    -- Rises in the order in which they were asked for.
    number   INTEGER PRIMARY KEY,
    job      BLOB    NOT NULL UNIQUE CHECK (length(job) = 16),
    user     BLOB    NOT NULL REFERENCES users (public),
    texts    TEXT    NOT NULL CHECK (texts IN ('keep', 'redact')),
    -- In ms since 1970.
    asked    INTEGER NOT NULL,
    -- 0: going out of rooms, 1: redacting, 2: done.
    stage    INTEGER NOT NULL CHECK (stage IN (0, 1, 2)),
    -- Public id of the room that was reached last; absent: none yet.
    room     BLOB,
    -- Redacting: the events of that room up to this one are done.
    seq      INTEGER NOT NULL,
    -- In ms since 1970; absent: not done.
    finished INTEGER
) STRICT;

CREATE INDEX erasures_open ON erasures (number) WHERE stage < 2;
