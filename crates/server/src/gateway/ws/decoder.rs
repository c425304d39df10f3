//! Bytes from a client in, messages out, without input or output of its own.
//!
//! Memory grows with what has arrived, never with what a header announces. Every rule that can be
//! judged from the bytes so far is judged at once: a bad first byte does not wait for a second.
//! A decoder lives as long as its socket; after a [`Violation`] or a close frame it is done.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::mask::unmask;
use super::{
    CONTROL_BYTES_MAX, CloseFrame, Deflate, FIN, FrameLimits, Message, OPCODE_BITS, RSV1,
    Violation, opcode,
};

/// Two bytes, eight of extended length, four of mask.
const HEADER_BYTES_MAX: usize = 14;
const RESERVED_BITS: u8 = 0x70;
const MASKED: u8 = 0x80;
const LENGTH_16: u8 = 126;
const LENGTH_64: u8 = 127;
const MASK_BYTES: usize = 4;

/// What [`Decoder::feed`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// A whole message, or a ping or pong.
    Message(Message),
    /// The peer's close frame. Whatever follows it is ignored.
    Close(Option<CloseFrame>),
}

/// The state between two reads.
#[derive(Debug)]
pub struct Decoder {
    limits: FrameLimits,
    /// Present if compressed messages were agreed on.
    deflate: Option<Arc<Deflate>>,
    stage: Stage,
    header: [u8; HEADER_BYTES_MAX],
    header_bytes: usize,
    /// The message of which some fragments, or a part of one, are here.
    partial: Option<Partial>,
    /// Its payload so far, unmasked; still compressed if it came so.
    payload: Vec<u8>,
    /// How much of `payload` is known to be whole characters.
    characters_to: usize,
    /// Payload of the control frame being read. Not `payload`: it may come between fragments.
    control: Vec<u8>,
    /// When the allowance for control frames is full again.
    control_full_at: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Header,
    Payload(Frame),
    Closed,
    Failed(Violation),
}

#[derive(Debug, Clone, Copy)]
struct Frame {
    opcode: u8,
    last: bool,
    compressed: bool,
    mask: [u8; MASK_BYTES],
    remaining: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Binary,
}

#[derive(Debug, Clone, Copy)]
struct Partial {
    kind: Kind,
    compressed: bool,
    fragments: u32,
}

impl Decoder {
    /// A decoder for a fresh connection; with `deflate`, for one that negotiated
    /// permessage-deflate.
    #[must_use]
    pub fn new(limits: FrameLimits, deflate: Option<Arc<Deflate>>) -> Self {
        Self {
            limits,
            deflate,
            stage: Stage::Header,
            header: [0; HEADER_BYTES_MAX],
            header_bytes: 0,
            partial: None,
            payload: Vec::new(),
            characters_to: 0,
            control: Vec::new(),
            control_full_at: None,
        }
    }

    /// Takes bytes in the order of their arrival, up to the end of the first message in them.
    /// Returns how many were taken, and that message; `None` means that all were taken and more
    /// are needed. `now` measures the rate of control frames.
    ///
    /// # Errors
    /// The first rule that is broken, and the same again on every later call.
    pub fn feed(
        &mut self,
        input: &[u8],
        now: Instant,
    ) -> Result<(usize, Option<Decoded>), Violation> {
        let result = self.advance(input, now);
        if let Err(violation) = result {
            self.stage = Stage::Failed(violation);
            // What has been collected will never be a message.
            self.payload = Vec::new();
        }
        result
    }

    fn advance(
        &mut self,
        input: &[u8],
        now: Instant,
    ) -> Result<(usize, Option<Decoded>), Violation> {
        let mut taken = 0;
        loop {
            match self.stage {
                Stage::Failed(violation) => return Err(violation),
                Stage::Closed => return Ok((input.len(), None)),
                Stage::Header => {
                    let Some(&byte) = input.get(taken) else {
                        return Ok((taken, None));
                    };
                    taken += 1;
                    if let Some(frame) = self.header_byte(byte)? {
                        self.begin(frame, now)?;
                    }
                }
                Stage::Payload(frame) => {
                    let piece = &input[taken..];
                    if piece.is_empty() && frame.remaining > 0 {
                        return Ok((taken, None));
                    }
                    let piece = &piece[..piece.len().min(frame.remaining)];
                    taken += piece.len();
                    let frame = self.collect(frame, piece)?;
                    self.stage = Stage::Payload(frame);
                    if frame.remaining == 0 {
                        self.stage = Stage::Header;
                        if let Some(decoded) = self.end(frame)? {
                            return Ok((taken, Some(decoded)));
                        }
                    }
                }
            }
        }
    }

