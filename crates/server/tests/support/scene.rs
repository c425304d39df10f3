//! People, rooms and the clients in them, whatever becomes of the server that they talk to.
//!
//! Not here: starting and ending servers; the test that uses a scene does. A scene ends its clients with it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use chinwag_core::ids::{Key, RoomId};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{ClientFrame, ServerFrame};

use crate::client::{Manner, Seat, Stage};
use crate::dice::Dice;
use crate::history::History;
use crate::oracle::{self, Findings, Logs};
use crate::server::{self, Account};
use crate::socket::{Socket, read_log};

const PEOPLE: usize = 4;
const ROOMS: usize = 3;
/// For everything that a healthy server does in a second or two.
const PATIENCE: Duration = Duration::from_secs(30);

/// The clients of a test.
pub(crate) struct Scene {
    pub(crate) stage: Arc<Stage>,
    pub(crate) seats: Vec<Arc<Seat>>,
    people: Vec<Account>,
    rooms: Vec<RoomId>,
}

impl Scene {
    /// Makes accounts and rooms on a server, and starts one client per window (0 only listens). They write from
    /// now on, with pauses of at most `pause_us` microseconds.
    pub(crate) fn new(
        address: SocketAddr,
        windows: &[usize],
        pause_us: usize,
        dice: &mut Dice,
    ) -> Self {
        let stage = Arc::new(Stage::default());
        let (people, rooms) = furnish(address);
        let seat = |(index, window): (usize, &usize)| {
            let manner = Manner {
                window: *window,
                pause_us,
                seed: dice.next(),
            };
            Seat::take(&stage, &people[index % PEOPLE], &rooms, manner)
        };
        let seats = windows.iter().enumerate().map(seat).collect();
        let scene = Self {
            stage,
            seats,
            people,
            rooms,
        };
        scene.open(address);
        scene
    }

    /// Tells the clients where the server is now.
    pub(crate) fn open(&self, address: SocketAddr) {
        *self.stage.address.lock().expect("no client panics with it") = Some(address);
        self.stage.load.store(true, SeqCst);
    }

    /// Whether so many more sends were acknowledged before patience ended.
    pub(crate) fn wait_for_acks(&self, count: u64) -> bool {
        let (before, end) = (self.stage.acked.load(SeqCst), Instant::now() + PATIENCE);
        while self.stage.acked.load(SeqCst) < before + count {
            if Instant::now() >= end {
                return false;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        true
    }

    /// Lets everything come to rest, reads all logs through the protocol, and judges. The clients stay silent.
    pub(crate) fn compare(&self) -> Findings {
        self.stage.load.store(false, SeqCst);
        let is_settled = self.settle();
        let address = self
            .stage
            .address
            .lock()
            .expect("no client panics with it")
            .expect("a server runs");
        let mut logs = self
            .people
            .iter()
            .map(|person| read_logs(address, person, &self.rooms));
        let whole = logs.next().expect("there are people");
        let others: Vec<Logs> = logs.collect();
        self.with_histories(|histories| {
            let mut findings = oracle::judge(histories, &whole, is_settled);
            for other in &others {
                oracle::compare(&whole, other, &mut findings);
            }
            if !is_settled {
                findings.unsettled();
            }
            findings
        })
    }

    /// Hands the notes of all clients, which stand still meanwhile, to `work`.
    pub(crate) fn with_histories<T>(&self, work: impl FnOnce(&[&History]) -> T) -> T {
        let notes: Vec<_> = self.seats.iter().map(|seat| seat.notes()).collect();
        let histories: Vec<&History> = notes.iter().map(|notes| &**notes).collect();
        work(&histories)
    }

    /// Ends the clients; a panic of one of them is a panic here.
    pub(crate) fn leave(&self) {
        self.stage.end.store(true, SeqCst);
        self.seats.iter().for_each(|seat| seat.leave());
    }

    /// Whether all clients have everything, and nothing waits, before patience ends.
    fn settle(&self) -> bool {
        let end = Instant::now() + PATIENCE;
        // Twice: the second round begins when nobody writes any more.
        for _ in 0..2 {
            let round = self.stage.round.fetch_add(1, SeqCst) + 1;
            while self
                .seats
                .iter()
                .any(|seat| seat.settled.load(SeqCst) < round)
            {
                if Instant::now() >= end {
                    return false;
                }
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        true
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // A test that fails must not leave clients knocking at a door that is gone.
        self.stage.end.store(true, SeqCst);
    }
}

/// The key under which [`furnish`] makes its request of that number: never more than 255 of them.
pub(crate) fn furnishing_key(req: u64) -> Option<Key> {
    u8::try_from(req).ok().map(|number| Key([number; 16]))
}

/// Makes people, and rooms with all of them in.
fn furnish(address: SocketAddr) -> (Vec<Account>, Vec<RoomId>) {
    let people: Vec<Account> = (0..PEOPLE)
        .map(|number| server::register(address, &format!("person {number}")))
        .collect();
    let mut socket = Socket::connect(address).expect("the server serves");
    socket.hello(&people[0].token).expect("the server serves");
    let mut req = 0;
    let mut ask = |command: &dyn Fn(u64, Key) -> ClientFrame| {
        req += 1;
        let key = furnishing_key(req).expect("few rooms and people");
        match socket.ask(req, &command(req, key)) {
            Ok(ServerFrame::Ack { room, .. }) => room,
            other => panic!("the rooms cannot be furnished: {other:?}"),
        }
    };
    let mut rooms = Vec::new();
    for number in 0..ROOMS {
        let name = format!("room {number}");
        let room = ask(&|req, key| ClientFrame::Create {
            req,
            key,
            kind: RoomKind::Group,
            name: name.clone(),
            history: None,
        });
        for person in &people[1..] {
            ask(&|req, key| ClientFrame::Add {
                req,
                key,
                room,
                user: person.user,
            });
        }
        rooms.push(room);
    }
    (people, rooms)
}

/// All logs as one person may read them.
fn read_logs(address: SocketAddr, person: &Account, rooms: &[RoomId]) -> Logs {
    let mut socket = Socket::connect(address).expect("the server serves");
    socket.hello(&person.token).expect("the server serves");
    rooms
        .iter()
        .map(|room| {
            (
                *room,
                read_log(&mut socket, *room).expect("the server serves"),
            )
        })
        .collect()
}
