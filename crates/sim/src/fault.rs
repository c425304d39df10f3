//! What goes wrong, by kind, and when: preferably while a send is in flight.
//!
//! Kinds and their numbers only; each part of the world knows how to suffer its own.

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// A node loses everything in memory at once.
    NodeCrash,
    /// A node is stopped gracefully and started again.
    NodeDrain,
    /// The store answers nobody for a while.
    StoreDown,
    /// A batch is committed, and its node is told "unknown".
    UnknownDone,
    /// A batch is not committed, and its node is told "unknown".
    UnknownNot,
    /// A batch is committed after its node was told "unknown", perhaps after the retry.
    UnknownLater,
    /// A batch is refused.
    Abort,
    /// A batch is committed at once and answered seconds later.
    LateAnswer,
    /// The bus loses most.
    BusLoss,
    /// The bus says much twice.
    BusRepeat,
    /// The bus lets later events pass earlier ones.
    BusReorder,
    /// A node is off the bus.
    BusPartition,
    /// A link ends with everything in flight.
    LinkCut,
    /// A link ends and neither end is told.
    HalfOpen,
    /// A device reads a byte a millisecond.
    SlowReader,
    /// A device loses what it had not stored.
    ClientCrash,
}

impl Fault {
    /// All of them.
    pub(crate) const ALL: &[Self] = &[
        Self::NodeCrash,
        Self::NodeDrain,
        Self::StoreDown,
        Self::UnknownDone,
        Self::UnknownNot,
        Self::UnknownLater,
        Self::Abort,
        Self::LateAnswer,
        Self::BusLoss,
        Self::BusRepeat,
        Self::BusReorder,
        Self::BusPartition,
        Self::LinkCut,
        Self::HalfOpen,
        Self::SlowReader,
        Self::ClientCrash,
    ];

    /// Its name in a report.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NodeCrash => "node crash",
            Self::NodeDrain => "node drain",
            Self::StoreDown => "store down",
            Self::UnknownDone => "unknown: done",
            Self::UnknownNot => "unknown: not done",
            Self::UnknownLater => "unknown: done later",
            Self::Abort => "abort",
            Self::LateAnswer => "late answer",
            Self::BusLoss => "bus loss",
            Self::BusRepeat => "bus repeat",
            Self::BusReorder => "bus reorder",
            Self::BusPartition => "bus partition",
            Self::LinkCut => "link cut",
            Self::HalfOpen => "half-open link",
            Self::SlowReader => "slow reader",
            Self::ClientCrash => "client crash",
        }
    }
}
