//! How one kind of server is spoken to, so that the very same loop can load different servers.
//!
//! A dialect turns wishes into payloads and payloads into meanings. It opens no socket and knows
//! no time; one value serves all users of a swarm.

/// What a payload from the server means to the user who got it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Heard {
    /// This user is signed in, in their rooms, and has all they missed.
    Ready,
    /// One message of the load. Its stamp ends `behind` bytes before the end of the payload.
    Delivery {
        /// Bytes behind the stamp.
        behind: usize,
    },
    /// As [`Heard::Delivery`], of the message that this user sent with this number: for servers
    /// that do not acknowledge, it stands for the ack.
    Echo {
        /// The number.
        number: u64,
        /// Bytes behind the stamp.
        behind: usize,
    },
    /// The command with this number is done.
    Ack(u64),
    /// Nothing good: what makes the figures untrue.
    Refused(String),
    /// Nothing to count.
    Other,
}

/// How one kind of server is spoken to: text frames over a WebSocket.
pub(crate) trait Dialect {
    /// The HTTP request that opens the WebSocket of this user.
    fn handshake(&mut self, user: usize) -> Vec<u8>;

    /// Payloads to send right after the 101: the greeting, the rooms.
    fn greet(&mut self, user: usize) -> Vec<Vec<u8>>;

    /// What a text from the server means. May answer at once: a pong, the next step of a login.
    ///
    /// Called for every delivery, so it costs as little as it can.
    fn heard(&mut self, user: usize, payload: &[u8], answers: &mut Vec<Vec<u8>>) -> Heard;

    /// Appends the payload of the message with this number of this user to this room. `text` is
    /// to arrive byte for byte; it needs no escaping in JSON.
    fn message(&mut self, user: usize, room: usize, number: u64, text: &str, to: &mut Vec<u8>);
}

/// A plain handshake (RFC 6455, section 4.1), for a dialect to begin with.
pub(crate) fn upgrade_request(host: &str, path: &str, protocol: Option<&str>) -> Vec<u8> {
    // The nonce protects from caches that do not know what a WebSocket is; on the way to a server
    // under test there is none, so all users may share one.
    let mut request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: Y2hpbndhZy1iZW5jaC4uLg==\r\n"
    );
    if let Some(protocol) = protocol {
        request.push_str("Sec-WebSocket-Protocol: ");
        request.push_str(protocol);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    request.into_bytes()
}
