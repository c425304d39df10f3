//! Pictures: rows of their own, and who refers to them.
//!
//! Runs in transactions that others begin. A picture goes in the transaction that takes the last
//! reference to it away; `secure_delete` overwrites it.

use chinwag_core::avatar::{Image, ImageKind};
use chinwag_core::batch::Hung;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{AvatarId, Millis, UserId};
use chinwag_core::limits;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::SqliteStore;
use super::rows::{code, number};
use crate::store::StoreFuture;
use crate::store::avatars::AvatarStore;

/// Whether there is this one.
pub(super) const EXISTS: &str = "SELECT 1 FROM avatars WHERE id = ?1";

pub(super) fn exists(db: &Connection, id: AvatarId) -> rusqlite::Result<bool> {
    db.prepare_cached(EXISTS)?.exists([id.0])
}

/// A picture in a column.
pub(super) fn id(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<AvatarId>> {
    let bytes: Option<[u8; 16]> = row.get(at)?;
    Ok(bytes.map(AvatarId))
}

/// `user` has put it somewhere: it is no unused upload of theirs.
pub(super) fn used(db: &Connection, user: UserId, id: AvatarId) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM avatar_uploads WHERE by = ?1 AND avatar = ?2")?
        .execute([user.0, id.0])?;
    Ok(())
}

/// Deletes a picture unless somebody refers to it, or may soon.
pub(super) fn let_go(db: &Connection, id: AvatarId) -> rusqlite::Result<()> {
    db.prepare_cached(
        "DELETE FROM avatars WHERE id = ?1 \
         AND NOT EXISTS (SELECT 1 FROM users WHERE avatar = ?1) \
         AND NOT EXISTS (SELECT 1 FROM rooms WHERE avatar = ?1) \
         AND NOT EXISTS (SELECT 1 FROM avatar_uploads WHERE avatar = ?1)",
    )?
    .execute([id.0])?;
    Ok(())
}

/// Nothing is shown of somebody any more, and nothing is kept that they uploaded alone.
pub(super) fn unshow(db: &Connection, user: UserId) -> rusqlite::Result<()> {
    let gone = db
        .prepare_cached(
            "SELECT avatar FROM avatar_uploads WHERE by = ?1 \
             UNION SELECT avatar FROM users WHERE public = ?1 AND avatar IS NOT NULL",
        )?
        .query_map([user.0], |row| row.get(0).map(AvatarId))?
        .collect::<rusqlite::Result<Vec<AvatarId>>>()?;
    db.prepare_cached("DELETE FROM avatar_uploads WHERE by = ?1")?
        .execute([user.0])?;
    db.prepare_cached("UPDATE users SET display_name = NULL, avatar = NULL WHERE public = ?1")?
        .execute([user.0])?;
    for id in gone {
        let_go(db, id)?;
    }
    Ok(())
}

/// Stores what a batch has done with pictures of rooms, whose rows are there.
pub(super) fn hang(db: &Connection, hung: &[Hung]) -> rusqlite::Result<()> {
    for one in hung {
        db.prepare_cached("UPDATE rooms SET avatar = ?2 WHERE public = ?1")?
            .execute(params![one.room.0, one.after.map(|id| id.0)])?;
        if let Some(id) = one.after {
            used(db, one.by, id)?;
        }
    }
    // Only then: a picture may have gone from one room to another.
    for id in hung
        .iter()
        .flat_map(|one| [one.before, one.after])
        .flatten()
    {
        let_go(db, id)?;
    }
    Ok(())
}

fn put(
    db: &Connection,
    user: UserId,
    image: &Image,
    now: Millis,
) -> rusqlite::Result<Result<AvatarId, ErrorCode>> {
    let known = db
        .prepare_cached("SELECT 1 FROM users WHERE public = ?1")?
        .exists([user.0])?;
    if !known {
        return Ok(Err(ErrorCode::NotFound));
    }
    let id = image.id();
    let others: usize = db
        .prepare_cached(
            "SELECT count(*) FROM avatar_uploads WHERE by = ?1 AND avatar <> ?2 AND at > ?3",
        )?
        .query_row(params![user.0, id.0, oldest(now)], |row| row.get(0))?;
    if others >= limits::AVATAR_UPLOADS_MAX {
        return Ok(Err(ErrorCode::TooMany));
    }
    db.prepare_cached(
        "INSERT INTO avatars (id, kind, bytes) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    )?
    .execute(params![id.0, kind_code(image.kind), &image.bytes[..]])?;
    db.prepare_cached(
        "INSERT INTO avatar_uploads (by, avatar, at) VALUES (?1, ?2, ?3) \
         ON CONFLICT (by, avatar) DO UPDATE SET at = excluded.at",
    )?
    .execute(params![user.0, id.0, now.0])?;
    Ok(Ok(id))
}

fn sweep(db: &Connection, now: Millis, limit: usize) -> rusqlite::Result<usize> {
    let mut query = db.prepare_cached(
        "SELECT by, avatar FROM avatar_uploads WHERE at <= ?1 ORDER BY at, by, avatar LIMIT ?2",
    )?;
    let old = query.query_map([oldest(now), number(limit as u64)], |row| {
        Ok((UserId(row.get(0)?), AvatarId(row.get(1)?)))
    })?;
    let old = old.collect::<rusqlite::Result<Vec<_>>>()?;
    for (user, id) in &old {
        used(db, *user, *id)?;
    }
    for (_user, id) in &old {
        let_go(db, *id)?;
    }
    Ok(old.len())
}

/// What was uploaded at this time or before is too old.
fn oldest(now: Millis) -> i64 {
    now.0 - limits::AVATAR_UNUSED_MS
}

fn image(row: &Row<'_>) -> rusqlite::Result<Image> {
    let bytes: Vec<u8> = row.get(1)?;
    Ok(Image {
        kind: code(row, 0, kind)?,
        bytes: bytes.into(),
    })
}

fn kind_code(kind: ImageKind) -> i64 {
    match kind {
        ImageKind::Png => 0,
        ImageKind::Jpeg => 1,
        ImageKind::Webp => 2,
    }
}

fn kind(code: i64) -> Option<ImageKind> {
    ImageKind::ALL
        .into_iter()
        .find(|kind| kind_code(*kind) == code)
}

impl AvatarStore for SqliteStore {
    fn put_avatar(
        &self,
        user: UserId,
        image: Image,
        now: Millis,
    ) -> StoreFuture<'_, Result<AvatarId, ErrorCode>> {
        Box::pin(self.write_beside(move |db| put(db, user, &image, now)))
    }

    fn avatar(&self, id: AvatarId) -> StoreFuture<'_, Option<Image>> {
        Box::pin(self.read_with(move |db| {
            let mut query = db.prepare_cached("SELECT kind, bytes FROM avatars WHERE id = ?1")?;
            query.query_row([id.0], image).optional()
        }))
    }

    fn sweep_avatars(&self, now: Millis, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(self.write_beside(move |db| sweep(db, now, limit)))
    }
}
