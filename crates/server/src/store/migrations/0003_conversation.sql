-- Replies, mentions, what became of messages, pins, topics, owners, muted members.

ALTER TABLE rooms ADD COLUMN topic TEXT;
-- How many members are owners, as `members` counts all.
ALTER TABLE rooms ADD COLUMN owners INTEGER NOT NULL DEFAULT 0;
UPDATE rooms SET owners =
    (SELECT count(*) FROM members AS m WHERE m.room = rooms.id AND m.state = 0 AND m.role = 3);
-- Seqs of pinned messages as a JSON list, in the order of pinning; absent: none.
ALTER TABLE rooms ADD COLUMN pins TEXT;

ALTER TABLE members ADD COLUMN muted INTEGER NOT NULL DEFAULT 0 CHECK (muted IN (0, 1));

-- What a message answers and whom it mentions, as JSON; absent: neither. Covered by `sum`.
ALTER TABLE events ADD COLUMN extras BLOB;

-- One row for each user whom a message mentions; user 0 is the whole room. Gone with a redaction.
CREATE TABLE mentions (
    room   INTEGER NOT NULL,
    user   INTEGER NOT NULL,
    seq    INTEGER NOT NULL,
    sender INTEGER NOT NULL,
    PRIMARY KEY (room, user, seq)
) STRICT, WITHOUT ROWID;

-- How often a message has been changed, so that this is known without reading the changes: one row
-- for edits, one for pins, one for each kind of reaction.
CREATE TABLE alterations (
    room   INTEGER NOT NULL,
    target INTEGER NOT NULL,
    -- 'edit', 'pin', or the reaction, which is one character.
    what   TEXT    NOT NULL,
    times  INTEGER NOT NULL,
    PRIMARY KEY (room, target, what)
) STRICT, WITHOUT ROWID;
