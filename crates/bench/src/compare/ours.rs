//! Chinwag in a comparison, its store alone, and the row that is about Chinwag only.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::Outcome;
use super::contender::Field;
use super::figures::{Figure, Figures};
use super::play::{self, Length};
use super::rows::{Play, Row};
use crate::chinwag::Chinwag;
use crate::client::Client;
use crate::issuer::Issuer;
use crate::machine::Watched;
use crate::peers::process;
use crate::room::Place;
use crate::server::{self, Server};
use crate::swarm::Swarm;
use crate::swarm::load::{self, Load, Pace};

/// The program that drives the store without a network, built from an example of the server: what
/// a stranger sees has no such way in.
const STORE: &str = "examples/store_speed";
/// One in so many stops reading.
const DEAF_EACH: usize = 100;
/// Messages a second of the row about readers, and bytes of their texts.
const READERS_RATE: f64 = 60.0;
const READERS_TEXT_BYTES: usize = 8_000;
/// Until the kernel's buffers of those who do not read are full. As long without them: who has just
/// come in is served slowly at first, and would make any later figure look good.
const READERS_WARM_UP: Duration = Duration::from_secs(12);

/// Measures Chinwag.
pub(super) fn chinwag(field: &Field, row: &Row, length: Length, rate: Option<f64>) -> Outcome {
    let users = row.shape.users();
    let server = Server::start(&field.program, &field.parent, users, field.split)?;
    let issuer = Issuer::from_file(&server.secret_file())?;
    let played = play_chinwag(&server, &issuer, row, length, rate);
    let played = played.with_context(|| server.complaints());
    server.stop()?;
    played
}

fn play_chinwag(
    server: &Server,
    issuer: &Issuer,
    row: &Row,
    length: Length,
    rate: Option<f64>,
) -> Outcome {
    let users = row.shape.users();
    let dialect = Chinwag::new(server.address, server::PATH, issuer, users)?;
    let mut swarm = Swarm::new(server.address, dialect, users)?;
    play::introduce(&mut swarm)?;
    let place = Place {
        address: server.address,
        path: server::PATH,
        issuer,
    };
    let rooms = place.rooms(&row.shape.ranges())?;
    swarm.dialect_mut().set_rooms(rooms);
    let watched = Watched {
        server: Some(server.process()),
    };
    match row.play {
        Play::Readers => return readers(&mut swarm, server, issuer, row, length),
        Play::Storm => swarm.dialect_mut().follow(),
        _ => {}
    }
    let figures = play::play(&mut swarm, row, length, rate, &watched)?;
    for user in 0..users {
        let gaps = swarm.dialect().seat(user).map_or(0, |seat| seat.gaps);
        ensure!(gaps == 0, "user {user} missed something");
    }
    Ok(figures)
}

/// The same load twice: while those who will not read are away, and while they are there.
fn readers(
    swarm: &mut Swarm<Chinwag>,
    server: &Server,
    issuer: &Issuer,
    row: &Row,
    length: Length,
) -> Outcome {
    let users = swarm.users();
    let readers = users - users / DEAF_EACH;
    let watched = Watched {
        server: Some(server.process()),
    };
    swarm.connect(0..readers, 64).context("signing in")?;
    let load = Load {
        pace: Pace::Rate(READERS_RATE),
        text_bytes: READERS_TEXT_BYTES,
        warm_up: READERS_WARM_UP,
        length: Duration::from_secs(length.seconds),
        sample_each: 1,
        ..Load::spread(1, readers, row.senders)
    };
    let without = load::run(swarm, &load, &watched)?;
    let before = watched.server_memory();
    let deaf: Vec<Client> = (readers..users)
        .map(|user| Client::sign_in(server.address, server::PATH, issuer.token(user)?))
        .collect::<anyhow::Result<_>>()?;
    let with = load::run(swarm, &load, &watched)?;
    let after = watched.server_memory();
    drop(deaf);
    let mut figures = play::of_a_load(&with);
    let p99 = |outcome: &load::Outcome| outcome.delivery.summary().p99_ms;
    figures.set(Figure::P99Growth, p99(&with) / p99(&without));
    let grown = after
        .zip(before)
        .map(|(after, before)| after as f64 - before as f64);
    figures.set(Figure::MibGrown, grown.map(|bytes| bytes / 1024.0 / 1024.0));
    Ok(figures)
}

/// The program that drives the store alone.
///
/// # Errors
/// It was not built.
pub(super) fn find_store() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?.with_file_name(STORE);
    ensure!(
        program.exists(),
        "it is not built: cargo build --release -p chinwag-server --example store_speed"
    );
    Ok(program)
}

/// Measures the store alone, with as many writers as the row has senders.
pub(super) fn store(field: &Field, program: &Path, row: &Row, length: Length) -> Outcome {
    let directory = process::directory(&field.parent)?;
    let mut command = Command::new(program);
    command
        .arg(row.senders.to_string())
        .arg(length.seconds.to_string())
        .arg(directory.path().join("data"))
        .stdin(Stdio::null());
    let mut run = || command.output().context("cannot start the store");
    let output = match field.split {
        Some(split) => split.start_theirs(&mut run)?,
        None => run()?,
    };
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(
        output.status.success(),
        "the store failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    read_store(&said).with_context(|| format!("the store said {said}"))
}

/// What that program says at its end.
fn read_store(said: &str) -> Option<Figures> {
    let before = |mark: &str| {
        let (before, _) = said.split_once(mark)?;
        before.rsplit(' ').next()?.parse::<f64>().ok()
    };
    let (_, p99) = said.split_once("p99 ")?;
    let p99_us: f64 = p99.split(' ').next()?.parse().ok()?;
    let mut figures = Figures::default();
    figures.set(Figure::AcksPerSecond, before(" durable messages/s")?);
    figures.set(Figure::AckP99Ms, p99_us / 1_000.0);
    Some(figures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_store_is_understood() {
        let said = "100 senders, 10.0 s: 62418 durable messages/s; ack p50 1600 us, p99 2300 us, \
                    max 9000 us; /tmp/x\n";
        let figures = read_store(said).unwrap();
        assert_eq!(figures.get(Figure::AcksPerSecond), Some(62_418.0));
        assert_eq!(figures.get(Figure::AckP99Ms), Some(2.3));
        assert!(read_store("no such thing").is_none());
    }
}
