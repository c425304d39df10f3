//! Invitation links: what is kept of them, and what is told of them.
//!
//! A link holds a token of 128 random bits; the store has its SHA-256 alone, so that nobody who
//! reads the database gets in. Whether a link lets somebody in is decided by `batch`, in the commit
//! that lets them in and takes a use; making and revoking is `deed`'s. Lifetime: values.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::code::ErrorCode;
use crate::ids::{InviteId, InviteToken, Millis, RoomId, UserId};
use crate::policy::{self, Act};
use crate::room::{MemberState, Room};
use crate::view::View;
use crate::wire::InviteRow;

/// SHA-256 of a token: what the store keeps, and finds an invitation by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct InviteHash(pub [u8; 32]);

impl InviteHash {
    /// That of a token.
    #[must_use]
    pub fn of(token: InviteToken) -> Self {
        Self(Sha256::digest(token.0).into())
    }

    /// The id that goes with it: half of it, from which nobody finds the token.
    #[must_use]
    pub fn id(self) -> InviteId {
        let [id, _rest] = [&self.0[..16], &self.0[16..]];
        InviteId::from_slice(id).expect("half of 32 bytes")
    }
}

/// An invitation as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Invitation {
    /// By what its token is known.
    pub hash: InviteHash,
    /// Where it leads.
    pub room: RoomId,
    /// Who made it.
    pub by: UserId,
    /// How many people it still lets in.
    pub uses_left: u32,
    /// From then on it lets nobody in.
    pub expires: Millis,
}

impl Invitation {
    /// Whether it lets anybody in at this time.
    #[must_use]
    pub fn is_good(&self, now: Millis) -> bool {
        self.uses_left > 0 && now < self.expires
    }

    /// It has let somebody in.
    #[must_use]
    pub fn used(self) -> Self {
        Self {
            uses_left: self.uses_left.saturating_sub(1),
            ..self
        }
    }

    /// As those see it who look after the room.
    #[must_use]
    pub fn row(&self) -> InviteRow {
        InviteRow {
            id: self.hash.id(),
            by: self.by,
            uses: self.uses_left,
            expires: self.expires,
        }
    }
}

/// The open invitations to a room, for those who look after it.
///
/// # Errors
/// Outer: the view's. Inner: the refusal.
pub fn list<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
    now: Millis,
) -> Result<Result<Vec<InviteRow>, ErrorCode>, V::Error> {
    let Some(room) = view.room(id)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let member = view.member(id, user)?;
    if let Err(code) = policy::allowed(Act::Invite, &room, member.as_ref(), None) {
        return Ok(Err(code));
    }
    let all = view.invitations(id)?;
    let open = all.iter().filter(|kept| kept.is_good(now));
    Ok(Ok(open.map(Invitation::row).collect()))
}

/// The room to which a token leads, for whoever holds it; nothing for whom it would not let in
/// because they were sent away for good.
///
/// # Errors
/// Outer: the view's. Inner: the refusal, which does not say what is wrong with the token.
pub fn shown<V: View + ?Sized>(
    view: &V,
    user: UserId,
    token: InviteToken,
    now: Millis,
) -> Result<Result<Room, ErrorCode>, V::Error> {
    let found = view.invitation(InviteHash::of(token))?;
    let Some(good) = found.filter(|found| found.is_good(now)) else {
        return Ok(Err(ErrorCode::BadInvite));
    };
    let member = view.member(good.room, user)?;
    if member.is_some_and(|member| member.state == MemberState::Banned) {
        return Ok(Err(ErrorCode::Banned));
    }
    Ok(view.room(good.room)?.ok_or(ErrorCode::BadInvite))
}
