//! Which offer of permessage-deflate is taken (RFC 7692, sections 5 and 7.1).
//!
//! Only the answer is decided here; `deflate` does the work. Both sides forget their window after
//! each message: so a compressed event is the same bytes for everybody, and nothing is kept for an
//! idle socket.

const NAME: &str = "permessage-deflate";

/// What an accepted offer is answered with.
const ANSWER: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
/// The same, for an offer that speaks of our window: then the answer must, too (section 7.1.2.1).
const ANSWER_WITH_WINDOW: &str = "permessage-deflate; server_no_context_takeover; \
     client_no_context_takeover; server_max_window_bits=15";

/// The only window that frames are compressed with, as the base-2 logarithm of its bytes: a smaller
/// one for one client would be another frame than everybody else's.
const WINDOW_BITS: u8 = 15;
/// The smallest that the RFC knows.
const WINDOW_BITS_MIN: u8 = 8;

/// The answer to the first offer that can be taken, of all that `values` of
/// `Sec-WebSocket-Extensions` hold, in their order; `None`: no extension.
pub fn choose_offer<'a>(values: impl Iterator<Item = &'a str>) -> Option<&'static str> {
    values.flat_map(|value| value.split(',')).find_map(answer)
}

/// What is known of an offer's parameters.
#[derive(Default)]
struct Seen {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: bool,
    client_max_window_bits: bool,
}

/// The answer to one offer, if it can be taken. Section 7.1: a parameter that is unknown, stands
/// there twice, or has a value that it may not have, declines the offer.
fn answer(offer: &str) -> Option<&'static str> {
    let mut parts = offer.split(';').map(str::trim);
    if parts.next() != Some(NAME) {
        return None;
    }
    let mut seen = Seen::default();
    for part in parts {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquoted(value.trim_start())?)),
            None => (part, None),
        };
        let (slot, fits) = match name {
            "server_no_context_takeover" => (&mut seen.server_no_context_takeover, value.is_none()),
            "client_no_context_takeover" => (&mut seen.client_no_context_takeover, value.is_none()),
            "server_max_window_bits" => (
                &mut seen.server_max_window_bits,
                value.and_then(window_bits) == Some(WINDOW_BITS),
            ),
            // A promise, or a question that needs no answer: 15 is what we can read.
            "client_max_window_bits" => (
                &mut seen.client_max_window_bits,
                value.is_none_or(|value| window_bits(value).is_some()),
            ),
            _ => return None,
        };
        if !fits || std::mem::replace(slot, true) {
            return None;
        }
    }
    Some(if seen.server_max_window_bits {
        ANSWER_WITH_WINDOW
    } else {
        ANSWER
    })
}

/// A value without the quotes that it may have (RFC 6455, section 9.1); `None` if only one is there.
fn unquoted(value: &str) -> Option<&str> {
    match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"'),
        None => Some(value),
    }
}

/// A decimal number of 8 to 15 without leading zeros.
fn window_bits(text: &str) -> Option<u8> {
    let is_written_right = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let bits = text.parse().ok()?;
    (is_written_right && (WINDOW_BITS_MIN..=WINDOW_BITS).contains(&bits)).then_some(bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_taken_or_passed_over() {
        let (taken, windowed) = (Some(ANSWER), Some(ANSWER_WITH_WINDOW));
        for (offers, expected) in [
            ("permessage-deflate", taken),
            ("permessage-deflate; client_max_window_bits", taken),
            ("permessage-deflate; client_max_window_bits=8", taken),
            ("permessage-deflate; client_max_window_bits=\"15\"", taken),
            (
                "permessage-deflate;server_no_context_takeover;client_no_context_takeover",
                taken,
            ),
            ("permessage-deflate; server_max_window_bits=15", windowed),
            (
                "permessage-deflate ; server_max_window_bits = \"15\"",
                windowed,
            ),
            ("", None),
            ("x-webkit-deflate-frame", None),
            ("permessage-bzip2, permessage-deflate", taken),
            // A window of ours that is too small, then the client's second choice.
            ("permessage-deflate; server_max_window_bits=10", None),
            (
                "permessage-deflate; server_max_window_bits=8, permessage-deflate",
                taken,
            ),
            // Values that may not be.
            ("permessage-deflate; server_max_window_bits", None),
            ("permessage-deflate; server_max_window_bits=", None),
            ("permessage-deflate; server_max_window_bits=16", None),
            ("permessage-deflate; server_max_window_bits=015", None),
            ("permessage-deflate; server_max_window_bits=+15", None),
            ("permessage-deflate; server_max_window_bits=\"15", None),
            ("permessage-deflate; client_max_window_bits=7", None),
            ("permessage-deflate; client_max_window_bits=x", None),
            ("permessage-deflate; client_max_window_bits=\"\"", None),
            ("permessage-deflate; server_no_context_takeover=1", None),
            ("permessage-deflate; client_no_context_takeover=\"\"", None),
            // Unknown, doubled, or not there.
            ("permessage-deflate; mux", None),
            ("permessage-deflate;", None),
            ("permessage-deflate; ; client_max_window_bits", None),
            (
                "permessage-deflate; client_max_window_bits; client_max_window_bits=9",
                None,
            ),
            (
                "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
                None,
            ),
        ] {
            assert_eq!(choose_offer([offers].into_iter()), expected, "{offers}");
        }
    }

    #[test]
    fn offers_may_stand_in_several_headers() {
        let values = [
            "permessage-deflate; server_max_window_bits=9",
            "other, permessage-deflate",
        ];
        assert_eq!(choose_offer(values.into_iter()), Some(ANSWER));
    }
}
