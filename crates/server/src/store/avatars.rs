//! Where pictures of people and rooms are kept: each once, by its content, for as long as somebody
//! refers to it.
//!
//! Who refers to one is written by `Store::own` and `Store::append`; these are the ways in and out.

use chinwag_core::avatar::Image;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{AvatarId, Millis, UserId};

use super::StoreFuture;

/// Pictures, beside a [`super::Store`].
pub trait AvatarStore: Send + Sync {
    /// Keeps a picture, durably; within `limits::AVATAR_UNUSED_MS` its user may put it somewhere.
    /// The refusals: `too_many` unused ones of theirs, `not_found` if nobody knows them. As low a
    /// queue as `Store::mark`.
    fn put_avatar(
        &self,
        user: UserId,
        image: Image,
        now: Millis,
    ) -> StoreFuture<'_, Result<AvatarId, ErrorCode>>;

    /// A picture.
    fn avatar(&self, id: AvatarId) -> StoreFuture<'_, Option<Image>>;

    /// Forgets the oldest uploads that nobody has used in time, at most `limit`, and what was kept
    /// for them alone; how many they were.
    fn sweep_avatars(&self, now: Millis, limit: usize) -> StoreFuture<'_, usize>;
}