    /// Takes one byte of a header; `Some` when it was the last.
    fn header_byte(&mut self, byte: u8) -> Result<Option<Frame>, Violation> {
        self.header[self.header_bytes] = byte;
        self.header_bytes += 1;
        let [first, second, ..] = self.header;
        match self.header_bytes {
            1 => {
                self.check_first(first)?;
                return Ok(None);
            }
            2 => check_second(first, second)?,
            _ => {}
        }
        let length_bytes = match second & !MASKED {
            LENGTH_16 => 2,
            LENGTH_64 => 8,
            _ => 0,
        };
        let mask_at = 2 + length_bytes;
        if self.header_bytes == mask_at {
            self.payload_bytes(mask_at)?;
        }
        if self.header_bytes < mask_at + MASK_BYTES {
            return Ok(None);
        }
        self.header_bytes = 0;
        let mut mask = [0; MASK_BYTES];
        mask.copy_from_slice(&self.header[mask_at..mask_at + MASK_BYTES]);
        Ok(Some(Frame {
            opcode: first & OPCODE_BITS,
            last: first & FIN != 0,
            compressed: first & RSV1 != 0,
            mask,
            remaining: self.payload_bytes(mask_at)?,
        }))
    }

    fn check_first(&self, first: u8) -> Result<(), Violation> {
        match first & RESERVED_BITS {
            0 => {}
            RSV1 if self.deflate.is_some() => {
                if !matches!(first & OPCODE_BITS, opcode::TEXT | opcode::BINARY) {
                    let rule = "compressed, and not the first frame of a message";
                    return Err(Violation::Protocol(rule));
                }
            }
            _ => return Err(Violation::Protocol("reserved bit without an extension")),
        }
        let last = first & FIN != 0;
        match first & OPCODE_BITS {
            opcode::CONTINUATION if self.partial.is_none() => {
                Err(Violation::Protocol("continuation of nothing"))
            }
            opcode::TEXT | opcode::BINARY if self.partial.is_some() => {
                Err(Violation::Protocol("new message inside a fragmented one"))
            }
            opcode::CLOSE | opcode::PING | opcode::PONG if !last => {
                Err(Violation::Protocol("fragmented control frame"))
            }
            opcode::CONTINUATION
            | opcode::TEXT
            | opcode::BINARY
            | opcode::CLOSE
            | opcode::PING
            | opcode::PONG => Ok(()),
            _ => Err(Violation::Protocol("reserved opcode")),
        }
    }

