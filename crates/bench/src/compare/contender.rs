//! Who is compared: how each is found, started, spoken to and stopped.
//!
//! One at a time: a measurement starts its server with an empty directory and stops it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use chinwag_core::codec;
use chinwag_core::event::{Author, Body, Event};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use chinwag_core::wire::ClientFrame;
use clap::ValueEnum;
use serde::Serialize;

use super::Outcome;
use super::ours;
use super::play::{self, Length, TEXT_BYTES};
use super::rows::Row;
use crate::dialect::Dialect;
use crate::issuer::{self, AUDIENCE, ISSUER, Issuer};
use crate::machine::{self, Watched};
use crate::peers::dialects::{floor::Floor, socketio::SocketIo, ws::Ws, xmpp::Xmpp};
use crate::peers::process::{self, Program};
use crate::peers::{ejabberd, install};
use crate::processors::Split;
use crate::server;
use crate::swarm::Swarm;
use crate::terminal::progress;

/// Who is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Contender {
    Chinwag,
    #[value(name = "socketio")]
    #[serde(rename = "socketio")]
    SocketIo,
    Ws,
    Ejabberd,
    FloorEach,
    FloorCoalesced,
    FloorDurable,
    Store,
}

impl fmt::Display for Contender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Chinwag => "Chinwag",
            Self::SocketIo => "Socket.IO",
            Self::Ws => "bare ws",
            Self::Ejabberd => "ejabberd",
            Self::FloorEach => "floor, write per message",
            Self::FloorCoalesced => "floor, coalescing",
            Self::FloorDurable => "floor, durable",
            Self::Store => "store alone",
        })
    }
}

impl Contender {
    /// What has become of a message when its sender hears that it was taken.
    pub(super) fn stored(self) -> &'static str {
        match self {
            Self::Chinwag | Self::SocketIo | Self::Store => "synced",
            Self::FloorDurable => "synced, unread",
            Self::Ejabberd => "not synced",
            Self::Ws | Self::FloorEach | Self::FloorCoalesced => "no",
        }
    }
}

/// All who are here, and where they run.
pub(super) struct Field {
    pub(super) program: PathBuf,
    /// Where each measurement makes its directory.
    pub(super) parent: PathBuf,
    pub(super) split: Option<Split>,
    node: Option<install::Installed>,
    ejabberd: Option<ejabberd::Installed>,
    store: Option<PathBuf>,
    /// Who is not here, and why.
    absent: BTreeMap<Contender, String>,
    without: Vec<Contender>,
    /// Keeps the keys of this run apart from those of earlier ones.
    run: u32,
}

impl Field {
    /// Finds, and installs where that can be done, those who are wanted.
    ///
    /// # Errors
    /// There is no Chinwag, or no disk to compare on.
    pub(super) fn prepare(
        wanted: &[Contender],
        without: &[Contender],
        directory: Option<&Path>,
        split: Option<Split>,
    ) -> anyhow::Result<Self> {
        let program = server::program()?;
        let beside = program.parent().context("a program lies in a directory")?;
        let parent = directory.unwrap_or(beside).to_owned();
        ensure!(
            !machine::is_in_memory(&parent),
            "{} lies in memory, where nothing is durable: name another --directory",
            parent.display()
        );
        let mut field = Self {
            program,
            parent,
            split,
            node: None,
            ejabberd: None,
            store: None,
            absent: BTreeMap::new(),
            without: without.to_owned(),
            run: getrandom::u32()?,
        };
        let wants = |contender| wanted.contains(&contender);
        if wants(Contender::SocketIo) || wants(Contender::Ws) {
            field.node = field.look_for(&[Contender::SocketIo, Contender::Ws], install::install());
        }
        if wants(Contender::Ejabberd) {
            field.ejabberd = field.look_for(&[Contender::Ejabberd], ejabberd::find());
        }
        if wants(Contender::Store) {
            field.store = field.look_for(&[Contender::Store], ours::find_store());
        }
        Ok(field)
    }

    fn look_for<T>(&mut self, who: &[Contender], found: anyhow::Result<T>) -> Option<T> {
        match found {
            Ok(found) => Some(found),
            Err(error) => {
                for &contender in who {
                    progress(&format!("without {contender}: {error:#}"));
                    self.absent.insert(contender, format!("{error:#}"));
                }
                None
            }
        }
    }

    /// Whether this one can be measured.
    pub(super) fn has(&self, contender: Contender) -> bool {
        !self.absent.contains_key(&contender) && !self.without.contains(&contender)
    }

    /// Measures one contender in one row.
    ///
    /// # Errors
    /// It does not start, or anything makes its figures untrue.
    pub(super) fn measure(
        &self,
        contender: Contender,
        row: &Row,
        length: Length,
        rate: Option<f64>,
    ) -> Outcome {
        match contender {
            Contender::Chinwag => ours::chinwag(self, row, length, rate),
            Contender::Store => {
                let program = self.store.as_deref().context("no store")?;
                ours::store(self, program, row, length)
            }
            Contender::SocketIo => {
                let (program, issuer) = self.socketio()?;
                let (host, users) = (program.address.to_string(), row.shape.users());
                let (members, bytes) = (row.shape.members, event_bytes());
                let dialect = SocketIo::new(host, &issuer, self.run, users, members, bytes)?;
                measure(program, dialect, row, length, rate)
            }
            Contender::Ws => {
                let directory = process::directory(&self.parent)?;
                let command = self.node("ws/server.mjs")?;
                let program = Program::start(command, directory, self.split, None)?;
                let host = program.address.to_string();
                let dialect = Ws::new(host, self.run, row.shape.members, event_bytes());
                measure(program, dialect, row, length, rate)
            }
            Contender::Ejabberd => {
                let installed = self.ejabberd.as_ref().context("no ejabberd")?;
                let mut secret = [0; 32];
                getrandom::fill(&mut secret)?;
                let directory = process::directory(&self.parent)?;
                let program = ejabberd::start(installed, directory, &secret, self.split)?;
                let (host, users) = (program.address.to_string(), row.shape.users());
                let (members, bytes) = (row.shape.members, event_bytes());
                let dialect = Xmpp::new(host, &secret, users, members, bytes)?;
                measure(program, dialect, row, length, rate)
            }
            Contender::FloorEach => self.floor("each", row, length, rate),
            Contender::FloorCoalesced => self.floor("coalesced", row, length, rate),
            Contender::FloorDurable => self.floor("durable", row, length, rate),
        }
    }

