//! The server's own promise: what left a socket survives any power failure behind it.
//!
//! The record goes through kills and gentle stops, since what a process leaves unsynced is no safer after a
//! restart. Each image is opened by the server's store and compared with every byte that had left.

use std::time::{Duration, Instant};

use chinwag_core::code::ErrorCode;

use super::Faults;
use super::dice::Dice;
use super::promises::Promises;
use super::record::Entry;
use super::served::{Evidence, Served};
use crate::scene::Scene;
use crate::{assert_nothing_lost, say};

const IMAGES_DEFAULT: usize = 500;
const SEED: u64 = 0x5e_4a11;
/// How many sends of each client may wait; the last only listens.
const WINDOWS: [usize; 4] = [1, 6, 16, 0];
/// Longest pause between two sends of a client.
const PAUSE_US: usize = 12_000;
/// A disk this slow leaves time to promise too early, wherever the test runs.
const SLOW: Faults = Faults {
    sync_delay_us: Some(1_500),
    fail_sync_after: None,
    fail_write_after_bytes: None,
};
/// Contract 2: five seconds of reads, then the end; the rest is a busy machine.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

fn images_wanted() -> usize {
    let wanted = std::env::var("CHINWAG_POWER_IMAGES");
    wanted.map_or(IMAGES_DEFAULT, |images| images.parse().expect("a number"))
}

/// Records kills, a gentle stop and checkpoints under load; `phases` processes, the last killed as well.
fn record(served: Served, phases: usize) -> Evidence {
    let mut server = served.start(SLOW);
    let address = server.address().expect("the server starts");
    let scene = Scene::new(address, &WINDOWS, PAUSE_US, &mut Dice::new(SEED));
    for phase in 1..=phases {
        // A checkpoint comes about every second.
        std::thread::sleep(Duration::from_millis(1_300));
        assert!(scene.wait_for_acks(20), "the server acknowledges");
        if phase == 2 {
            server.terminate();
            let status = server
                .ended(Duration::from_secs(15))
                .expect("it stops gently");
            assert!(status.success(), "{status}");
        } else {
            Served::kill(server);
        }
        if phase == phases {
            break;
        }
        server = served.start(SLOW);
        scene.open(server.address().expect("the server starts again"));
    }
    scene.leave();
    served.evidence(&scene)
}

#[test]
fn the_server_loses_nothing_that_it_promised() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let began = Instant::now();
    let evidence = record(Served::new(work.path(), None), 4);
    assert!(evidence.is_complete(), "a call was missed");
    let Promises {
        accounts,
        acks,
        events,
    } = &evidence.promises;
    let recorded = (accounts.len(), acks.len(), events.len());
    let recording = began.elapsed();
    let (tally, examples) = evidence.judge_images(images_wanted(), SEED);
    let took = began.elapsed();
    say(&format!(
        "power, server: {tally}; accounts, acks, events recorded: {recorded:?} in {recording:?}; all in {took:?}"
    ));
    if tally.is_broken() {
        say(&examples);
    }
    assert!(accounts.len() > 1 && acks.len() > 200 && events.len() > 200);
    assert_nothing_lost(&tally, work);
}

/// What a failed sync should have covered is never acknowledged, the process ends by itself with an error, and
/// what it had acknowledged is there after the next start, and after a power failure anywhere.
#[test]
fn a_failing_sync_ends_the_server() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let faults = Faults {
        fail_sync_after: Some(300),
        ..Faults::default()
    };
    let (evidence, codes) = record_a_failure(Served::new(work.path(), None), faults);
    let failed = |entry: &Entry| {
        matches!(
            entry,
            Entry::SyncEnd {
                succeeded: false,
                ..
            }
        )
    };
    let failed_at = evidence
        .record
        .entries
        .iter()
        .position(failed)
        .expect("a sync failed");
    let again = |entry: &Entry| matches!(entry, Entry::Begin);
    let entries = &evidence.record.entries[failed_at..];
    let next_start = failed_at
        + entries
            .iter()
            .position(again)
            .expect("it was started again");
    // What left behind the failed sync can only be what an earlier one had covered and its socket
    // was late to take: were the power to fail before the next start, it would be there.
    let (tally, examples) = evidence.judge_cuts([next_start; 20], SEED);
    say(&format!(
        "power, server, after a failed sync: {tally}\n{examples}"
    ));
    assert!(!tally.is_broken(), "acks behind a failed sync: {examples}");
    assert!(codes.contains(&ErrorCode::Unavailable), "{codes:?}");
    let (tally, examples) = evidence.judge_images(60, SEED);
    say(&format!("power, server, failing sync: {tally}\n{examples}"));
    assert_nothing_lost(&tally, work);
}

