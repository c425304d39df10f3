//! `chinwag-sim`: runs seeds, prints what happened, and fails if anything is wrong or nothing
//! was shown.

mod console;

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use chinwag_core::mutant::Mutant;
use chinwag_sim::{Counts, Outcome, run};
use clap::Parser;

use console::say;

/// Seeds within which a mutant must be caught.
const MUTANT_SEEDS: u64 = 1_000;
/// From this many seeds on, every figure must be above zero.
const TELLING_SEEDS: u64 = 50;

/// Drives the core of Chinwag through seeded histories of faults and judges them.
#[derive(Parser)]
struct Options {
    /// How many seeds to run.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    first: u64,
    /// Run this one only.
    #[arg(long)]
    seed: Option<u64>,
    /// Print every line of its trace.
    #[arg(long)]
    trace: bool,
    /// Run every seed twice; otherwise every tenth.
    #[arg(long)]
    check_repeat: bool,
    /// Plant this mistake.
    #[arg(long)]
    mutant: Option<String>,
    /// Plant each mistake in turn and say which seed catches it.
    #[arg(long)]
    mutants: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if options.mutants {
        return mutants(options.first);
    }
    let planted = match &options.mutant {
        None => None,
        Some(name) => match Mutant::ALL.iter().find(|mutant| mutant.name() == name) {
            Some(mutant) => Some(*mutant),
            None => {
                let names: Vec<&str> = Mutant::ALL.iter().map(|m| m.name()).collect();
                say(&format!(
                    "no mutant is called {name}; there are: {}",
                    names.join(", ")
                ));
                return ExitCode::from(2);
            }
        },
    };
    let (first, seeds) = match options.seed {
        Some(seed) => (seed, 1),
        None => (options.first, options.seeds),
    };
    seeds_run(first, seeds, planted, &options)
}

fn seeds_run(first: u64, seeds: u64, planted: Option<Mutant>, options: &Options) -> ExitCode {
    let next = AtomicU64::new(first);
    let sum: Mutex<(Counts, u64, u64)> = Mutex::new((Counts::default(), 0, 0));
    on_all_cores(|| {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + seeds {
                return;
            }
            let outcome = run(seed, planted, options.trace);
            let again = options.check_repeat || seed.is_multiple_of(10);
            let differs = again && run(seed, planted, false).hash != outcome.hash;
            let mut sum = sum.lock().expect("nobody panics while holding the sum");
            sum.0.add(&outcome.counts);
            sum.1 += outcome.violations.len() as u64;
            sum.2 += u64::from(differs);
            if options.trace {
                outcome.lines.iter().for_each(|line| say(line));
            }
            if differs {
                say(&format!("seed {seed}: two runs differ"));
            }
            show(&outcome);
        }
    });
    let (counts, violations, differing) = sum.into_inner().expect("all threads have ended");
    counts.lines().iter().for_each(|line| say(line));
    say(&format!("{:<24}{differing:>12}", "runs that differ"));
    say(&format!("{:<24}{violations:>12}", "violations"));
    let empty = if seeds >= TELLING_SEEDS {
        counts.emptiness()
    } else {
        Vec::new()
    };
    empty
        .iter()
        .for_each(|why| say(&format!("shows too little: {why}")));
    if violations == 0 && differing == 0 && empty.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn show(outcome: &Outcome) {
    let Some(first) = outcome.violations.first() else {
        return;
    };
    say(&format!(
        "seed {}: {}: {}",
        outcome.seed, first.invariant, first.example
    ));
    for line in &outcome.tail {
        say(&format!("    {line}"));
    }
}

fn mutants(first: u64) -> ExitCode {
    let mut missed = 0;
    for mutant in Mutant::ALL {
        let caught = (first..first + MUTANT_SEEDS).find_map(|seed| {
            let outcome = run(seed, Some(*mutant), false);
            let violation = outcome.violations.into_iter().next()?;
            Some((seed - first + 1, violation.invariant))
        });
        let name = mutant.name();
        match caught {
            Some((seeds, by)) => say(&format!(
                "{name:<28} caught by \"{by}\" after {seeds} seeds"
            )),
            None => {
                missed += 1;
                say(&format!(
                    "{name:<28} NOT caught within {MUTANT_SEEDS} seeds"
                ));
            }
        }
    }
    if missed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn on_all_cores(work: impl Fn() + Sync) {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(&work);
        }
    });
}
