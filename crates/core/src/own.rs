//! One's own state that is no event: what of a room one wants to be notified of, whom one has
//! blocked, what one has hidden from oneself.
//!
//! It is the user's alone (contract 4): stored once, told to all of one's connections, and brought
//! by `summary` after a time offline. Each piece has a version that rises with every change; of two,
//! the higher one holds. Stores keep it and run these rules.

use crate::avatar::Avatar;
use crate::code::ErrorCode;
use crate::ids::{AvatarId, Millis, RoomId, Seq, UserId};
use crate::limits;
use crate::name;
use crate::wire::{Blocks, Notify, NotifyLevel, Profile, ServerFrame};

/// A wish to change one's own state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnChange {
    /// See [`crate::wire::ClientFrame::Notify`].
    Notify {
        /// In which room.
        room: RoomId,
        /// What.
        change: NotifyChange,
    },
    /// See [`crate::wire::ClientFrame::Block`].
    Block {
        /// Whom.
        user: UserId,
        /// Blocked, or no longer.
        on: bool,
    },
    /// See [`crate::wire::ClientFrame::Profile`].
    Profile(ProfileChange),
    /// See [`crate::wire::ClientFrame::Hide`].
    Hide {
        /// In which room.
        room: RoomId,
        /// Which message.
        target: Seq,
        /// Hidden, or no longer.
        on: bool,
    },
}

/// One's own state after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owned {
    /// Of a room.
    Notify(RoomId, Notify),
    /// All whom one has blocked.
    Blocks(Blocks),
    /// What others see of oneself.
    Profile(Profile),
    /// All that one has hidden from oneself in a room.
    Hidden {
        /// Which.
        room: RoomId,
        /// By seq.
        seqs: Vec<Seq>,
        /// Of two lists the higher one holds.
        version: u64,
    },
}

impl Owned {
    /// What one's connections are told.
    #[must_use]
    pub fn frame(&self) -> ServerFrame {
        match self {
            Self::Notify(room, notify) => ServerFrame::Notify {
                room: *room,
                notify: *notify,
            },
            Self::Blocks(blocks) => ServerFrame::Blocks {
                users: blocks.users.clone(),
                version: blocks.version,
            },
            Self::Profile(user) => ServerFrame::Profile { user: user.clone() },
            Self::Hidden {
                room,
                seqs,
                version,
            } => ServerFrame::Hidden {
                req: None,
                room: *room,
                seqs: seqs.clone(),
                version: *version,
            },
        }
    }
}

/// What changes of a room's notifications; what is left out stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotifyChange {
    /// What of the room.
    pub level: Option<NotifyLevel>,
    /// Nothing until then; zero: no longer.
    pub quiet_until: Option<Millis>,
}

impl NotifyChange {
    /// What stands after it, with the next version; the same if nothing changes.
    #[must_use]
    pub fn of(self, before: Notify) -> Notify {
        let quiet = |until: Millis| (until > Millis(0)).then_some(until);
        let after = Notify {
            level: self.level.unwrap_or(before.level),
            quiet_until: self.quiet_until.map_or(before.quiet_until, quiet),
            version: before.version,
        };
        if after == before {
            return before;
        }
        Notify {
            version: before.version + 1,
            ..after
        }
    }
}

/// What changes of what others see of one; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProfileChange {
    /// What one wants to be called; empty: by one's name.
    pub display_name: Option<String>,
    /// One's picture. That there is such a one is for the store to say.
    pub avatar: Option<Avatar>,
}

impl ProfileChange {
    /// What stands after it, with the next version; the same if nothing changes.
    ///
    /// # Errors
    /// What is wrong with the text: it follows the rules of [`name::name`], and is kept in the form
    /// in which names are shown.
    pub fn of(&self, before: &Profile) -> Result<Profile, ErrorCode> {
        let mut after = before.clone();
        match self.display_name.as_deref() {
            None => {}
            Some("") => after.display_name = None,
            Some(text) => after.display_name = Some(name::name(text)?.display().to_owned()),
        }
        if let Some(Avatar(avatar)) = self.avatar {
            after.avatar = avatar;
        }
        if after != *before {
            after.version += 1;
        }
        Ok(after)
    }

    /// The picture that it names.
    #[must_use]
    pub fn named(&self) -> Option<AvatarId> {
        self.avatar.and_then(|avatar| avatar.0)
    }
}

/// The list of `user` after `other` is blocked, or no longer; the same if nothing changes. That there
/// is somebody of that id is for the store to say.
///
/// # Errors
/// The code to answer with: nobody blocks themselves, and there is an end to how many.
pub fn block(user: UserId, before: &Blocks, other: UserId, on: bool) -> Result<Blocks, ErrorCode> {
    if user == other {
        return Err(ErrorCode::Forbidden);
    }
    let mut after = before.clone();
    match (before.users.binary_search(&other), on) {
        (Ok(_), true) | (Err(_), false) => return Ok(after),
        (Ok(at), false) => {
            after.users.remove(at);
        }
        (Err(_), true) if before.users.len() >= limits::BLOCKS_MAX => {
            return Err(ErrorCode::TooMany);
        }
        (Err(at), true) => after.users.insert(at, other),
    }
    after.version += 1;
    Ok(after)
}
