//! The simulator: seeded worlds that drive the core through faults, and an oracle that judges.
//!
//! What is real: sessions, order gates, batches, the ledger, feeds, shards, lanes, snapshots,
//! plans and the codec of `chinwag-core`. What is modelled: sockets, the database's time and
//! failures, the bus, and clients by the rules of docs/protocol.md. Not here: the server's own
//! files (the crash and power-loss tests run those).

mod base;
mod bus;
mod chaos;
mod device;
mod fault;
mod link;
mod node;
mod oracle;
mod recent;
mod report;
mod rng;
mod store;
mod trace;
mod workload;
mod world;

pub use oracle::Violation;
pub use report::Counts;
pub use world::{Outcome, run};
