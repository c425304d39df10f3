//! What people show of themselves, and when they were here last: one row each, beside the log.
//!
//! Runs in transactions that others begin. Rules about who is told what are `core::aside`'s.

use chinwag_core::aside::{Seen, SettingsChange};
use chinwag_core::ids::{Millis, UserId};
use chinwag_core::wire::{Daily, Settings};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::erasing;
use super::rows::{JOINED, count, number, user_id};

/// The settings of somebody; those of one who never changed them are the default.
pub(super) fn settings(db: &Connection, user: UserId) -> rusqlite::Result<Settings> {
    let found = db
        .prepare_cached(
            "SELECT p.hide_last_seen, p.hide_online, p.version, p.dnd_until, p.dnd_from, p.dnd_to, \
             p.hide_receipts FROM users AS u \
             JOIN presence AS p ON p.user = u.id WHERE u.public = ?1",
        )?
        .query_row([&user.0[..]], |row| {
            Ok(Settings {
                hide_last_seen: row.get(0)?,
                hide_online: row.get(1)?,
                version: count(row.get(2)?),
                hide_receipts: row.get(6)?,
                dnd_until: Some(Millis(row.get(3)?)).filter(|until| *until > Millis(0)),
                dnd_daily: Some(Daily {
                    from: row.get(4)?,
                    to: row.get(5)?,
                })
                .filter(|daily| !daily.is_empty()),
            })
        });
    Ok(found.optional()?.unwrap_or_default())
}

/// Changes them; what they are then.
pub(super) fn set(
    db: &Connection,
    user: UserId,
    change: SettingsChange,
) -> rusqlite::Result<Settings> {
    let before = settings(db, user)?;
    if erasing::is_deleted(db, user)? {
        return Ok(before);
    }
    let after = change.of(before);
    if after != before {
        let daily = after.dnd_daily.unwrap_or_default();
        db.prepare_cached(
            "INSERT INTO presence (user, hide_last_seen, hide_online, version, dnd_until, dnd_from, \
             dnd_to, hide_receipts) SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM users \
             WHERE public = ?1 \
             ON CONFLICT (user) DO UPDATE SET hide_last_seen = excluded.hide_last_seen, \
             hide_online = excluded.hide_online, version = excluded.version, \
             dnd_until = excluded.dnd_until, dnd_from = excluded.dnd_from, \
             dnd_to = excluded.dnd_to, hide_receipts = excluded.hide_receipts",
        )?
        .execute(params![
            &user.0[..],
            after.hide_last_seen,
            after.hide_online,
            number(after.version),
            after.dnd_until.map_or(0, |until| until.0),
            daily.from,
            daily.to,
            after.hide_receipts,
        ])?;
    }
    Ok(after)
}

/// Keeps when these went offline; an earlier time than the one that is kept changes nothing.
pub(super) fn saw(db: &Connection, seen: &[(UserId, Millis)]) -> rusqlite::Result<()> {
    let mut keep = db.prepare_cached(
        "INSERT INTO presence (user, last_seen) SELECT id, ?2 FROM users WHERE public = ?1 \
         AND name <> '' \
         ON CONFLICT (user) DO UPDATE SET last_seen = \
         max(excluded.last_seen, coalesce(last_seen, excluded.last_seen))",
    )?;
    for (user, at) in seen {
        keep.execute(params![&user.0[..], at.0])?;
    }
    Ok(())
}

/// The query of [`seen`], over an inside room, a user to go on after and a limit.
pub(super) const PEOPLE: &str = "SELECT u.public, p.last_seen, coalesce(p.hide_last_seen, 0) FROM members AS m \
     JOIN users AS u ON u.id = m.user LEFT JOIN presence AS p ON p.user = m.user \
     WHERE m.room = ?1 AND m.state = ?2 AND (?3 IS NULL OR u.public > ?3) \
     ORDER BY u.public LIMIT ?4";

/// A row of [`PEOPLE`].
pub(super) fn seen(row: &Row<'_>) -> rusqlite::Result<Seen> {
    let last_seen: Option<i64> = row.get(1)?;
    Ok(Seen {
        user: user_id(row, 0)?,
        last_seen: last_seen.map(Millis),
        hides: row.get(2)?,
    })
}

/// What [`PEOPLE`] is asked with, but for the room.
pub(super) fn page(after: Option<UserId>, limit: usize) -> (i64, Option<[u8; 16]>, i64) {
    (JOINED, after.map(|user| user.0), number(limit as u64))
}
