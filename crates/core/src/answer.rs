//! Questions that change nothing: each is answered with one frame, out of one read snapshot.

use crate::code::ErrorCode;
use crate::hidden;
use crate::ids::{Millis, RoomId, UserId};
use crate::invite;
use crate::limits;
use crate::policy::{self, Act};
use crate::read::{self, After};
use crate::receipt;
use crate::room::MemberState;
use crate::session::{Query, refuse};
use crate::sync;
use crate::view::View;
use crate::wire::{Req, ServerFrame};

/// The reply to `query` of `user`; `now` is for what is good until a time. Errors are the snapshot's own: what the user may not see or what
/// is not there is a reply.
pub fn reply<V: View + ?Sized>(
    view: &V,
    user: UserId,
    req: Req,
    query: Query,
    now: Millis,
) -> Result<ServerFrame, V::Error> {
    let found = match query {
        Query::After {
            room,
            seq,
            key,
            limit,
        } => {
            let limit = read::page_limit(limit, limits::PAGE_MAX);
            read::after(view, user, room, seq, key, limit)?.map(|after| match after {
                After::Events(stretch) => sync::events(Some(req), room, stretch),
                After::Reset(mut reset) => {
                    reset.req = Some(req);
                    ServerFrame::Reset(*reset)
                }
            })
        }
        Query::History {
            room,
            before,
            at_least,
            limit,
        } => {
            let limit = read::page_limit(limit, limits::PAGE_DEFAULT);
            let page = read::history(view, user, room, before, limit)?;
            match page {
                // This snapshot does not know yet what the client knows (contract 1).
                Ok(page) if at_least.is_some_and(|seq| page.as_of < seq) => {
                    Err(ErrorCode::Unavailable)
                }
                page => page.map(|page| ServerFrame::Page {
                    req,
                    room,
                    as_of: page.as_of,
                    messages: page.messages,
                    skips: page.skips,
                    before: page.before,
                }),
            }
        }
        Query::Room { room } => {
            let row = read::row(view, user, room)?;
            row.map(|row| ServerFrame::Room { req, row })
                .ok_or(ErrorCode::NotFound)
        }
        Query::Members { room, state, after } => members(view, user, req, room, state, after)?,
        Query::Profiles { users, name } => {
            let mut found = Vec::new();
            for user in users {
                found.extend(view.profile(user)?);
            }
            if let Some(name) = name {
                found.extend(view.named(&name)?);
            }
            Ok(ServerFrame::Profiles { req, users: found })
        }
        Query::Directory { after } => {
            let rooms = view.directory(after, limits::PAGE_MAX)?;
            let more = rooms.len() == limits::PAGE_MAX;
            Ok(ServerFrame::Directory { req, rooms, more })
        }
        Query::Receipts { room, seq } => receipt::reply(view, user, req, room, seq)?,
        Query::Hidden { room } => hidden::list(view, user, req, room)?,
        about @ (Query::Invites { .. } | Query::Invitation { .. } | Query::Edits { .. }) => {
            beside(view, user, req, about, now)?
        }
    };
    Ok(found.unwrap_or_else(|code| refuse(Some(req), code, code.meaning())))
}

/// A page of the people who stand so in a room: who is in, for everybody there, and who is banned,
/// for those who look after it.
fn members<V: View + ?Sized>(
    view: &V,
    user: UserId,
    req: Req,
    room: RoomId,
    state: MemberState,
    after: Option<UserId>,
) -> Result<Result<ServerFrame, ErrorCode>, V::Error> {
    let member = view.member(room, user)?;
    let allowed = match (state, member) {
        (MemberState::Joined, Some(member)) if member.is_in() => Ok(()),
        (MemberState::Joined, Some(_)) => Err(ErrorCode::NotMember),
        (MemberState::Joined, None) => Err(ErrorCode::NotFound),
        (_, member) => match view.room(room)? {
            Some(room) => policy::allowed(Act::SeeBanned, &room, member.as_ref(), None),
            None => Err(ErrorCode::NotFound),
        },
    };
    if let Err(code) = allowed {
        return Ok(Err(code));
    }
    let listed = view.members(room, state, after, limits::PAGE_MAX)?;
    let muted = listed.iter().filter(|listed| listed.muted);
    Ok(Ok(ServerFrame::Members {
        req,
        room,
        muted: muted.map(|listed| listed.user).collect(),
        more: listed.len() == limits::PAGE_MAX,
        members: listed.into_iter().map(|one| (one.user, one.role)).collect(),
    }))
}

/// Questions about invitations and earlier texts.
fn beside<V: View + ?Sized>(
    view: &V,
    user: UserId,
    req: Req,
    query: Query,
    now: Millis,
) -> Result<Result<ServerFrame, ErrorCode>, V::Error> {
    Ok(match query {
        Query::Invites { room } => {
            let invites = invite::list(view, user, room, now)?;
            invites.map(|invites| ServerFrame::Invites { req, room, invites })
        }
        Query::Invitation { token } => {
            let room = invite::shown(view, user, token, now)?;
            room.map(|room| ServerFrame::Invitation {
                req,
                room: room.id,
                kind: room.kind,
                name: room.name,
                topic: room.topic,
                members: room.members,
                avatar: room.avatar,
            })
        }
        Query::Edits {
            room,
            target,
            after,
        } => {
            let found = read::edits(view, user, room, target, after)?;
            found.map(|(edits, more)| ServerFrame::Edits {
                req,
                room,
                target,
                edits,
                more,
            })
        }
        other => unreachable!("answered by `reply`: {other:?}"),
    })
}

/// The reply to a question that the store does not answer now.
#[must_use]
pub fn unavailable(req: Req) -> ServerFrame {
    let code = ErrorCode::Unavailable;
    refuse(Some(req), code, code.meaning())
}
