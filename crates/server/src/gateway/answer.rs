//! Questions that change nothing: read in one snapshot, answered with one frame.

use std::sync::Arc;

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::UserId;
use chinwag_core::limits;
use chinwag_core::read::{self, After};
use chinwag_core::session::{Query, refuse};
use chinwag_core::sync;
use chinwag_core::wire::{Req, ServerFrame};

use crate::store::{self, AnyView, Store, StoreError};

/// The reply to `query`.
pub(crate) async fn answer(
    store: Arc<dyn Store>,
    user: UserId,
    req: Req,
    query: Query,
) -> ServerFrame {
    match store::read(&*store, move |view| reply(view, user, req, query)).await {
        Ok(frame) => frame,
        Err(error) => {
            tracing::warn!(%error, "a question could not be answered");
            let code = ErrorCode::Unavailable;
            refuse(Some(req), code, code.meaning())
        }
    }
}

fn reply(
    view: &AnyView<'_>,
    user: UserId,
    req: Req,
    query: Query,
) -> Result<ServerFrame, StoreError> {
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
        Query::Members { room, after } => match view.member(room, user)? {
            Some(member) if member.is_in() => {
                let members = view.members(room, after, limits::PAGE_MAX)?;
                let more = members.len() == limits::PAGE_MAX;
                Ok(ServerFrame::Members {
                    req,
                    room,
                    members,
                    more,
                })
            }
            Some(_) => Err(ErrorCode::NotMember),
            None => Err(ErrorCode::NotFound),
        },
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
    };
    Ok(found.unwrap_or_else(|code| refuse(Some(req), code, code.meaning())))
}
