//! Questions that change nothing, answered out of the store as the server's shell does.

use std::convert::Infallible;

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::UserId;
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::read::{self, After};
use chinwag_core::session::{Query, refuse};
use chinwag_core::sync;
use chinwag_core::view::View;
use chinwag_core::wire::{Req, ServerFrame};

/// The store does not answer.
#[must_use]
pub(crate) fn unavailable(req: Req) -> ServerFrame {
    let code = ErrorCode::Unavailable;
    refuse(Some(req), code, code.meaning())
}

/// The reply to `query`.
#[must_use]
pub(crate) fn reply(view: &Ledger, user: UserId, req: Req, query: Query) -> ServerFrame {
    let Ok(found) = find(view, user, req, query);
    found.unwrap_or_else(|code| refuse(Some(req), code, code.meaning()))
}

type Answer = Result<Result<ServerFrame, ErrorCode>, Infallible>;

fn find(view: &Ledger, user: UserId, req: Req, query: Query) -> Answer {
    Ok(match query {
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
            match read::history(view, user, room, before, limit)? {
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
        Query::Room { room } => read::row(view, user, room)?
            .map(|row| ServerFrame::Room { req, row })
            .ok_or(ErrorCode::NotFound),
        Query::Members { room, after } => Ok(ServerFrame::Members {
            req,
            room,
            members: view.members(room, after, limits::PAGE_MAX)?,
            more: false,
        }),
        Query::Profiles { users, .. } => {
            let mut found = Vec::new();
            for user in users {
                found.extend(view.profile(user)?);
            }
            Ok(ServerFrame::Profiles { req, users: found })
        }
        Query::Directory { after } => Ok(ServerFrame::Directory {
            req,
            rooms: view.directory(after, limits::PAGE_MAX)?,
            more: false,
        }),
    })
}
