//! Pictures in the reference store, and what others see of people.
//!
//! A picture is kept while a profile or a room refers to it, or somebody has uploaded it within the
//! hour and not used it yet. Each change that lets go of one looks whether it was the last.

use std::collections::{BTreeMap, BTreeSet};

use super::Ledger;
use crate::avatar::Image;
use crate::batch::Hung;
use crate::code::ErrorCode;
use crate::ids::{AvatarId, Millis, Position, UserId};
use crate::limits;
use crate::own::ProfileChange;
use crate::wire::Profile;

/// Pictures, who has uploaded which and not used it, and when profiles changed last.
#[derive(Debug, Clone, Default)]
pub(super) struct Avatars {
    images: BTreeMap<AvatarId, Image>,
    uploads: BTreeMap<(UserId, AvatarId), Millis>,
    shown: BTreeMap<UserId, Position>,
}

impl Ledger {
    /// Keeps a picture for an hour, in which its user may put it somewhere.
    ///
    /// # Errors
    /// `too_many` if they have as many unused ones; `not_found` if nobody knows them.
    pub fn put_avatar(
        &mut self,
        user: UserId,
        image: Image,
        now: Millis,
    ) -> Result<AvatarId, ErrorCode> {
        if !self.people.contains_key(&user) {
            return Err(ErrorCode::NotFound);
        }
        let id = image.id();
        let others = self
            .avatars
            .uploads
            .iter()
            .filter(|((by, other), at)| *by == user && *other != id && !is_old(**at, now));
        if others.count() >= limits::AVATAR_UPLOADS_MAX {
            return Err(ErrorCode::TooMany);
        }
        self.avatars.uploads.insert((user, id), now);
        self.avatars.images.entry(id).or_insert(image);
        self.position.0 += 1;
        Ok(id)
    }

    /// A picture.
    #[must_use]
    pub fn avatar(&self, id: AvatarId) -> Option<&Image> {
        self.avatars.images.get(&id)
    }

    /// Forgets the oldest uploads that nobody has used in time, at most `limit`; how many they were.
    pub fn sweep_avatars(&mut self, now: Millis, limit: usize) -> usize {
        let uploads = self.avatars.uploads.iter();
        let mut old: Vec<_> = uploads
            .filter(|(_who, at)| is_old(**at, now))
            .map(|((user, id), at)| (*at, *user, *id))
            .collect();
        old.sort_unstable();
        old.truncate(limit);
        for (_at, user, id) in &old {
            self.avatars.uploads.remove(&(*user, *id));
        }
        for (_at, _user, id) in &old {
            self.let_go(*id);
        }
        old.len()
    }

    /// When what others see of somebody changed last.
    pub(super) fn shown_since(&self, user: UserId) -> Position {
        self.avatars.shown.get(&user).copied().unwrap_or_default()
    }

    /// Changes what others see of somebody.
    pub(super) fn show(
        &mut self,
        user: UserId,
        change: &ProfileChange,
    ) -> Result<Profile, ErrorCode> {
        let before = self.people.get(&user).ok_or(ErrorCode::NotFound)?.clone();
        let after = change.of(&before)?;
        if let Some(id) = change.named() {
            self.avatar(id).ok_or(ErrorCode::NotFound)?;
            self.avatars.uploads.remove(&(user, id));
        }
        if after != before {
            self.position.0 += 1;
            self.avatars.shown.insert(user, self.position);
            self.people.insert(user, after.clone());
            before.avatar.into_iter().for_each(|id| self.let_go(id));
        }
        Ok(after)
    }

    /// Nothing is shown of somebody any more, and nothing is kept that they uploaded alone.
    pub(super) fn unshow(&mut self, user: UserId) {
        let uploads = self.avatars.uploads.keys();
        let mut gone: Vec<AvatarId> = uploads
            .filter(|(by, _id)| *by == user)
            .map(|(_by, id)| *id)
            .collect();
        self.avatars.uploads.retain(|(by, _id), _at| *by != user);
        if let Some(person) = self.people.get_mut(&user) {
            person.display_name = None;
            gone.extend(person.avatar.take());
        }
        gone.into_iter().for_each(|id| self.let_go(id));
    }

    /// Takes in what a batch has done with pictures; its rooms are stored already.
    pub(super) fn hang(&mut self, hung: &[Hung]) {
        for Hung { by, after, .. } in hung {
            if let Some(id) = after {
                self.avatars.uploads.remove(&(*by, *id));
            }
        }
        // One that was named and taken away again within the batch is nobody's either.
        let named = hung.iter().flat_map(|one| [one.before, one.after]);
        let named: BTreeSet<AvatarId> = named.flatten().collect();
        named.into_iter().for_each(|id| self.let_go(id));
    }

    /// Deletes a picture unless somebody refers to it, or may soon.
    fn let_go(&mut self, id: AvatarId) {
        let shown = self.people.values().any(|person| person.avatar == Some(id));
        let hung = self.logs.values().any(|log| log.room.avatar == Some(id));
        let waiting = self.avatars.uploads.keys().any(|(_by, other)| *other == id);
        if !(shown || hung || waiting) {
            self.avatars.images.remove(&id);
        }
    }
}

fn is_old(at: Millis, now: Millis) -> bool {
    now.0 - at.0 >= limits::AVATAR_UNUSED_MS
}
