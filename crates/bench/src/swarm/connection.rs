//! One socket of the swarm: what waits to be sent on it, and what came of it that is not whole.
//!
//! Costs a few hundred bytes while idle: it reads into the buffer that all share, and holds memory
//! of its own only for incomplete tails. Knows bytes and stages, not what they mean.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketFlags, SocketType, sockopt};

use super::frames::write_frame;

/// Bytes that may wait for a socket: a server that does not read for so long cannot keep up.
const UNSENT_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A tail that has given up its memory below this size is not worth keeping allocated.
const TAIL_BYTES_KEPT: usize = 512;
/// Users that share a source address. It has some 28,000 ports, but each connection that we end by
/// a FIN keeps its port for a minute, and the kernel's search for a free one becomes slow long
/// before none is left.
const USERS_PER_ADDRESS: usize = 250;
/// Source addresses at most: 127.0.0.1 and those after it.
const ADDRESSES_MAX: usize = 60_000;

/// How far a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// There is none.
    Away,
    /// TCP shakes hands.
    Connecting,
    /// The WebSocket is asked for.
    Upgrading,
    /// The user signs in.
    Greeting,
    /// Signed in.
    Ready,
}

/// How a connection ends from our side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// By a TCP reset, as when a process dies with unread bytes or a box forgets a connection.
    Reset,
    /// By a FIN without a close frame, as when a process is killed.
    End,
}

/// One socket. See the module.
pub(super) struct Connection {
    socket: Option<OwnedFd>,
    pub(super) stage: Stage,
    /// When it began to connect.
    pub(super) begun_ns: u64,
    /// The beginning of a frame, or of the answer to the handshake.
    pub(super) tail: Vec<u8>,
    unsent: Vec<u8>,
    /// Whether the swarm is told when there is room for `unsent`.
    pub(super) waits_for_room: bool,
    /// Whether something was queued since the last flush.
    pub(super) dirty: bool,
    /// Deliveries since the swarm was made.
    pub(super) received: u64,
    /// Masks differ from frame to frame; nobody here has a cache to protect by their randomness.
    mask: u32,
}

/// How an attempt to send ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sent {
    /// Nothing waits any more.
    All,
    /// The kernel has no room for the rest.
    Rest,
}

impl Connection {
    /// None yet.
    pub(super) fn away() -> Self {
        Self {
            socket: None,
            stage: Stage::Away,
            begun_ns: 0,
            tail: Vec::new(),
            unsent: Vec::new(),
            waits_for_room: false,
            dirty: false,
            received: 0,
            mask: 0x9e37_79b1,
        }
    }

