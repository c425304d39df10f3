//! What the disk alone gives: the same closed loops of writers, with nothing between them and it.
//!
//! One thread appends a row for each writer that waits, syncs once for all of them, and answers.
//! No server that promises what ours promises can be faster; how near it comes is the figure that
//! survives a noisy machine.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::report::{Floor, Latencies};

/// Bytes of a row: about what a short message takes in a log, text included.
const ROW_BYTES: usize = 150;

/// Measures `writers` closed loops in `directory` for so long.
///
/// # Errors
/// The file cannot be made, written or synced.
pub(crate) async fn measure(
    directory: &Path,
    writers: usize,
    length: Duration,
) -> anyhow::Result<Floor> {
    let file = tempfile::tempfile_in(directory).context("cannot make a file for the floor")?;
    let (queue, waiting) = mpsc::channel(writers);
    let disk = tokio::task::spawn_blocking(move || append(file, writers, waiting));
    let running = Arc::new(AtomicBool::new(true));
    let begun = Instant::now();
    let mut loops = JoinSet::new();
    for _writer in 0..writers {
        loops.spawn(write(queue.clone(), running.clone()));
    }
    drop(queue);
    tokio::time::sleep(length).await;
    running.store(false, Ordering::Relaxed);
    let mut latencies = Latencies::new();
    while let Some(one) = loops.join_next().await {
        latencies.add(&one??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let syncs = disk.await??;
    Ok(Floor {
        acks_per_second: latencies.count() as f64 / seconds,
        syncs_per_second: syncs as f64 / seconds,
        latency: latencies.summary(),
    })
}

/// Appends what waits, syncs, answers; returns how often it synced.
fn append(
    mut file: std::fs::File,
    writers: usize,
    mut waiting: mpsc::Receiver<oneshot::Sender<()>>,
) -> anyhow::Result<u64> {
    let rows = vec![b'x'; ROW_BYTES * writers];
    let (mut batch, mut syncs) = (Vec::new(), 0);
    while waiting.blocking_recv_many(&mut batch, writers) > 0 {
        file.write_all(&rows[..ROW_BYTES * batch.len()])?;
        file.sync_data()?;
        syncs += 1;
        for answer in batch.drain(..) {
            // A writer waits for its answer, unless the run has failed elsewhere.
            let _gone = answer.send(());
        }
    }
    Ok(syncs)
}

async fn write(
    queue: mpsc::Sender<oneshot::Sender<()>>,
    running: Arc<AtomicBool>,
) -> anyhow::Result<Latencies> {
    let mut latencies = Latencies::new();
    while running.load(Ordering::Relaxed) {
        let begun = Instant::now();
        let (answer, answered) = oneshot::channel();
        queue.send(answer).await.context("the disk has ended")?;
        answered.await.context("the disk failed")?;
        latencies.record(begun.elapsed());
    }
    Ok(latencies)
}
