-- Replies, mentions, reactions' kinds, pins, topics, owners, muted members.

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

-- The reactions that a message has had, so that their number is known without reading them all.
CREATE TABLE reaction_kinds (
    room   INTEGER NOT NULL,
    target INTEGER NOT NULL,
    emoji  TEXT    NOT NULL,
    PRIMARY KEY (room, target, emoji)
) STRICT, WITHOUT ROWID;
