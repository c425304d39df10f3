//! The swarm's dialect of our own protocol (docs/protocol.md), JSON over WebSocket.
//!
//! Events are recognised by their first and last bytes and not parsed. Where a scenario wants to
//! know that nobody misses anything, each user follows their rooms as an SDK does: by seq, with a
//! cursor that survives the connection. One value serves all users of a run.

use std::net::SocketAddr;

use chinwag_core::codec;
use chinwag_core::ids::RoomId;
use chinwag_core::wire::{ClientFrame, Req, ServerFrame, VERSION};

use crate::client::{Keys, parse};
use crate::dialect::{Dialect, Heard, upgrade_request};
use crate::issuer::Issuer;
use crate::seat::Seat;
use crate::swarm::stamp::{is_stamped_before, leading_number};

/// How the frame of an event begins.
pub(crate) const EVENT: &[u8] = br#"{"type":"event","#;
/// How frames begin that may vanish.
const EPHEMERAL: [&[u8]; 2] = [br#"{"type":"presence","#, br#"{"type":"typing","#];
/// How the frame of an event ends, behind its text.
const BEHIND_TEXT: usize = br#""}}"#.len();
/// How an ack begins, up to its number; so does `ok`.
const ACK: &[u8] = br#"{"type":"ack","req":"#;
const OK: &[u8] = br#"{"type":"ok","req":"#;

/// Our protocol. See the module.
pub(crate) struct Chinwag {
    request: Vec<u8>,
    /// Of each user, signed beforehand: that is not the load generator's work to be measured.
    tokens: Vec<String>,
    keys: Keys,
    rooms: Vec<RoomId>,
    /// Of each user, if they follow their rooms.
    seats: Option<Vec<Seat>>,
    /// User and number of commands that were refused for now, if that is no failure.
    postponed: Option<Vec<(usize, Req)>>,
}

impl Chinwag {
    /// For `users` users of this issuer.
    ///
    /// # Errors
    /// The system gives no randomness or no time.
    pub(crate) fn new(
        address: SocketAddr,
        path: &str,
        issuer: &Issuer,
        users: usize,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            request: upgrade_request(&address.to_string(), path, None),
            tokens: (0..users)
                .map(|user| issuer.token(user))
                .collect::<anyhow::Result<_>>()?,
            keys: Keys::new()?,
            rooms: Vec::new(),
            seats: None,
            postponed: None,
        })
    }

    /// Names the rooms, by their numbers in a load.
    pub(crate) fn set_rooms(&mut self, rooms: Vec<RoomId>) {
        self.rooms = rooms;
    }

    /// The rooms, by their numbers.
    pub(crate) fn rooms(&self) -> &[RoomId] {
        &self.rooms
    }

    /// From now on each user keeps a cursor in each of their rooms, resumes from it, and notices
    /// what is missing.
    pub(crate) fn follow(&mut self) {
        self.seats = Some(self.tokens.iter().map(|_user| Seat::default()).collect());
    }

    /// From now on what is refused for now is no failure, but to be asked again.
    pub(crate) fn be_patient(&mut self) {
        self.postponed = Some(Vec::new());
    }

    /// User and number of the commands that were refused for now since this was called last.
    pub(crate) fn take_postponed(&mut self) -> Vec<(usize, Req)> {
        self.postponed
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// What this user has, if users follow their rooms.
    pub(crate) fn seat(&self, user: usize) -> Option<&Seat> {
        self.seats.as_ref()?.get(user)
    }

    /// The payload of a frame.
    pub(crate) fn frame(frame: &ClientFrame) -> Vec<u8> {
        codec::encode(frame).into()
    }

    /// A frame that is neither event nor ack.
    fn heard_else(&mut self, user: usize, payload: &[u8]) -> Heard {
        let frame = match parse(payload) {
            Ok(frame) => frame,
            Err(error) => return Heard::Refused(format!("{error:#}")),
        };
        if let Some(seats) = &mut self.seats {
            seats[user].take_in(&frame);
        }
        match frame {
            ServerFrame::Error {
                req: Some(req),
                retryable: true,
                ..
            } if let Some(postponed) = &mut self.postponed => {
                postponed.push((user, req));
                Heard::Other
            }
            ServerFrame::CaughtUp { .. } => Heard::Ready,
            ServerFrame::Error { code, message, .. } => {
                Heard::Refused(format!("refused, {code:?}: {message}"))
            }
            ServerFrame::Behind {} => Heard::Refused(
                "fell behind: it was sent more than it could read, and its outbox overflowed"
                    .to_owned(),
            ),
            ServerFrame::Reconnect { .. } => Heard::Refused("the server stops".to_owned()),
            ServerFrame::Page { req, .. } | ServerFrame::Pong { req, .. } => Heard::Ack(req),
            ServerFrame::Events { req: Some(req), .. } => Heard::Ack(req),
            _ => Heard::Other,
        }
    }
}

