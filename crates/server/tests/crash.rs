//! Crash test: the real program on a real file, killed with `kill -9` again and again under load.
//!
//! Clients come back with their cursors to every new process; what they noted is compared with the log. The
//! moments are drawn from a printed seed (`CHINWAG_CRASH_SEED` repeats it); `CHINWAG_CRASH_KILLS` sets their
//! number. A failure keeps the data and says where. Power loss is another test: a kill leaves the page cache.

#[path = "support/client.rs"]
mod client;
#[path = "support/crash_stage.rs"]
mod crash_stage;
#[path = "support/power/dice.rs"]
mod dice;
#[path = "support/history.rs"]
mod history;
#[path = "support/oracle.rs"]
mod oracle;
#[path = "support/scene.rs"]
mod scene;
#[path = "support/server.rs"]
mod server;
#[path = "support/socket.rs"]
mod socket;

use crash_stage::{Plan, Run, run};

const KILLS_DEFAULT: usize = 100;
const SEED: u64 = 0x00c4_1a46;
/// Of 100 kills of a running server, so many at least hit a send in flight.
const IN_FLIGHT_PERCENT_MIN: usize = 80;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

#[test]
fn nothing_acknowledged_is_lost_by_kills() {
    let kills = number("CHINWAG_CRASH_KILLS").map_or(KILLS_DEFAULT, |kills| kills as usize);
    let plan = Plan {
        kills,
        block: 20,
        seed: number("CHINWAG_CRASH_SEED").unwrap_or(SEED),
        mutant: None,
    };
    let place = tempfile::tempdir().expect("a temporary directory");
    let Run { findings, counts } = run(&plan, place.path());
    crash_stage::say(&format!(
        "crash, seed {:#x}: {counts} {findings}",
        plan.seed
    ));
    if !findings.is_clean() {
        panic!(
            "{findings}\n{}\nkept in {}",
            findings.examples(),
            place.keep().display()
        );
    }
    assert_eq!(counts.kills, kills);
    assert!(
        findings.acked > 10 * kills as u64,
        "hardly anything was at stake: {findings}"
    );
    assert!(
        counts.in_flight * 100 >= counts.serving * IN_FLIGHT_PERCENT_MIN,
        "{counts}"
    );
    if kills >= KILLS_DEFAULT {
        assert!(
            counts.starting > 0 && counts.checkpointing > 0 && counts.stopping > 0,
            "{counts}"
        );
    }
}

/// A planted mistake that kills alone bring to light: what was sent again to a new process stands twice.
#[cfg(feature = "mutants")]
#[test]
fn keys_that_only_memory_knows_are_caught() {
    let plan = Plan {
        kills: 40,
        block: 10,
        seed: SEED,
        mutant: Some("dedupe-in-memory"),
    };
    let place = tempfile::tempdir().expect("a temporary directory");
    let Run { findings, counts } = run(&plan, place.path());
    crash_stage::say(&format!(
        "crash, mutant dedupe-in-memory: {counts} {findings}"
    ));
    assert!(
        findings.count(oracle::Breach::Doubled) > 0,
        "not caught: {findings}"
    );
}
