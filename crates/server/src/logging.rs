//! The log: one subscriber for the whole process, on standard error.
//!
//! What is logged is decided where it happens; here only its shape and how much of it is shown.
//! Libraries are held at warnings unless everything is asked for: their details help nobody who did
//! not write them.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt};

use crate::config::{Log, LogFormat, LogLevel};

/// Starts the log. A second start in the same process changes nothing: tests share theirs.
pub fn start(log: &Log) {
    let is_terminal = std::io::stderr().is_terminal();
    let format = log.format.unwrap_or(if is_terminal {
        LogFormat::Human
    } else {
        LogFormat::Json
    });
    let level = match log.level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let libraries = if level == LevelFilter::TRACE {
        level
    } else {
        level.min(LevelFilter::WARN)
    };
    let ours = Targets::new()
        .with_default(libraries)
        .with_target("chinwag", level);
    let layer = match format {
        LogFormat::Human => fmt::layer()
            .with_ansi(is_terminal)
            .with_target(false)
            .with_writer(std::io::stderr)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_writer(std::io::stderr)
            .boxed(),
    };
    let started = tracing_subscriber::registry()
        .with(layer.with_filter(ours))
        .try_init();
    if started.is_err() {
        tracing::debug!("the log was started before");
    }
}
