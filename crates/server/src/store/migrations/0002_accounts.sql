-- Accounts: how users prove who they are. Their public faces are rows of `users` (0001).
-- Times are ms since 1970 UTC. Tokens stand here only as SHA-256; ids are their 16 bytes.

CREATE TABLE accounts (
    user          INTEGER PRIMARY KEY REFERENCES users (id),
    -- In PHC form; none: nobody signs in here with a password.
    password_hash TEXT,
    -- Both or neither: another issuer vouches for this user.
    issuer        TEXT,
    subject       TEXT,
    administrator INTEGER NOT NULL CHECK (administrator IN (0, 1)),
    CHECK ((issuer IS NULL) = (subject IS NULL)),
    CHECK (issuer IS NULL OR password_hash IS NULL)
) STRICT;
CREATE INDEX accounts_administrator ON accounts (administrator) WHERE administrator = 1;

CREATE TABLE sessions (
    row_id       INTEGER PRIMARY KEY,
    id           BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    user         BLOB    NOT NULL REFERENCES users (public),
    device_name  TEXT,
    created_ms   INTEGER NOT NULL,
    last_used_ms INTEGER NOT NULL,
    expires_ms   INTEGER NOT NULL,
    revoked_ms   INTEGER
) STRICT;
CREATE INDEX sessions_user ON sessions (user, last_used_ms);

-- One row per refresh token that a session was given; replaced_ms: since when a later one is known.
CREATE TABLE refresh_tokens (
    row_id      INTEGER PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    session     BLOB    NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    generation  INTEGER NOT NULL,
    replaced_ms INTEGER
) STRICT;
CREATE INDEX refresh_tokens_session ON refresh_tokens (session, generation);

-- What nodes poll: one session, or all tokens of a user that were made before a time.
-- AUTOINCREMENT: a number is never used again, also when all rows have been swept away.
CREATE TABLE revocations (
    changed   INTEGER PRIMARY KEY AUTOINCREMENT,
    session   BLOB,
    user      BLOB,
    before_ms INTEGER,
    at_ms     INTEGER NOT NULL,
    CHECK ((session IS NULL) <> (user IS NULL)),
    CHECK ((user IS NULL) = (before_ms IS NULL))
) STRICT;
CREATE INDEX revocations_at ON revocations (at_ms);

CREATE TABLE invites (
    row_id     INTEGER PRIMARY KEY,
    hash       BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    created_by BLOB    NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

-- The signing secret of access tokens, and the hash of the link that makes the first administrator.
CREATE TABLE account_secrets (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
