//! The Chinwag server as a library: `main.rs` is its command line, `tests/` drive it.

pub mod auth;
pub mod avatars;
pub mod cli;
pub mod clock;
pub mod commit;
pub mod config;
pub mod console;
pub mod deeds;
pub mod doctor;
pub mod eraser;
pub mod gateway;
pub mod hub;
pub mod logging;
pub mod metrics;
pub mod network;
pub mod node;
mod outside;
pub mod presence;
pub mod routes;
pub mod scrape;
pub mod startup;
pub mod store;
