//! The deciding half of Chinwag.
//!
//! Everything here is pure: it takes input and the time, and returns decisions. It does not
//! await, read a clock, draw randomness, open anything or iterate a hash map; the manifest and
//! `clippy.toml` hold that. The server drives it with sockets and disks, the simulator with
//! seeded faults, and both run the same code.

pub mod code;
pub mod event;
pub mod fold;
pub mod ids;
pub mod limits;
pub mod name;
pub mod room;
pub mod wire;
