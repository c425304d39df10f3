//! The load generator: starts a server as a stranger would, loads it, and says what it measured.
//!
//! One command for each question; options are for investigation. It knows the server by its
//! protocol and its command line only. A run leaves nothing behind.

mod chinwag;
mod client;
mod comeback;
mod compare;
mod crowd;
mod dialect;
mod durable;
mod fanout;
mod floor;
mod ground;
mod idle;
mod issuer;
mod machine;
mod mixed;
mod peers;
mod presence;
mod processors;
mod publish;
mod report;
mod room;
mod seat;
mod server;
mod storm;
mod swarm;
mod sync;
mod terminal;
mod ticks;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Measures a Chinwag server from outside
#[derive(Parser)]
#[command(name = "chinwag-bench", max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Silent connections: memory of each, and how fast they come in
    Idle(idle::Options),
    /// One room of many: deliveries per second, what one costs, and how late it is
    Fanout(fanout::Options),
    /// Sends that wait for their ack: durable messages per second, and p99 of the ack
    Durable(durable::Options),
    /// All clients cut at once: until the last is back and misses nothing
    Storm(storm::Options),
    /// Clients that resume, some messages behind: how fast they catch up
    Sync(sync::Options),
    /// A day of a company in two minutes: everything at the same time
    Mixed(mixed::Options),
    /// A large room at which everybody looks: who is online and who types, and what that costs
    Presence(presence::Options),
    /// Pairs who write to each other: how soon a sender sees that a message was delivered
    Ticks(ticks::Options),
    /// Chinwag beside Socket.IO, ejabberd and what the machine itself costs, in one table
    Compare(compare::Options),
    /// A floor for `compare`
    #[command(hide = true)]
    FloorNet(peers::floor_net::FloorNetOptions),
}

fn main() -> ExitCode {
    let Cli { scenario } = Cli::parse();
    let done = match scenario {
        Scenario::Idle(options) => idle::run(&options),
        Scenario::Fanout(options) => fanout::run(&options),
        Scenario::Durable(options) => durable::run(&options),
        Scenario::Storm(options) => storm::run(&options),
        Scenario::Sync(options) => sync::run(&options),
        Scenario::Mixed(options) => mixed::run(&options),
        Scenario::Presence(options) => presence::run(&options),
        Scenario::Ticks(options) => ticks::run(&options),
        Scenario::Compare(options) => compare::run(&options),
        Scenario::FloorNet(options) => peers::floor_net::run(options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal::progress(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}