    /// Begins to connect, from an address that fits the number of the user.
    ///
    /// # Errors
    /// No files or ports are left, or nobody answers there.
    pub(super) fn open(&mut self, to: SocketAddr, user: usize, now_ns: u64) -> anyhow::Result<()> {
        let family = if to.is_ipv4() {
            AddressFamily::INET
        } else {
            AddressFamily::INET6
        };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = net::socket_with(family, SocketType::STREAM, flags, None)
            .context("no socket: the limit of open files is too low for so many connections")?;
        if let Some(from) = source(to, user) {
            net::bind(&socket, &from).with_context(|| format!("no port is left on {from}"))?;
        }
        sockopt::set_tcp_nodelay(&socket, true)?;
        match net::connect(&socket, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot connect to {to}"));
            }
        }
        self.socket = Some(socket);
        self.stage = Stage::Connecting;
        self.begun_ns = now_ns;
        Ok(())
    }

    /// Its file, while there is one.
    pub(super) fn file(&self) -> Option<BorrowedFd<'_>> {
        self.socket.as_ref().map(|socket| socket.as_fd())
    }

    /// Why TCP did not come about, if it did not.
    pub(super) fn failure(&self) -> Option<Errno> {
        match sockopt::socket_error(self.file()?) {
            Ok(Ok(())) => None,
            Ok(Err(error)) | Err(error) => Some(error),
        }
    }

    /// Queues bytes as they are.
    pub(super) fn queue_raw(&mut self, bytes: &[u8]) {
        self.unsent.extend_from_slice(bytes);
    }

    /// Queues a frame.
    ///
    /// # Errors
    /// The server has not read for so long that too much waits.
    pub(super) fn queue(&mut self, opcode: u8, payload: &[u8]) -> anyhow::Result<()> {
        ensure!(
            self.unsent.len() + payload.len() <= UNSENT_BYTES_MAX,
            "the server does not read what is sent to it: {UNSENT_BYTES_MAX} bytes wait"
        );
        self.mask = self.mask.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        write_frame(opcode, payload, self.mask.to_ne_bytes(), &mut self.unsent);
        Ok(())
    }

    /// Sends what is queued, as far as there is room.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn send(&mut self) -> Result<Sent, Errno> {
        let Some(socket) = &self.socket else {
            return Err(Errno::NOTCONN);
        };
        let mut done = 0;
        let outcome = loop {
            if done == self.unsent.len() {
                break Ok(Sent::All);
            }
            match net::send(socket, &self.unsent[done..], net::SendFlags::NOSIGNAL) {
                Ok(count) => done += count,
                Err(Errno::AGAIN) => break Ok(Sent::Rest),
                Err(Errno::INTR) => {}
                Err(error) => break Err(error),
            }
        };
        self.unsent.drain(..done);
        outcome
    }

    /// Reads what is there behind the tail, all of it into `buffer`, and says how many bytes of
    /// `buffer` are filled, tail included; nothing if there is nothing yet.
    ///
    /// # Errors
    /// The connection is gone. Its end is [`Errno::CONNRESET`], like everything unasked.
    pub(super) fn read(&mut self, buffer: &mut Vec<u8>) -> Result<Option<usize>, Errno> {
        let Some(socket) = &self.socket else {
            return Err(Errno::NOTCONN);
        };
        let kept = self.tail.len();
        if buffer.len() < kept * 2 {
            buffer.resize(kept * 2, 0);
        }
        match rustix::io::read(socket, &mut buffer[kept..]) {
            Ok(0) => Err(Errno::CONNRESET),
            Ok(count) => {
                buffer[..kept].copy_from_slice(&self.tail);
                Ok(Some(kept + count))
            }
            Err(Errno::AGAIN | Errno::INTR) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Keeps what is not whole yet.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.tail.clear();
        if rest.is_empty() && self.tail.capacity() > TAIL_BYTES_KEPT {
            self.tail = Vec::new();
        }
        self.tail.extend_from_slice(rest);
    }

    /// Closes, in this way.
    pub(super) fn close(&mut self, cut: Cut) {
        if let Some(socket) = self.socket.take()
            && cut == Cut::Reset
        {
            // Refused: then it ends by a FIN, and the server sees an end all the same.
            let _refused = sockopt::set_socket_linger(&socket, Some(Duration::ZERO));
        }
        self.stage = Stage::Away;
        (self.tail, self.unsent) = (Vec::new(), Vec::new());
        self.waits_for_room = false;
        self.dirty = false;
    }
}

/// The address that this user comes from. Only this machine has several; elsewhere the system
/// chooses.
fn source(to: SocketAddr, user: usize) -> Option<SocketAddr> {
    let SocketAddr::V4(to) = to else { return None };
    if !to.ip().is_loopback() {
        return None;
    }
    let number = u32::try_from(user / USERS_PER_ADDRESS % ADDRESSES_MAX).ok()?;
    let address = Ipv4Addr::from_bits(Ipv4Addr::LOCALHOST.to_bits() + number);
    let address = IpAddr::V4(address);
    Some(SocketAddr::new(address, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_come_from_several_addresses_of_this_machine() {
        let here = "127.0.0.1:80".parse().unwrap();
        for (user, expected) in [
            (0, "127.0.0.1:0"),
            (249, "127.0.0.1:0"),
            (250, "127.0.0.2:0"),
            (18_999, "127.0.0.76:0"),
            (100_000, "127.0.1.145:0"),
        ] {
            assert_eq!(source(here, user).unwrap().to_string(), expected);
        }
        for elsewhere in ["192.0.2.1:80", "[::1]:80"] {
            assert_eq!(source(elsewhere.parse().unwrap(), 0), None);
        }
    }

    #[test]
    fn memory_of_a_tail_is_given_back() {
        let mut connection = Connection::away();
        connection.keep(&[7; 5_000]);
        assert_eq!(connection.tail.len(), 5_000);
        connection.keep(b"");
        assert_eq!(connection.tail.capacity(), 0);
    }

    #[test]
    fn a_server_that_does_not_read_is_noticed() {
        let mut connection = Connection::away();
        let payload = vec![b'x'; UNSENT_BYTES_MAX];
        connection
            .queue(super::super::frames::TEXT, &payload)
            .unwrap();
        assert!(
            connection
                .queue(super::super::frames::TEXT, b"more")
                .is_err()
        );
    }
}
