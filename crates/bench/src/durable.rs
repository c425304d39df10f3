//! The canonical scenario: senders who wait for their ack, in rooms whose members all listen.
//!
//! Closed loop: a sender has one message under way, so the figures are those of a server that is
//! busy and not of one that is buried. Besides the two headline numbers it proves that every
//! member received every acknowledged message once; a run that cannot prove it fails.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use chinwag_core::wire::{ClientFrame, ServerFrame};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::DurableOptions;
use crate::client::Heard;
use crate::floor;
use crate::issuer::Issuer;
use crate::machine::{self, Machine};
use crate::publish::publish;
use crate::report::{Headline, Latencies, Pair, Report, Served};
use crate::room::{Door, Member, Room};
use crate::server::{self, Server};
use crate::terminal::{print, progress};

/// Before a measurement, so that caches are filled and rooms known.
const WARM_UP: Duration = Duration::from_secs(2);
/// The floor's measurement: it needs no warming up, and scatters little.
const FLOOR: Duration = Duration::from_secs(3);
/// Until the last acknowledged message has reached everybody.
const DRAIN: Duration = Duration::from_secs(15);
/// People who sign in at the same time.
const AT_ONCE: usize = 64;
/// Bytes of a text: a sentence.
const TEXT_BYTES: usize = 100;
/// Files besides the sockets.
const OTHER_FILES: u64 = 64;

/// Runs the scenario and prints its report.
///
/// # Errors
/// Anything that keeps the figures from being true.
pub(crate) async fn run(options: &DurableOptions) -> anyhow::Result<()> {
    let (rooms, members) = (options.rooms as usize, options.members as usize);
    let people = rooms * members;
    ensure!(
        options.senders as usize <= people,
        "{} senders need at least as many members: there are {people}",
        options.senders
    );
    let files = machine::raise_file_limit();
    ensure!(
        people as u64 + OTHER_FILES <= files,
        "{people} sockets need more than {files} open files: raise the limit with `ulimit -n`"
    );
    let machine = Machine::here();
    let (server, door) = match (&options.url, &options.secret_file) {
        (Some(url), Some(secret)) => (
            None,
            door(elsewhere(url).await?, Issuer::from_file(secret)?),
        ),
        _ => {
            let server = start(options, people).await?;
            let issuer = Issuer::from_file(&server.secret_file())?;
            let here = (server.address, server::PATH.to_owned());
            (Some(server), door(here, issuer))
        }
    };
    progress(&format!(
        "{people} people sign in, {rooms} rooms of {members} are made"
    ));
    let mut world = gather(door, rooms, members).await?;
    let mut pairs = Vec::new();
    for number in 1..=options.pairs {
        let pair = measure(options, &mut world, server.as_ref()).await?;
        progress(&format!(
            "pair {number} of {}: {:.0} acks a second, p99 {:.1} ms; the disk alone {:.0}",
            options.pairs,
            pair.served.acks_per_second,
            pair.served.latency.p99_ms,
            pair.floor.map_or(f64::NAN, |floor| floor.acks_per_second),
        ));
        pairs.push(pair);
    }
    drop(world);
    if let Some(server) = server {
        server.stop().await?;
    }
    let report = report(options, machine, pairs);
    let shown = if options.json {
        report.to_json()
    } else {
        report.to_text()
    };
    print(&shown);
    match &options.publish {
        Some(document) => publish(document, report.scenario, &report.to_text()),
        None => Ok(()),
    }
}

fn door((address, path): (SocketAddr, String), issuer: Issuer) -> Arc<Door> {
    Arc::new(Door {
        address,
        path,
        issuer,
        at_once: Semaphore::new(AT_ONCE),
    })
}

async fn start(options: &DurableOptions, people: usize) -> anyhow::Result<Server> {
    let program = server::program()?;
    let beside = program.parent().context("a program lies in a directory")?;
    let parent = options.directory.as_deref().unwrap_or(beside);
    ensure!(
        !machine::is_in_memory(parent),
        "{} lies in memory, where nothing is durable: name another --directory",
        parent.display()
    );
    let server = Server::start(&program, parent, people).await?;
    progress(&format!("started: {}", server.command));
    Ok(server)
}

