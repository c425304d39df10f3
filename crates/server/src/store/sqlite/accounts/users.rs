//! Users, invitations and secrets as SQL.

use chinwag_core::ids::{AvatarId, UserId};
use chinwag_core::name::Name;
use chinwag_core::wire::Profile;
use rusqlite::{Connection, OptionalExtension as _, Result as SqlResult, Row, params};

use super::sessions;
use crate::store::accounts::{
    Admission, ForeignUser, NewUser, NotMade, TokenHash, UserKind, UserRow, erased_key,
};
use crate::store::sqlite::position;

/// Where the hash of the setup link lies in `account_secrets`.
const SETUP: &str = "setup";
pub(super) const COLUMNS: &str = "public, kind, name, profile_version, password_hash, \
    administrator, display_name, avatar";

/// Reads the 16 bytes of an id.
pub(super) fn id_bytes(row: &Row<'_>, column: usize) -> SqlResult<[u8; 16]> {
    row.get(column)
}

pub(super) fn read(row: &Row<'_>) -> SqlResult<UserRow> {
    let kind: String = row.get(1)?;
    Ok(UserRow {
        id: UserId(id_bytes(row, 0)?),
        // The table's CHECK admits no other text; an unknown one is read with the fewest rights.
        kind: UserKind::read(&kind).unwrap_or(UserKind::Webhook),
        name: row.get(2)?,
        profile_version: row.get(3)?,
        password_hash: row.get(4)?,
        administrator: row.get(5)?,
        display_name: row.get(6)?,
        avatar: row.get::<_, Option<[u8; 16]>>(7)?.map(AvatarId),
    })
}

pub(super) fn secret(db: &Connection, name: &str, candidate: &[u8]) -> SqlResult<Vec<u8>> {
    db.execute(
        "INSERT INTO account_secrets (name, value) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![name, candidate],
    )?;
    db.query_row(
        "SELECT value FROM account_secrets WHERE name = ?1",
        [name],
        |row| row.get(0),
    )
}

pub(super) fn by_id(db: &Connection, id: UserId) -> SqlResult<Option<UserRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE public = ?1"))?
        .query_row([id.0], read)
        .optional()
}

pub(super) fn by_name(db: &Connection, name_key: &str) -> SqlResult<Option<UserRow>> {
    db.prepare_cached(&format!("SELECT {COLUMNS} FROM users WHERE name_key = ?1"))?
        .query_row([name_key], read)
        .optional()
}

pub(super) fn profiles(db: &Connection, wanted: &[UserId]) -> SqlResult<Vec<Profile>> {
    let mut found = Vec::with_capacity(wanted.len());
    for id in wanted {
        found.extend(by_id(db, *id)?.map(|row| row.profile()));
    }
    Ok(found)
}

pub(super) fn password_hash(db: &Connection, id: UserId) -> SqlResult<Option<String>> {
    Ok(by_id(db, id)?.and_then(|row| row.password_hash))
}

pub(super) fn set_password(
    db: &Connection,
    id: UserId,
    verified: &str,
    new: &str,
) -> SqlResult<bool> {
    if password_hash(db, id)?.as_deref() != Some(verified) {
        return Ok(false);
    }
    // Not a change that others see: `changed` stays.
    db.prepare_cached("UPDATE users SET password_hash = ?2 WHERE public = ?1")?
        .execute(params![id.0, new])?;
    Ok(true)
}

fn has_administrator(db: &Connection) -> SqlResult<bool> {
    db.query_row(
        "SELECT EXISTS (SELECT 1 FROM users WHERE administrator = 1)",
        [],
        |row| row.get(0),
    )
}

pub(super) fn offer_setup(db: &Connection, hash: &TokenHash) -> SqlResult<bool> {
    if has_administrator(db)? {
        return Ok(false);
    }
    db.execute(
        "INSERT INTO account_secrets (name, value) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET value = excluded.value",
        params![SETUP, hash],
    )?;
    Ok(true)
}

pub(super) fn setup_is_good(db: &Connection, hash: &TokenHash) -> SqlResult<bool> {
    let stored: Option<TokenHash> = db
        .query_row(
            "SELECT value FROM account_secrets WHERE name = ?1",
            [SETUP],
            |row| row.get(0),
        )
        .optional()?;
    Ok(stored.as_ref() == Some(hash) && !has_administrator(db)?)
}

pub(super) fn create_invite(
    db: &Connection,
    hash: &TokenHash,
    by: UserId,
    expires_ms: i64,
    now_ms: i64,
) -> SqlResult<()> {
    db.execute("DELETE FROM invites WHERE expires_ms <= ?1", [now_ms])?;
    db.execute(
        "INSERT INTO invites (hash, created_by, expires_ms) VALUES (?1, ?2, ?3)",
        params![hash, by.0, expires_ms],
    )?;
    Ok(())
}

