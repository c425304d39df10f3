//! Who may do what in a room: the one table that every door asks (design, decision 10).
//!
//! Rules about people only. What a command is about (a message that is there, a name that fits)
//! is looked at elsewhere. The same table in words stands in docs/protocol.md, section 4; a test
//! lives through each cell of it.

use crate::code::ErrorCode;
use crate::limits;
use crate::mutant::{self, Mutant};
use crate::room::{Member, MemberState, Role, Room, RoomKind};

/// What somebody wants to do in a room that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Write a message.
    Send {
        /// It mentions the whole room.
        to_all: bool,
    },
    /// Change the text of a message of one's own.
    Edit,
    /// Delete a message for everybody.
    Redact {
        /// It is one's own.
        own: bool,
    },
    /// Put a reaction on a message, or take it off.
    React,
    /// Pin a message, or unpin it.
    Pin,
    /// Change the room's name or topic.
    Configure,
    /// Come in.
    Join {
        /// By an invitation that is good.
        by_link: bool,
    },
    /// Go.
    Leave,
    /// Let this person in.
    Add,
    /// Ask this person in.
    InviteUser,
    /// Send this person away.
    Remove,
    /// Send this person away for good, or let them come back.
    Ban {
        /// For good.
        on: bool,
    },
    /// Give this person this role.
    SetRole(Role),
    /// Take this person's voice, or give it back.
    Mute,
    /// Make links that let people in, list them, and revoke them.
    Invite,
    /// See who was sent away for good.
    SeeBanned,
}

/// What an act asks of whoever does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// To be in.
    Inside,
    /// To be in, and to be heard: no reader, not muted.
    Voice,
    /// To look after the room: an administrator or an owner.
    Steward,
    /// More than anybody has in this kind of room.
    Nobody,
}

fn needs(act: Act, room: &Room) -> Needs {
    let is_direct = room.kind == RoomKind::Direct;
    // One of the two has deleted their account: there is nobody to say anything to.
    let is_forsaken = is_direct && room.members < 2;
    match act {
        Act::Send { .. } | Act::Edit | Act::React | Act::Pin if is_forsaken => Needs::Nobody,
        Act::Send { to_all: true } if is_large(room) => Needs::Steward,
        Act::Send { .. } | Act::Edit | Act::React => Needs::Voice,
        Act::Redact { own: true } => Needs::Inside,
        // A direct room is two people: neither looks after the other, and neither goes; muting
        // and blocking are for the rest.
        Act::Pin if is_direct => Needs::Voice,
        Act::Join { .. } => Needs::Nobody,
        _ if is_direct => Needs::Nobody,
        Act::Leave => Needs::Inside,
        Act::Redact { own: false }
        | Act::Pin
        | Act::Configure
        | Act::Add
        | Act::InviteUser
        | Act::Remove
        | Act::Ban { .. }
        | Act::SetRole(_)
        | Act::Mute
        | Act::Invite
        | Act::SeeBanned => Needs::Steward,
    }
}

fn is_large(room: &Room) -> bool {
    room.kind == RoomKind::Public || room.members as usize > limits::MENTIONED_BY_ALL_MAX
}

