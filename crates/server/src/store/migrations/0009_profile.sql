-- What people want to be called, and pictures of people and rooms.

-- Each picture once, named by the beginning of its SHA-256.
CREATE TABLE avatars (
    id    BLOB PRIMARY KEY CHECK (length(id) = 16),
    -- 0: PNG, 1: JPEG, 2: WebP.
    kind  INTEGER NOT NULL CHECK (kind IN (0, 1, 2)),
    bytes BLOB    NOT NULL
) STRICT;

-- Who has uploaded which and not used it yet, and when, in ms. Ids are public ones, since these rows
-- are few.
CREATE TABLE avatar_uploads (
    by     BLOB    NOT NULL REFERENCES users (public),
    avatar BLOB    NOT NULL REFERENCES avatars (id),
    at     INTEGER NOT NULL,
    PRIMARY KEY (by, avatar)
) STRICT, WITHOUT ROWID;

CREATE INDEX avatar_uploads_avatar ON avatar_uploads (avatar);
CREATE INDEX avatar_uploads_at ON avatar_uploads (at, by, avatar);

-- A change of either raises `profile_version` and sets `changed`.
ALTER TABLE users ADD COLUMN display_name TEXT;
ALTER TABLE users ADD COLUMN avatar BLOB REFERENCES avatars (id);
ALTER TABLE rooms ADD COLUMN avatar BLOB REFERENCES avatars (id);

CREATE INDEX users_avatar ON users (avatar) WHERE avatar IS NOT NULL;
CREATE INDEX rooms_avatar ON rooms (avatar) WHERE avatar IS NOT NULL;
