//! The last message of a room, found without an index of its own.
//!
//! Each row carries how many messages the log has up to it: the last message is the first row that
//! has as many as the room. Such numbers never fall, and so it is found by looking at few rows, most
//! often at one, whatever came after it.

use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::view::View;

use super::lookup::{Read, SqlView};
use super::rows::{count, number};

impl SqlView<'_> {
    pub(super) fn newest_message(&self, id: RoomId) -> Read<Option<Seq>> {
        let (Some(room), Some(inside)) = (self.room(id)?, self.inside_room(id)?) else {
            return Ok(None);
        };
        if room.msg_no == 0 {
            return Ok(None);
        }
        let has_all = |seq: u64| -> Read<bool> {
            let messages = self.one(
                "SELECT msg_no FROM events WHERE room = ?1 AND seq = ?2",
                [inside, number(seq)],
                |row| row.get(0).map(count),
            )?;
            // A row that is not there is damage; it ends the search, and is found by the doctor.
            Ok(messages.is_some_and(|messages| messages >= room.msg_no))
        };
        // Back from the head in steps that double, then halves of the last step.
        let (mut has, mut step) = (room.head.0, 1);
        let mut lacks = loop {
            let at = has.saturating_sub(step);
            if at == 0 || !has_all(at)? {
                break at;
            }
            (has, step) = (at, step * 2);
        };
        while has - lacks > 1 {
            let middle = lacks + (has - lacks) / 2;
            if has_all(middle)? {
                has = middle;
            } else {
                lacks = middle;
            }
        }
        Ok(Some(Seq(has)))
    }
}
