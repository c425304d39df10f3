//! Where things are kept.

pub mod accounts;
pub mod memory;
pub mod sqlite;

/// Why the store did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It does not answer, or whether it did is unknown.
    #[error("the store does not answer: {0}")]
    Unavailable(String),
    /// No room on the disk.
    #[error("the disk is full")]
    Full,
}
