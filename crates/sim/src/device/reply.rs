//! What became of a device's commands and questions.

use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::Key;
use chinwag_core::wire::{Req, ServerFrame};

use super::{Asked, Device, Purpose, Shore};

impl Device {
    pub(super) fn ack(&mut self, req: Req, frame: &ServerFrame, shore: &mut Shore<'_>) {
        let ServerFrame::Ack {
            room,
            seq,
            msg_no,
            ts,
            ..
        } = frame
        else {
            return;
        };
        let Some(Asked::Command(key, purpose, _room)) = self.asked.remove(&req) else {
            return;
        };
        if purpose == Purpose::Conflict {
            let what = format!("d{}: another content under {key} was acked", self.index);
            return shore.oracle.wrong(what);
        }
        shore.base.counts.acks += 1;
        let order = shore.base.order();
        let ack = (*room, *seq, *msg_no, *ts);
        shore.oracle.acked(key, ack, order);
        shore.base.trace.note(
            shore.base.now,
            format_args!("d{} acked {key} as {room} #{seq}", self.index),
        );
        self.settle(key, purpose, true, shore);
    }

    /// A command has its final answer.
    pub(super) fn settle(&mut self, key: Key, purpose: Purpose, done: bool, shore: &mut Shore<'_>) {
        let found = self
            .outbox
            .iter()
            .position(|item| item.key == key && item.purpose == purpose);
        if let Some(at) = found {
            let item = self.outbox.remove(at);
            let command = item.command.clone();
            let send = matches!(command, Command::Send { .. });
            if done && send && purpose == Purpose::Real {
                self.past.push((key, command));
            }
            // What was refused for good is not tried again, even after a crash.
            if done && purpose == Purpose::Real {
                self.answered.push(item);
            }
        }
        if purpose == Purpose::Real {
            shore.base.flying.remove(&key);
        }
    }

    pub(super) fn ok(&mut self, req: Req) {
        if let Some(Asked::Mark(room, delivered, read)) = self.asked.remove(&req)
            && let Some(copy) = self.memory.rooms.get_mut(&room)
        {
            copy.marked = (copy.marked.0.max(delivered), copy.marked.1.max(read));
        }
    }

    pub(super) fn error(
        &mut self,
        req: Option<Req>,
        code: ErrorCode,
        wait: Option<u64>,
        shore: &mut Shore<'_>,
    ) {
        let Some(asked) = req.and_then(|req| self.asked.remove(&req)) else {
            let what = format!("d{}: {code:?} without a request", self.index);
            return shore.oracle.wrong(what);
        };
        match asked {
            Asked::Command(key, purpose, room) => {
                shore.base.trace.note(
                    shore.base.now,
                    format_args!("d{} refused {key}: {code:?}", self.index),
                );
                if code.retryable() {
                    let until = shore.base.now + wait.unwrap_or(1_000);
                    let pause = self.pauses.entry(room).or_insert(until);
                    *pause = (*pause).min(until);
                    if code != ErrorCode::RetryInOrder {
                        *pause = until;
                    }
                    if purpose != Purpose::Conflict {
                        shore.oracle.refused(key, code);
                    }
                    return;
                }
                if purpose == Purpose::Conflict {
                    shore.base.counts.conflicts += u64::from(code == ErrorCode::Conflict);
                    if code != ErrorCode::Conflict {
                        let what = format!("d{}: {key} reused gave {code:?}", self.index);
                        shore.oracle.wrong(what);
                    }
                } else {
                    shore.oracle.refused(key, code);
                }
                self.settle(key, purpose, false, shore);
            }
            Asked::After(room) => {
                self.fetching.remove(&room);
            }
            // Too often: it looks again a little later.
            Asked::Watch => self.beside.stale = true,
            Asked::Mark(..) | Asked::History(_) | Asked::Other => {}
        }
    }
}
