//! What is written beside the logs: invitations made and revoked, rates of single people.
//!
//! Decided in the transaction that stores it, as commands are, but without a place in a log, and
//! without a key: done twice it changes nothing, or can be taken back. Not here: what becomes of an
//! invitation when somebody comes in by it (`batch`). Lifetime: one call.

use crate::code::ErrorCode;
use crate::ids::{InviteId, Millis, RoomId, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::limits;
use crate::policy::{self, Act};
use crate::rate::Rate;
use crate::view::View;

/// Something to be written beside the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deed {
    /// A link that lets people in.
    Invite {
        /// Where.
        room: RoomId,
        /// For how long it is good.
        life_ms: u64,
        /// How many people it lets in.
        uses: u32,
    },
    /// A link lets nobody in any more.
    RevokeInvite {
        /// To which room.
        room: RoomId,
        /// Which.
        invite: InviteId,
    },
    /// Another rate for somebody, by an administrator of the server: who that is, whoever asks
    /// for it has made sure of.
    Rate {
        /// Whose.
        user: UserId,
        /// Which; none: the usual one again.
        rate: Option<Rate>,
    },
}

/// What is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// This invitation; those of its room that let nobody in any more are to be forgotten.
    Invited(Invitation),
    /// This invitation no longer.
    Revoked(InviteHash),
    /// This rate for somebody, or the usual one again.
    Rated(UserId, Option<Rate>),
}

impl Deed {
    /// An invitation, as usual in what is not said.
    #[must_use]
    pub fn invite(room: RoomId, expires_in_ms: Option<u64>, uses: Option<u64>) -> Self {
        let uses = uses.unwrap_or(limits::INVITE_USES_MAX);
        Self::Invite {
            room,
            life_ms: expires_in_ms.unwrap_or(limits::INVITE_LIFE_MS),
            uses: u32::try_from(uses).unwrap_or(u32::MAX),
        }
    }
}

/// What `deed` of `user` comes to; `drawn` is the hash of a token that was drawn for it.
///
/// # Errors
/// Outer: the view's. Inner: the refusal.
pub fn decide<V: View + ?Sized>(
    view: &V,
    user: UserId,
    deed: &Deed,
    drawn: InviteHash,
    now: Millis,
) -> Result<Result<Change, ErrorCode>, V::Error> {
    if view.profile(user)?.is_some_and(|who| who.is_deleted()) {
        return Ok(Err(ErrorCode::BadToken));
    }
    match *deed {
        Deed::Invite {
            room,
            life_ms,
            uses,
        } => {
            if let Err(code) = may_invite(view, user, room)? {
                return Ok(Err(code));
            }
            let all = view.invitations(room)?;
            let open = all.iter().filter(|kept| kept.is_good(now));
            if open.count() >= limits::INVITES_MAX {
                return Ok(Err(ErrorCode::TooMany));
            }
            let life_ms = i64::try_from(life_ms).unwrap_or(i64::MAX);
            Ok(Ok(Change::Invited(Invitation {
                hash: drawn,
                room,
                by: user,
                uses_left: uses,
                expires: Millis(now.0.saturating_add(life_ms)),
            })))
        }
        Deed::RevokeInvite { room, invite } => {
            if let Err(code) = may_invite(view, user, room)? {
                return Ok(Err(code));
            }
            let all = view.invitations(room)?;
            let found = all.iter().find(|kept| kept.hash.id() == invite);
            let change = found.map(|kept| Change::Revoked(kept.hash));
            Ok(change.ok_or(ErrorCode::NotFound))
        }
        Deed::Rate { user, rate } => {
            if view.profile(user)?.is_none() {
                return Ok(Err(ErrorCode::NotFound));
            }
            let all = view.rates()?;
            let is_new = all.iter().all(|(known, _rate)| *known != user);
            let full = rate.is_some() && is_new && all.len() >= limits::RATES_SET_MAX;
            Ok(if full {
                Err(ErrorCode::TooMany)
            } else {
                Ok(Change::Rated(user, rate))
            })
        }
    }
}

fn may_invite<V: View + ?Sized>(
    view: &V,
    user: UserId,
    id: RoomId,
) -> Result<Result<(), ErrorCode>, V::Error> {
    let Some(room) = view.room(id)? else {
        return Ok(Err(ErrorCode::NotFound));
    };
    let member = view.member(id, user)?;
    Ok(policy::allowed(Act::Invite, &room, member.as_ref(), None))
}
