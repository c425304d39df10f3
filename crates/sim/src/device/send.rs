//! What a device says: commands from its outbox, in order; repairs; markers; questions.

use chinwag_core::batch::Command;
use chinwag_core::ids::{Key, RoomId, Seq};
use chinwag_core::wire::{ClientFrame, Req};

use super::{Asked, Device, Phase, Purpose, Shore, Waiting};

/// After which a command without an answer is sent again.
const RESEND_MS: u64 = 5_000;
/// Commands of a connection that wait for their answer, less room for other questions.
const REQUESTS_MAX: usize = 24;

impl Device {
    /// Stores a command before anything else is done with it.
    pub(crate) fn submit(&mut self, key: Key, command: Command, purpose: Purpose) {
        let submission = chinwag_core::batch::Submission {
            from: self.user,
            key,
            command,
        };
        self.outbox.push(Waiting {
            key,
            room: submission.room(),
            command: submission.command,
            purpose,
            sent: None,
        });
    }

    /// Sends what waits, in order, and again what was not answered in time.
    pub(crate) fn pump(&mut self, shore: &mut Shore<'_>) {
        if self.link.is_none() || matches!(self.phase, Phase::Off | Phase::Hello) {
            return;
        }
        let now = shore.base.now;
        let mut over = Vec::new();
        self.pauses.retain(|room, until| {
            if *until <= now {
                over.push(*room);
            }
            *until > now
        });
        for room in over {
            // From the refused one on, in the original order.
            let waiting = self.outbox.iter_mut().filter(|item| item.room == room);
            waiting.for_each(|item| item.sent = None);
        }
        for at in 0..self.outbox.len() {
            let item = &self.outbox[at];
            if self.pauses.contains_key(&item.room) || self.asked.len() >= REQUESTS_MAX {
                continue;
            }
            if item.sent.is_some_and(|sent| now < sent + RESEND_MS) {
                continue;
            }
            self.send_waiting(at, shore);
        }
    }

    fn send_waiting(&mut self, at: usize, shore: &mut Shore<'_>) {
        self.outbox[at].sent = Some(shore.base.now);
        let item = self.outbox[at].clone();
        let req = self.req(Asked::Command(item.key, item.purpose, item.room));
        if item.purpose != Purpose::Conflict {
            let order = shore.base.order();
            let journal = &shore.store.journal;
            shore
                .oracle
                .sent(self.index, self.user, &item, journal, order);
            if item.purpose == Purpose::Real {
                shore.base.flying.insert(item.key);
                shore.base.counts.sends += 1;
            } else {
                shore.base.counts.repeats += 1;
            }
        }
        shore.base.trace.note(
            shore.base.now,
            format_args!(
                "d{} sends {} ({:?}) to {} as {req}",
                self.index, item.key, item.purpose, item.room
            ),
        );
        self.say(&command_frame(req, &item), shore);
    }

    /// Fetches what is missing, one request at a time per room.
    pub(super) fn repair(&mut self, shore: &mut Shore<'_>) {
        if self.phase != Phase::Live {
            return;
        }
        let rooms: Vec<RoomId> = self.memory.rooms.keys().copied().collect();
        for room in rooms {
            self.fetch_missing(room, shore);
        }
    }

    pub(super) fn fetch_missing(&mut self, room: RoomId, shore: &mut Shore<'_>) {
        let Some(copy) = self.memory.rooms.get(&room) else {
            return;
        };
        let missing = copy.cursor < copy.head;
        if !missing || self.phase != Phase::Live || !self.fetching.insert(room) {
            return;
        }
        let (seq, key) = (copy.cursor, copy.key);
        let limit = *shore.base.rng.pick(&[None, Some(5), Some(50)]);
        let req = self.req(Asked::After(room));
        let frame = ClientFrame::After {
            req,
            room,
            seq,
            key,
            limit,
        };
        self.say(&frame, shore);
    }

