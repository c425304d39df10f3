//! What became of each command, as its senders saw it.

use std::collections::BTreeMap;

use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use chinwag_core::room::MemberState;

use super::Oracle;
use crate::device::{Purpose, Waiting};
use crate::store::Entry;

/// When a send was begun, where it stands, and its key.
type Place = (u64, Seq, Key);

/// An ack as a client gets it.
pub(crate) type Answer = (RoomId, Seq, u64, Millis);

/// A command under its key.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) device: usize,
    pub(super) user: UserId,
    pub(super) room: RoomId,
    pub(super) command: Command,
    /// The order of the first attempt.
    pub(super) first: u64,
    /// The room's head at that time.
    pub(super) head: Seq,
    /// Attempts that no answer, or one that says nothing, came to.
    pub(super) undecided: u64,
    pub(super) ack: Option<(Answer, u64)>,
    pub(super) definite: Option<ErrorCode>,
}

impl Oracle {
    /// A command that stood in the store before the world began.
    pub(crate) fn founded(&mut self, user: UserId, key: Key, command: &Command, event: &Event) {
        let sent = Sent {
            device: usize::MAX,
            user,
            room: event.room,
            command: command.clone(),
            first: 0,
            head: Seq::ZERO,
            undecided: 0,
            ack: Some(((event.room, event.seq, event.msg_no, event.ts), 0)),
            definite: None,
        };
        self.keys.insert(key, sent);
    }

    /// A device sends a command, for the first time or again.
    pub(crate) fn sent(
        &mut self,
        device: usize,
        user: UserId,
        item: &Waiting,
        journal: &[Entry],
        order: u64,
    ) {
        self.standing.read(journal);
        let head = self.standing.head(item.room);
        let first = item.purpose == Purpose::Real;
        let sent = self.keys.entry(item.key).or_insert_with(|| Sent {
            device,
            user,
            room: item.room,
            command: item.command.clone(),
            first: order,
            head,
            undecided: 0,
            ack: None,
            definite: None,
        });
        if sent.command != item.command && first {
            let what = format!("{} was made twice by the workload", item.key);
            return self.violation("workload", what);
        }
        sent.undecided += 1;
    }

    /// A device was told where its command stands.
    pub(crate) fn acked(&mut self, key: Key, ack: Answer, order: u64) {
        let Some(sent) = self.keys.get_mut(&key) else {
            return self.violation("protocol", format!("{key} was acked and never sent"));
        };
        sent.undecided = sent.undecided.saturating_sub(1);
        match sent.ack {
            None => sent.ack = Some((ack, order)),
            Some((first, _order)) if first == ack => {}
            Some((first, _order)) => {
                let what = format!("{key} was acked as {first:?} and as {ack:?}");
                self.violation("same ack", what);
            }
        }
    }

    /// A device was refused.
    pub(crate) fn refused(&mut self, key: Key, code: ErrorCode) {
        let Some(sent) = self.keys.get_mut(&key) else {
            return;
        };
        // A store that does not answer leaves this attempt undecided; all other answers say that
        // it has not been tried.
        if code != ErrorCode::Unavailable {
            sent.undecided = sent.undecided.saturating_sub(1);
        }
        if code.retryable() {
            return;
        }
        sent.definite = Some(code);
        if let Some((ack, _order)) = sent.ack {
            let what = format!("{key} was acked as {ack:?} and then refused: {code:?}");
            self.violation("same ack", what);
        }
    }

