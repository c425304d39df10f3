//! How the peers and floors are spoken to, so that one and the same loop loads all of them.
//!
//! Each pads its texts until a delivery is as long as that of Chinwag, so that nobody wins by
//! shorter words. They know no time and open no socket.

pub(crate) mod floor;
pub(crate) mod socketio;
pub(crate) mod ws;
pub(crate) mod xmpp;

/// The room with this number, named as long as Chinwag names its rooms.
fn room_name(room: usize) -> String {
    format!("r_{room:026}")
}

/// The key of a message, as long as that of Chinwag, and never used twice by anybody of this run.
fn key(run: u32, user: usize, number: u64) -> String {
    format!("k_{:06x}{user:07}{number:013}", run & 0xff_ffff)
}

/// Appends `text`, with so much before it that a delivery without any text, which takes `bare`
/// bytes, becomes one of `bytes`.
fn push_padded(text: &str, bare: usize, bytes: usize, to: &mut Vec<u8>) {
    let filling = bytes.saturating_sub(bare + text.len());
    to.resize(to.len() + filling, b'.');
    to.extend_from_slice(text.as_bytes());
}

/// The number that `bytes` begins with.
fn leading_number(bytes: &[u8]) -> Option<u64> {
    crate::swarm::stamp::leading_number(bytes).map(|(number, _)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_long_as_ids() {
        assert_eq!(room_name(7).len(), 28);
        assert_eq!(key(u32::MAX, 9_999_999, 7).len(), 28);
        assert_ne!(key(1, 2, 3), key(1, 23, 3));
    }

    #[test]
    fn texts_are_padded_from_the_front() {
        for (bare, bytes, expected) in [(10, 20, "......text"), (10, 14, "text"), (10, 3, "text")] {
            let mut padded = Vec::new();
            push_padded("text", bare, bytes, &mut padded);
            assert_eq!(padded, expected.as_bytes(), "{bare} {bytes}");
        }
    }
}
