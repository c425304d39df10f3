//! How frames become bytes for one connection: what its handshake agreed on.
//!
//! It only encodes; lanes and order are the outbox's. It lives as long as its connection.

use std::sync::Arc;

use bytes::Bytes;
use chinwag_core::codec;
use chinwag_core::event::{Form, Shared};
use chinwag_core::wire::ServerFrame;

use crate::gateway::ws::{Deflate, WebSocket, text_frame};

/// What a client takes frames in. The default is JSON as it is.
#[derive(Debug, Clone, Default)]
pub struct Dialect {
    deflate: Option<Arc<Deflate>>,
}

impl Dialect {
    /// The dialect of this socket.
    #[must_use]
    pub fn of(socket: &WebSocket) -> Self {
        Self {
            deflate: socket.deflate.clone(),
        }
    }

    /// A frame for this client alone.
    #[must_use]
    pub fn encode(&self, frame: &ServerFrame) -> Bytes {
        let plain = text_frame(&codec::encode(frame));
        match &self.deflate {
            None => plain,
            Some(deflate) => deflate.frame(&plain),
        }
    }

    /// A live event: encoded and compressed for the first receiver with this dialect, shared by
    /// all others.
    #[must_use]
    pub fn event<'event>(&self, event: &'event Shared) -> &'event Bytes {
        let plain = event.frame(Form::Json, |event| text_frame(&codec::encode_event(event)));
        match &self.deflate {
            None => plain,
            Some(deflate) => event.frame(Form::JsonDeflated, |_event| deflate.frame(plain)),
        }
    }

    fn form(&self) -> Form {
        match &self.deflate {
            None => Form::Json,
            Some(_) => Form::JsonDeflated,
        }
    }
}

/// A frame for several clients: encoded once for each dialect among them.
#[derive(Debug)]
pub struct ForSeveral<'frame> {
    frame: &'frame ServerFrame,
    encoded: [Option<Bytes>; Form::COUNT],
}

impl<'frame> ForSeveral<'frame> {
    /// A frame that nobody has asked for yet.
    #[must_use]
    pub fn new(frame: &'frame ServerFrame) -> Self {
        let encoded = [const { None }; Form::COUNT];
        Self { frame, encoded }
    }

    /// The frame for a client with this dialect.
    pub fn encode(&mut self, dialect: &Dialect) -> Bytes {
        let encoded = &mut self.encoded[dialect.form() as usize];
        encoded
            .get_or_insert_with(|| dialect.encode(self.frame))
            .clone()
    }
}

#[cfg(test)]
mod tests {
    use chinwag_core::event::{Author, BODY_VERSION, Body, Event, TextBody};
    use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};

    use super::*;
    use crate::gateway::ws::DeflateFigures;

    fn shared(text: String) -> Arc<Shared> {
        Shared::new(Event {
            room: RoomId([1; 16]),
            seq: Seq(7),
            msg_no: 5,
            v: BODY_VERSION,
            from: Author(UserId([2; 16]), 3),
            key: Key([3; 16]),
            ts: Millis(1_763_780_001_234),
            target: None,
            body: Body::Message(TextBody { text }),
        })
    }

    fn dialects() -> (Dialect, Dialect, Arc<Deflate>) {
        let deflate = Arc::new(Deflate::default());
        let deflating = Dialect {
            deflate: Some(deflate.clone()),
        };
        (Dialect::default(), deflating, deflate)
    }

    #[test]
    fn an_event_is_compressed_once_for_all_who_take_it() {
        let (plain, deflating, deflate) = dialects();
        let event = shared("the same words again and again; ".repeat(40));
        let first = deflating.event(&event).clone();
        let figures = deflate.figures();
        let second = deflating.clone().event(&event).clone();
        assert_eq!(first.as_ptr(), second.as_ptr(), "the bytes are shared");
        assert_eq!(deflate.figures(), figures, "and were made once");
        let whole = plain.event(&event);
        assert_eq!((whole[0], first[0]), (0x81, 0xc1));
        assert!(
            first.len() * 4 < whole.len(),
            "{} {}",
            first.len(),
            whole.len()
        );
    }

    #[test]
    fn a_small_event_has_one_frame_for_everybody() {
        let (plain, deflating, deflate) = dialects();
        let event = shared("Is anybody here?".to_owned());
        assert_eq!(
            plain.event(&event).as_ptr(),
            deflating.event(&event).as_ptr()
        );
        assert_eq!(deflate.figures(), DeflateFigures::default());
    }

    #[test]
    fn a_frame_for_several_is_encoded_once_per_dialect() {
        let (plain, deflating, _deflate) = dialects();
        let frame = ServerFrame::Ok { req: 7 };
        let mut several = ForSeveral::new(&frame);
        let bytes = several.encode(&plain);
        assert_eq!(bytes.as_ptr(), several.encode(&plain).as_ptr());
        assert_eq!(bytes, several.encode(&deflating));
    }
}
