//! Sessions, refresh tokens and revocations as SQL.

use chinwag_core::ids::{SessionId, UserId};
use rusqlite::{Connection, OptionalExtension as _, Result as SqlResult, Row, params};

use super::tick;
use super::users::{self, id_bytes};
use crate::store::accounts::{
    NewSession, REFRESH_TOKENS_KEPT, REVOCATIONS_KEPT_MS, REVOCATIONS_PAGE, Revocation, Revoked,
    Rotation, SESSIONS_PER_USER_MAX, SessionRow, TokenHash,
};

pub(super) fn is_alive(db: &Connection, session: SessionId, user: UserId) -> SqlResult<bool> {
    db.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM sessions WHERE id = ?1 AND user = ?2 AND revoked_ms IS NULL)",
    )?
    .query_row(params![session.0, user.0], |row| row.get(0))
}

/// The sessions of a user that go on, the one used last first.
pub(super) fn of_user(db: &Connection, user: UserId, now_ms: i64) -> SqlResult<Vec<SessionRow>> {
    db.prepare_cached(
        "SELECT id, device_name, created_ms, last_used_ms, expires_ms FROM sessions
         WHERE user = ?1 AND revoked_ms IS NULL AND expires_ms > ?2
         ORDER BY last_used_ms DESC, row_id DESC LIMIT ?3",
    )?
    .query_map(params![user.0, now_ms, SESSIONS_PER_USER_MAX], |row| {
        Ok(SessionRow {
            id: SessionId(id_bytes(row, 0)?),
            device_name: row.get(1)?,
            created_ms: row.get(2)?,
            last_used_ms: row.get(3)?,
            expires_ms: row.get(4)?,
        })
    })?
    .collect()
}

/// Makes a session. Beyond the limit, the ones used longest ago are revoked.
pub(super) fn create(
    db: &Connection,
    user: UserId,
    session: &NewSession,
    now_ms: i64,
) -> SqlResult<Vec<Revocation>> {
    db.prepare_cached(
        "DELETE FROM sessions WHERE user = ?1 AND (expires_ms < ?2 OR revoked_ms < ?2)",
    )?
    .execute(params![user.0, now_ms - REVOCATIONS_KEPT_MS])?;
    let alive: Vec<[u8; 16]> = db
        .prepare_cached(
            "SELECT id FROM sessions WHERE user = ?1 AND revoked_ms IS NULL
             ORDER BY last_used_ms DESC, row_id DESC",
        )?
        .query_map([user.0], |row| id_bytes(row, 0))?
        .collect::<SqlResult<_>>()?;
    let mut revoked = Vec::new();
    for id in alive.iter().skip(SESSIONS_PER_USER_MAX - 1) {
        revoked.extend(revoke(db, SessionId(*id), now_ms)?);
    }
    let changed = tick(db)?;
    db.prepare_cached(
        "INSERT INTO sessions (id, user, device_name, created_ms, last_used_ms, expires_ms,
           generation, changed) VALUES (?1, ?2, ?3, ?4, ?4, ?5, 1, ?6)",
    )?
    .execute(params![
        session.id.0,
        user.0,
        session.device_name,
        now_ms,
        session.expires_ms,
        changed
    ])?;
    add_token(db, session.id, &session.refresh, 1)?;
    Ok(revoked)
}

fn add_token(
    db: &Connection,
    session: SessionId,
    hash: &TokenHash,
    generation: u64,
) -> SqlResult<()> {
    db.prepare_cached(
        "INSERT INTO refresh_tokens (hash, session, generation) VALUES (?1, ?2, ?3)",
    )?
    .execute(params![hash, session.0, generation])?;
    Ok(())
}

/// A refresh token with its session.
struct Presented {
    session: SessionId,
    user: UserId,
    generation: u64,
    replaced_ms: Option<i64>,
    expires_ms: i64,
    revoked_ms: Option<i64>,
}

fn presented(db: &Connection, hash: &TokenHash) -> SqlResult<Option<Presented>> {
    let read = |row: &Row<'_>| {
        Ok(Presented {
            session: SessionId(id_bytes(row, 0)?),
            user: UserId(id_bytes(row, 1)?),
            generation: row.get(2)?,
            replaced_ms: row.get(3)?,
            expires_ms: row.get(4)?,
            revoked_ms: row.get(5)?,
        })
    };
    db.prepare_cached(
        "SELECT s.id, s.user, t.generation, t.replaced_ms, s.expires_ms, s.revoked_ms
         FROM refresh_tokens t JOIN sessions s ON s.id = t.session WHERE t.hash = ?1",
    )?
    .query_row([hash], read)
    .optional()
}

/// The clock and the spans of one refresh, in ms.
#[derive(Clone, Copy)]
pub(super) struct RotationTimes {
    pub(super) grace_ms: i64,
    pub(super) expires_ms: i64,
    pub(super) now_ms: i64,
}

