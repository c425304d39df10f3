//! One's own state in the reference store.

use super::Ledger;
use crate::code::ErrorCode;
use crate::hidden;
use crate::ids::{Position, RoomId, Seq, UserId};
use crate::own::{self, OwnChange, Owned};
use crate::wire::Blocks;

impl Ledger {
    /// Changes something of a user's own state, and says what stands then.
    ///
    /// # Errors
    /// The code to answer with; then nothing has changed.
    pub fn own(&mut self, user: UserId, change: &OwnChange) -> Result<Owned, ErrorCode> {
        if self.is_deleted(user) {
            return Err(ErrorCode::BadToken);
        }
        match change {
            OwnChange::Notify { room, change } => {
                let next = Position(self.position.0 + 1);
                let row = self
                    .logs
                    .get_mut(room)
                    .and_then(|log| log.members.get_mut(&user));
                let (member, changed) = row.ok_or(ErrorCode::NotFound)?;
                if !member.is_in() {
                    return Err(ErrorCode::NotMember);
                }
                let after = change.of(member.notify);
                if after != member.notify {
                    member.notify = after;
                    *changed = next;
                    self.position = next;
                }
                Ok(Owned::Notify(*room, after))
            }
            OwnChange::Block { user: other, on } => {
                self.block(user, *other, *on).map(Owned::Blocks)
            }
            OwnChange::Profile(change) => self.show(user, change).map(Owned::Profile),
            OwnChange::Hide { room, target, on } => self.hide(user, *room, *target, *on),
        }
    }

    fn hide(
        &mut self,
        user: UserId,
        room: RoomId,
        target: Seq,
        on: bool,
    ) -> Result<Owned, ErrorCode> {
        let Ok(changes) = hidden::changes(&*self, user, room, target, on);
        let changes = changes?;
        let row = self.logs.get_mut(&room);
        let row = row.and_then(|log| log.members.get_mut(&user));
        let (member, changed) = row.ok_or(ErrorCode::NotFound)?;
        let list = self.hidden.entry((room, user)).or_default();
        if changes {
            if on {
                list.insert(target);
            } else {
                list.remove(&target);
            }
            member.hidden += 1;
            self.position.0 += 1;
            *changed = self.position;
        }
        Ok(Owned::Hidden {
            room,
            seqs: list.iter().copied().collect(),
            version: member.hidden,
        })
    }

    fn block(&mut self, user: UserId, other: UserId, on: bool) -> Result<Blocks, ErrorCode> {
        if on && !self.people.contains_key(&other) {
            return Err(ErrorCode::NotFound);
        }
        let before = self.blocks.get(&user);
        let before = before.map(|(blocks, _changed)| blocks.clone());
        let before = before.unwrap_or_default();
        let after = own::block(user, &before, other, on)?;
        if after != before {
            self.position.0 += 1;
            self.blocks.insert(user, (after.clone(), self.position));
            // What is unread there may be counted otherwise from now on.
            for log in self.logs.values_mut() {
                let is_shared = log.members.contains_key(&other);
                let own = log.members.get_mut(&user);
                if let Some((_member, changed)) =
                    own.filter(|(member, _changed)| is_shared && member.is_in())
                {
                    *changed = self.position;
                }
            }
        }
        Ok(after)
    }
}
