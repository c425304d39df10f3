-- Rooms, their logs, their members and the people in them.
-- Inside ids are rowids and never leave the store; public ids are 16 bytes (contract 9).

-- What there is once: epoch (16 bytes), position (number of the last transaction that wrote).
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE users (
    id              INTEGER PRIMARY KEY,
    public          BLOB NOT NULL UNIQUE,
    name            TEXT NOT NULL,
    -- The name's unique form; none for people whose names another issuer keeps.
    name_key        TEXT UNIQUE,
    profile_version INTEGER NOT NULL DEFAULT 1,
    kind            TEXT NOT NULL DEFAULT 'user'
                    CHECK (kind IN ('user', 'bot', 'webhook', 'system')),
    created         INTEGER NOT NULL DEFAULT 0,
    changed         INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE rooms (
    id      INTEGER PRIMARY KEY,
    public  BLOB NOT NULL UNIQUE,
    kind    INTEGER NOT NULL,
    name    TEXT,
    history INTEGER NOT NULL,
    head    INTEGER NOT NULL,
    msg_no  INTEGER NOT NULL,
    floor   INTEGER NOT NULL,
    members INTEGER NOT NULL,
    created INTEGER NOT NULL,
    -- Position of the transaction that last added to the log.
    changed INTEGER NOT NULL
) STRICT;

-- Never deleted: who has gone keeps their row, so that offline devices converge (contract 4).
CREATE TABLE members (
    room      INTEGER NOT NULL REFERENCES rooms (id),
    user      INTEGER NOT NULL REFERENCES users (id),
    state     INTEGER NOT NULL,
    role      INTEGER NOT NULL,
    -- The last stay; the earlier ones, if any, are rows of `stays`, counted here, so that a send
    -- by somebody who never left needs no second look-up.
    since     INTEGER NOT NULL,
    gone      INTEGER,
    earlier   INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    read      INTEGER NOT NULL,
    -- Position of the transaction that last changed this row.
    changed   INTEGER NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;

-- A user's rooms.
CREATE INDEX members_user ON members (user, room);

CREATE TABLE stays (
    room  INTEGER NOT NULL REFERENCES rooms (id),
    user  INTEGER NOT NULL REFERENCES users (id),
    since INTEGER NOT NULL,
    gone  INTEGER,
    PRIMARY KEY (room, user, since)
) STRICT, WITHOUT ROWID;

-- Append-only rowid table: rows go to its right end, whatever their room, and only the narrow
-- indexes are touched all over. No foreign keys here: the transaction that inserts has just
-- looked at the room, its member and the sender, and two more look-ups a row are not free.
CREATE TABLE events (
    id             INTEGER PRIMARY KEY,
    room           INTEGER NOT NULL,
    seq            INTEGER NOT NULL,
    msg_no         INTEGER NOT NULL,
    kind           INTEGER NOT NULL,
    v              INTEGER NOT NULL,
    sender         INTEGER NOT NULL,
    sender_version INTEGER NOT NULL,
    key            BLOB NOT NULL,
    hash           INTEGER NOT NULL,
    ts             INTEGER NOT NULL,
    target         INTEGER,
    body           BLOB NOT NULL,
    -- CRC-32 over all of the above but `id`.
    sum            INTEGER NOT NULL
) STRICT;

CREATE UNIQUE INDEX events_seq ON events (room, seq);
-- Idempotency for ever; this column order, because keys rise with time (contract 2).
CREATE UNIQUE INDEX events_key ON events (key, sender, room);
-- Everything about an event: edits, redactions, reactions.
CREATE INDEX events_target ON events (room, target) WHERE target IS NOT NULL;
CREATE INDEX events_redactions ON events (room, seq) WHERE kind = 5;
