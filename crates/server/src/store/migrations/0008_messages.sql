-- Messages that people have deleted for themselves alone.
CREATE TABLE hidden (
    room INTEGER NOT NULL REFERENCES rooms (id),
    user INTEGER NOT NULL REFERENCES users (id),
    seq  INTEGER NOT NULL,
    PRIMARY KEY (room, user, seq)
) STRICT, WITHOUT ROWID;

-- Of those lists: rises with each change.
ALTER TABLE members ADD COLUMN hidden_version INTEGER NOT NULL DEFAULT 0;
