//! What nodes want of the store beside the logs: own state, deeds, and who may be told what.

use std::collections::BTreeSet;
use std::convert::Infallible;

use chinwag_core::aside::{self, Aside};
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::UserId;
use chinwag_core::invite::InviteHash;
use chinwag_core::receipt::{self, Due};
use chinwag_core::view::View;
use chinwag_core::wire::Req;

use super::{Ask, Found, Store, sure};
use crate::base::Base;

impl Store {
    /// What a node writes beside the logs, at the moment of the read.
    pub(super) fn write_beside(&mut self, ask: Ask, up: bool, base: &Base) -> Found {
        match ask {
            Ask::Set(conn, user, req, change) => {
                let settings = up.then(|| self.ledger.set(user, change));
                Found::Set(conn, user, req, settings)
            }
            Ask::Own(conn, user, req, change) => {
                let owned = if up {
                    self.ledger.own(user, &change)
                } else {
                    Err(ErrorCode::Unavailable)
                };
                Found::Own(conn, user, req, owned)
            }
            Ask::Deed(conn, user, req, deed, drawn) => {
                let (now, hash) = (base.wall(), InviteHash::of(drawn));
                let done = up.then(|| self.ledger.perform(user, &deed, hash, now));
                Found::Deed(conn, req, drawn, done)
            }
            other => unreachable!("{other:?} writes nothing"),
        }
    }
}

/// What the store allows of commands beside the log.
pub(super) fn grant(
    view: &impl View<Error = Infallible>,
    asks: Vec<(u64, UserId, Req, Aside)>,
    up: bool,
) -> Found {
    let grant = |(conn, user, req, aside)| {
        let granted = if up {
            sure(aside::grant(view, user, aside))
        } else {
            Err(ErrorCode::Unavailable)
        };
        (conn, req, granted)
    };
    Found::Asides(asks.into_iter().map(grant).collect())
}

/// Who is to be told of what is due. A store that is down tells nothing: whoever opens the room
/// asks.
pub(super) fn share(
    view: &impl View<Error = Infallible>,
    due: &[Due],
    connected: &BTreeSet<UserId>,
    up: bool,
) -> Found {
    let due = due.iter().filter(|_due| up);
    let told = due.map(|due| {
        let told = receipt::share(view, due, |user| connected.contains(&user));
        (due.room, sure(told))
    });
    Found::Receipts(told.collect())
}
