//! Socket.IO 5 on Engine.IO 4, over a WebSocket from the start, as far as a load needs it.

use super::{key, leading_number, push_padded, room_name};
use crate::dialect::{Dialect, Heard, upgrade_request};
use crate::issuer::Issuer;

/// The request whose acknowledgement says that the room is joined; messages are numbered from 1.
const JOIN: u64 = 0;

/// Speaks to `peers/socketio/server.mjs`.
pub(crate) struct SocketIo {
    host: String,
    /// The packet of each user that opens the namespace, signed beforehand.
    packets: Vec<Vec<u8>>,
    run: u32,
    /// Members of a room, one after the other.
    members: usize,
    /// Bytes of an event.
    event_bytes: usize,
    /// Bytes of an event without its text and the name of its sender.
    bare: usize,
}

impl SocketIo {
    /// `users` users of rooms with so many members each; events get so many bytes.
    ///
    /// # Errors
    /// The clock stands before 1970.
    pub(crate) fn new(
        host: String,
        issuer: &Issuer,
        run: u32,
        users: usize,
        members: usize,
        event_bytes: usize,
    ) -> anyhow::Result<Self> {
        // A seq of five digits is taken as the usual one; the name of a user, which is that of the
        // issuer, is added for each.
        let bare = r#"42["receive_message",{"room":"","seq":10000,"from":"","key":"","ts":1763780001234,"text":""}]"#
            .len() + 28 + 28;
        let packet = |user: usize| -> anyhow::Result<Vec<u8>> {
            let room = room_name(user / members);
            let token = issuer.token(user)?;
            let packet = format!(r#"40{{"token":"{token}","since":{{"{room}":0}}}}"#);
            Ok(packet.into_bytes())
        };
        Ok(Self {
            host,
            packets: (0..users).map(packet).collect::<anyhow::Result<_>>()?,
            run,
            members,
            event_bytes,
            bare,
        })
    }

    /// What an event means that is no message.
    fn event(&self, user: usize, event: &[u8], answers: &mut Vec<Vec<u8>>) -> Heard {
        let Some(rooms) = event.strip_prefix(br#"["ready","#) else {
            // What was missed is counted by nobody: the load pauses while somebody is away.
            return Heard::Other;
        };
        if rooms != b"[]]" {
            return Heard::Ready;
        }
        let room = room_name(user / self.members);
        answers.push(format!(r#"42{JOIN}["join","{room}"]"#).into_bytes());
        Heard::Other
    }
}

impl Dialect for SocketIo {
    fn handshake(&mut self, _user: usize) -> Vec<u8> {
        upgrade_request(&self.host, "/socket.io/?EIO=4&transport=websocket", None)
    }

    fn greet(&mut self, _user: usize) -> Vec<Vec<u8>> {
        // The server speaks first.
        Vec::new()
    }

    fn heard(&mut self, user: usize, payload: &[u8], answers: &mut Vec<Vec<u8>>) -> Heard {
        match payload {
            [b'4', b'2', rest @ ..] => {
                if rest.starts_with(br#"["receive_message","#) {
                    return Heard::Delivery {
                        behind: r#""}]"#.len(),
                    };
                }
                self.event(user, rest, answers)
            }
            [b'4', b'3', rest @ ..] => match leading_number(rest) {
                Some(JOIN) => Heard::Ready,
                Some(number) if !is_error(rest) => Heard::Ack(number - 1),
                _ => Heard::Refused(String::from_utf8_lossy(payload).into_owned()),
            },
            [b'2', ..] => {
                answers.push(b"3".to_vec());
                Heard::Other
            }
            [b'0', ..] => {
                answers.push(self.packets[user].clone());
                Heard::Other
            }
            [b'4', b'0', ..] => Heard::Other,
            _ => Heard::Refused(String::from_utf8_lossy(payload).into_owned()),
        }
    }

    fn message(&mut self, user: usize, room: usize, number: u64, text: &str, to: &mut Vec<u8>) {
        let (room, key) = (room_name(room), key(self.run, user, number));
        let request = number + 1;
        let head =
            format!(r#"42{request}["send_message",{{"room":"{room}","key":"{key}","text":""#);
        to.extend_from_slice(head.as_bytes());
        let name = format!("user{user}-").len() + 16;
        push_padded(text, self.bare + name, self.event_bytes, to);
        to.extend_from_slice(br#""}]"#);
    }
}

/// Whether an acknowledgement says that it is none.
fn is_error(acknowledgement: &[u8]) -> bool {
    acknowledgement
        .windows(8)
        .any(|eight| eight == br#"{"error""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect() -> SocketIo {
        let file = tempfile::NamedTempFile::new().unwrap();
        crate::issuer::write_secret(file.path()).unwrap();
        let issuer = Issuer::from_file(file.path()).unwrap();
        SocketIo::new("127.0.0.1:1".to_owned(), &issuer, 1, 30, 10, 300).unwrap()
    }

    #[test]
    fn a_client_opens_joins_and_is_ready() {
        let mut dialect = dialect();
        let mut say = |payload: &str| {
            let mut answers = Vec::new();
            let heard = dialect.heard(25, payload.as_bytes(), &mut answers);
            let answers = answers.iter().map(|answer| String::from_utf8_lossy(answer));
            (heard, answers.collect::<Vec<_>>().join(" "))
        };
        let open = r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":65536}"#;
        let (heard, connect) = say(open);
        assert_eq!(heard, Heard::Other);
        assert!(connect.starts_with(r#"40{"token":"ey"#), "{connect}");
        for (payload, heard, answer) in [
            (r#"40{"sid":"wZX3oN0bSVIhsaknAAAI"}"#, Heard::Other, ""),
            (
                r#"42["ready",[]]"#,
                Heard::Other,
                r#"420["join","r_00000000000000000000000002"]"#,
            ),
            (r#"430[{"seq":0}]"#, Heard::Ready, ""),
            (
                r#"42["ready",[["r_00000000000000000000000002",7]]]"#,
                Heard::Ready,
                "",
            ),
            ("2", Heard::Other, "3"),
            (r#"438[{"seq":4,"ts":1763780001234}]"#, Heard::Ack(7), ""),
            (
                r#"42["receive_message",{"room":"r","seq":4,"from":"u","key":"k","ts":1,"text":"x"}]"#,
                Heard::Delivery { behind: 3 },
                "",
            ),
            (r#"42["missed",[]]"#, Heard::Other, ""),
        ] {
            assert_eq!(say(payload), (heard, answer.to_owned()), "{payload}");
        }
        for refused in [
            r#"44{"message":"unauthorized"}"#,
            r#"438[{"error":"not_member"}]"#,
            "41",
        ] {
            assert!(matches!(say(refused).0, Heard::Refused(_)), "{refused}");
        }
    }

    #[test]
    fn an_event_gets_the_length_that_was_asked_for() {
        let mut message = Vec::new();
        dialect().message(25, 2, 7, "x@t=1", &mut message);
        let packet = message.strip_prefix(b"428").unwrap();
        let sent: serde_json::Value = serde_json::from_slice(packet).unwrap();
        let (sent, from) = (&sent[1], "user25-0123456789abcdef");
        let event = format!(
            r#"42["receive_message",{{"room":{},"seq":12345,"from":"{from}","key":{},"ts":1763780001234,"text":{}}}]"#,
            sent["room"], sent["key"], sent["text"]
        );
        assert_eq!(event.len(), 300);
        assert!(event.ends_with(r#"x@t=1"}]"#));
    }
}
