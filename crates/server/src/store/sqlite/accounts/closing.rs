//! Closing accounts as SQL, and what is kept of one for its owner.

use chinwag_core::ids::UserId;
use rusqlite::{Connection, OptionalExtension as _, Result as SqlResult};

use super::{sessions, users};
use crate::store::accounts::{AccountRow, Closing, NotClosed, Revocation};
use crate::store::sqlite::erasing;

/// What is kept of an account that is open.
pub(super) fn account(db: &Connection, user: UserId) -> SqlResult<Option<AccountRow>> {
    let sql = format!(
        "SELECT {}, created, issuer, subject FROM users WHERE public = ?1 AND name <> ''",
        users::COLUMNS
    );
    db.prepare_cached(&sql)?
        .query_row([user.0], |row| {
            let issuer: Option<String> = row.get("issuer")?;
            let subject: Option<String> = row.get("subject")?;
            Ok(AccountRow {
                user: users::read(row)?,
                created_ms: row.get("created")?,
                issued: issuer.zip(subject),
            })
        })
        .optional()
}

/// Closes an account, or does nothing and says why.
pub(super) fn close(
    db: &Connection,
    closing: &Closing,
    now_ms: i64,
) -> SqlResult<Result<Vec<Revocation>, NotClosed>> {
    let user = closing.user;
    let row = match users::by_id(db, user)? {
        Some(row) if !row.is_deleted() => row,
        Some(_) | None => return Ok(Err(NotClosed::Gone)),
    };
    if row.password_hash != closing.verified_hash {
        return Ok(Err(NotClosed::PasswordChanged));
    }
    if row.administrator && administrators(db)? <= 1 {
        return Ok(Err(NotClosed::LastAdministrator));
    }
    let mut revoked = sessions::revoke_all(db, user, None, now_ms)?;
    revoked.push(sessions::revoke_tokens_of(db, user, now_ms)?);
    // Their refresh tokens go with them.
    db.prepare_cached("DELETE FROM sessions WHERE user = ?1")?
        .execute([user.0])?;
    erasing::begin(db, &closing.erasure(now_ms))?;
    Ok(Ok(revoked))
}

fn administrators(db: &Connection) -> SqlResult<i64> {
    db.prepare_cached("SELECT count(*) FROM users WHERE administrator = 1")?
        .query_row([], |row| row.get(0))
}