pub(super) fn invite_is_good(db: &Connection, hash: &TokenHash, now_ms: i64) -> SqlResult<bool> {
    db.query_row(
        "SELECT EXISTS (SELECT 1 FROM invites WHERE hash = ?1 AND expires_ms > ?2)",
        params![hash, now_ms],
        |row| row.get(0),
    )
}

/// Uses the admission up, or says what is wrong with it.
fn admit(db: &Connection, admission: &Admission, now_ms: i64) -> SqlResult<Result<bool, NotMade>> {
    match admission {
        Admission::Open => Ok(Ok(false)),
        Admission::Invite(hash) => {
            if !invite_is_good(db, hash, now_ms)? {
                return Ok(Err(NotMade::InviteInvalid));
            }
            db.execute("DELETE FROM invites WHERE hash = ?1", [hash])?;
            Ok(Ok(false))
        }
        Admission::Setup(hash) => {
            if !setup_is_good(db, hash)? {
                return Ok(Err(NotMade::SetupInvalid));
            }
            db.execute("DELETE FROM account_secrets WHERE name = ?1", [SETUP])?;
            Ok(Ok(true))
        }
    }
}

/// Whether somebody has this name, or one that looks like it, or had it before they closed their
/// account.
pub(super) fn is_taken(db: &Connection, name: &Name) -> SqlResult<bool> {
    let (key, look) = (name.key(), name.look());
    db.prepare_cached("SELECT 1 FROM users WHERE name_key IN (?1, ?2) OR name_look IN (?3, ?4)")?
        .exists([key, &erased_key(key), look, &erased_key(look)])
}

struct Insert<'a> {
    id: UserId,
    name: &'a Name,
    password_hash: Option<&'a str>,
    issued: Option<(&'a str, &'a str)>,
    administrator: bool,
}

fn insert(db: &Connection, user: &Insert<'_>, now_ms: i64) -> SqlResult<UserRow> {
    let changed = position(db)?.0;
    let (issuer, subject) = user.issued.unzip();
    db.prepare_cached(
        "INSERT INTO users (public, kind, name, name_key, profile_version, password_hash, issuer,
           subject, administrator, created, changed, name_look)
         VALUES (?1, 'user', ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        user.id.0,
        user.name.display(),
        user.name.key(),
        user.password_hash,
        issuer,
        subject,
        user.administrator,
        now_ms,
        changed,
        user.name.look(),
    ])?;
    Ok(UserRow {
        id: user.id,
        kind: UserKind::User,
        name: user.name.display().to_owned(),
        profile_version: 1,
        display_name: None,
        avatar: None,
        password_hash: user.password_hash.map(str::to_owned),
        administrator: user.administrator,
    })
}

pub(super) fn create(
    db: &Connection,
    new: &NewUser,
    now_ms: i64,
) -> SqlResult<Result<UserRow, NotMade>> {
    // The name first: a refusal must not have used up the invitation.
    if is_taken(db, &new.name)? {
        // But whoever has no right to an account is not told which names there are.
        let good = match &new.admission {
            Admission::Open => true,
            Admission::Invite(hash) => invite_is_good(db, hash, now_ms)?,
            Admission::Setup(hash) => setup_is_good(db, hash)?,
        };
        if good {
            return Ok(Err(NotMade::NameTaken));
        }
    }
    let administrator = match admit(db, &new.admission, now_ms)? {
        Ok(administrator) => administrator,
        Err(refused) => return Ok(Err(refused)),
    };
    let row = Insert {
        id: new.id,
        name: &new.name,
        password_hash: Some(&new.password_hash),
        issued: None,
        administrator,
    };
    let user = insert(db, &row, now_ms)?;
    sessions::create(db, new.id, &new.session, now_ms)?;
    Ok(Ok(user))
}

pub(super) fn foreign(db: &Connection, new: &ForeignUser, now_ms: i64) -> SqlResult<UserRow> {
    if let Some(row) = by_id(db, new.id)? {
        return Ok(row);
    }
    let mut chosen = None;
    for name in &new.names {
        chosen = Some(name);
        if !is_taken(db, name)? {
            break;
        }
    }
    // With all names taken, or none given, the unique key refuses: an error, not a wrong name.
    let name = chosen.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let row = Insert {
        id: new.id,
        name,
        password_hash: None,
        issued: Some((&new.issuer, &new.subject)),
        administrator: false,
    };
    insert(db, &row, now_ms)
}
