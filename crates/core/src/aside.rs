//! Commands beside the log: typing, looking at rooms, who is there, and what one shows of oneself.
//!
//! What the store must be asked for is looked up here, all of it in one snapshot; the rest is
//! `watch`'s. Rules about who hides what are applied here and there, never by clients.

use crate::code::ErrorCode;
use crate::ids::{Millis, RoomId, UserId};
use crate::limits;
use crate::policy::{self, Act};
use crate::view::View;
use crate::wire::{Person, Settings};

/// A command that changes nothing in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Aside {
    /// See [`crate::wire::ClientFrame::Typing`].
    Typing { room: RoomId, on: bool },
    /// See [`crate::wire::ClientFrame::Watch`].
    Watch { rooms: Vec<RoomId> },
    /// See [`crate::wire::ClientFrame::Who`].
    Who {
        room: RoomId,
        after: Option<UserId>,
        online: bool,
    },
}

impl Aside {
    /// What it costs, in thousandths of a message.
    #[must_use]
    pub fn cost_thousandths(&self) -> u32 {
        match self {
            Self::Typing { .. } => limits::TYPING_COST_THOUSANDTHS,
            Self::Watch { .. } | Self::Who { .. } => limits::WATCH_COST_THOUSANDTHS,
        }
    }
}

/// A command as the store allows it: the rest is for the shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Granted {
    /// They may write there.
    Typing { room: RoomId, on: bool },
    /// The rooms that there are, with how many members.
    Watch(Vec<(RoomId, u32)>),
    /// They may see who is online there.
    Online { room: RoomId, after: Option<UserId> },
    /// A page of the people there; who of them is online is still to be said.
    People {
        room: RoomId,
        people: Vec<Person>,
        more: bool,
    },
}

/// Somebody in a room, as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Who.
    pub user: UserId,
    /// When they went offline last, to the minute.
    pub last_seen: Option<Millis>,
    /// Whether that is told to nobody.
    pub hides: bool,
}

/// Looks up what `aside` of `user` needs of the store. Errors are the snapshot's own.
pub fn grant<V: View + ?Sized>(
    view: &V,
    user: UserId,
    aside: Aside,
) -> Result<Result<Granted, ErrorCode>, V::Error> {
    Ok(match aside {
        Aside::Typing { room: id, on } => {
            let Some(room) = view.room(id)? else {
                return Ok(Err(ErrorCode::NotFound));
            };
            let member = view.member(id, user)?;
            let allowed =
                policy::allowed(Act::Send { to_all: false }, &room, member.as_ref(), None);
            allowed.map(|()| Granted::Typing { room: id, on })
        }
        Aside::Watch { rooms } => {
            let mut found = Vec::new();
            for id in rooms {
                // Whether they are in is for the shard to say, whenever that changes.
                found.extend(view.room(id)?.map(|room| (id, room.members)));
            }
            Ok(Granted::Watch(found))
        }
        Aside::Who {
            room,
            after,
            online,
        } => match view.member(room, user)? {
            Some(member) if member.is_in() && online => Ok(Granted::Online { room, after }),
            Some(member) if member.is_in() => people(view, user, room, after).map(Ok)?,
            Some(_) => Err(ErrorCode::NotMember),
            None => Err(ErrorCode::NotFound),
        },
    })
}

fn people<V: View + ?Sized>(
    view: &V,
    user: UserId,
    room: RoomId,
    after: Option<UserId>,
) -> Result<Granted, V::Error> {
    let sees = !view.settings(user)?.hide_last_seen;
    let found = view.people(room, after, limits::PAGE_MAX)?;
    let more = found.len() == limits::PAGE_MAX;
    let person = |seen: Seen| Person {
        user: seen.user,
        online: false,
        last_seen: seen.last_seen.filter(|_| sees && !seen.hides),
    };
    Ok(Granted::People {
        room,
        people: found.into_iter().map(person).collect(),
        more,
    })
}

/// A wish to change one's settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SettingsChange {
    /// See [`Settings::hide_last_seen`].
    pub hide_last_seen: Option<bool>,
    /// See [`Settings::hide_online`].
    pub hide_online: Option<bool>,
    /// See [`Settings::hide_receipts`].
    pub hide_receipts: Option<bool>,
}

impl SettingsChange {
    /// The settings after it, with the next version; the same if nothing changes.
    #[must_use]
    pub fn of(self, settings: Settings) -> Settings {
        let changed = Settings {
            hide_last_seen: self.hide_last_seen.unwrap_or(settings.hide_last_seen),
            hide_online: self.hide_online.unwrap_or(settings.hide_online),
            hide_receipts: self.hide_receipts.unwrap_or(settings.hide_receipts),
            version: settings.version,
        };
        if changed == settings {
            return settings;
        }
        Settings {
            version: settings.version + 1,
            ..changed
        }
    }
}

/// A time as it is stored and told: coarse, so that nobody's hours are recorded.
#[must_use]
pub fn to_the_minute(at: Millis) -> Millis {
    Millis(at.0.div_euclid(60_000) * 60_000)
}
