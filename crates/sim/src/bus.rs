//! The bus between nodes: a hint that may be lost, late, doubled, out of order or cut off.

use std::sync::Arc;

use chinwag_core::event::Shared;

use crate::base::{Base, Happening, NodeRef, NodeWork};
use crate::fault::Fault;

/// What the bus does wrong at present, each until a time.
#[derive(Debug, Default)]
pub(crate) struct Bus {
    losing: u64,
    repeating: u64,
    reordering: u64,
    /// This node neither tells nor hears.
    cut_off: Option<(usize, u64)>,
}

impl Bus {
    /// Begins a fault that lasts until then.
    pub(crate) fn hit(&mut self, fault: Fault, node: usize, until: u64) {
        match fault {
            Fault::BusLoss => self.losing = until,
            Fault::BusRepeat => self.repeating = until,
            Fault::BusReorder => self.reordering = until,
            _ => self.cut_off = Some((node, until)),
        }
    }

    /// No more faults.
    pub(crate) fn heal(&mut self) {
        *self = Self::default();
    }

    fn carries(&self, from: usize, to: usize, now: u64) -> bool {
        self.cut_off
            .is_none_or(|(node, until)| now >= until || (node != from && node != to))
    }

    /// Tells the other nodes, as they live now, of committed events.
    pub(crate) fn publish(
        &self,
        from: usize,
        others: &[NodeRef],
        events: &[Arc<Shared>],
        base: &mut Base,
    ) {
        for to in others {
            if !self.carries(from, to.node, base.now) {
                continue;
            }
            // Under faults each event travels for itself, so that one may pass another.
            let troubled = base.now < self.losing.max(self.repeating).max(self.reordering);
            let parts: Vec<Vec<Arc<Shared>>> = if troubled {
                events.iter().map(|event| vec![event.clone()]).collect()
            } else {
                vec![events.to_vec()]
            };
            for part in parts {
                if base.now < self.losing && base.rng.chance(700) {
                    continue;
                }
                let times = 1 + u64::from(base.now < self.repeating && base.rng.chance(600));
                for _ in 0..times {
                    let far = base.now < self.reordering;
                    let delay = base.rng.between(0, if far { 250 } else { 4 });
                    let work = NodeWork::Bus(part.clone());
                    base.later(delay, Happening::Node(*to, work));
                }
            }
        }
    }
}