/// Whether `actor` may do `act`, to `other` where there is another.
///
/// # Errors
/// The code to answer with. A room that the actor was never in answers like one that does not
/// exist, unless it is public, or an invitation has shown it to them.
pub fn allowed(
    act: Act,
    room: &Room,
    actor: Option<&Member>,
    other: Option<&Member>,
) -> Result<(), ErrorCode> {
    if let Act::Join { by_link } = act {
        return may_join(room, actor, by_link);
    }
    if act == Act::Leave && actor.is_some_and(|member| member.state == MemberState::Invited) {
        // No, thank you.
        return Ok(());
    }
    let Some(inside) = actor.filter(|member| member.is_in()) else {
        return Err(match (room.kind, actor) {
            (RoomKind::Direct | RoomKind::Group, None) => ErrorCode::NotFound,
            (RoomKind::Public, _) | (_, Some(_)) => ErrorCode::NotMember,
        });
    };
    let is_steward = inside.role >= Role::Admin;
    match needs(act, room) {
        Needs::Inside => {}
        Needs::Voice | Needs::Steward if inside.muted => return Err(ErrorCode::Muted),
        Needs::Voice if inside.role >= Role::Member => {}
        Needs::Steward if is_steward => {}
        Needs::Voice | Needs::Steward | Needs::Nobody => return Err(ErrorCode::Forbidden),
    }
    match act {
        Act::Add => match other {
            Some(other) if other.is_in() => Err(ErrorCode::AlreadyMember),
            Some(other) if other.state == MemberState::Banned => Err(ErrorCode::Banned),
            Some(_) | None => has_place(room),
        },
        Act::InviteUser => match other.map(|other| other.state) {
            Some(MemberState::Joined) => Err(ErrorCode::AlreadyMember),
            Some(MemberState::Banned) => Err(ErrorCode::Banned),
            Some(MemberState::Invited) => Err(ErrorCode::AlreadyInvited),
            Some(MemberState::Left | MemberState::Removed) | None => Ok(()),
        },
        Act::Remove => match other {
            // An invitation by name is withdrawn.
            Some(other) if other.state == MemberState::Invited => Ok(()),
            other => below(inside, present(other)?),
        },
        Act::Mute => below(inside, present(other)?),
        Act::Ban { on: true } => match other {
            Some(other) if other.state == MemberState::Banned => Err(ErrorCode::Banned),
            Some(other) if other.is_in() => below(inside, other),
            Some(_) => Ok(()),
            None => Err(ErrorCode::NotMember),
        },
        Act::Ban { on: false } => match other {
            Some(other) if other.state == MemberState::Banned => Ok(()),
            Some(_) | None => Err(ErrorCode::NotMember),
        },
        Act::SetRole(role) => may_set(room, inside, present(other)?, role),
        Act::Leave if is_last_owner(room, inside) && room.members > 1 => Err(ErrorCode::LastOwner),
        Act::Send { .. }
        | Act::Edit
        | Act::Redact { .. }
        | Act::React
        | Act::Pin
        | Act::Configure
        | Act::Join { .. }
        | Act::Invite
        | Act::SeeBanned
        | Act::Leave => Ok(()),
    }
}

fn may_join(room: &Room, actor: Option<&Member>, by_link: bool) -> Result<(), ErrorCode> {
    match (actor.map(|member| member.state), room.kind) {
        (Some(MemberState::Joined), _) => Err(ErrorCode::AlreadyMember),
        (Some(MemberState::Banned), _) => Err(ErrorCode::Banned),
        (Some(MemberState::Invited), _) => has_place(room),
        (Some(MemberState::Left | MemberState::Removed) | None, RoomKind::Public) => {
            has_place(room)
        }
        // Sent away is not sent away for good: that is a ban.
        (Some(MemberState::Left | MemberState::Removed) | None, RoomKind::Group) if by_link => {
            has_place(room)
        }
        (Some(_), RoomKind::Direct | RoomKind::Group) => Err(ErrorCode::Forbidden),
        (None, RoomKind::Direct | RoomKind::Group) => Err(ErrorCode::NotFound),
    }
}

fn has_place(room: &Room) -> Result<(), ErrorCode> {
    if room.members as usize >= limits::MEMBERS_MAX {
        return Err(ErrorCode::RoomFull);
    }
    Ok(())
}

fn present(other: Option<&Member>) -> Result<&Member, ErrorCode> {
    other
        .filter(|member| member.is_in())
        .ok_or(ErrorCode::NotMember)
}

/// Only to people of a lower role; and so never to oneself.
fn below(actor: &Member, other: &Member) -> Result<(), ErrorCode> {
    if other.role >= actor.role {
        return Err(ErrorCode::Forbidden);
    }
    Ok(())
}

/// Owners give any role, also to other owners and to themselves, as long as one is left;
/// administrators give those below their own to people below them.
fn may_set(room: &Room, actor: &Member, other: &Member, role: Role) -> Result<(), ErrorCode> {
    match actor.role {
        Role::Owner if role < Role::Owner && is_last_owner(room, other) => {
            Err(ErrorCode::LastOwner)
        }
        Role::Owner => Ok(()),
        _ if role >= actor.role => Err(ErrorCode::Forbidden),
        _ => below(actor, other),
    }
}

fn is_last_owner(room: &Room, member: &Member) -> bool {
    let forgotten = mutant::active(Mutant::LastOwnerGoes);
    member.role == Role::Owner && room.owners <= 1 && !forgotten
}
