//! One's own state in the reference store.

use super::Ledger;
use crate::code::ErrorCode;
use crate::ids::{Position, UserId};
use crate::own::{OwnChange, Owned};

impl Ledger {
    /// Changes something of a user's own state, and says what stands then.
    ///
    /// # Errors
    /// The code to answer with; then nothing has changed.
    pub fn own(&mut self, user: UserId, change: &OwnChange) -> Result<Owned, ErrorCode> {
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
        }
    }
}