    /// Tells how far this device has come and what has been read.
    pub(super) fn mark(&mut self, shore: &mut Shore<'_>) {
        if self.phase != Phase::Live {
            return;
        }
        let mut marks: Vec<(RoomId, Seq, Seq)> = Vec::new();
        for (room, copy) in &mut self.memory.rooms {
            if !copy.joined || copy.cursor <= copy.marked.0 || copy.cursor < copy.head {
                continue;
            }
            if shore.base.rng.chance(400) {
                copy.read = copy.cursor;
            }
            marks.push((*room, copy.cursor, copy.read));
        }
        let busy = |room: &RoomId| {
            let mut asked = self.asked.values();
            asked.any(|asked| matches!(asked, Asked::Mark(other, ..) if other == room))
        };
        marks.retain(|(room, ..)| !busy(room));
        for (room, delivered, read) in marks {
            let req = self.req(Asked::Mark(room, delivered, read));
            shore.oracle.mark_asked(self.user, room, delivered, read);
            let frame = ClientFrame::Mark {
                req,
                room,
                delivered: Some(delivered),
                read: Some(read),
            };
            self.say(&frame, shore);
        }
    }

    /// Reads back, from no earlier than what is known here.
    pub(crate) fn read_history(&mut self, room: RoomId, shore: &mut Shore<'_>) {
        let Some(copy) = self.memory.rooms.get(&room) else {
            return;
        };
        if self.phase != Phase::Live || copy.cursor == Seq::ZERO {
            return;
        }
        let at_least = copy.cursor;
        let req = self.req(Asked::History(at_least));
        let frame = ClientFrame::History {
            req,
            room,
            before: None,
            at_least: Some(at_least),
            limit: Some(20),
        };
        self.say(&frame, shore);
    }
}

fn command_frame(req: Req, item: &Waiting) -> ClientFrame {
    let key = item.key;
    match item.command.clone() {
        Command::Send {
            room,
            text,
            reply_to,
            mentions,
        } => ClientFrame::Send {
            req,
            key,
            room,
            text,
            reply_to,
            mentions,
        },
        Command::Edit { room, target, text } => ClientFrame::Edit {
            req,
            key,
            room,
            target,
            text,
        },
        Command::Redact { room, target } => ClientFrame::Redact {
            req,
            key,
            room,
            target,
        },
        Command::React {
            room,
            target,
            emoji,
            on,
        } => ClientFrame::React {
            req,
            key,
            room,
            target,
            emoji,
            on,
        },
        Command::Pin { room, target, on } => ClientFrame::Pin {
            req,
            key,
            room,
            target,
            on,
        },
        other => room_frame(req, key, other),
    }
}

fn room_frame(req: Req, key: Key, command: Command) -> ClientFrame {
    match command {
        Command::Create {
            kind,
            name,
            history,
        } => ClientFrame::Create {
            req,
            key,
            kind,
            name,
            history,
        },
        Command::Direct { user } => ClientFrame::Direct { req, key, user },
        Command::Configure { room, name, topic } => ClientFrame::Configure {
            req,
            key,
            room,
            name,
            topic,
        },
        // Devices hold no tokens: their rooms are public.
        Command::Join { room, .. } => ClientFrame::Join {
            req,
            key,
            room,
            invite: None,
        },
        Command::Leave { room } => ClientFrame::Leave { req, key, room },
        other => person_frame(req, key, other),
    }
}

fn person_frame(req: Req, key: Key, command: Command) -> ClientFrame {
    match command {
        Command::Add { room, user } => ClientFrame::Add {
            req,
            key,
            room,
            user,
        },
        Command::Remove { room, user } => ClientFrame::Remove {
            req,
            key,
            room,
            user,
        },
        Command::Ban { room, user, on } => ClientFrame::Ban {
            req,
            key,
            room,
            user,
            on,
        },
        Command::SetRole { room, user, role } => ClientFrame::Role {
            req,
            key,
            room,
            user,
            role,
        },
        Command::Mute { room, user, on } => ClientFrame::Mute {
            req,
            key,
            room,
            user,
            on,
        },
        Command::InviteUser { room, user } => ClientFrame::InviteUser {
            req,
            key,
            room,
            user,
        },
        other => unreachable!("no frame for {other:?}"),
    }
}
