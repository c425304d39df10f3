//! What the bare floor understands: its own few words.

use super::leading_number;
use crate::dialect::{Dialect, Heard, upgrade_request};
use crate::peers::floor_net::words;

/// Speaks to the floor.
pub(crate) struct Floor {
    host: String,
    /// Members of a room, one after the other.
    members: usize,
    /// Bytes of a message on its way to the floor.
    message_bytes: usize,
}

impl Floor {
    /// Users of rooms with so many members each, whose messages have so many bytes.
    pub(crate) fn new(host: String, members: usize, message_bytes: usize) -> Self {
        Self {
            host,
            members,
            message_bytes,
        }
    }
}

impl Dialect for Floor {
    fn handshake(&mut self, _user: usize) -> Vec<u8> {
        upgrade_request(&self.host, "/", None)
    }

    fn greet(&mut self, user: usize) -> Vec<Vec<u8>> {
        let room = user / self.members;
        vec![format!("join {room}").into_bytes()]
    }

    fn heard(&mut self, _user: usize, payload: &[u8], _answers: &mut Vec<Vec<u8>>) -> Heard {
        if payload.starts_with(b".") || payload.starts_with(b"x") {
            return Heard::Delivery { behind: 0 };
        }
        if payload == b"ready" {
            return Heard::Ready;
        }
        match payload.strip_prefix(b"ack ").and_then(leading_number) {
            Some(number) => Heard::Ack(number),
            None => Heard::Refused(String::from_utf8_lossy(payload).into_owned()),
        }
    }

    fn message(&mut self, _user: usize, room: usize, number: u64, text: &str, to: &mut Vec<u8>) {
        words::write_send(room, number, text, self.message_bytes, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_of_the_floor_is_understood() {
        let mut floor = Floor::new("127.0.0.1:1".to_owned(), 10, 60);
        assert_eq!(floor.greet(25), [b"join 2"]);
        let mut message = Vec::new();
        floor.message(25, 2, 7, "xx@t=00000000000000000001", &mut message);
        assert_eq!(message.len(), 60);
        assert!(message.starts_with(b"send 2 7 .."));
        for (payload, expected) in [
            (&b"ready"[..], Heard::Ready),
            (b"ack 17", Heard::Ack(17)),
            (b"...x@t=1", Heard::Delivery { behind: 0 }),
            (b"what?", Heard::Refused("what?".to_owned())),
        ] {
            assert_eq!(floor.heard(0, payload, &mut Vec::new()), expected);
        }
    }
}
