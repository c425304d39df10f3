//! The Chinwag server as a library: `main.rs` is its command line, `tests/` drive it.

pub mod store;
