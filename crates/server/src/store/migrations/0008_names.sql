-- What a name looks like (core::name): unique beside its key. NULL where somebody had that look
-- before it had to be unique.
ALTER TABLE users ADD COLUMN name_look TEXT;
CREATE UNIQUE INDEX users_name_look ON users (name_look);
UPDATE OR IGNORE users SET name_look = name_look(name) WHERE name_key IS NOT NULL;
