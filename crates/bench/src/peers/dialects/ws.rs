//! What the peer on bare `ws` understands: JSON without accounts.

use super::{key, leading_number, push_padded, room_name};
use crate::dialect::{Dialect, Heard, upgrade_request};

/// Speaks to `peers/ws/server.mjs`.
pub(crate) struct Ws {
    host: String,
    run: u32,
    /// Members of a room, one after the other.
    members: usize,
    /// Bytes of an event.
    event_bytes: usize,
}

/// Bytes of an event without its text; a seq of five digits is taken as the usual one.
const BARE: usize =
    r#"{"type":"event","room":"","seq":10000,"from":"","key":"","ts":1763780001234,"text":""}"#
        .len()
        + 3 * 28;

impl Ws {
    /// Users of rooms with so many members each; events get so many bytes.
    pub(crate) fn new(host: String, run: u32, members: usize, event_bytes: usize) -> Self {
        Self {
            host,
            run,
            members,
            event_bytes,
        }
    }
}

impl Dialect for Ws {
    fn handshake(&mut self, _user: usize) -> Vec<u8> {
        upgrade_request(&self.host, "/", None)
    }

    fn greet(&mut self, user: usize) -> Vec<Vec<u8>> {
        let room = room_name(user / self.members);
        vec![format!(r#"{{"type":"join","room":"{room}"}}"#).into_bytes()]
    }

    fn heard(&mut self, _user: usize, payload: &[u8], _answers: &mut Vec<Vec<u8>>) -> Heard {
        if payload.starts_with(br#"{"type":"event","#) {
            return Heard::Delivery {
                behind: r#""}"#.len(),
            };
        }
        if let Some(rest) = payload.strip_prefix(br#"{"type":"ack","req":"#)
            && let Some(number) = leading_number(rest)
        {
            return Heard::Ack(number);
        }
        if payload == br#"{"type":"ready"}"# {
            return Heard::Ready;
        }
        Heard::Refused(String::from_utf8_lossy(payload).into_owned())
    }

    fn message(&mut self, user: usize, room: usize, number: u64, text: &str, to: &mut Vec<u8>) {
        let (room, key) = (room_name(room), key(self.run, user, number));
        let head = format!(
            r#"{{"type":"send","req":{number},"room":"{room}","from":"u_{user:026}","key":"{key}","text":""#
        );
        to.extend_from_slice(head.as_bytes());
        push_padded(text, BARE, self.event_bytes, to);
        to.extend_from_slice(br#""}"#);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_understood() {
        let mut ws = Ws::new("127.0.0.1:1".to_owned(), 1, 10, 300);
        for (payload, expected) in [
            (&br#"{"type":"ready"}"#[..], Heard::Ready),
            (
                br#"{"type":"ack","req":17,"seq":4,"ts":1763780001234}"#,
                Heard::Ack(17),
            ),
            (
                br#"{"type":"event","room":"r","seq":4,"from":"u","key":"k","ts":1,"text":"x"}"#,
                Heard::Delivery { behind: 2 },
            ),
            (
                br#"{"type":"error","req":1}"#,
                Heard::Refused(r#"{"type":"error","req":1}"#.to_owned()),
            ),
        ] {
            assert_eq!(ws.heard(0, payload, &mut Vec::new()), expected);
        }
    }

    #[test]
    fn an_event_gets_the_length_that_was_asked_for() {
        let mut ws = Ws::new("127.0.0.1:1".to_owned(), 1, 10, 300);
        let mut message = Vec::new();
        ws.message(25, 2, 7, "x@t=1", &mut message);
        let sent: serde_json::Value = serde_json::from_slice(&message).unwrap();
        let text = sent["text"].as_str().unwrap();
        let event = format!(
            r#"{{"type":"event","room":{},"seq":12345,"from":{},"key":{},"ts":1763780001234,"text":"{text}"}}"#,
            sent["room"], sent["from"], sent["key"]
        );
        assert_eq!(event.len(), 300);
        assert!(event.ends_with(r#"x@t=1"}"#));
    }
}
