-- Accounts: users, sessions, refresh tokens, revocations, invitations, secrets.
-- Times are ms since 1970 UTC. Tokens stand here only as SHA-256; ids are their 16 bytes.

-- The number that rises with each change of a session: sessions and revocations carry it. Users carry
-- the store's position, as rooms and members do.
CREATE TABLE accounts_clock (
  id      INTEGER PRIMARY KEY CHECK (id = 1),
  changed INTEGER NOT NULL
) STRICT;
INSERT INTO accounts_clock (id, changed) VALUES (1, 0);

-- Absent: nobody signs in here with a password.
ALTER TABLE users ADD COLUMN password_hash TEXT;
-- Both or neither: another issuer vouches for this user.
ALTER TABLE users ADD COLUMN issuer TEXT;
ALTER TABLE users ADD COLUMN subject TEXT;
ALTER TABLE users ADD COLUMN administrator INTEGER NOT NULL DEFAULT 0
    CHECK (administrator IN (0, 1));
CREATE INDEX users_changed ON users (changed);
CREATE INDEX users_administrator ON users (administrator) WHERE administrator = 1;

CREATE TABLE sessions (
  row_id       INTEGER PRIMARY KEY,
  id           BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
  user         BLOB    NOT NULL REFERENCES users (public),
  device_name  TEXT,
  created_ms   INTEGER NOT NULL,
  last_used_ms INTEGER NOT NULL,
  expires_ms   INTEGER NOT NULL,
  revoked_ms   INTEGER,
  generation   INTEGER NOT NULL,
  changed      INTEGER NOT NULL
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
CREATE TABLE revocations (
  changed   INTEGER PRIMARY KEY,
  session   BLOB,
  user      BLOB,
  before_ms INTEGER,
  at_ms     INTEGER NOT NULL,
  CHECK ((session IS NULL) <> (user IS NULL)),
  CHECK ((user IS NULL) = (before_ms IS NULL))
) STRICT;

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
