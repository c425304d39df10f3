//! What an erased account still does in its rooms: hand them over, go, take back what it wrote.
//!
//! The same events as by ordinary commands, without asking the policy: who has gone for good needs
//! no role to do it, and it is done in rooms that they had left, too. Keys come from the job, so
//! that the same event is never written twice.

use super::deciding::{Batch, Draft};
use super::{Command, Decided, Submission};
use crate::erasure::{self, Erasure, Step};
use crate::event::{Body, Event, ReactionBody, RedactBody};
use crate::ids::{Key, Millis, RoomId, Seq};
use crate::room::{MemberState, Range, Role, RoomKind};
use crate::view::View;

/// Decides a step of an erasure over what the transaction sees.
///
/// # Errors
/// Only the view's: then nothing may be stored.
pub fn depart<V: View + ?Sized>(
    view: &V,
    erasure: &Erasure,
    step: &Step,
    now: Millis,
) -> Result<Decided, V::Error> {
    let mut batch = Batch::new(view, now);
    batch.speaks_for(erasure.user)?;
    for room in &step.leave {
        batch.leave_for_good(erasure, *room)?;
    }
    for (room, seq) in &step.take_back {
        batch.take_back(erasure, *room, *seq)?;
    }
    Ok(batch.finish())
}

impl<V: View + ?Sized> Batch<'_, V> {
    /// The command of an event of the job; none if the event is there already.
    fn departing(
        &self,
        erasure: &Erasure,
        what: &str,
        seq: Seq,
        command: Command,
    ) -> Result<Option<Submission>, V::Error> {
        let mut item = Submission {
            from: erasure.user,
            key: Key([0; 16]),
            command,
        };
        item.key = erasure::key(erasure.job, what, item.room(), seq);
        let known = self.view.replay(item.key, item.from, item.room())?;
        Ok(known.is_none().then_some(item))
    }

    /// Hands the room over, if nobody else is its owner, and goes; declines, if only asked in.
    fn leave_for_good(&mut self, erasure: &Erasure, id: RoomId) -> Result<(), V::Error> {
        let user = erasure.user;
        let (Some(room), Some(member)) = (self.room(id)?, self.member(id, user)?) else {
            return Ok(());
        };
        match member.state {
            MemberState::Joined | MemberState::Invited => {}
            MemberState::Left | MemberState::Removed | MemberState::Banned => return Ok(()),
        }
        let is_last_owner = member.is_in() && member.role == Role::Owner && room.owners <= 1;
        if is_last_owner
            && room.kind != RoomKind::Direct
            && let Some(heir) = self.view.estate().heir(id, user)?
        {
            let give = Command::SetRole {
                room: id,
                user: heir,
                role: Role::Owner,
            };
            if let Some(item) = self.departing(erasure, "heir", Seq::ZERO, give)? {
                // An owner without a voice could not look after the room, and nobody could give
                // it back to them.
                let given = self.stand(&item, id, heir, |member| {
                    member.role = Role::Owner;
                    member.muted = false;
                })?;
                given.expect("an heir is a member");
            }
        }
        let leave = Command::Leave { room: id };
        if let Some(item) = self.departing(erasure, "leave", Seq::ZERO, leave)? {
            let gone = self.go(&item, id, user, MemberState::Left)?;
            gone.expect("they are a member");
        }
        Ok(())
    }

    /// Redacts a message of theirs, or takes a reaction of theirs off, if it still stands.
    fn take_back(&mut self, erasure: &Erasure, id: RoomId, seq: Seq) -> Result<(), V::Error> {
        let Some(event) = self.view.event(id, seq)? else {
            return Ok(());
        };
        if event.from.0 != erasure.user || self.room(id)?.is_none() {
            return Ok(());
        }
        let (what, command, draft) = match &event.body {
            Body::Message(_) if !event.is_emptied() => {
                let command = Command::Redact {
                    room: id,
                    target: seq,
                };
                let body = Body::Redact(RedactBody {});
                ("redact", command, Draft::about(seq, body))
            }
            Body::Reaction(body) if body.on => {
                let Some(target) = self.standing_reaction(&event, body)? else {
                    return Ok(());
                };
                let emoji = body.emoji.clone();
                let command = Command::React {
                    room: id,
                    target,
                    emoji: emoji.clone(),
                    on: false,
                };
                let body = Body::Reaction(ReactionBody { emoji, on: false });
                ("react", command, Draft::about(target, body))
            }
            _other => return Ok(()),
        };
        let Some(item) = self.departing(erasure, what, seq, command)? else {
            return Ok(());
        };
        if matches!(draft.body, Body::Redact(_)) {
            self.unpin(id, seq)?;
        }
        let done = self.append(&item, id, draft)?;
        done.expect("an event of a room that is there has a place");
        Ok(())
    }

    /// What a reaction is on, if it is the last word of its author about that, and the message has
    /// not been redacted, here or before.
    fn standing_reaction(
        &self,
        event: &Event,
        reaction: &ReactionBody,
    ) -> Result<Option<Seq>, V::Error> {
        let Some(target) = event.target else {
            return Ok(None);
        };
        let one = Range {
            from: target,
            to: target,
        };
        let stored = self.view.about(event.room, one)?;
        let decided = self.out.appended.iter().map(|appended| &appended.event);
        let decided = decided.filter(|other| other.room == event.room);
        let about = decided.chain(&stored);
        let mut about = about.filter(|other| other.target == Some(target));
        let is_over = about.any(|other| match &other.body {
            Body::Redact(_) => true,
            Body::Reaction(body) => {
                let is_theirs = other.from.0 == event.from.0 && body.emoji == reaction.emoji;
                is_theirs && other.seq > event.seq
            }
            _other => false,
        });
        Ok((!is_over).then_some(target))
    }
}