/// The number of an answer that begins like this.
fn answered(payload: &[u8], begin: &[u8]) -> Option<Req> {
    leading_number(payload.strip_prefix(begin)?).map(|(req, _digits)| req)
}

impl Dialect for Chinwag {
    fn handshake(&mut self, _user: usize) -> Vec<u8> {
        self.request.clone()
    }

    fn greet(&mut self, user: usize) -> Vec<Vec<u8>> {
        let cursor = self.seats.as_mut().map(|seats| seats[user].resume());
        vec![Self::frame(&ClientFrame::Hello {
            v: VERSION,
            token: self.tokens[user].clone(),
            device: None,
            cursor: cursor.unwrap_or_default(),
            low_bandwidth: false,
        })]
    }

    fn heard(&mut self, user: usize, payload: &[u8], _answers: &mut Vec<Vec<u8>>) -> Heard {
        if payload.starts_with(EVENT) {
            if let Some(seats) = &mut self.seats {
                seats[user].event(payload);
            }
            return if is_stamped_before(payload, BEHIND_TEXT) {
                Heard::Delivery {
                    behind: BEHIND_TEXT,
                }
            } else {
                Heard::Other
            };
        }
        if let Some(req) = answered(payload, ACK).or_else(|| answered(payload, OK)) {
            return Heard::Ack(req);
        }
        if EPHEMERAL.iter().any(|begin| payload.starts_with(begin)) {
            return Heard::Other;
        }
        if let Some(seats) = &mut self.seats
            && seats[user].events(payload)
        {
            return Heard::Other;
        }
        self.heard_else(user, payload)
    }

    fn message(&mut self, _user: usize, room: usize, number: u64, text: &str, to: &mut Vec<u8>) {
        to.extend_from_slice(&codec::encode(&ClientFrame::Send {
            req: number,
            key: self.keys.next(),
            room: self.rooms[room],
            body: text.to_owned().into(),
            reply_to: None,
            mentions: Vec::new(),
            if_last: None,
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::swarm::stamp::stamped;
    use chinwag_core::event::{Author, Body, Event};
    use chinwag_core::ids::{Key, Millis, Seq, UserId};

    /// What a user hears of this frame.
    fn heard(frame: &ServerFrame) -> Heard {
        let mut dialect = Chinwag {
            request: Vec::new(),
            tokens: vec![String::new()],
            keys: Keys::new().unwrap(),
            rooms: Vec::new(),
            seats: None,
            postponed: None,
        };
        dialect.heard(0, &serde_json::to_vec(frame).unwrap(), &mut Vec::new())
    }

    fn event(text: String) -> ServerFrame {
        ServerFrame::Event(Event {
            room: RoomId([1; 16]),
            seq: Seq(58),
            msg_no: 45,
            v: 1,
            from: Author(UserId([2; 16]), 3),
            key: Key([3; 16]),
            ts: Millis(1_763_780_001_234),
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body: Body::Message(text.into()),
        })
    }

    #[test]
    fn only_messages_of_the_load_are_deliveries() {
        let behind = BEHIND_TEXT;
        assert_eq!(heard(&event(stamped(7, 60))), Heard::Delivery { behind });
        assert_eq!(heard(&event("hello".to_owned())), Heard::Other);
    }

    #[test]
    fn answers_are_paired_by_their_number() {
        let ack = ServerFrame::Ack {
            req: 41,
            room: RoomId([1; 16]),
            seq: Seq(58),
            msg_no: 45,
            ts: Millis(0),
        };
        assert_eq!(heard(&ack), Heard::Ack(41));
        assert_eq!(heard(&ServerFrame::Ok { req: 7 }), Heard::Ack(7));
    }

    #[test]
    fn what_makes_figures_untrue_is_refused() {
        assert!(matches!(heard(&ServerFrame::Behind {}), Heard::Refused(_)));
    }
}
