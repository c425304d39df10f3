//! The store without a disk: `core::ledger` behind the interface, for tests and the contract
//! suite. Never durable. Lifetime: that of the value.

pub mod accounts;

use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chinwag_core::aside::{Seen, SettingsChange};
use chinwag_core::avatar::Image;
use chinwag_core::batch::{Ack, Submission};
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::erasure::{Erasure, Step};
use chinwag_core::estate::Estate;
use chinwag_core::event::Event;
use chinwag_core::ids::{AvatarId, Epoch, Key, Millis, Position, RoomId, Seq, UserId};
use chinwag_core::invite::{Invitation, InviteHash};
use chinwag_core::ledger::{Committed, Ledger};
use chinwag_core::marker::{Mark, Marked, Trails};
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::rate::Rate;
use chinwag_core::receipt::Stand;
use chinwag_core::room::{Listed, Member, MemberState, Range, Room};
use chinwag_core::view::{Alterations, Changes, View};
use chinwag_core::wire::{Blocks, DirectoryRow, Profile, Settings};

use super::avatars::AvatarStore;
use super::{ReadJob, Store, StoreError, StoreFuture};

/// A store in memory.
#[derive(Debug)]
pub struct MemoryStore {
    /// Held for one call, never across an await or with another lock.
    ledger: Mutex<Ledger>,
}

impl MemoryStore {
    /// An empty store with its first life.
    #[must_use]
    pub fn new(epoch: Epoch) -> Self {
        Self {
            ledger: Mutex::new(Ledger::new(epoch)),
        }
    }

    /// Adds or changes somebody's public face.
    pub fn put_profile(&self, profile: Profile) {
        self.lock().put_profile(profile);
    }

    /// Closes somebody's account as far as rooms are concerned, and keeps the job.
    pub fn begin_erasure(&self, erasure: Erasure) {
        self.lock().begin_erasure(erasure);
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn append(&self, items: Vec<Submission>, now: Millis) -> StoreFuture<'_, Committed> {
        Box::pin(ready(Ok(self.lock().append(&items, now))))
    }

    fn mark(&self, marks: Vec<Mark>, at: Millis) -> StoreFuture<'_, Vec<Option<Marked>>> {
        Box::pin(ready(Ok(self.lock().mark(&marks, at))))
    }

    fn set(&self, user: UserId, change: SettingsChange) -> StoreFuture<'_, Settings> {
        Box::pin(ready(Ok(self.lock().set(user, change))))
    }

    fn own(&self, user: UserId, change: OwnChange) -> StoreFuture<'_, Result<Owned, ErrorCode>> {
        Box::pin(ready(Ok(self.lock().own(user, &change))))
    }

    fn saw(&self, seen: Vec<(UserId, Millis)>) -> StoreFuture<'_, ()> {
        self.lock().saw(&seen);
        Box::pin(ready(Ok(())))
    }

    fn perform(
        &self,
        user: UserId,
        deed: Deed,
        drawn: InviteHash,
        now: Millis,
    ) -> StoreFuture<'_, Result<Change, ErrorCode>> {
        let done = self.lock().perform(user, &deed, drawn, now);
        Box::pin(ready(Ok(done)))
    }

    fn erase(&self, step: Step, now: Millis) -> StoreFuture<'_, Committed> {
        Box::pin(ready(Ok(self.lock().erase(&step, now))))
    }

    fn run(&self, job: ReadJob) -> StoreFuture<'_, ()> {
        let ledger = self.lock();
        Box::pin(ready(job(&Unfailing(&ledger))))
    }

    fn ended(&self) -> Pin<Box<dyn Future<Output = String> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

impl AvatarStore for MemoryStore {
    fn put_avatar(
        &self,
        user: UserId,
        image: Image,
        now: Millis,
    ) -> StoreFuture<'_, Result<AvatarId, ErrorCode>> {
        Box::pin(ready(Ok(self.lock().put_avatar(user, image, now))))
    }

    fn avatar(&self, id: AvatarId) -> StoreFuture<'_, Option<Image>> {
        Box::pin(ready(Ok(self.lock().avatar(id).cloned())))
    }

    fn sweep_avatars(&self, now: Millis, limit: usize) -> StoreFuture<'_, usize> {
        Box::pin(ready(Ok(self.lock().sweep_avatars(now, limit))))
    }
}