    /// The payload's length from the header bytes before `mask_at`, checked.
    fn payload_bytes(&self, mask_at: usize) -> Result<usize, Violation> {
        let announced = match &self.header[1..mask_at] {
            [short] => u64::from(short & !MASKED),
            [_, a, b] => u64::from(u16::from_be_bytes([*a, *b])),
            [_, a, b, c, d, e, f, g, h] => u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]),
            _ => return Err(Violation::Protocol("length of an unknown form")),
        };
        let shortest = match mask_at {
            2 => 0,
            4 => u64::from(LENGTH_16),
            _ => u64::from(u16::MAX) + 1,
        };
        if announced < shortest || announced > i64::MAX.unsigned_abs() {
            return Err(Violation::Protocol("length not in its shortest form"));
        }
        match usize::try_from(announced) {
            Ok(bytes) if bytes <= self.limits.frame_bytes_max => Ok(bytes),
            _ => Err(Violation::TooBig),
        }
    }

    /// Everything about a frame that its header decides.
    fn begin(&mut self, frame: Frame, now: Instant) -> Result<(), Violation> {
        self.stage = Stage::Payload(frame);
        let begun = |kind| Partial {
            kind,
            compressed: frame.compressed,
            fragments: 0,
        };
        let mut partial = match frame.opcode {
            opcode::CLOSE => return Ok(()),
            opcode::PING | opcode::PONG => return self.spend_control_frame(now),
            opcode::TEXT => begun(Kind::Text),
            opcode::BINARY => begun(Kind::Binary),
            // A continuation; `check_first` refuses one without a partial message.
            _ => self.partial.unwrap_or(begun(Kind::Binary)),
        };
        partial.fragments += 1;
        self.partial = Some(partial);
        if partial.fragments > self.limits.fragments_max {
            return Err(Violation::Overrun);
        }
        if self.payload.len().saturating_add(frame.remaining) > self.limits.message_bytes_max {
            return Err(Violation::TooBig);
        }
        Ok(())
    }

    /// A bucket that leaks one frame per interval, kept as the time at which it is empty.
    fn spend_control_frame(&mut self, now: Instant) -> Result<(), Violation> {
        let interval = Duration::from_secs(1) / self.limits.control_frames_per_second;
        let from = self.control_full_at.map_or(now, |full_at| full_at.max(now));
        let full_at = from + interval;
        if full_at.duration_since(now) > interval * self.limits.control_frames_burst {
            return Err(Violation::Overrun);
        }
        self.control_full_at = Some(full_at);
        Ok(())
    }

    /// Takes `piece`, a part of the frame's payload.
    fn collect(&mut self, mut frame: Frame, piece: &[u8]) -> Result<Frame, Violation> {
        frame.remaining -= piece.len();
        let control = is_control(frame.opcode);
        let bytes = if control {
            &mut self.control
        } else {
            &mut self.payload
        };
        let from = bytes.len();
        bytes.extend_from_slice(piece);
        frame.mask = unmask(&mut bytes[from..], frame.mask);
        // A whole unfragmented text is checked once, at its end; here only what is still growing.
        let whole = frame.remaining == 0 && frame.last;
        // A compressed one has no characters before it is inflated.
        let text = self
            .partial
            .is_some_and(|partial| partial.kind == Kind::Text && !partial.compressed);
        if text && !control && !whole {
            self.check_characters()?;
        }
        Ok(frame)
    }

    /// Fails as soon as the text so far cannot be the beginning of UTF-8.
    fn check_characters(&mut self) -> Result<(), Violation> {
        match std::str::from_utf8(&self.payload[self.characters_to..]) {
            Ok(_) => self.characters_to = self.payload.len(),
            Err(error) if error.error_len().is_some() => return Err(Violation::BadText),
            Err(error) => self.characters_to += error.valid_up_to(),
        }
        Ok(())
    }

    /// The frame is complete.
    fn end(&mut self, frame: Frame) -> Result<Option<Decoded>, Violation> {
        if is_control(frame.opcode) {
            let payload = std::mem::take(&mut self.control);
            return Ok(Some(match frame.opcode {
                opcode::PING => Decoded::Message(Message::Ping(payload.into())),
                opcode::PONG => Decoded::Message(Message::Pong(payload.into())),
                _ => {
                    let said = close_payload(&payload)?;
                    self.stage = Stage::Closed;
                    Decoded::Close(said)
                }
            }));
        }
        if !frame.last {
            return Ok(None);
        }
        let mut payload = std::mem::take(&mut self.payload);
        self.characters_to = 0;
        let partial = self.partial.take();
        if let (
            Some(Partial {
                compressed: true, ..
            }),
            Some(deflate),
        ) = (partial, &self.deflate)
        {
            payload = deflate.inflate(&payload, self.limits.message_bytes_max)?;
        }
        let message = match partial.map(|partial| partial.kind) {
            Some(Kind::Text) => {
                Message::Text(String::from_utf8(payload).map_err(|_| Violation::BadText)?)
            }
            Some(Kind::Binary) | None => Message::Binary(Bytes::from(payload)),
        };
        Ok(Some(Decoded::Message(message)))
    }
}

fn is_control(code: u8) -> bool {
    code & opcode::CLOSE != 0
}

fn check_second(first: u8, second: u8) -> Result<(), Violation> {
    if second & MASKED == 0 {
        return Err(Violation::Protocol("client frame without mask"));
    }
    if is_control(first & OPCODE_BITS) && usize::from(second & !MASKED) > CONTROL_BYTES_MAX {
        return Err(Violation::Protocol("control frame above 125 bytes"));
    }
    Ok(())
}

fn close_payload(payload: &[u8]) -> Result<Option<CloseFrame>, Violation> {
    let (code, reason) = match payload {
        [] => return Ok(None),
        [_] => return Err(Violation::Protocol("close frame of one byte")),
        [a, b, reason @ ..] => (u16::from_be_bytes([*a, *b]), reason),
    };
    // RFC 6455, section 7.4, and IANA's registry: 1004-1006 and 1015 never stand in a frame.
    match code {
        1000..=1003 | 1007..=1014 | 3000..=4999 => {}
        _ => return Err(Violation::Protocol("close code that may not be sent")),
    }
    let reason = std::str::from_utf8(reason)
        .map_err(|_| Violation::BadText)?
        .to_owned();
    Ok(Some(CloseFrame { code, reason }))
}