/// Address and path of a `ws://` URL.
async fn elsewhere(url: &str) -> anyhow::Result<(SocketAddr, String)> {
    let rest = url
        .strip_prefix("ws://")
        .context("--url begins with ws://")?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, "ws"));
    let mut found = tokio::net::lookup_host(host)
        .await
        .with_context(|| format!("{host} is no host with a port"))?;
    let address = found.next().with_context(|| format!("nothing at {host}"))?;
    Ok((address, format!("/{path}")))
}

async fn gather(door: Arc<Door>, rooms: usize, members: usize) -> anyhow::Result<Vec<Room>> {
    let mut gathering = JoinSet::new();
    for room in 0..rooms {
        gathering.spawn(Room::gather(door.clone(), room * members, members));
    }
    let mut world = Vec::with_capacity(rooms);
    while let Some(room) = gathering.join_next().await {
        world.push(room??);
    }
    Ok(world)
}

/// What all are doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    WarmUp,
    Measuring,
    /// Nobody sends anything more.
    Ending,
    /// Nobody waits for an ack any more.
    Draining,
}

/// What one member saw.
struct Tally {
    latencies: Latencies,
    /// Events while measuring.
    deliveries: u64,
    /// Events since the beginning.
    received: u64,
}

/// A member at work.
struct Worker {
    member: Member,
    room: chinwag_core::ids::RoomId,
    /// Messages of the room that were acknowledged in this measurement.
    acked: Arc<AtomicU64>,
    phase: watch::Receiver<Phase>,
    tally: Tally,
}

async fn measure(
    options: &DurableOptions,
    world: &mut Vec<Room>,
    server: Option<&Server>,
) -> anyhow::Result<Pair> {
    let floor = match server {
        Some(server) => {
            let writers = options.senders as usize;
            Some(floor::measure(server.directory(), writers, FLOOR).await?)
        }
        None => None,
    };
    let (phase, phases) = watch::channel(Phase::WarmUp);
    // Dropped by each sender after its last ack.
    let (busy, mut all_done) = mpsc::channel::<()>(1);
    let mut working = JoinSet::new();
    let rooms = world.len();
    for (at, room) in world.drain(..).enumerate() {
        // Sender k is in room k modulo the number of rooms.
        let senders = (options.senders as usize + rooms - 1 - at) / rooms;
        working.spawn(work(room, senders, phases.clone(), busy.clone()));
    }
    drop((busy, phases));
    sleep(WARM_UP).await;
    let process = server.and_then(Server::process);
    let cpu = || {
        (
            process.as_deref().and_then(machine::cpu_seconds),
            machine::cpu_seconds("self"),
        )
    };
    let (begun, before) = (Instant::now(), cpu());
    phase.send_replace(Phase::Measuring);
    sleep(Duration::from_secs(options.seconds)).await;
    phase.send_replace(Phase::Ending);
    let (seconds, after) = (begun.elapsed().as_secs_f64(), cpu());
    let last_acks = timeout(DRAIN, all_done.recv()).await;
    phase.send_replace(Phase::Draining);
    let mut latencies = Latencies::new();
    let mut deliveries = 0;
    while let Some(done) = working.join_next().await {
        let (room, tallies) = done??;
        for tally in tallies {
            latencies.add(&tally.latencies);
            deliveries += tally.deliveries;
        }
        world.push(room);
    }
    last_acks.context("some sends were never answered")?;
    let busy = |after: Option<f64>, before: Option<f64>| Some((after? - before?) / seconds);
    Ok(Pair {
        floor,
        served: Served {
            acks_per_second: latencies.count() as f64 / seconds,
            deliveries_per_second: deliveries as f64 / seconds,
            latency: latencies.summary(),
            server_processors: busy(after.0, before.0),
            bench_processors: busy(after.1, before.1),
        },
    })
}

/// Lets the members of a room work, the first `senders` of them as senders.
async fn work(
    room: Room,
    senders: usize,
    phase: watch::Receiver<Phase>,
    busy: mpsc::Sender<()>,
) -> anyhow::Result<(Room, Vec<Tally>)> {
    let acked = Arc::new(AtomicU64::new(0));
    let mut working = JoinSet::new();
    for (at, member) in room.members.into_iter().enumerate() {
        let worker = Worker {
            member,
            room: room.id,
            acked: acked.clone(),
            phase: phase.clone(),
            tally: Tally {
                latencies: Latencies::new(),
                deliveries: 0,
                received: 0,
            },
        };
        working.spawn(worker.run((at < senders).then(|| busy.clone())));
    }
    drop(busy);
    let (mut members, mut tallies) = (Vec::new(), Vec::new());
    while let Some(done) = working.join_next().await {
        let (member, tally) = done??;
        members.push(member);
        tallies.push(tally);
    }
    let id = room.id;
    Ok((Room { id, members }, tallies))
}

