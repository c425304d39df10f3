-- Who hides what they have received and read, and when markers came where.
ALTER TABLE presence ADD COLUMN hide_receipts INTEGER NOT NULL DEFAULT 0
    CHECK (hide_receipts IN (0, 1));

-- The last steps of a member's markers, apart from the member: who sends needs no look at them.
-- No row: no step is known. Both blobs are written by store/sqlite/trails.rs.
CREATE TABLE trails (
    room      INTEGER NOT NULL REFERENCES rooms (id),
    user      INTEGER NOT NULL REFERENCES users (id),
    delivered BLOB NOT NULL,
    read      BLOB NOT NULL,
    PRIMARY KEY (room, user)
) STRICT, WITHOUT ROWID;