    fn floor(&self, mode: &str, row: &Row, length: Length, rate: Option<f64>) -> Outcome {
        let directory = process::directory(&self.parent)?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["floor-net", "--mode", mode, "--event-bytes"])
            .arg(event_bytes().to_string())
            .arg("--directory")
            .arg(directory.path());
        let program = Program::start(command, directory, self.split, None)?;
        let host = program.address.to_string();
        let dialect = Floor::new(host, row.shape.members, message_bytes());
        measure(program, dialect, row, length, rate)
    }

    /// A server of the peers on Node.
    fn node(&self, script: &str) -> anyhow::Result<Command> {
        let installed = self.node.as_ref().context("no Node")?;
        let mut command = Command::new("node");
        command
            .env("NODE_ENV", "production")
            .arg(installed.directory.join(script));
        Ok(command)
    }

    fn socketio(&self) -> anyhow::Result<(Program, Issuer)> {
        let directory = process::directory(&self.parent)?;
        let secret = directory.path().join("issuer.secret");
        issuer::write_secret(&secret)?;
        let issuer = Issuer::from_file(&secret)?;
        let mut command = self.node("socketio/server.mjs")?;
        command
            .args(["--issuer", ISSUER, "--audience", AUDIENCE])
            .arg("--secret-file")
            .arg(&secret)
            .arg("--database")
            .arg(directory.path().join("chat.db"));
        let program = Program::start(command, directory, self.split, None)?;
        Ok((program, issuer))
    }

    /// Who was compared, in which version, and what each of them promises.
    pub(super) fn notes(&self) -> Vec<String> {
        let mut notes = vec![match self.split {
            Some(Split { server, bench }) => format!(
                "Whoever is measured runs on processor {server} alone, the load generator with all \
                 clients on processor {bench}."
            ),
            None => "Servers and load generator share all processors.".to_owned(),
        }];
        let version = |package| install::version(package).unwrap_or_default();
        if let Some(node) = &self.node {
            notes.push(format!(
                "Socket.IO {} on Node {}: tokens checked, each message in SQLite (better-sqlite3 {}, \
                 WAL, synchronous=FULL, what one turn of the event loop brought in one \
                 transaction) before it is acknowledged and sent on. bare ws {}: nothing is stored, \
                 nobody signs in. Sources: crates/bench/peers.",
                version("socket.io"),
                node.node.trim_start_matches('v'),
                version("better-sqlite3"),
                version("ws"),
            ));
        }
        if let Some(ejabberd) = &self.ejabberd {
            notes.push(format!(
                "ejabberd {}: tokens checked, group chats with an archive in Mnesia, which it does \
                 not sync before it sends a message on. Its frames are longer than all others'.",
                ejabberd.version
            ));
        }
        notes.push(
            "The floors are bare epoll: no accounts, no order, no protocol; only the durable one \
             stores anything, one fdatasync for all that came meanwhile. Chinwag: every message \
             numbered, stored and synced before its ack, in every row."
                .to_owned(),
        );
        for (contender, why) in &self.absent {
            notes.push(format!("Without {contender}: {why}"));
        }
        notes
    }
}

/// Lets everybody in once, plays, and stops the program.
fn measure<D: Dialect>(
    mut program: Program,
    dialect: D,
    row: &Row,
    length: Length,
    rate: Option<f64>,
) -> Outcome {
    let watched = Watched {
        server: Some(program.process()),
    };
    let mut swarm = Swarm::new(program.address, dialect, row.shape.users())?;
    let played = play::introduce(&mut swarm)
        .and_then(|()| play::play(&mut swarm, row, length, rate, &watched));
    // A program that has ended is the better explanation.
    program.is_alive()?;
    drop(swarm);
    program.stop()?;
    played
}

/// Bytes of an event of Chinwag: all others pad theirs to this length.
fn event_bytes() -> usize {
    let event = Event {
        room: RoomId([1; 16]),
        seq: Seq(12_345),
        msg_no: 12_345,
        v: 1,
        from: Author(UserId([1; 16]), 1),
        key: Key([1; 16]),
        ts: Millis(1_763_780_001_234),
        target: None,
        reply_to: None,
        mentions: Vec::new(),
        body: Body::Message("x".repeat(TEXT_BYTES).into()),
    };
    codec::encode_event(&event).len()
}

/// Bytes of a message on its way to Chinwag.
fn message_bytes() -> usize {
    let frame = ClientFrame::Send {
        req: 12_345,
        key: Key([1; 16]),
        room: RoomId([1; 16]),
        body: "x".repeat(TEXT_BYTES).into(),
        reply_to: None,
        mentions: Vec::new(),
        if_last: None,
    };
    codec::encode(&frame).len()
}