impl Worker {
    async fn run(mut self, busy: Option<mpsc::Sender<()>>) -> anyhow::Result<(Member, Tally)> {
        if let Some(busy) = busy {
            let text = "x".repeat(TEXT_BYTES);
            while matches!(self.phase(), Phase::WarmUp | Phase::Measuring) {
                self.send(&text).await?;
            }
            drop(busy);
        }
        self.listen().await?;
        let expected = self.acked.load(Ordering::Acquire);
        let all = timeout(DRAIN, self.receive(expected)).await;
        let received = self.tally.received;
        all.with_context(|| format!("{received} of {expected} messages came to a member"))??;
        ensure!(
            received == expected,
            "{received} messages came to a member of a room with {expected}"
        );
        Ok((self.member, self.tally))
    }

    fn phase(&self) -> Phase {
        *self.phase.borrow()
    }

    /// Sends a message and waits for its ack.
    async fn send(&mut self, text: &str) -> anyhow::Result<()> {
        let wanted = self.member.next_req();
        let frame = ClientFrame::Send {
            req: wanted,
            key: self.member.keys.next(),
            room: self.room,
            text: text.to_owned(),
        };
        let begun = Instant::now();
        self.member.socket.send(&frame).await?;
        loop {
            match self.member.socket.next().await? {
                Heard::Event => self.count(),
                Heard::Frame(frame) => match *frame {
                    ServerFrame::Ack { req, .. } if req == wanted => break,
                    other => unexpected(&other)?,
                },
            }
        }
        let latency = begun.elapsed();
        self.acked.fetch_add(1, Ordering::Release);
        if self.phase() == Phase::Measuring {
            self.tally.latencies.record(latency);
        }
        Ok(())
    }

    /// Listens until nobody waits for an ack any more.
    async fn listen(&mut self) -> anyhow::Result<()> {
        while self.phase() != Phase::Draining {
            tokio::select! {
                heard = self.member.socket.next() => match heard? {
                    Heard::Event => self.count(),
                    Heard::Frame(frame) => unexpected(&frame)?,
                },
                changed = self.phase.changed() => changed.context("the run was given up")?,
            }
        }
        Ok(())
    }

    /// Waits for the rest of so many messages.
    async fn receive(&mut self, expected: u64) -> anyhow::Result<()> {
        while self.tally.received < expected {
            match self.member.socket.next().await? {
                Heard::Event => self.count(),
                Heard::Frame(frame) => unexpected(&frame)?,
            }
        }
        Ok(())
    }

    fn count(&mut self) {
        self.tally.received += 1;
        if self.phase() == Phase::Measuring {
            self.tally.deliveries += 1;
        }
    }
}

/// Refuses what makes the figures untrue.
fn unexpected(frame: &ServerFrame) -> anyhow::Result<()> {
    match frame {
        ServerFrame::Error { code, message, .. } => bail!("refused, {code:?}: {message}"),
        ServerFrame::Behind {} => bail!("a member fell behind: the load generator is too slow"),
        ServerFrame::Reconnect { .. } => bail!("the server stops"),
        _ => Ok(()),
    }
}

fn report(options: &DurableOptions, machine: Machine, pairs: Vec<Pair>) -> Report {
    let DurableOptions {
        senders,
        rooms,
        members,
        seconds,
        ..
    } = options;
    let mut notes = vec![
        "Server, load generator and clients share these processors. Other work on the machine \
         shows in every figure but the processor time for each ack: where the two CPU columns do \
         not add up to all processors, the server was waiting for its turn."
            .to_owned(),
    ];
    if cfg!(debug_assertions) {
        notes.push("A debug build: these figures mean nothing.".to_owned());
    }
    Report {
        scenario: "durable",
        headline: Headline::of(&pairs),
        load: format!(
            "{senders} senders, each waiting for its ack, in {rooms} rooms of {members} connected \
             members; texts of {TEXT_BYTES} bytes; {} measurements of {seconds} s",
            pairs.len()
        ),
        command: format!(
            "cargo run --release -p chinwag-bench -- durable --senders {senders} --rooms {rooms} \
             --members {members} --seconds {seconds} --pairs {}",
            options.pairs
        ),
        machine,
        pairs,
        notes,
    }
}
