-- What people show of themselves, and when they were here last: a row for those of whom there is
-- something to say.
CREATE TABLE presence (
    user           INTEGER PRIMARY KEY REFERENCES users (id),
    hide_last_seen INTEGER NOT NULL DEFAULT 0 CHECK (hide_last_seen IN (0, 1)),
    hide_online    INTEGER NOT NULL DEFAULT 0 CHECK (hide_online IN (0, 1)),
    -- Of the two above: rises with each change.
    version        INTEGER NOT NULL DEFAULT 0,
    -- In ms, to the minute; absent: never seen going.
    last_seen      INTEGER
) STRICT;
