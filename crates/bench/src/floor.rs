//! What the disk alone gives: the same closed loops of writers, with nothing between them and it.
//!
//! One thread appends a row for each writer that waits, syncs once for all of them, and answers;
//! the writers, played by another, ask again at once. No server that promises what ours promises
//! can be faster; how near it comes is the figure that survives a noisy machine.

use std::io::Write as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde::Serialize;

use crate::report::{Latencies, Latency};

/// Bytes of a row: about what a short message takes in a log, text included.
const ROW_BYTES: usize = 150;

/// What the disk alone gave.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Floor {
    pub(crate) acks_per_second: f64,
    pub(crate) syncs_per_second: f64,
    pub(crate) latency: Latency,
}

/// Measures `writers` closed loops in `directory` for so long.
///
/// # Errors
/// The file cannot be made, written or synced.
pub(crate) fn measure(directory: &Path, writers: usize, length: Duration) -> anyhow::Result<Floor> {
    let file = tempfile::tempfile_in(directory).context("cannot make a file for the floor")?;
    // Each writer has one row under way, so neither queue holds more than there are writers.
    let (ask, asked) = sync_channel(writers);
    let (answer, answered) = sync_channel(writers);
    let begun = Instant::now();
    let (latencies, syncs) = thread::scope(|scope| {
        let disk = scope.spawn(move || append(file, writers, &asked, &answer));
        let latencies = write(writers, begun + length, ask, &answered);
        let syncs = disk.join();
        // A panic there is a mistake of this program; it goes on here.
        let syncs = syncs.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (latencies, syncs)
    });
    let seconds = begun.elapsed().as_secs_f64();
    Ok(Floor {
        acks_per_second: latencies.count() as f64 / seconds,
        syncs_per_second: syncs? as f64 / seconds,
        latency: latencies.summary(),
    })
}

/// Appends what waits, syncs, answers; returns how often it synced.
fn append(
    mut file: std::fs::File,
    writers: usize,
    asked: &Receiver<Instant>,
    answer: &SyncSender<Instant>,
) -> anyhow::Result<u64> {
    let rows = vec![b'x'; ROW_BYTES * writers];
    let (mut batch, mut syncs) = (Vec::new(), 0);
    while let Ok(first) = asked.recv() {
        batch.push(first);
        batch.extend(asked.try_iter().take(writers - 1));
        file.write_all(&rows[..ROW_BYTES * batch.len()])?;
        file.sync_data()?;
        syncs += 1;
        for begun in batch.drain(..) {
            answer.send(begun).context("the writers have ended")?;
        }
    }
    Ok(syncs)
}

/// Plays all writers until `end`: whoever is answered asks again.
fn write(
    writers: usize,
    end: Instant,
    ask: SyncSender<Instant>,
    answered: &Receiver<Instant>,
) -> Latencies {
    let mut latencies = Latencies::new();
    for _writer in 0..writers {
        // It only fails when the disk does, which says so itself; so below.
        let _gone = ask.send(Instant::now());
    }
    while let Ok(begun) = answered.recv() {
        let now = Instant::now();
        latencies.record(now - begun);
        if now >= end {
            break;
        }
        let _gone = ask.send(now);
    }
    // Whoever still waits is answered, so that the disk comes to its end.
    drop(ask);
    while let Ok(begun) = answered.recv() {
        latencies.record(begun.elapsed());
    }
    latencies
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_writer_is_answered() {
        let directory = tempfile::tempdir().unwrap();
        let floor = measure(directory.path(), 7, Duration::from_millis(1)).unwrap();
        assert!(floor.latency.count >= 7, "{floor:?}");
        assert!(floor.syncs_per_second > 0.0, "{floor:?}");
    }
}
