//! Commands about messages: send, edit, redact, react, pin.
//!
//! Membership first (`policy`), then what the command is about: who may not see a message cannot
//! tell it from one that is not there.

use std::collections::BTreeSet;

use super::deciding::{Batch, Draft, Verdict, or_refuse};
use super::{Command, Outcome, Submission};
use crate::code::ErrorCode;
use crate::event::{Body, Content, Event, Mention, PinBody, ReactionBody, RedactBody};
use crate::ids::{RoomId, Seq, UserId};
use crate::limits;
use crate::policy::Act;
use crate::room::{self, Part, Range, Room, RoomKind};
use crate::view::View;

impl<V: View + ?Sized> Batch<'_, V> {
    pub(super) fn message(&mut self, item: &Submission) -> Verdict<Outcome, V::Error> {
        let (room, from) = (item.room(), item.from);
        match &item.command {
            Command::Send {
                body,
                reply_to,
                mentions,
                if_last,
                ..
            } => {
                let mentions = mentions.iter().copied().collect();
                self.say(item, body, *reply_to, mentions, *if_last)
            }
            Command::Edit { target, body, .. } => {
                or_refuse!(self.may_speak(Act::Edit, room, from)?);
                let message = or_refuse!(self.standing(room, from, *target)?);
                if message.from.0 != from {
                    return Ok(Err(ErrorCode::Forbidden));
                }
                let body = Body::Edit(body.clone());
                self.alter(item, room, *target, body)
            }
            Command::Redact { target, .. } => {
                // Whoever is not in learns nothing of whose it is.
                or_refuse!(self.may(Act::Redact { own: true }, room, from, None)?);
                let message = or_refuse!(self.standing(room, from, *target)?);
                let own = message.from.0 == from;
                or_refuse!(self.may(Act::Redact { own }, room, from, None)?);
                self.unpin(room, *target)?;
                let body = Body::Redact(RedactBody {});
                self.append(item, room, Draft::about(*target, body))
            }
            Command::React {
                target, emoji, on, ..
            } => {
                or_refuse!(self.may_speak(Act::React, room, from)?);
                or_refuse!(self.standing(room, from, *target)?);
                let (emoji, on) = (emoji.clone(), *on);
                let body = Body::Reaction(ReactionBody { emoji, on });
                self.alter(item, room, *target, body)
            }
            Command::Pin { target, on, .. } => {
                or_refuse!(self.may_speak(Act::Pin, room, from)?);
                or_refuse!(self.standing(room, from, *target)?);
                let mut pins = self.known_room(room)?.pins;
                pins.retain(|pinned| pinned != target);
                if *on && pins.len() >= limits::PINS_MAX {
                    return Ok(Err(ErrorCode::TooMany));
                }
                pins.extend(on.then_some(*target));
                let body = Body::Pin(PinBody { on: *on });
                let done = or_refuse!(self.alter(item, room, *target, body)?);
                let row = self.known_room(room)?;
                self.put_room(Room { pins, ..row });
                Ok(Ok(done))
            }
            other => unreachable!("not about a message: {other:?}"),
        }
    }

    /// Whether somebody may say something in a room: by the policy, and in a direct room only if
    /// neither has blocked the other. Both are answered alike: the answer says that nothing can be
    /// said there, and not by whom that was wished.
    fn may_speak(&mut self, act: Act, id: RoomId, from: UserId) -> Verdict<(), V::Error> {
        or_refuse!(self.may(act, id, from, None)?);
        let is_direct = self.known_room(id)?.kind == RoomKind::Direct;
        Ok(if is_direct && self.view.is_walled(id, from)? {
            Err(ErrorCode::Forbidden)
        } else {
            Ok(())
        })
    }

    fn say(
        &mut self,
        item: &Submission,
        body: &Content,
        reply_to: Option<Seq>,
        mentions: BTreeSet<Mention>,
        if_last: Option<Seq>,
    ) -> Verdict<Outcome, V::Error> {
        let (room, from) = (item.room(), item.from);
        let to_all = mentions.contains(&Mention::Room);
        or_refuse!(self.may_speak(Act::Send { to_all }, room, from)?);
        if let Some(target) = reply_to {
            // A redacted one may be answered: the answer was perhaps written before.
            or_refuse!(self.target(room, from, target)?);
        }
        or_refuse!(self.known(&mentions)?);
        if let Some(expected) = if_last {
            let last = self.last_message(room)?;
            if last != expected {
                return Ok(Ok(Outcome::NotLast(last)));
            }
        }
        let draft = Draft {
            target: None,
            reply_to,
            mentions: mentions.into_iter().collect(),
            body: Body::Message(body.clone()),
        };
        self.append(item, room, draft)
    }

    /// The message at `seq` as stored, if `reader` may see it; its text is empty once redacted.
    fn target(&mut self, id: RoomId, reader: UserId, seq: Seq) -> Verdict<Event, V::Error> {
        let room = self.known_room(id)?;
        let Some(member) = self.member(id, reader)? else {
            return Ok(Err(ErrorCode::NotFound));
        };
        let here = Range { from: seq, to: seq };
        let parts = room::parts(&room, &member, here);
        if seq > room.head || !parts.contains(&Part::Shown(here)) {
            return Ok(Err(ErrorCode::NotFound));
        }
        let decided = self.out.appended.iter().map(|appended| &appended.event);
        let mut decided = decided.filter(|event| event.room == id);
        let found = match decided.find(|event| event.seq == seq) {
            Some(event) => Some(event.clone()),
            None => self.view.event(id, seq)?,
        };
        Ok(match found {
            Some(event) if event.body.is_message() => Ok(event),
            Some(_) => Err(ErrorCode::NoMessage),
            None => Err(ErrorCode::NotFound),
        })
    }

    /// The same, unless it has been redacted.
    fn standing(&mut self, id: RoomId, reader: UserId, seq: Seq) -> Verdict<Event, V::Error> {
        let message = or_refuse!(self.target(id, reader, seq)?);
        let decided = self.out.appended.iter().map(|appended| &appended.event);
        let mut about = decided.filter(|event| event.room == id && event.target == Some(seq));
        let gone = message.is_emptied() || about.any(|event| matches!(event.body, Body::Redact(_)));
        Ok(if gone {
            Err(ErrorCode::Gone)
        } else {
            Ok(message)
        })
    }

    /// Whether everybody who is mentioned is somebody; whether they are in the room is theirs to
    /// change at any time.
    fn known(&self, mentions: &BTreeSet<Mention>) -> Verdict<(), V::Error> {
        for mention in mentions {
            if let Mention::User(user) = mention
                && self.view.profile(*user)?.is_none()
            {
                return Ok(Err(ErrorCode::NotFound));
            }
        }
        Ok(Ok(()))
    }

    /// The last message of a room as this batch leaves it; zero: there is none.
    fn last_message(&self, id: RoomId) -> Result<Seq, V::Error> {
        let decided = self.out.appended.iter().map(|appended| &appended.event);
        let mut here = decided.filter(|event| event.room == id && event.body.is_message());
        Ok(match here.next_back() {
            Some(event) => event.seq,
            None => self.view.last_message(id)?.unwrap_or(Seq::ZERO),
        })
    }

    /// Changes a message once more, if it may be. What follows a message is read with it by
    /// everybody, and so has an end: for edits, for pins, for reactions, and for kinds of them.
    fn alter(
        &mut self,
        item: &Submission,
        id: RoomId,
        target: Seq,
        body: Body,
    ) -> Verdict<Outcome, V::Error> {
        let mut counts = self.view.alterations(id, target)?;
        let decided = self.out.appended.iter().map(|appended| &appended.event);
        let about = decided.filter(|event| event.room == id && event.target == Some(target));
        for what in about.filter_map(|event| event.body.alters()) {
            *counts.entry(what.to_owned()).or_default() += 1;
        }
        let times = |what: &str| counts.get(what).copied().unwrap_or_default();
        let full = match &body {
            Body::Reaction(body) => {
                let others = [Body::EDITED, Body::PINNED].map(times);
                let all: u64 = counts.values().sum();
                let kinds = counts.len() - others.iter().filter(|times| **times > 0).count();
                let is_new = times(&body.emoji) == 0;
                all - others.iter().sum::<u64>() >= limits::REACTIONS_MAX
                    || (is_new && kinds >= limits::REACTION_KINDS_MAX)
            }
            other => other.alters().map_or(0, times) >= limits::ALTERATIONS_MAX,
        };
        if full {
            return Ok(Err(ErrorCode::TooMany));
        }
        self.append(item, id, Draft::about(target, body))
    }

    pub(super) fn unpin(&mut self, id: RoomId, target: Seq) -> Result<(), V::Error> {
        let mut room = self.known_room(id)?;
        if room.pins.contains(&target) {
            room.pins.retain(|pinned| *pinned != target);
            self.put_room(room);
        }
        Ok(())
    }
}
