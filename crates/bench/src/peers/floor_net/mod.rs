//! What the kernel itself costs: bare epoll, one thread, bytes that are framed once.
//!
//! No protocol to speak of, no accounts, no order beyond that of arrival, and, unless durable,
//! nothing stored: no chat server on the same sockets can be much faster. It runs as a process of
//! its own, so that its processor time can be told from the load's, until it is killed.

mod connection;
pub(crate) mod words;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use connection::{Connection, Crowd};
use words::Wish;

/// Connections that may wait to be accepted.
const BACKLOG: i32 = 4_096;
/// Sockets looked at in one round.
const EVENTS_MAX: usize = 1_024;
/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;
/// Bytes of a row in the durable floor's file: about what a short message takes in a log.
const ROW_BYTES: usize = 150;
/// How the listener is called in an event.
const LISTENER: u64 = u64::MAX;

/// How the floor writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FloorMode {
    /// One write per socket and message.
    Each,
    /// One write per socket and round: everything that came meanwhile.
    Coalesced,
    /// As `coalesced`, but first the messages of the round are appended to a file and synced.
    Durable,
}

/// What the floor can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct FloorNetOptions {
    /// How to write
    #[arg(long, value_enum)]
    pub(crate) mode: FloorMode,
    /// Bytes of an event's payload
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) event_bytes: usize,
    /// Where the durable floor's file is made
    #[arg(long, value_name = "DIR", required_if_eq("mode", "durable"))]
    pub(crate) directory: Option<PathBuf>,
}

/// A room: who hears it, and what its members are to hear at the end of the round.
#[derive(Default)]
struct Room {
    members: Vec<usize>,
    pending: Vec<u8>,
    /// Where each frame of `pending` ends.
    ends: Vec<usize>,
}

/// The floor at work.
struct FloorNet {
    options: FloorNetOptions,
    listener: TcpListener,
    journal: Option<File>,
    crowd: Crowd,
    rooms: BTreeMap<usize, Room>,
    /// Rooms with something pending.
    dirty: Vec<usize>,
    /// Who is to be told that which message was taken, at the end of the round.
    acks: Vec<(usize, u64)>,
    events: Vec<epoll::Event>,
    /// What one socket had to say.
    scratch: Vec<u8>,
}

/// Serves until it is killed; prints its address first.
///
/// # Errors
/// No socket, or the durable floor's disk fails.
pub(crate) fn run(options: FloorNetOptions) -> anyhow::Result<()> {
    let listener = listen()?;
    let address = listener.local_addr()?;
    let mut floor = FloorNet::new(options, listener)?;
    crate::terminal::print(&format!("listening on http://{address}\n"));
    loop {
        floor.round(None)?;
    }
}

fn listen() -> anyhow::Result<TcpListener> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    rustix::net::bind(&socket, &SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(TcpListener::from(socket))
}

