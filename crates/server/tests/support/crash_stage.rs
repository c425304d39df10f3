//! One crash run: a server that is killed and started again, and the clients around it.
//!
//! Not here: what counts as a violation (`oracle.rs`), and how many there may be (the test).

use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::dice::Dice;
use crate::history::History;
use crate::oracle::Findings;
use crate::scene::Scene;
use crate::server::{self, Server};

/// How many sends of each client may wait; the last two only listen.
const WINDOWS: [usize; 6] = [1, 4, 12, 24, 0, 0];
/// Longest pause between two sends of a client.
const PAUSE_US: usize = 4_000;
/// Longest wait for a checkpoint to kill into; one comes about every second.
const CHECKPOINT_WAIT: Duration = Duration::from_millis(2_500);
/// How long a kill of a running server may wait for a send that is under way.
const SEND_WAIT: Duration = Duration::from_millis(50);

/// What to do.
pub(crate) struct Plan {
    pub(crate) kills: usize,
    /// Kills between two full comparisons.
    pub(crate) block: usize,
    pub(crate) seed: u64,
    /// A planted mistake; its run ends with the first block that shows it.
    pub(crate) mutant: Option<&'static str>,
}

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) kills: usize,
    /// Kills of a server that had said where it listens.
    pub(crate) serving: usize,
    pub(crate) in_flight: usize,
    pub(crate) starting: usize,
    pub(crate) checkpointing: usize,
    pub(crate) stopping: usize,
    unknown: usize,
    live: u64,
    connections: u64,
    resets: u64,
}

impl fmt::Display for Counts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "kills {} (serving {}, of these with sends in flight {}; starting {}, checkpointing {}, stopping {}) \
             unknown outcomes {} received {} connections {} resets {}",
            self.kills,
            self.serving,
            self.in_flight,
            self.starting,
            self.checkpointing,
            self.stopping,
            self.unknown,
            self.live,
            self.connections,
            self.resets
        )
    }
}

pub(crate) struct Run {
    pub(crate) findings: Findings,
    pub(crate) counts: Counts,
}

/// Says a line past the test harness, which hides the output of tests that pass.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stdout().lock(), "{line}").expect("standard output is open");
}

/// A kind of moment to kill at.
#[derive(Clone, Copy)]
enum Moment {
    Serving,
    Starting,
    Checkpointing,
    Stopping,
}

impl Moment {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..70 => Self::Serving,
            70..85 => Self::Starting,
            85..95 => Self::Checkpointing,
            _ => Self::Stopping,
        }
    }
}

struct Crash<'plan> {
    plan: &'plan Plan,
    data: PathBuf,
    log: PathBuf,
    dice: Dice,
    counts: Counts,
}

/// Runs a plan in `place`.
pub(crate) fn run(plan: &Plan, place: &Path) -> Run {
    let mut crash = Crash {
        plan,
        data: place.join("data"),
        log: place.join("server.log"),
        dice: Dice::new(plan.seed),
        counts: Counts::default(),
    };
    let mut server = crash.start();
    let address = server.address().expect("the first start succeeds");
    let scene = Scene::new(address, &WINDOWS, PAUSE_US, &mut crash.dice);
    loop {
        for _ in 0..plan.block.min(plan.kills - crash.counts.kills) {
            server = crash.kill_once(server, &scene);
        }
        let findings = scene.compare();
        if crash.counts.kills >= plan.kills || !findings.is_clean() {
            scene.leave();
            scene.with_histories(|histories| crash.counts.count(histories));
            return Run {
                findings,
                counts: crash.counts,
            };
        }
        scene.stage.load.store(true, SeqCst);
    }
}

impl Crash<'_> {
    fn start(&self) -> Server {
        let mut command = server::command(&self.data, &self.log);
        if let Some(mutant) = self.plan.mutant {
            command.env("CHINWAG_MUTANT", mutant);
        }
        Server::start(&mut command)
    }

    /// Kills the server at a moment of some kind, and starts the next one until it serves.
    fn kill_once(&mut self, mut server: Server, scene: &Scene) -> Server {
        let moment = Moment::draw(&mut self.dice);
        if let Moment::Starting = moment {
            return self.kill_a_start(server, scene);
        }
        let acks = 1 + self.dice.below(20) as u64;
        assert!(
            scene.wait_for_acks(acks),
            "no acks: see {}",
            self.log.display()
        );
        if let Moment::Stopping = moment {
            server.terminate();
            let patience = Duration::from_millis(self.dice.below(1_400) as u64);
            self.counts.stopping += usize::from(server.ended(patience).is_none());
        } else {
            if let Moment::Checkpointing = moment {
                self.counts.checkpointing += usize::from(self.wait_for_checkpoint());
            } else {
                std::thread::sleep(Duration::from_micros(self.dice.below(150_000) as u64));
                self.wait_for_a_send(scene);
            }
            self.counts.serving += 1;
            self.counts.in_flight += usize::from(scene.stage.in_flight.load(SeqCst) > 0);
        }
        server.kill_by(Signal::KILL);
        self.counts.kills += 1;
        self.serve_again(scene)
    }

    /// The server that runs is killed first, so that the next one has something to recover.
    fn kill_a_start(&mut self, server: Server, scene: &Scene) -> Server {
        server.kill_by(Signal::KILL);
        let next = self.start();
        std::thread::sleep(Duration::from_micros(self.dice.below(200_000) as u64));
        next.kill_by(Signal::KILL);
        self.counts.starting += 1;
        self.counts.kills += 1;
        self.serve_again(scene)
    }

    fn serve_again(&self, scene: &Scene) -> Server {
        let server = self.start();
        let address = server.address();
        let log = self.log.display();
        scene.open(address.unwrap_or_else(|| panic!("the server does not start again: see {log}")));
        server
    }

    /// Nine times out of ten waits a little until a send is under way: on a quick machine most
    /// moments are between two of them, and put nothing at stake.
    fn wait_for_a_send(&mut self, scene: &Scene) {
        let end = Instant::now() + SEND_WAIT;
        let waits = self.dice.below(10) > 0;
        while waits && scene.stage.in_flight.load(SeqCst) <= 0 && Instant::now() < end {
            std::thread::sleep(Duration::from_micros(50));
        }
    }

    /// Waits until the database file itself changes, which only checkpoints do.
    fn wait_for_checkpoint(&self) -> bool {
        let state = || {
            let file = self.data.join("chinwag.db").metadata();
            let file = file.expect("the database is there");
            (file.modified().expect("files have times"), file.len())
        };
        let (before, end) = (state(), Instant::now() + CHECKPOINT_WAIT);
        while Instant::now() < end {
            if state() != before {
                return true;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        false
    }
}

impl Counts {
    fn count(&mut self, histories: &[&History]) {
        let sum =
            |of: fn(&History) -> u64| histories.iter().map(|history| of(history)).sum::<u64>();
        self.unknown = sum(|history| {
            history
                .sent
                .iter()
                .map(|sent| u64::from(sent.unknown))
                .sum()
        }) as usize;
        self.live = sum(|history| history.ways.values().sum());
        self.connections = sum(|history| history.connections);
        self.resets = sum(|history| history.resets);
    }
}
