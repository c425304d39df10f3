//! The deciding half of Chinwag.
//!
//! Everything here is pure: it takes input and the time, and returns decisions. It does not
//! await, read a clock, draw randomness, open anything or iterate a hash map; the manifest and
//! `clippy.toml` hold that. The server drives it with sockets and disks, the simulator with
//! seeded faults, and both run the same code.

pub mod answer;
pub mod aside;
pub mod attention;
pub mod avatar;
pub mod batch;
pub mod code;
pub mod codec;
pub mod deed;
pub mod erasure;
pub mod estate;
pub mod event;
pub mod feed;
pub mod fold;
pub mod gate;
#[cfg(test)]
mod generated;
pub mod hidden;
pub mod ids;
pub mod invite;
pub mod lanes;
pub mod ledger;
pub mod limits;
pub mod live;
pub mod marker;
pub mod mutant;
pub mod name;
pub mod own;
pub mod policy;
pub mod presence;
pub mod rate;
pub mod read;
pub mod receipt;
pub mod recent;
pub mod room;
pub mod session;
pub mod shard;
pub mod sync;
pub mod text;
pub mod trail;
pub mod typing;
pub mod view;
pub mod watch;
pub mod wire;