/// The ledger's view, which cannot fail, where one is expected that can.
struct Unfailing<'a>(&'a Ledger);

type Read<T> = Result<T, StoreError>;

/// Passes each look-up on.
macro_rules! pass_on {
    ($($name:ident($($argument:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl View for Unfailing<'_> {
            type Error = StoreError;
            $(fn $name(&self, $($argument: $kind),*) -> Read<$answer> {
                let Ok(answer) = self.0.$name($($argument),*);
                Ok(answer)
            })*

            fn estate(&self) -> &dyn Estate<Error = StoreError> {
                self
            }
        }
    };
}

pass_on! {
    epoch() -> Epoch;
    position() -> Position;
    replay(key: Key, from: UserId, room: RoomId) -> Option<(u64, Ack)>;
    room(room: RoomId) -> Option<Room>;
    member(room: RoomId, user: UserId) -> Option<Member>;
    profile(user: UserId) -> Option<Profile>;
    named(name: &str) -> Option<Profile>;
    rooms_in(user: UserId) -> usize;
    heads(user: UserId) -> Vec<(RoomId, Seq)>;
    changed(user: UserId, since: Option<Position>) -> Vec<RoomId>;
    event(room: RoomId, seq: Seq) -> Option<Event>;
    events(room: RoomId, range: Range, limit: usize) -> Vec<Event>;
    lines(room: RoomId, range: Range, limit: usize) -> Vec<Event>;
    about(room: RoomId, range: Range) -> Vec<Event>;
    redacted(room: RoomId, range: Range) -> Vec<Seq>;
    countable(room: RoomId, user: UserId, range: Range, limit: u64) -> u64;
    alterations(room: RoomId, target: Seq) -> Alterations;
    mentioned(room: RoomId, user: UserId, range: Range, limit: u64) -> u64;
    members(room: RoomId, state: MemberState, after: Option<UserId>, limit: usize) -> Vec<Listed>;
    directory(after: Option<RoomId>, limit: usize) -> Vec<DirectoryRow>;
    changes(since: Position) -> Changes;
    settings(user: UserId) -> Settings;
    people(room: RoomId, after: Option<UserId>, limit: usize) -> Vec<Seen>;
    standing(room: RoomId) -> Vec<Stand>;
    blocks(user: UserId) -> (Blocks, Position);
    is_wall_between(one: UserId, other: UserId) -> bool;
    is_walled(room: RoomId, user: UserId) -> bool;
    invited_to(user: UserId) -> usize;
    invitation(hash: InviteHash) -> Option<Invitation>;
    invitations(room: RoomId) -> Vec<Invitation>;
    has_avatar(avatar: AvatarId) -> bool;
    profile_changed(user: UserId) -> Position;
    hidden(room: RoomId, user: UserId, range: Range) -> Vec<Seq>;
    last_message(room: RoomId) -> Option<Seq>;
    rates() -> Vec<(UserId, Rate)>;
}

impl Estate for Unfailing<'_> {
    type Error = StoreError;

    fn ever_in(&self, user: UserId, after: Option<RoomId>, limit: usize) -> Read<Vec<RoomId>> {
        let Ok(rooms) = self.0.ever_in(user, after, limit);
        Ok(rooms)
    }

    fn by(&self, room: RoomId, user: UserId, range: Range, limit: usize) -> Read<Vec<Event>> {
        let Ok(events) = self.0.by(room, user, range, limit);
        Ok(events)
    }

    fn heir(&self, room: RoomId, user: UserId) -> Read<Option<UserId>> {
        let Ok(heir) = self.0.heir(room, user);
        Ok(heir)
    }

    fn erasures(&self, limit: usize) -> Read<Vec<Erasure>> {
        let Ok(open) = self.0.erasures(limit);
        Ok(open)
    }

    fn invitations_by(&self, user: UserId) -> Read<Vec<Invitation>> {
        let Ok(all) = self.0.invitations_by(user);
        Ok(all)
    }

    fn trails(&self, room: RoomId, user: UserId) -> Read<Trails> {
        let Ok(trails) = self.0.trails(room, user);
        Ok(trails)
    }

    fn last_seen(&self, user: UserId) -> Read<Option<Millis>> {
        let Ok(at) = self.0.last_seen(user);
        Ok(at)
    }
}
