//! XMPP over WebSocket (RFC 7395) as far as a load in group chats (XEP-0045) needs it.
//!
//! Signs in with SASL PLAIN, whose password is a token, binds, enters a room, and talks. Shapes
//! are recognised and not parsed: it trusts its server to be the one that it was written with.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde::Serialize;

use super::{leading_number, push_padded};
use crate::dialect::{Dialect, Heard, upgrade_request};
use crate::swarm::stamp::STAMP_BYTES;

/// Life of a token, in seconds: longer than any run.
const LIFE_SECONDS: u64 = 2 * 3_600;
/// What stands behind the text of a message.
const BEHIND_TEXT: usize = "</body></message>".len();
/// A delivery without its text and the names in it, as ejabberd 23 writes it.
const BARE: usize = "<message xmlns='jabber:client' xml:lang='en' to='@localhost/b' \
    from='r@conference.localhost/' type='groupchat' id=''><archived by='r@conference.localhost' \
    id='1795343990365274' xmlns='urn:xmpp:mam:tmp'/><stanza-id by='r@conference.localhost' \
    id='1795343990365274' xmlns='urn:xmpp:sid:0'/><body></body></message>"
    .len();

/// Speaks to a server as `peers::ejabberd` configures it.
pub(crate) struct Xmpp {
    host: String,
    /// Of each user, signed beforehand.
    tokens: Vec<String>,
    /// Members of a room, one after the other.
    members: usize,
    /// Bytes of a delivery, if it needs not more.
    event_bytes: usize,
}

#[derive(Serialize)]
struct Claims {
    jid: String,
    exp: u64,
}

impl Xmpp {
    /// `users` users of rooms with so many members each; deliveries get so many bytes, or as few
    /// as they can.
    ///
    /// # Errors
    /// The clock stands before 1970.
    pub(crate) fn new(
        host: String,
        secret: &[u8],
        users: usize,
        members: usize,
        event_bytes: usize,
    ) -> anyhow::Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let key = EncodingKey::from_secret(secret);
        let header = Header::new(Algorithm::HS256);
        let token = |user: usize| {
            let claims = Claims {
                jid: format!("u{user}@localhost"),
                exp: now + LIFE_SECONDS,
            };
            jsonwebtoken::encode(&header, &claims, &key)
        };
        Ok(Self {
            host,
            tokens: (0..users).map(token).collect::<Result<_, _>>()?,
            members,
            event_bytes,
        })
    }

    fn auth(&self, user: usize) -> Vec<u8> {
        let secret = BASE64.encode(format!("\0u{user}\0{}", self.tokens[user]));
        let sasl = r#"xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN""#;
        format!("<auth {sasl}>{secret}</auth>").into_bytes()
    }

    fn enter(&self, user: usize) -> Vec<u8> {
        let room = user / self.members;
        format!(
            r#"<presence to="r{room}@conference.localhost/u{user}"><x xmlns="http://jabber.org/protocol/muc"><history maxstanzas="0"/></x></presence>"#
        )
        .into_bytes()
    }
}

