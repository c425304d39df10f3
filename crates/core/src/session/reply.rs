//! Frames that a session says by itself, beyond replies to what was stored.

use super::effect::Effect;
use crate::code::ErrorCode;
use crate::ids::Seq;
use crate::lanes::Lane;
use crate::limits;
use crate::rate::Rate;
use crate::wire::{PublicLimits, Req, ServerFrame};

pub(super) fn send(effects: &mut Vec<Effect>, frame: ServerFrame) {
    // `welcome` precedes `summary`, which travels in the message lane; both reach an empty
    // outbox in this order, because control goes first.
    effects.push(Effect::Send(Lane::Control, Box::new(frame)));
}

/// A refusal as a frame.
#[must_use]
pub fn refuse(req: Option<Req>, code: ErrorCode, message: &str) -> ServerFrame {
    ServerFrame::Error {
        req,
        code,
        message: message.to_owned(),
        field: None,
        retryable: code.retryable(),
        retry_after_ms: None,
        seq: None,
    }
}

pub(super) fn rate_limited(req: Req, wait_ms: u64) -> ServerFrame {
    let code = ErrorCode::RateLimited;
    ServerFrame::Error {
        req: Some(req),
        code,
        message: format!("too many at once: wait {wait_ms} ms"),
        field: None,
        retryable: code.retryable(),
        retry_after_ms: Some(wait_ms),
        seq: None,
    }
}

/// The refusal of a message that was to follow another one than the last, which is at `last`.
pub(super) fn not_last(req: Req, last: Seq) -> ServerFrame {
    let code = ErrorCode::NotLast;
    ServerFrame::Error {
        req: Some(req),
        code,
        message: format!("the last message of this room is #{}", last.0),
        field: None,
        retryable: code.retryable(),
        retry_after_ms: None,
        seq: Some(last),
    }
}

pub(super) fn public_limits(rate: Rate) -> PublicLimits {
    PublicLimits {
        text_bytes: limits::TEXT_BYTES_MAX as u64,
        frame_bytes: limits::FRAME_BYTES_MAX as u64,
        in_flight: limits::IN_FLIGHT_MAX as u64,
        open_rooms: limits::OPEN_ROOMS_MAX as u64,
        rate_per_second: u64::from(rate.thousandths_per_second.div_ceil(1_000)),
        rate_burst: u64::from(rate.burst),
    }
}
