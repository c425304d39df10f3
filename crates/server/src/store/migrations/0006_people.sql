-- What people want to be notified of, and whom they have blocked.

-- 0: everything, 1: mentions, 2: nothing.
ALTER TABLE members ADD COLUMN level INTEGER NOT NULL DEFAULT 0 CHECK (level IN (0, 1, 2));
-- In ms; 0: not quiet.
ALTER TABLE members ADD COLUMN quiet_until INTEGER NOT NULL DEFAULT 0;
-- Of the two above: rises with each change.
ALTER TABLE members ADD COLUMN notify_version INTEGER NOT NULL DEFAULT 0;

-- In ms; 0: disturb as always.
ALTER TABLE presence ADD COLUMN dnd_until INTEGER NOT NULL DEFAULT 0;
-- Minutes of a day, UTC; two that are alike: at no time.
ALTER TABLE presence ADD COLUMN dnd_from INTEGER NOT NULL DEFAULT 0;
ALTER TABLE presence ADD COLUMN dnd_to INTEGER NOT NULL DEFAULT 0;

-- A person whom a user has blocked.
CREATE TABLE blocks (
    user  INTEGER NOT NULL REFERENCES users (id),
    other INTEGER NOT NULL REFERENCES users (id),
    PRIMARY KEY (user, other)
) STRICT, WITHOUT ROWID;

-- Of those lists: how often they have changed, and in which transaction they did last.
CREATE TABLE block_lists (
    user    INTEGER PRIMARY KEY REFERENCES users (id),
    version INTEGER NOT NULL,
    changed INTEGER NOT NULL
) STRICT;
