-- Invitations to rooms: a row for each that may still let somebody in. Tokens stand here only as
-- SHA-256; ids are public ones, since these rows are few and looked for by them.
CREATE TABLE room_invites (
    hash      BLOB PRIMARY KEY CHECK (length(hash) = 32),
    room      BLOB    NOT NULL REFERENCES rooms (public),
    by        BLOB    NOT NULL REFERENCES users (public),
    uses_left INTEGER NOT NULL CHECK (uses_left > 0),
    -- In ms since 1970.
    expires   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX room_invites_room ON room_invites (room, hash);