    /// Every key's fate against the final logs.
    pub(super) fn judge_sends(&mut self, logs: &BTreeMap<RoomId, Vec<Event>>) {
        let mut wrong: Vec<(&'static str, String)> = Vec::new();
        let mut places: BTreeMap<Key, Vec<&Event>> = BTreeMap::new();
        for event in logs.values().flatten() {
            places.entry(event.key).or_default().push(event);
            match self.keys.get(&event.key) {
                Some(sent) if same(sent, event) => {}
                Some(sent) => wrong.push(("nothing invented", format!("{event:?} of {sent:?}"))),
                None => wrong.push(("nothing invented", format!("{event:?}"))),
            }
        }
        for (key, sent) in &self.keys {
            let found = places.get(key).map_or(&[][..], Vec::as_slice);
            if found.len() > 1 {
                wrong.push(("one entry per key", format!("{found:?}")));
            }
            let direct = matches!(sent.command, Command::Direct { .. });
            if let Some(((room, seq, msg_no, ts), _order)) = sent.ack
                && !direct
            {
                let there = found.iter().any(|event| {
                    (event.room, event.seq, event.msg_no, event.ts) == (room, seq, msg_no, ts)
                });
                if !there {
                    wrong.push(("no acked loss", format!("{key}: {sent:?}, found {found:?}")));
                }
            }
            // An ack after the refusal answered another attempt, made when it was no longer wrong.
            let refused = sent.definite.is_some() && sent.ack.is_none();
            if refused && sent.undecided == 0 && !found.is_empty() {
                wrong.push(("refused for good", format!("{key}: {sent:?}")));
            }
        }
        self.judge_order(&places, &mut wrong);
        for (invariant, example) in wrong {
            self.violation(invariant, example);
        }
    }

    fn judge_order(
        &self,
        places: &BTreeMap<Key, Vec<&Event>>,
        wrong: &mut Vec<(&'static str, String)>,
    ) {
        // Per room: acks and first attempts in the order in which clients saw them.
        let mut by_room: BTreeMap<RoomId, Vec<(u64, bool, Seq, Key)>> = BTreeMap::new();
        let mut by_sender: BTreeMap<(usize, RoomId), Vec<Place>> = BTreeMap::new();
        for (key, sent) in &self.keys {
            let Some(event) = places.get(key).and_then(|found| found.first()) else {
                continue;
            };
            if matches!(sent.command, Command::Direct { .. }) || sent.first == 0 {
                continue;
            }
            let moments = by_room.entry(sent.room).or_default();
            moments.push((sent.first, false, event.seq, *key));
            if let Some((_ack, order)) = sent.ack {
                moments.push((order, true, event.seq, *key));
            }
            // Membership commands may be refused unheard and be right when they are repeated.
            if sent.definite.is_none() && matches!(sent.command, Command::Send { .. }) {
                let sends = by_sender.entry((sent.device, sent.room)).or_default();
                sends.push((sent.first, event.seq, *key));
            }
        }
        for (room, mut moments) in by_room {
            moments.sort_unstable();
            let mut acked = (Seq::ZERO, None);
            for (_order, ack, seq, key) in moments {
                if ack {
                    acked = acked.max((seq, Some(key)));
                } else if seq < acked.0 {
                    let what = format!("{room}: {key} is #{seq}, sent after {acked:?} was acked");
                    wrong.push(("real time", what));
                }
            }
        }
        for ((device, room), mut sends) in by_sender {
            sends.sort_unstable();
            for pair in sends.windows(2) {
                // Refused for good while its sender was out, without the sender hearing of it,
                // and accepted when it was sent again: such a one may come later.
                let sent = &self.keys[&pair[0].2];
                let was_out = self.standing.came_in(sent.user, room, sent.head, pair[1].1);
                if pair[0].1 > pair[1].1 && !was_out {
                    let what = format!("d{device} in {room}: {:?} then {:?}", pair[0], pair[1]);
                    wrong.push(("per sender", what));
                }
            }
        }
    }
}

/// Whether an event is what a command asks for.
fn same(sent: &Sent, event: &Event) -> bool {
    let author = event.from.0 == sent.user && event.room == sent.room;
    let content = match (&sent.command, &event.body) {
        // A redaction leaves nothing to compare.
        (Command::Send { .. }, Body::Message(_)) | (Command::Edit { .. }, Body::Edit(_))
            if event.is_emptied() =>
        {
            true
        }
        (
            Command::Send {
                body: said,
                reply_to,
                mentions,
                ..
            },
            Body::Message(body),
        ) => said == body && *reply_to == event.reply_to && *mentions == event.mentions,
        (
            Command::Edit {
                target, body: said, ..
            },
            Body::Edit(body),
        ) => said == body && event.target == Some(*target),
        (Command::Redact { target, .. }, Body::Redact(_)) => event.target == Some(*target),
        (
            Command::React {
                target, emoji, on, ..
            },
            Body::Reaction(body),
        ) => (Some(*target), emoji, *on) == (event.target, &body.emoji, body.on),
        (Command::Pin { target, on, .. }, Body::Pin(body)) => {
            (Some(*target), *on) == (event.target, body.on)
        }
        // Devices of the simulator hang no pictures.
        (Command::Configure { name, topic, .. }, Body::Settings(body)) => {
            (name, topic, None) == (&body.name, &body.topic, body.avatar)
        }
        (Command::SetRole { user, role, .. }, Body::Role(body)) => {
            (*user, *role) == (body.user, body.role)
        }
        (Command::Mute { user, on, .. }, Body::Role(body)) => {
            (*user, *on) == (body.user, body.muted)
        }
        (Command::Ban { user, on, .. }, Body::Member(body)) => {
            let banned = body.state == MemberState::Banned;
            body.user == *user && banned == *on && body.state != MemberState::Joined
        }
        (command, body) => makes_or_moves(sent.user, command, body),
    };
    author && content
}

/// The same, of what makes rooms, and lets people in and out.
fn makes_or_moves(by: UserId, command: &Command, body: &Body) -> bool {
    match (command, body) {
        (Command::Create { kind, name, .. }, Body::Room(body)) => {
            *kind == body.kind && Some(name) == body.name.as_ref()
        }
        (Command::Direct { user }, Body::Room(body)) => {
            body.members.iter().any(|(member, _role)| member == user)
        }
        (Command::Join { .. }, Body::Member(body)) => {
            body.user == by && body.state == MemberState::Joined
        }
        (Command::Leave { .. }, Body::Member(body)) => {
            body.user == by && body.state == MemberState::Left
        }
        (Command::InviteUser { user, .. }, Body::Member(body)) => {
            body.user == *user && body.state == MemberState::Invited
        }
        (Command::Add { user, .. }, Body::Member(body)) => {
            body.user == *user && body.state == MemberState::Joined
        }
        (Command::Remove { user, .. }, Body::Member(body)) => {
            body.user == *user && body.state == MemberState::Removed
        }
        _ => false,
    }
}