/// Opens a stream; again after signing in.
fn open() -> Vec<u8> {
    let framing = r#"xmlns="urn:ietf:params:xml:ns:xmpp-framing""#;
    format!(r#"<open {framing} to="localhost" version="1.0"/>"#).into_bytes()
}

fn contains(payload: &[u8], text: &str) -> bool {
    payload
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// A message in a group chat: of its author, it is the echo that stands for an ack.
fn message(user: usize, payload: &[u8]) -> Heard {
    let end = payload.iter().position(|&byte| byte == b'>');
    let head = &payload[..end.unwrap_or(payload.len())];
    if payload.len() < head.len() + STAMP_BYTES + BEHIND_TEXT || !payload.ends_with(b"</message>") {
        // The subject of the room, which is empty.
        return Heard::Other;
    }
    let behind = BEHIND_TEXT;
    let own = format!("conference.localhost/u{user}'");
    let number = head
        .windows(4)
        .position(|four| four == b"id='")
        .and_then(|at| leading_number(&head[at + 4..]));
    match number {
        Some(number) if contains(head, &own) => Heard::Echo { number, behind },
        Some(_) => Heard::Delivery { behind },
        None => Heard::Other,
    }
}

impl Dialect for Xmpp {
    fn handshake(&mut self, _user: usize) -> Vec<u8> {
        upgrade_request(&self.host, "/xmpp-websocket", Some("xmpp"))
    }

    fn greet(&mut self, _user: usize) -> Vec<Vec<u8>> {
        vec![open()]
    }

    fn heard(&mut self, user: usize, payload: &[u8], answers: &mut Vec<Vec<u8>>) -> Heard {
        if payload.starts_with(b"<message ") {
            if contains(&payload[..payload.len().min(256)], "type='error'") {
                return Heard::Refused(String::from_utf8_lossy(payload).into_owned());
            }
            return message(user, payload);
        }
        if payload.starts_with(b"<presence ") {
            let own = contains(payload, "<status code='110'/>");
            return match (own, contains(payload, "type='error'")) {
                (_, true) => Heard::Refused(String::from_utf8_lossy(payload).into_owned()),
                (true, false) => Heard::Ready,
                (false, false) => Heard::Other,
            };
        }
        if payload.starts_with(b"<open ") {
            return Heard::Other;
        }
        if payload.starts_with(b"<stream:features") {
            answers.push(if contains(payload, "<mechanism>PLAIN<") {
                self.auth(user)
            } else {
                br#"<iq type="set" id="bind"><bind xmlns="urn:ietf:params:xml:ns:xmpp-bind"><resource>b</resource></bind></iq>"#.to_vec()
            });
            return Heard::Other;
        }
        if payload.starts_with(b"<success ") {
            answers.push(open());
            return Heard::Other;
        }
        if payload.starts_with(b"<iq ") && contains(payload, "type='result' id='bind'") {
            answers.push(self.enter(user));
            return Heard::Other;
        }
        Heard::Refused(String::from_utf8_lossy(payload).into_owned())
    }

    fn message(&mut self, user: usize, room: usize, number: u64, text: &str, to: &mut Vec<u8>) {
        let head = format!(
            r#"<message to="r{room}@conference.localhost" type="groupchat" id="{number}"><body>"#
        );
        to.extend_from_slice(head.as_bytes());
        // The receiver's name is taken to be as long as the sender's.
        let names = 3 * room.to_string().len() + 2 * format!("u{user}").len();
        let bare = BARE + names + number.to_string().len();
        push_padded(text, bare, self.event_bytes, to);
        to.extend_from_slice(b"</body></message>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect() -> Xmpp {
        Xmpp::new("127.0.0.1:1".to_owned(), b"secret", 30, 10, 500).unwrap()
    }

    fn delivery(from: usize, text: &str) -> String {
        format!(
            "<message xmlns='jabber:client' xml:lang='en' to='u25@localhost/b' \
             from='r2@conference.localhost/u{from}' type='groupchat' id='5'><archived \
             by='r2@conference.localhost' id='1795343990365274' xmlns='urn:xmpp:mam:tmp'/>\
             <stanza-id by='r2@conference.localhost' id='1795343990365274' \
             xmlns='urn:xmpp:sid:0'/><body>{text}</body></message>"
        )
    }

    #[test]
    fn a_client_signs_in_and_enters() {
        let mut dialect = dialect();
        assert!(dialect.greet(25)[0].starts_with(b"<open xmlns="));
        for (payload, heard, answer) in [
            (
                "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' id='8' version='1.0'/>",
                Heard::Other,
                "",
            ),
            (
                "<stream:features xmlns:stream='s'><mechanisms xmlns='m'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
                Heard::Other,
                r#"<auth xmlns="urn:ietf:params:xml:ns:xmpp-sasl" mechanism="PLAIN">"#,
            ),
            (
                "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>",
                Heard::Other,
                "<open ",
            ),
            (
                "<stream:features xmlns:stream='s'><bind xmlns='b'/></stream:features>",
                Heard::Other,
                r#"<iq type="set" id="bind">"#,
            ),
            (
                "<iq xmlns='jabber:client' type='result' id='bind'><bind><jid>u25@localhost/b</jid></bind></iq>",
                Heard::Other,
                r#"<presence to="r2@conference.localhost/u25">"#,
            ),
            (
                "<presence xmlns='jabber:client' to='u25@localhost/b' from='r2@conference.localhost/u25'><x><status code='100'/><status code='110'/></x></presence>",
                Heard::Ready,
                "",
            ),
            (
                "<message xmlns='jabber:client' to='u25@localhost/b' from='r2@conference.localhost' type='groupchat'><subject/></message>",
                Heard::Other,
                "",
            ),
        ] {
            let mut answers = Vec::new();
            assert_eq!(
                dialect.heard(25, payload.as_bytes(), &mut answers),
                heard,
                "{payload}"
            );
            let said = answers.first().cloned().unwrap_or_default();
            assert!(said.starts_with(answer.as_bytes()), "{payload}");
            assert_eq!(answers.is_empty(), answer.is_empty(), "{payload}");
        }
    }

    #[test]
    fn ones_own_message_is_an_ack() {
        let mut dialect = dialect();
        let mut hear = |payload: &str| dialect.heard(25, payload.as_bytes(), &mut Vec::new());
        let text = "x@t=00000000000000000001";
        let (behind, number) = (BEHIND_TEXT, 5);
        assert_eq!(hear(&delivery(25, text)), Heard::Echo { number, behind });
        assert_eq!(hear(&delivery(2, text)), Heard::Delivery { behind });
        for refused in ["<failure xmlns='f'><not-authorized/></failure>", "<close/>"] {
            assert!(matches!(hear(refused), Heard::Refused(_)), "{refused}");
        }
    }

    #[test]
    fn a_delivery_gets_the_length_that_was_asked_for() {
        let mut message = Vec::new();
        dialect().message(25, 2, 5, "x@t=00000000000000000001", &mut message);
        let message = String::from_utf8(message).unwrap();
        let text = message.split_once("<body>").unwrap().1;
        let text = text.strip_suffix("</body></message>").unwrap();
        assert_eq!(delivery(25, text).len(), 500);
    }
}
