//! How frames become bytes for one connection, and bytes frames: what its handshake agreed on.
//!
//! Only forms are decided here; lanes, order and time are the outbox's and the session's. It lives
//! as long as its connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use chinwag_core::code::CloseCode;
use chinwag_core::codec::{self, Refusal, binary};
use chinwag_core::event::{Form, Run, Shared};
use chinwag_core::limits;
use chinwag_core::wire::{ClientFrame, ServerFrame};

use crate::gateway::upgrade::SUBPROTOCOL_BINARY;
use crate::gateway::ws::{Deflate, WebSocket, binary_frame, plain_data, text_frame};

/// What a client speaks. The default is JSON as it is.
#[derive(Debug, Default)]
pub struct Dialect {
    codec: Codec,
    deflate: Option<Arc<Deflate>>,
    /// Frames leave together, and are compressed only then.
    together: AtomicBool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Codec {
    #[default]
    Json,
    Binary,
}

impl Dialect {
    /// The dialect of this socket.
    #[must_use]
    pub fn of(socket: &WebSocket) -> Self {
        let codec = match socket.subprotocol {
            Some(SUBPROTOCOL_BINARY) => Codec::Binary,
            Some(_) | None => Codec::Json,
        };
        Self {
            codec,
            deflate: socket.deflate.clone(),
            together: AtomicBool::new(false),
        }
    }

    /// Reads a text message.
    ///
    /// # Errors
    /// The close code for a client that speaks the binary form.
    pub fn read_text(&self, text: &str) -> Result<Result<ClientFrame, Refusal>, CloseCode> {
        match self.codec {
            Codec::Json => Ok(codec::decode(text)),
            Codec::Binary => Err(CloseCode::WrongForm),
        }
    }

    /// Reads a binary message.
    ///
    /// # Errors
    /// The close code for a client that speaks JSON.
    pub fn read_binary(&self, bytes: &[u8]) -> Result<Result<ClientFrame, Refusal>, CloseCode> {
        match self.codec {
            Codec::Json => Err(CloseCode::WrongForm),
            Codec::Binary => Ok(binary::decode(bytes)),
        }
    }

    /// From now on frames leave together: [`Dialect::pack`] makes messages of them.
    pub fn leave_together(&self) {
        self.together.store(true, Ordering::Relaxed);
    }

    /// What compresses a single frame.
    fn compressing(&self) -> Option<&Arc<Deflate>> {
        let deflate = self.deflate.as_ref();
        deflate.filter(|_| !self.together.load(Ordering::Relaxed))
    }

    fn form(&self) -> Form {
        match (self.codec, self.compressing()) {
            (Codec::Json, None) => Form::Json,
            (Codec::Json, Some(_)) => Form::JsonDeflated,
            (Codec::Binary, None) => Form::Binary,
            (Codec::Binary, Some(_)) => Form::BinaryDeflated,
        }
    }

    fn message(&self, payload: &[u8]) -> Bytes {
        match self.codec {
            Codec::Json => text_frame(payload),
            Codec::Binary => binary_frame(payload),
        }
    }

    /// A frame for this client alone.
    #[must_use]
    pub fn encode(&self, frame: &ServerFrame) -> Bytes {
        let plain = match self.codec {
            Codec::Json => text_frame(&codec::encode(frame)),
            Codec::Binary => binary_frame(&binary::encode(frame)),
        };
        match self.compressing() {
            None => plain,
            Some(deflate) => deflate.frame(&plain),
        }
    }

    /// A live event: encoded and compressed for the first receiver with this dialect, shared by
    /// all others.
    #[must_use]
    pub fn event<'event>(&self, event: &'event Shared) -> &'event Bytes {
        let plain = match self.codec {
            Codec::Json => event.frame(Form::Json, |event| text_frame(&codec::encode_event(event))),
            Codec::Binary => event.frame(Form::Binary, |event| {
                binary_frame(&binary::encode_event(event))
            }),
        };
        match self.compressing() {
            None => plain,
            Some(deflate) => event.frame(self.form(), |_event| deflate.frame(plain)),
        }
    }

    /// Live events that belong together, as one piece of bytes; none for clients whose frames leave
    /// together: theirs are put together anew.
    #[must_use]
    pub fn run<'run>(&self, run: &'run Run) -> Option<&'run Bytes> {
        if self.together.load(Ordering::Relaxed) {
            return None;
        }
        Some(run.frames(self.form(), |event| self.event(event)))
    }

    /// Makes few messages of frames that leave together, in their order: of neighbours a list,
    /// of at most [`limits::BATCH_BYTES_MAX`] unless one frame alone is larger. Control frames,
    /// and what was compressed by itself, stay as they are.
    pub fn pack(&self, frames: &mut Vec<Bytes>) {
        let mut packed = Vec::new();
        let mut list: Vec<Bytes> = Vec::new();
        let mut list_bytes = 0;
        for frame in frames.drain(..) {
            let fits = list_bytes + frame.len() <= limits::BATCH_BYTES_MAX;
            let is_plain = plain_data(&frame).is_some();
            if !is_plain || !fits {
                packed.extend(self.close_list(&mut list));
                list_bytes = 0;
            }
            if is_plain {
                list_bytes += frame.len();
                list.push(frame);
            } else {
                packed.push(frame);
            }
        }
        packed.extend(self.close_list(&mut list));
        *frames = packed;
    }

    /// One message out of a list of plain frames, compressed if that pays; empties the list.
    fn close_list(&self, list: &mut Vec<Bytes>) -> Option<Bytes> {
        let message = match list.as_slice() {
            [] => return None,
            [single] => single.clone(),
            several => {
                let payloads: Vec<&[u8]> = several
                    .iter()
                    .filter_map(|frame| plain_data(frame))
                    .collect();
                self.message(&match self.codec {
                    Codec::Json => codec::encode_list(&payloads),
                    Codec::Binary => binary::encode_list(&payloads),
                })
            }
        };
        list.clear();
        Some(match &self.deflate {
            None => message,
            Some(deflate) => deflate.frame(&message),
        })
    }
}

/// A frame for several clients: encoded once for each form among them.
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
mod tests;
