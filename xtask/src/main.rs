//! The project's chores, so that a newcomer has two commands to learn and CI has one.
//!
//! Each chore is a file of its own; this one only reads the command line. Nothing here is shipped:
//! the process lives as long as one chore.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore talks to the person who typed it"
)]

mod command;
mod conformance;
mod deny;
mod project;
mod sizes;
mod test;
mod tidy;
mod tools;
mod workspaces;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::project::Project;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", max_term_width = 80)]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Run everything that must hold before a change is merged
    Test(test::Options),
    /// Check layers, lengths, text and links; also a step of `test`
    Tidy,
    /// Measure the SDK and the page against their size walls; also a step of `test`
    Sizes,
    /// Find, or install where allowed, what the tests need; also a step of `test`
    Tools,
    /// Run Autobahn's WebSocket suite against the echo route (needs Python 2.7)
    Conformance(conformance::Options),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let outcome = Project::find().and_then(|project| match arguments.chore {
        Chore::Test(options) => test::run(&project, &options),
        Chore::Tidy => tidy::run(&project),
        Chore::Sizes => sizes::run(&project),
        Chore::Tools => tools::provide(&project),
        Chore::Conformance(options) => conformance::run(&project, &options),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            // 2 = this machine cannot run the chore, 1 = the chore found something wrong.
            ExitCode::from(if error.is::<tools::Absent>() { 2 } else { 1 })
        }
    }
}
