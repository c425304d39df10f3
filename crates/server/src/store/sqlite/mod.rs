//! The embedded store.

pub mod accounts;
