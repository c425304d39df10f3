//! The load generator: starts a server as a stranger would, loads it, and says what it measured.
//!
//! One canonical scenario with two headline numbers; options are for investigation. It knows the
//! server by its protocol and its command line only. A run leaves nothing behind.

mod client;
mod durable;
mod floor;
mod issuer;
mod machine;
mod peers;
mod publish;
mod report;
mod room;
mod server;
mod terminal;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// Measures a Chinwag server from outside
#[derive(Parser)]
#[command(name = "chinwag-bench", max_term_width = 80)]
struct Cli {
    #[command(subcommand)]
    scenario: Scenario,
}

#[derive(Subcommand)]
enum Scenario {
    /// Sends that wait for their ack: durable messages per second, and p99 of the ack
    Durable(DurableOptions),
    /// A floor for `compare`
    #[command(hide = true)]
    FloorNet(peers::floor_net::FloorNetOptions),
}

/// What `durable` can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct DurableOptions {
    /// People who send, each waiting for the ack before the next message
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    senders: u32,
    /// Rooms, the senders spread over them
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    rooms: u32,
    /// Members of each room, all of them connected
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    members: u32,
    /// Length of one measurement, after two seconds of warming up
    #[arg(long, value_name = "S", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    seconds: u64,
    /// Measurements, each beside one of the disk alone; the medians are reported
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pairs: u32,
    /// A server that runs already [default: start one]
    ///
    /// Such as ws://127.0.0.1:8080/ws. It must know the issuer `chinwag-bench` with the audience
    /// `chinwag` and HS256, and raise the limits that the first line of a run without --url shows.
    #[arg(long, value_name = "URL", requires = "secret_file")]
    url: Option<String>,
    /// With --url: the secret that the server knows this issuer by
    #[arg(long, value_name = "FILE", requires = "url")]
    secret_file: Option<PathBuf>,
    /// Where the data directory is made [default: beside this program]
    ///
    /// Must be on the disk in question: one in memory has nothing to sync.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
    /// Also put the result into this document, between its two marks
    #[arg(long, value_name = "FILE")]
    publish: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli { scenario } = Cli::parse();
    let done = match scenario {
        Scenario::Durable(options) => durable::run(&options).await,
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