impl FloorNet {
    fn new(options: FloorNetOptions, listener: TcpListener) -> anyhow::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(
            &epoll,
            &listener,
            EventData::new_u64(LISTENER),
            EventFlags::IN,
        )?;
        let journal = match (&options.mode, &options.directory) {
            (FloorMode::Durable, Some(directory)) => {
                Some(tempfile::tempfile_in(directory).context("cannot make the floor's file")?)
            }
            _ => None,
        };
        Ok(Self {
            options,
            listener,
            journal,
            crowd: Crowd::new(epoll),
            rooms: BTreeMap::new(),
            dirty: Vec::new(),
            acks: Vec::new(),
            events: Vec::with_capacity(EVENTS_MAX),
            scratch: vec![0; READ_BYTES],
        })
    }

    /// Waits until a socket has something, at most so long, and does all that there is to do.
    fn round(&mut self, at_most: Option<&Timespec>) -> anyhow::Result<()> {
        self.events.clear();
        let spare = rustix::buffer::spare_capacity(&mut self.events);
        match epoll::wait(&self.crowd.epoll, spare, at_most) {
            Err(rustix::io::Errno::INTR) => return Ok(()),
            waited => waited.context("cannot wait for sockets")?,
        };
        let events = std::mem::take(&mut self.events);
        for event in &events {
            let (flags, place) = (event.flags, event.data.u64());
            if place == LISTENER {
                self.accept()?;
                continue;
            }
            let place = usize::try_from(place)?;
            if flags.contains(EventFlags::OUT) {
                self.crowd.has_room(place);
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                self.read(place);
            }
        }
        self.events = events;
        self.end_round()
    }

    /// Takes everybody who waits at the door.
    fn accept(&mut self) -> anyhow::Result<()> {
        // Anything but a connection means that nobody waits, or that one of them gave up; the
        // next round asks again.
        while let Ok((stream, _)) = self.listener.accept() {
            self.crowd.add(stream)?;
        }
        Ok(())
    }

    /// Reads what one socket has, and does what its client wants.
    fn read(&mut self, place: usize) {
        let Some(mut connection) = self.crowd.take(place) else {
            return;
        };
        let mut scratch = std::mem::take(&mut self.scratch);
        let stays = match connection.stream.read(&mut scratch) {
            Ok(0) => false,
            Ok(count) => {
                let mut bytes = std::mem::take(&mut connection.tail);
                // In place while nothing is left over from the last time: that is the rule.
                let taken = if bytes.is_empty() {
                    self.take_all(place, &mut connection, &mut scratch[..count])
                } else {
                    bytes.extend_from_slice(&scratch[..count]);
                    self.take_all(place, &mut connection, &mut bytes)
                };
                connection.tail = match (&taken, bytes.is_empty()) {
                    (Ok(taken), true) => scratch[*taken..count].to_vec(),
                    (Ok(taken), false) => bytes.split_off(*taken),
                    (Err(_), _) => Vec::new(),
                };
                taken.is_ok()
            }
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        };
        self.scratch = scratch;
        self.crowd.put(place, connection);
        if !stays {
            self.crowd.dismiss(place);
        }
        // Answers to a handshake and a `join` leave at once; acks go with what follows.
        self.crowd.write(place, &[]);
        if self.options.mode == FloorMode::Each {
            self.deliver();
        }
    }

    /// Takes every whole frame off `bytes`; returns how many bytes that were.
    fn take_all(
        &mut self,
        place: usize,
        connection: &mut Connection,
        bytes: &mut [u8],
    ) -> anyhow::Result<usize> {
        let mut taken = 0;
        if !connection.is_open {
            let Some((answer, count)) = words::accept(bytes)? else {
                return Ok(0);
            };
            connection.backlog.extend_from_slice(answer.as_bytes());
            connection.is_open = true;
            taken = count;
        }
        while let Some(frame) = words::first_frame(&mut bytes[taken..])? {
            let count = frame.bytes;
            match frame.wish()? {
                Wish::Join { room } => {
                    self.rooms.entry(room).or_default().members.push(place);
                    connection.rooms.push(room);
                    words::write_ready(&mut connection.backlog);
                }
                Wish::Send { room, number, text } => {
                    self.send(room, text);
                    self.acks.push((place, number));
                }
                Wish::Alive => {}
                Wish::Leave => anyhow::bail!("said goodbye"),
            }
            taken += count;
        }
        Ok(taken)
    }

    /// Frames a text once, for everybody in the room.
    fn send(&mut self, number: usize, text: &[u8]) {
        let bytes = self.options.event_bytes;
        let Some(room) = self.rooms.get_mut(&number) else {
            return;
        };
        if room.pending.is_empty() {
            self.dirty.push(number);
        }
        words::write_event(text, bytes, &mut room.pending);
        room.ends.push(room.pending.len());
    }

    /// Writes what is pending to everybody who is to hear it, the acks before.
    fn deliver(&mut self) {
        let Self { crowd, rooms, .. } = self;
        for &(place, number) in &self.acks {
            crowd.prepare(place, |backlog| words::write_ack(number, backlog));
        }
        for number in self.dirty.drain(..) {
            let Some(room) = rooms.get_mut(&number) else {
                continue;
            };
            if self.options.mode == FloorMode::Each {
                let mut begin = 0;
                for &end in &room.ends {
                    let frame = &room.pending[begin..end];
                    room.members.iter().for_each(|&at| crowd.write(at, frame));
                    begin = end;
                }
            } else {
                let frames = &room.pending;
                room.members.iter().for_each(|&at| crowd.write(at, frames));
            }
            room.pending.clear();
            room.ends.clear();
        }
        // Whoever is no member of the room they sent to has heard nothing yet.
        for (place, _) in self.acks.drain(..) {
            crowd.write(place, &[]);
        }
    }

    /// Syncs what came in this round, if that is asked for, and delivers it.
    fn end_round(&mut self) -> anyhow::Result<()> {
        if let Some(journal) = &mut self.journal
            && !self.acks.is_empty()
        {
            journal.write_all(&vec![b'x'; ROW_BYTES * self.acks.len()])?;
            journal.sync_data().context("the floor's disk failed")?;
        }
        self.deliver();
        for (place, rooms) in self.crowd.sweep() {
            for number in rooms {
                if let Some(room) = self.rooms.get_mut(&number) {
                    room.members.retain(|&member| member != place);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::time::Duration;

    use super::*;
    use crate::dialect::upgrade_request;
    use crate::swarm::frames::{TEXT, first_frame, write_frame};

    struct Client {
        stream: TcpStream,
        read: Vec<u8>,
    }

    /// Turns until `done` has found what it looks for.
    fn turn<T>(floor: &mut FloorNet, mut done: impl FnMut() -> Option<T>) -> T {
        let at_most = Timespec {
            tv_sec: 0,
            tv_nsec: 10_000_000,
        };
        for _round in 0..1_000 {
            if let Some(found) = done() {
                return found;
            }
            floor.round(Some(&at_most)).unwrap();
        }
        panic!("it never came");
    }

    impl Client {
        fn join(floor: &mut FloorNet, room: usize) -> Self {
            let stream = TcpStream::connect(floor.listener.local_addr().unwrap()).unwrap();
            let wait = Duration::from_millis(1);
            stream.set_read_timeout(Some(wait)).unwrap();
            let read = Vec::new();
            let mut client = Self { stream, read };
            let hands = upgrade_request("x", "/", None);
            client.stream.write_all(&hands).unwrap();
            let end = turn(floor, || {
                client.read_more();
                client.read.windows(4).position(|four| four == b"\r\n\r\n")
            });
            client.read.drain(..end + 4);
            client.say(&format!("join {room}"));
            assert_eq!(client.next(floor), "ready");
            client
        }

        fn say(&mut self, words: &str) {
            let mut frame = Vec::new();
            write_frame(TEXT, words.as_bytes(), [1, 2, 3, 4], &mut frame);
            self.stream.write_all(&frame).unwrap();
        }

        fn read_more(&mut self) {
            let mut some = [0; 1_024];
            // Nothing there yet: it is asked again.
            let count = self.stream.read(&mut some).unwrap_or(0);
            self.read.extend_from_slice(&some[..count]);
        }

        fn next(&mut self, floor: &mut FloorNet) -> String {
            let (text, bytes) = turn(floor, || {
                self.read_more();
                let frame = first_frame(&self.read).unwrap()?;
                let text = String::from_utf8(frame.payload.to_vec()).unwrap();
                Some((text, frame.bytes))
            });
            self.read.drain(..bytes);
            text
        }
    }

    /// Everybody in the room hears everything, the sender after its ack; nobody else does.
    fn check(mode: FloorMode) {
        let directory = tempfile::tempdir().unwrap();
        let options = FloorNetOptions {
            mode,
            event_bytes: 10,
            directory: Some(directory.path().to_owned()),
        };
        let mut floor = FloorNet::new(options, listen().unwrap()).unwrap();
        let mut clients = [1, 1, 2].map(|room| Client::join(&mut floor, room));
        for message in ["send 1 7 .. one", "send 1 8 .. two"] {
            clients[0].say(message);
        }
        clients[2].say("send 2 9 .. other");
        let mut heard = clients[0].next(&mut floor);
        for _more in 0..3 {
            heard = heard + " " + &clients[0].next(&mut floor);
        }
        assert!(
            [
                "ack 7 ack 8 .......one .......two",
                "ack 7 .......one ack 8 .......two"
            ]
            .contains(&heard.as_str()),
            "{mode:?}: {heard}"
        );
        assert_eq!(clients[1].next(&mut floor), ".......one", "{mode:?}");
        assert_eq!(clients[1].next(&mut floor), ".......two", "{mode:?}");
        assert_eq!(clients[2].next(&mut floor), "ack 9", "{mode:?}");
        assert_eq!(clients[2].next(&mut floor), ".....other", "{mode:?}");
        if let Some(journal) = &floor.journal {
            assert_eq!(journal.metadata().unwrap().len(), 3 * ROW_BYTES as u64);
        }
    }

    #[test]
    fn the_room_hears_and_the_sender_is_answered_first() {
        check(FloorMode::Each);
        check(FloorMode::Coalesced);
        check(FloorMode::Durable);
    }

    #[test]
    fn who_goes_is_forgotten() {
        let options = FloorNetOptions {
            mode: FloorMode::Each,
            event_bytes: 10,
            directory: None,
        };
        let mut floor = FloorNet::new(options, listen().unwrap()).unwrap();
        let mut stays = Client::join(&mut floor, 1);
        let goes = Client::join(&mut floor, 1);
        assert_eq!(floor.rooms[&1].members.len(), 2);
        drop(goes);
        stays.say("send 1 7 .. one");
        assert_eq!(stays.next(&mut floor), "ack 7");
        assert_eq!(stays.next(&mut floor), ".......one");
        stays.say("nonsense");
        for _round in 0..100 {
            if floor.rooms[&1].members.is_empty() {
                return;
            }
            let at_most = Timespec {
                tv_sec: 0,
                tv_nsec: 10_000_000,
            };
            floor.round(Some(&at_most)).unwrap();
        }
        panic!("{} are still there", floor.rooms[&1].members.len());
    }
}