#[test]
fn a_full_disk_refuses_and_loses_nothing() {
    let work = tempfile::tempdir().expect("a temporary directory");
    let faults = Faults {
        fail_write_after_bytes: Some(3_000_000),
        ..Faults::default()
    };
    let (evidence, codes) = record_a_failure(Served::new(work.path(), None), faults);
    let injected = |entry: &Entry| matches!(entry, Entry::FaultInjected);
    assert!(evidence.record.entries.iter().any(injected));
    let refused = [ErrorCode::Unavailable, ErrorCode::StorageFull];
    assert!(codes.iter().any(|code| refused.contains(code)), "{codes:?}");
    let (tally, examples) = evidence.judge_images(60, SEED);
    say(&format!("power, server, full disk: {tally}\n{examples}"));
    assert_nothing_lost(&tally, work);
}

/// Runs into `faults` under load, waits for the end that the server chooses, starts it again on a healthy disk
/// and compares all histories. Also answers with which codes it refused for the time being.
fn record_a_failure(served: Served, faults: Faults) -> (Evidence, Vec<ErrorCode>) {
    let mut server = served.start(faults);
    let address = server.address().expect("the server starts");
    let scene = Scene::new(address, &WINDOWS, PAUSE_US, &mut Dice::new(SEED));
    wait_for_a_refusal(&scene);
    let status = server.ended(ENDS_WITHIN).expect("it ends by itself");
    assert!(!status.success(), "{status}");
    server = served.start(Faults::default());
    scene.open(server.address().expect("the server starts again"));
    assert!(scene.wait_for_acks(100), "it serves again");
    let findings = scene.compare();
    assert!(findings.is_clean(), "{findings}\n{}", findings.examples());
    scene.leave();
    Served::kill(server);
    let codes = scene.with_histories(|histories| {
        let codes = histories
            .iter()
            .flat_map(|history| history.refusals.keys().copied());
        codes.collect()
    });
    (served.evidence(&scene), codes)
}

/// The fault comes after some seconds of load, and the clients are told at once.
fn wait_for_a_refusal(scene: &Scene) {
    let end = Instant::now() + Duration::from_secs(30);
    while scene
        .with_histories(|histories| histories.iter().all(|history| history.refusals.is_empty()))
    {
        assert!(Instant::now() < end, "nothing is ever refused");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Mistakes planted into the shell, each of which must break a promise here.
#[cfg(feature = "mutants")]
#[track_caller]
fn check_mutant(mutant: &'static str, is_caught: impl Fn(&super::tally::Tally) -> bool) {
    let work = tempfile::tempdir().expect("a temporary directory");
    let evidence = record(Served::new(work.path(), Some(mutant)), 2);
    let (tally, examples) = evidence.judge_images(60, SEED);
    say(&format!("power, mutant {mutant}: {tally}"));
    assert!(
        is_caught(&tally),
        "{mutant} was not caught: {tally}\n{examples}"
    );
}

#[cfg(feature = "mutants")]
#[test]
fn an_ack_of_the_server_before_its_commit_is_caught() {
    check_mutant("ack-before-commit", |tally| tally.lost > 0);
}

#[cfg(feature = "mutants")]
#[test]
fn commits_of_the_server_without_sync_are_caught() {
    check_mutant("synchronous-normal", |tally| tally.lost > 0);
}

#[cfg(feature = "mutants")]
#[test]
fn events_that_leave_before_the_commit_are_caught() {
    check_mutant("publish-before-commit", |tally| {
        tally.ghosts > 0 && tally.lost == 0
    });
}
