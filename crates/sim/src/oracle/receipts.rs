//! Receipts never lie: nobody is told more than was asked for, by anybody but those who show it, or
//! of oneself. That they go to those who wrote is judged where they leave their node.

use chinwag_core::ids::{RoomId, Seq, UserId};

use super::Oracle;

impl Oracle {
    /// `user` is told how far these have come in a room.
    pub(crate) fn receipt(&mut self, user: UserId, room: RoomId, members: &[(UserId, Seq, Seq)]) {
        for (who, delivered, read) in members {
            let asked = self.marks_asked.get(&(*who, room)).copied();
            let asked = asked.unwrap_or_default();
            if read > delivered || *delivered > asked.0.max(asked.1) || *read > asked.1 {
                let what = format!("{who} in {room}: told {delivered} {read}, asked {asked:?}");
                self.violation("receipts are true", what);
            }
            if *who == user || self.hiding.contains(who) || self.hiding.contains(&user) {
                let what = format!("{user} is told of {who} in {room}");
                self.violation("receipts are told by those who show them", what);
            }
        }
    }
}
