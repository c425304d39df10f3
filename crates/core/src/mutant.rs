//! Planted faults: each is a mistake that a real system has made, and that the simulator must
//! find. Without the feature `mutants` every question is answered "no" at compile time.

/// A mistake to make on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// The snapshot is read before the connection is registered: what falls between is lost.
    SnapshotBeforeRegister,
    /// A stream begins at the cursor instead of after it.
    SyncFromCursor,
    /// A node's own commits go out without passing the feed.
    LocalBypassesFeed,
    /// Membership is looked at when joining only, not at each send.
    AuthorisedAtJoinOnly,
    /// Each node numbers by a counter of its own.
    NodeCounter,
    /// A key is forgotten after some seconds.
    DedupeForgets,
    /// A full outbox drops without saying `behind`.
    SilentDrop,
    /// `caught_up` overtakes the events that it vouches for.
    PositionInControlLane,
    /// A tail of recent events goes on behind a hole as if there were none.
    TailOverHole,
    /// What a redaction names keeps its text.
    RedactionKeepsText,
    /// The last owner of a room may go.
    LastOwnerGoes,
    /// Who types is told so as well.
    TypingToSender,
    /// Coming back does not end the time after which one is offline.
    GraceGoesOn,
    /// Who hides receipts is told of, and told.
    ReceiptOfHidden,
}

impl Mutant {
    /// All of them.
    pub const ALL: &[Self] = &[
        Self::SnapshotBeforeRegister,
        Self::SyncFromCursor,
        Self::LocalBypassesFeed,
        Self::AuthorisedAtJoinOnly,
        Self::NodeCounter,
        Self::DedupeForgets,
        Self::SilentDrop,
        Self::PositionInControlLane,
        Self::TailOverHole,
        Self::RedactionKeepsText,
        Self::LastOwnerGoes,
        Self::TypingToSender,
        Self::GraceGoesOn,
        Self::ReceiptOfHidden,
    ];

    /// Its name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SnapshotBeforeRegister => "snapshot-before-register",
            Self::SyncFromCursor => "sync-from-cursor",
            Self::LocalBypassesFeed => "local-bypasses-feed",
            Self::AuthorisedAtJoinOnly => "authorised-at-join-only",
            Self::NodeCounter => "node-counter",
            Self::DedupeForgets => "dedupe-forgets",
            Self::SilentDrop => "silent-drop",
            Self::PositionInControlLane => "position-in-control-lane",
            Self::TailOverHole => "tail-over-hole",
            Self::RedactionKeepsText => "redaction-keeps-text",
            Self::LastOwnerGoes => "last-owner-goes",
            Self::TypingToSender => "typing-to-sender",
            Self::GraceGoesOn => "grace-goes-on",
            Self::ReceiptOfHidden => "receipt-of-hidden",
        }
    }
}

#[cfg(feature = "mutants")]
thread_local! {
    static ACTIVE: std::cell::Cell<Option<Mutant>> = const { std::cell::Cell::new(None) };
}

/// Makes this thread commit `mutant`, or none.
#[cfg(feature = "mutants")]
pub fn plant(mutant: Option<Mutant>) {
    ACTIVE.set(mutant);
}

/// Whether to commit `mutant` here.
#[cfg(feature = "mutants")]
#[must_use]
pub fn active(mutant: Mutant) -> bool {
    ACTIVE.get() == Some(mutant)
}

/// Whether to commit `mutant` here: never in this build.
#[cfg(not(feature = "mutants"))]
#[must_use]
#[inline(always)]
pub fn active(_mutant: Mutant) -> bool {
    false
}