pub(super) fn rotate(
    db: &Connection,
    old: &TokenHash,
    next: &TokenHash,
    times: RotationTimes,
) -> SqlResult<Rotation> {
    let now_ms = times.now_ms;
    let Some(token) = presented(db, old)? else {
        return Ok(Rotation::Refused);
    };
    if token
        .replaced_ms
        .is_some_and(|at_ms| now_ms >= at_ms + times.grace_ms)
    {
        let revoked = revoke(db, token.session, now_ms)?;
        return Ok(Rotation::Reused {
            session: token.session,
            revoked,
        });
    }
    if token.revoked_ms.is_some() || token.expires_ms <= now_ms {
        return Ok(Rotation::Refused);
    }
    let Some(user) = users::by_id(db, token.user)? else {
        return Ok(Rotation::Refused);
    };
    // All up to this generation, not only this token: of two that were given out within one
    // grace, the one that is not used ends with it.
    db.prepare_cached(
        "UPDATE refresh_tokens SET replaced_ms = ?3
         WHERE session = ?1 AND generation <= ?2 AND replaced_ms IS NULL",
    )?
    .execute(params![token.session.0, token.generation, now_ms])?;
    add_token(db, token.session, next, token.generation + 1)?;
    db.prepare_cached(
        "DELETE FROM refresh_tokens WHERE session = ?1 AND row_id <= (SELECT row_id FROM
           refresh_tokens WHERE session = ?1 ORDER BY row_id DESC LIMIT 1 OFFSET ?2)",
    )?
    .execute(params![token.session.0, REFRESH_TOKENS_KEPT])?;
    db.prepare_cached(
        "UPDATE sessions SET last_used_ms = ?2, expires_ms = ?3,
           generation = max(generation, ?4) WHERE id = ?1",
    )?
    .execute(params![
        token.session.0,
        now_ms,
        times.expires_ms,
        token.generation + 1
    ])?;
    Ok(Rotation::Rotated {
        session: token.session,
        user,
    })
}

pub(super) fn of_token(db: &Connection, hash: &TokenHash) -> SqlResult<Option<SessionId>> {
    let alive = |token: Presented| token.revoked_ms.is_none().then_some(token.session);
    Ok(presented(db, hash)?.and_then(alive))
}

pub(super) fn revoke(
    db: &Connection,
    session: SessionId,
    now_ms: i64,
) -> SqlResult<Option<Revocation>> {
    let alive = db
        .prepare_cached("SELECT 1 FROM sessions WHERE id = ?1 AND revoked_ms IS NULL")?
        .exists([session.0])?;
    if !alive {
        return Ok(None);
    }
    let changed = tick(db)?;
    db.prepare_cached("UPDATE sessions SET revoked_ms = ?2, changed = ?3 WHERE id = ?1")?
        .execute(params![session.0, now_ms, changed])?;
    db.prepare_cached("INSERT INTO revocations (changed, session, at_ms) VALUES (?1, ?2, ?3)")?
        .execute(params![changed, session.0, now_ms])?;
    sweep(db, now_ms)?;
    Ok(Some(Revocation {
        changed,
        at_ms: now_ms,
        what: Revoked::Session(session),
    }))
}

pub(super) fn revoke_all(
    db: &Connection,
    user: UserId,
    keep: Option<SessionId>,
    now_ms: i64,
) -> SqlResult<Vec<Revocation>> {
    let alive: Vec<[u8; 16]> = db
        .prepare_cached(
            "SELECT id FROM sessions WHERE user = ?1 AND revoked_ms IS NULL ORDER BY row_id",
        )?
        .query_map([user.0], |row| id_bytes(row, 0))?
        .collect::<SqlResult<_>>()?;
    let mut revoked = Vec::new();
    for id in alive
        .into_iter()
        .map(SessionId)
        .filter(|id| Some(*id) != keep)
    {
        revoked.extend(revoke(db, id, now_ms)?);
    }
    Ok(revoked)
}

pub(super) fn revoke_tokens_of(
    db: &Connection,
    user: UserId,
    now_ms: i64,
) -> SqlResult<Revocation> {
    let changed = tick(db)?;
    db.prepare_cached(
        "INSERT INTO revocations (changed, user, before_ms, at_ms) VALUES (?1, ?2, ?3, ?3)",
    )?
    .execute(params![changed, user.0, now_ms])?;
    sweep(db, now_ms)?;
    let what = Revoked::User {
        user,
        before_ms: now_ms,
    };
    Ok(Revocation {
        changed,
        at_ms: now_ms,
        what,
    })
}

fn sweep(db: &Connection, now_ms: i64) -> SqlResult<()> {
    // `changed` is the key and rises with time, so the old ones are the first rows.
    db.prepare_cached("DELETE FROM revocations WHERE at_ms < ?1")?
        .execute([now_ms - REVOCATIONS_KEPT_MS])?;
    Ok(())
}

pub(super) fn revocations_after(db: &Connection, changed: u64) -> SqlResult<Vec<Revocation>> {
    db.prepare_cached(
        "SELECT changed, at_ms, session, user, before_ms FROM revocations
         WHERE changed > ?1 ORDER BY changed LIMIT ?2",
    )?
    .query_map(params![changed, REVOCATIONS_PAGE], |row| {
        let session: Option<[u8; 16]> = row.get(2)?;
        let what = match session {
            Some(id) => Revoked::Session(SessionId(id)),
            None => Revoked::User {
                user: UserId(id_bytes(row, 3)?),
                before_ms: row.get(4)?,
            },
        };
        Ok(Revocation {
            changed: row.get(0)?,
            at_ms: row.get(1)?,
            what,
        })
    })?
    .collect()
}
