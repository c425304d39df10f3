-- Messages that people have deleted for themselves alone.
CREATE TABLE hidden (
    room INTEGER NOT NULL REFERENCES rooms (id),
    user INTEGER NOT NULL REFERENCES users (id),
    seq  INTEGER NOT NULL,
    PRIMARY KEY (room, user, seq)
) STRICT, WITHOUT ROWID;

-- Of those lists: rises with each change.
ALTER TABLE members ADD COLUMN hidden_version INTEGER NOT NULL DEFAULT 0;

-- Messages that administrators let single people send.
CREATE TABLE user_rates (
    user        BLOB PRIMARY KEY REFERENCES users (public),
    -- Thousandths of a message per second.
    thousandths INTEGER NOT NULL CHECK (thousandths > 0),
    burst       INTEGER NOT NULL CHECK (burst > 0)
) STRICT, WITHOUT ROWID;
