//! What happened, counted: over one world, and over all.

use std::collections::BTreeMap;

use crate::fault::Fault;

/// The kinds of event that every world of some size has.
const KINDS: [&str; 9] = [
    "room", "member", "message", "edit", "redact", "reaction", "settings", "role", "pin",
];

/// How often things happened.
#[derive(Debug, Clone, Default)]
pub struct Counts {
    /// Worlds.
    pub seeds: u64,
    /// Simulated time in ms.
    pub simulated_ms: u64,
    /// Commands sent by clients, each attempt.
    pub sends: u64,
    /// Acked commands sent again on purpose.
    pub repeats: u64,
    /// Acks received.
    pub acks: u64,
    /// Commands whose batch ended with an unknown outcome.
    pub unknown: u64,
    /// Events received live.
    pub live: u64,
    /// Events received while connecting.
    pub sync: u64,
    /// Events received as answers to `after`.
    pub backfill: u64,
    /// Look-ups of reads that a node answered from memory.
    pub recalled: u64,
    /// Gaps that nodes read from the store.
    pub fetches: u64,
    /// Rooms, or everything, sent anew.
    pub resets: u64,
    /// Clients told that they are behind.
    pub behinds: u64,
    /// Used keys with other contents, refused.
    pub conflicts: u64,
    /// Commands that a full queue refused.
    pub full: u64,
    /// Close frames received.
    pub closes: u64,
    /// Events stored while the world went on, by kind.
    pub(crate) events: BTreeMap<&'static str, u64>,
    /// Frames received that tell who types.
    pub typing: u64,
    /// Frames received that tell who is online.
    pub presence: u64,
    /// Frames that told those who wrote how far others have come.
    pub receipts: u64,
    /// By kind: all, and those that hit a send in flight.
    pub(crate) faults: BTreeMap<Fault, (u64, u64)>,
}

impl Counts {
    /// A fault has struck.
    pub(crate) fn fault(&mut self, fault: Fault, hit: bool) {
        let slot = self.faults.entry(fault).or_default();
        slot.0 += 1;
        slot.1 += u64::from(hit);
    }

    /// Adds another world's.
    pub fn add(&mut self, other: &Self) {
        self.seeds += other.seeds;
        self.simulated_ms += other.simulated_ms;
        self.sends += other.sends;
        self.repeats += other.repeats;
        self.acks += other.acks;
        self.unknown += other.unknown;
        self.live += other.live;
        self.sync += other.sync;
        self.backfill += other.backfill;
        self.recalled += other.recalled;
        self.fetches += other.fetches;
        self.resets += other.resets;
        self.behinds += other.behinds;
        self.conflicts += other.conflicts;
        self.closes += other.closes;
        self.typing += other.typing;
        self.presence += other.presence;
        self.receipts += other.receipts;
        self.full += other.full;
        for (kind, count) in &other.events {
            *self.events.entry(kind).or_default() += count;
        }
        for (fault, (all, hit)) in &other.faults {
            let slot = self.faults.entry(*fault).or_default();
            slot.0 += all;
            slot.1 += hit;
        }
    }

    fn faults_sum(&self) -> (u64, u64) {
        let sum = |(a, b): (u64, u64), (c, d): &(u64, u64)| (a + c, b + d);
        self.faults.values().fold((0, 0), sum)
    }

    fn figures(&self) -> [(&'static str, u64); 18] {
        [
            ("seeds", self.seeds),
            ("sends", self.sends),
            ("repeats on purpose", self.repeats),
            ("acks", self.acks),
            ("unknown outcomes", self.unknown),
            ("refused by a full queue", self.full),
            ("received live", self.live),
            ("received by sync", self.sync),
            ("received by backfill", self.backfill),
            ("looked up in memory", self.recalled),
            ("gaps read by nodes", self.fetches),
            ("resets", self.resets),
            ("behinds", self.behinds),
            ("conflicts", self.conflicts),
            ("closes", self.closes),
            ("typing told", self.typing),
            ("presence told", self.presence),
            ("receipts told", self.receipts),
        ]
    }

    /// Why these figures show nothing: one of them is zero, or too few faults hit a send.
    #[must_use]
    pub fn emptiness(&self) -> Vec<String> {
        let zero = self
            .figures()
            .into_iter()
            .filter(|(_name, count)| *count == 0);
        let mut why: Vec<String> = zero.map(|(name, _count)| format!("no {name}")).collect();
        for kind in KINDS {
            if self.events.get(kind).is_none_or(|count| *count == 0) {
                why.push(format!("no event of kind {kind}"));
            }
        }
        for fault in Fault::ALL {
            if self.faults.get(fault).is_none_or(|(all, _hit)| *all == 0) {
                why.push(format!("no {}", fault.name()));
            }
        }
        let (all, hit) = self.faults_sum();
        if hit * 100 < all * 95 {
            why.push(format!("only {hit} of {all} faults hit a send in flight"));
        }
        why
    }

    /// The figures as lines.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let hours = self.simulated_ms as f64 / 3_600_000.0;
        lines.push(format!("{:<24}{hours:>12.1}", "simulated hours"));
        for (name, count) in self.figures() {
            lines.push(format!("{name:<24}{count:>12}"));
        }
        for (kind, count) in &self.events {
            let name = format!("events: {kind}");
            lines.push(format!("{name:<24}{count:>12}"));
        }
        let (all, hit) = self.faults_sum();
        let percent = 100.0 * hit as f64 / all.max(1) as f64;
        let text = format!("{:<24}{all:>12}", "faults");
        lines.push(format!(
            "{text}   {hit} with a send in flight ({percent:.1} %)"
        ));
        for (fault, (all, hit)) in &self.faults {
            let name = fault.name();
            lines.push(format!("  {name:<22}{all:>12}   {hit}"));
        }
        lines
    }
}
