//! What is written beside the logs: invitations.
//!
//! Runs in transactions that others begin. Decides nothing itself: that is `core::deed`'s.

use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{self, Change, Deed};
use chinwag_core::ids::{Millis, UserId};
use chinwag_core::invite::{Invitation, InviteHash};
use rusqlite::{Connection, Row, params};

use super::inside::Inside;
use super::lookup::SqlView;
use super::rates;
use super::rows::{room_id, user_id};
use crate::store::StoreError;

/// The query of one invitation, over its hash.
pub(super) const INVITATION: &str =
    "SELECT hash, room, by, uses_left, expires FROM room_invites WHERE hash = ?1";
/// The query of the invitations to a room, over its public id.
pub(super) const INVITATIONS: &str =
    "SELECT hash, room, by, uses_left, expires FROM room_invites WHERE room = ?1 ORDER BY hash";

/// A row of either.
pub(super) fn invitation(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    let uses_left: i64 = row.get(3)?;
    Ok(Invitation {
        hash: InviteHash(row.get(0)?),
        room: room_id(row, 1)?,
        by: user_id(row, 2)?,
        uses_left: u32::try_from(uses_left).unwrap_or(0),
        expires: Millis(row.get(4)?),
    })
}

/// Keeps an invitation as it is now; one that lets nobody in any more is forgotten.
pub(super) fn put(db: &Connection, invitation: &Invitation) -> rusqlite::Result<()> {
    if invitation.uses_left == 0 {
        return forget(db, invitation.hash);
    }
    db.prepare_cached(
        "INSERT INTO room_invites (hash, room, by, uses_left, expires) VALUES (?1, ?2, ?3, ?4, ?5) \
         ON CONFLICT (hash) DO UPDATE SET uses_left = excluded.uses_left",
    )?
    .execute(params![
        invitation.hash.0,
        invitation.room.0,
        invitation.by.0,
        invitation.uses_left,
        invitation.expires.0,
    ])?;
    Ok(())
}

fn forget(db: &Connection, hash: InviteHash) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM room_invites WHERE hash = ?1")?
        .execute([&hash.0[..]])?;
    Ok(())
}

/// Decides a deed and does it.
pub(super) fn perform(
    db: &Connection,
    user: UserId,
    deed: &Deed,
    drawn: InviteHash,
    now: Millis,
) -> rusqlite::Result<Result<Change, ErrorCode>> {
    let inside = Inside::default();
    let view = SqlView::of(db, &inside);
    let decided = deed::decide(&view, user, deed, drawn, now).map_err(unread)?;
    match &decided {
        Ok(Change::Invited(invitation)) => {
            db.prepare_cached("DELETE FROM room_invites WHERE room = ?1 AND expires <= ?2")?
                .execute(params![invitation.room.0, now.0])?;
            put(db, invitation)?;
        }
        Ok(Change::Revoked(hash)) => forget(db, *hash)?,
        Ok(Change::Rated(user, rate)) => rates::set(db, *user, *rate)?,
        Err(_refused) => {}
    }
    Ok(decided)
}

/// What the view could not read, on its way through SQLite's own errors.
pub(super) fn unread(error: StoreError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(error))
}
