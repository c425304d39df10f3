//! Erasing an account: a durable job that goes through all rooms of somebody who has gone for good.
//!
//! The account itself is closed at once, in one transaction, by the store of accounts; that
//! transaction stores the job. [`look`] finds what is to be done next in a read snapshot,
//! [`decide`] does it in a transaction, with the place that the job has then reached; so a node that
//! is killed goes on where the last transaction ended. Nothing can be added meanwhile: a closed
//! account writes nothing and comes in nowhere. Lifetime: from the closing to the last room.

use sha2::{Digest, Sha256};

use crate::batch::{self, Decided};
use crate::event::{Body, Event};
use crate::ids::{JobId, Key, Millis, RoomId, Seq, UserId};
use crate::limits;
use crate::room::Range;
use crate::view::View;

/// What becomes of the messages of an erased account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// They stay, by a deleted account.
    Keep,
    /// Each is redacted, and each reaction taken off.
    Redact,
}

impl Texts {
    /// As it stands on the wire and in the store.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Redact => "redact",
        }
    }

    /// What `text` says.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Keep, Self::Redact]
            .into_iter()
            .find(|texts| texts.text() == text)
    }
}

/// What a job is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Going out of every room.
    Leaving,
    /// Taking back messages and reactions.
    Redacting,
    /// Nothing is left.
    Done,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// In this.
    pub stage: Stage,
    /// The room that was reached last: all those before it, by id, are done. Leaving: it too.
    pub room: Option<RoomId>,
    /// Redacting: the events of that room up to this one are done.
    pub seq: Seq,
}

impl Place {
    /// Where a job begins.
    pub const START: Self = Self::beginning(Stage::Leaving);

    const fn beginning(stage: Stage) -> Self {
        Self {
            stage,
            room: None,
            seq: Seq::ZERO,
        }
    }
}

/// A job as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Its id.
    pub job: JobId,
    /// Whose account.
    pub user: UserId,
    /// What becomes of their messages.
    pub texts: Texts,
    /// When it was asked for.
    pub asked: Millis,
    /// How far it is.
    pub place: Place,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Of which job.
    pub job: JobId,
    /// Where the job stands before it. Done only if it still stands there.
    pub from: Place,
    /// Where it stands afterwards.
    pub to: Place,
    /// Rooms to go out of, at most [`limits::ERASE_ROOMS_MAX`].
    pub leave: Vec<RoomId>,
    /// Messages and reactions to take back, at most [`limits::ERASE_EVENTS_MAX`].
    pub take_back: Vec<(RoomId, Seq)>,
}

/// What a step comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// Events, rooms and members to store.
    pub decided: Decided,
    /// The job after it.
    pub after: Erasure,
}

/// Finds the next step of `erasure` in a snapshot. It reads at most [`limits::ERASE_SCAN_MAX`]
/// events, and so may find nothing to take back and yet be further.
///
/// # Errors
/// The view's.
pub fn look<V: View + ?Sized>(view: &V, erasure: &Erasure) -> Result<Step, V::Error> {
    let mut step = Step {
        job: erasure.job,
        from: erasure.place,
        to: erasure.place,
        leave: Vec::new(),
        take_back: Vec::new(),
    };
    match erasure.place.stage {
        Stage::Leaving => {
            let (after, limit) = (erasure.place.room, limits::ERASE_ROOMS_MAX);
            step.leave = view.estate().ever_in(erasure.user, after, limit)?;
            step.to = match step.leave.last() {
                Some(last) if step.leave.len() == limit => Place {
                    room: Some(*last),
                    ..step.to
                },
                _ => Place::beginning(match erasure.texts {
                    Texts::Keep => Stage::Done,
                    Texts::Redact => Stage::Redacting,
                }),
            };
        }
        Stage::Redacting => seek(view, erasure.user, &mut step)?,
        Stage::Done => {}
    }
    Ok(step)
}

/// Seeks what is to be taken back, from room to room.
fn seek<V: View + ?Sized>(view: &V, user: UserId, step: &mut Step) -> Result<(), V::Error> {
    let mut rooms = Vec::new();
    rooms.extend(step.to.room);
    let limit = limits::ERASE_ROOMS_MAX;
    let later = view.estate().ever_in(user, step.to.room, limit)?;
    let is_last_page = later.len() < limit;
    rooms.extend(later);
    let mut budget = limits::ERASE_SCAN_MAX;
    for id in rooms {
        if step.to.room != Some(id) {
            (step.to.room, step.to.seq) = (Some(id), Seq::ZERO);
        }
        let Some(room) = view.room(id)? else { continue };
        let first = step.to.seq.next().max(room.floor);
        let Some(range) = Range::new(first, room.head) else {
            continue;
        };
        let to = range.to.min(Seq(range.from.0 + budget - 1));
        let part = Range { from: first, to };
        let room_left = limits::ERASE_EVENTS_MAX - step.take_back.len();
        // One more than fits says whether there is more.
        let mut found = view.estate().by(id, user, part, room_left + 1)?;
        let is_cut = found.len() > room_left;
        found.truncate(room_left);
        let read_to = match found.last() {
            _ if !is_cut => to,
            Some(last) => last.seq,
            None => first.before(),
        };
        let wanted = found.iter().filter(|event| is_taken_back(event));
        step.take_back.extend(wanted.map(|event| (id, event.seq)));
        step.to.seq = read_to;
        budget -= (to.0 - first.0 + 1).min(budget);
        if is_cut || read_to < room.head || budget == 0 {
            return Ok(());
        }
    }
    if is_last_page {
        step.to = Place::beginning(Stage::Done);
    }
    Ok(())
}

/// Whether an event is one that may have to be taken back; the transaction looks closer.
fn is_taken_back(event: &Event) -> bool {
    match &event.body {
        Body::Message(_) => !event.is_emptied(),
        Body::Reaction(body) => body.on,
        _other => false,
    }
}

/// Does `step` over what the transaction sees; nothing if `erasure`, as it stands there, is not
/// where the step begins: it was done before.
///
/// # Errors
/// Only the view's: then nothing may be stored.
pub fn decide<V: View + ?Sized>(
    view: &V,
    erasure: &Erasure,
    step: &Step,
    now: Millis,
) -> Result<Option<Stepped>, V::Error> {
    if erasure.job != step.job || erasure.place != step.from {
        return Ok(None);
    }
    let decided = batch::depart(view, erasure, step, now)?;
    let after = Erasure {
        place: step.to,
        ..erasure.clone()
    };
    Ok(Some(Stepped { decided, after }))
}

/// The key of an event of a job: the same for the same event, whenever it is written.
#[must_use]
pub fn key(job: JobId, what: &str, room: RoomId, seq: Seq) -> Key {
    let mut hash = Sha256::new();
    // One length, so that no two lists of parts are the same bytes.
    hash.update([what.len() as u8]);
    hash.update(what);
    hash.update(job.0);
    hash.update(room.0);
    hash.update(seq.0.to_be_bytes());
    let digest = hash.finalize();
    Key::from_slice(&digest[..16]).expect("half of 32 bytes")
}
