//! What faces the network.

pub mod page;
