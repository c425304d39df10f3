//! The floor's sockets: what each has not read to its end, and what it could not take at once.
//!
//! Nothing is buffered unless the kernel is full. A connection lives until its socket fails, or
//! falls [`BACKLOG_BYTES_MAX`] behind.

use std::io::Write as _;
use std::net::TcpStream;

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fd::OwnedFd;

/// Bytes that may wait for one socket: as many as the server's own clients may be behind.
const BACKLOG_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One socket.
pub(super) struct Connection {
    pub(super) stream: TcpStream,
    /// Whether hands were shaken.
    pub(super) is_open: bool,
    /// The beginning of a frame.
    pub(super) tail: Vec<u8>,
    /// What waits to be written.
    pub(super) backlog: Vec<u8>,
    /// The rooms that it hears.
    pub(super) rooms: Vec<usize>,
    /// Whether the kernel took less than it was given, and has not yet said that it has room.
    is_full: bool,
    /// Whether it was asked to say so.
    is_armed: bool,
}

/// All sockets, by their places.
pub(super) struct Crowd {
    pub(super) epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    /// Empty places.
    free: Vec<usize>,
    /// Who has failed.
    gone: Vec<usize>,
}

impl Connection {
    /// Writes the backlog and then `bytes`, in one call; keeps what the kernel does not take.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if !self.backlog.is_empty() {
            self.backlog.extend_from_slice(bytes);
            if self.backlog.len() > BACKLOG_BYTES_MAX {
                return Err(std::io::ErrorKind::OutOfMemory.into());
            }
            if self.is_full {
                return Ok(());
            }
            let count = taken(self.stream.write(&self.backlog))?;
            self.backlog.drain(..count);
        } else if !bytes.is_empty() {
            let count = taken(self.stream.write(bytes))?;
            self.backlog.extend_from_slice(&bytes[count..]);
        }
        self.is_full = !self.backlog.is_empty();
        Ok(())
    }
}

/// How many bytes the kernel took: none if it is full.
fn taken(written: std::io::Result<usize>) -> std::io::Result<usize> {
    match written {
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(0),
        written => written,
    }
}

impl Crowd {
    /// Nobody, beside what `epoll` watches already.
    pub(super) fn new(epoll: OwnedFd) -> Self {
        Self {
            epoll,
            connections: Vec::new(),
            free: Vec::new(),
            gone: Vec::new(),
        }
    }

    /// Takes a socket in.
    ///
    /// # Errors
    /// It cannot be watched.
    pub(super) fn add(&mut self, stream: TcpStream) -> std::io::Result<()> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let data = EventData::new_u64(place as u64);
        epoll::add(&self.epoll, &stream, data, EventFlags::IN)?;
        self.connections[place] = Some(Connection {
            stream,
            is_open: false,
            tail: Vec::new(),
            backlog: Vec::new(),
            rooms: Vec::new(),
            is_full: false,
            is_armed: false,
        });
        Ok(())
    }

    /// Takes a connection out of its place, to be put back.
    pub(super) fn take(&mut self, place: usize) -> Option<Connection> {
        self.connections.get_mut(place)?.take()
    }

    /// Puts it back.
    pub(super) fn put(&mut self, place: usize, connection: Connection) {
        self.connections[place] = Some(connection);
    }

    /// Appends to what waits for a socket, to be written with the next bytes.
    pub(super) fn prepare(&mut self, place: usize, write: impl FnOnce(&mut Vec<u8>)) {
        if let Some(Some(connection)) = self.connections.get_mut(place) {
            write(&mut connection.backlog);
        }
    }

    /// Writes what waits for a socket and then `bytes`, in one call.
    pub(super) fn write(&mut self, place: usize, bytes: &[u8]) {
        let Some(Some(connection)) = self.connections.get_mut(place) else {
            return;
        };
        let written = connection.write(bytes);
        let watched = if connection.is_full == connection.is_armed {
            Ok(())
        } else {
            connection.is_armed = connection.is_full;
            let flags = if connection.is_armed {
                EventFlags::IN | EventFlags::OUT
            } else {
                EventFlags::IN
            };
            let data = EventData::new_u64(place as u64);
            epoll::modify(&self.epoll, &connection.stream, data, flags)
        };
        if written.is_err() || watched.is_err() {
            self.gone.push(place);
        }
    }

    /// The kernel has room for this socket again.
    pub(super) fn has_room(&mut self, place: usize) {
        if let Some(Some(connection)) = self.connections.get_mut(place) {
            connection.is_full = false;
        }
        self.write(place, &[]);
    }

    /// This one is to go.
    pub(super) fn dismiss(&mut self, place: usize) {
        self.gone.push(place);
    }

    /// Those who have gone since the last time, with the rooms that they heard; their sockets are
    /// closed.
    pub(super) fn sweep(&mut self) -> Vec<(usize, Vec<usize>)> {
        let mut swept = Vec::new();
        for place in std::mem::take(&mut self.gone) {
            // Somebody may have failed twice.
            if let Some(connection) = self.take(place) {
                self.free.push(place);
                swept.push((place, connection.rooms));
            }
        }
        swept
    }
}
