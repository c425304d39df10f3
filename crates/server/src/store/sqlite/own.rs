//! One's own state: columns of one's rows, beside the log.
//!
//! Runs in transactions that others begin. What a change comes to is `core::own`'s.

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Millis, RoomId, UserId};
use chinwag_core::own::{NotifyChange, OwnChange, Owned, ProfileChange};
use chinwag_core::wire::{Notify, NotifyLevel, Profile};
use rusqlite::{CachedStatement, Connection, OptionalExtension, Row, params};

use super::rows::{self, JOINED, code, count, number};
use super::stored::stored_position;
use super::{avatars, blocks, erasing, hidden};

/// Changes something of a user's own state; what stands then.
pub(super) fn change(
    db: &Connection,
    user: UserId,
    change: &OwnChange,
) -> rusqlite::Result<Result<Owned, ErrorCode>> {
    if erasing::is_deleted(db, user)? {
        return Ok(Err(ErrorCode::BadToken));
    }
    match change {
        OwnChange::Notify { room, change } => set_notify(db, user, *room, *change),
        OwnChange::Block { user: other, on } => {
            Ok(blocks::set(db, user, *other, *on)?.map(Owned::Blocks))
        }
        OwnChange::Profile(change) => show(db, user, change),
        OwnChange::Hide { room, target, on } => hidden::set(db, user, *room, *target, *on),
    }
}

fn set_notify(
    db: &Connection,
    user: UserId,
    room: RoomId,
    change: NotifyChange,
) -> rusqlite::Result<Result<Owned, ErrorCode>> {
    let found = db
        .prepare_cached(
            "SELECT m.level, m.quiet_until, m.notify_version, m.state, m.room, m.user \
             FROM members AS m WHERE m.room = (SELECT id FROM rooms WHERE public = ?1) \
             AND m.user = (SELECT id FROM users WHERE public = ?2)",
        )?
        .query_row([&room.0[..], &user.0[..]], |row| {
            let (state, inside): (i64, [i64; 2]) = (row.get(3)?, [row.get(4)?, row.get(5)?]);
            Ok((notify(row, 0)?, state, inside))
        });
    let (before, inside) = match found.optional()? {
        None => return Ok(Err(ErrorCode::NotFound)),
        Some((_before, state, _inside)) if state != JOINED => {
            return Ok(Err(ErrorCode::NotMember));
        }
        Some((before, _state, inside)) => (before, inside),
    };
    let after = change.of(before);
    if after != before {
        db.prepare_cached(
            "UPDATE members SET level = ?3, quiet_until = ?4, notify_version = ?5, changed = ?6 \
             WHERE room = ?1 AND user = ?2",
        )?
        .execute(params![
            inside[0],
            inside[1],
            level_code(after.level),
            after.quiet_until.map_or(0, |until| until.0),
            number(after.version),
            number(stored_position(db)?.0),
        ])?;
    }
    Ok(Ok(Owned::Notify(room, after)))
}

/// Changes what others see of somebody.
fn show(
    db: &Connection,
    user: UserId,
    change: &ProfileChange,
) -> rusqlite::Result<Result<Owned, ErrorCode>> {
    let found = db.prepare_cached(rows::PROFILE_BY_ID)?;
    let Some(before) = one_profile(found, user)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let after = match change.of(&before) {
        Ok(after) => after,
        Err(code) => return Ok(Err(code)),
    };
    if let Some(id) = change.named() {
        if !avatars::exists(db, id)? {
            return Ok(Err(ErrorCode::NotFound));
        }
        avatars::used(db, user, id)?;
    }
    if after != before {
        db.prepare_cached(
            "UPDATE users SET display_name = ?2, avatar = ?3, profile_version = ?4, changed = ?5 \
             WHERE public = ?1",
        )?
        .execute(params![
            user.0,
            after.display_name,
            after.avatar.map(|id| id.0),
            number(after.version),
            number(stored_position(db)?.0),
        ])?;
        if let Some(id) = before.avatar {
            avatars::let_go(db, id)?;
        }
    }
    Ok(Ok(Owned::Profile(after)))
}

fn one_profile(mut query: CachedStatement<'_>, user: UserId) -> rusqlite::Result<Option<Profile>> {
    query.query_row([user.0], rows::profile).optional()
}

/// What somebody wants to be notified of, in three columns.
pub(super) fn notify(row: &Row<'_>, at: usize) -> rusqlite::Result<Notify> {
    let quiet_until: i64 = row.get(at + 1)?;
    Ok(Notify {
        level: code(row, at, level)?,
        quiet_until: (quiet_until > 0).then_some(Millis(quiet_until)),
        version: count(row.get(at + 2)?),
    })
}

fn level_code(level: NotifyLevel) -> i64 {
    match level {
        NotifyLevel::All => 0,
        NotifyLevel::Mentions => 1,
        NotifyLevel::Nothing => 2,
    }
}

fn level(code: i64) -> Option<NotifyLevel> {
    [
        NotifyLevel::All,
        NotifyLevel::Mentions,
        NotifyLevel::Nothing,
    ]
    .into_iter()
    .find(|level| level_code(*level) == code)
}
