//! The chinwag server: everything that awaits, reads a clock or opens a file.

pub mod auth;
pub mod gateway;
pub mod store;
