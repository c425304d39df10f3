//! Faults striking a world: which, when, whom, for how long.
//!
//! A fault waits a little for a send in flight, because one that hits nothing shows nothing; if
//! nobody writes by themselves, somebody is asked to.

use crate::base::Happening;
use crate::fault::Fault;
use crate::link::LinkId;
use crate::world::{NODES, World};

/// Looks for a send in flight before a fault strikes anyway.
const POLLS_MAX: u32 = 400;

impl World {
    /// Draws the next fault and the time of the one after it.
    pub(crate) fn plan_fault(&mut self) {
        if self.healed.is_some() {
            return;
        }
        let fault = *self.base.rng.pick(Fault::ALL);
        self.base.later(0, Happening::Strike(fault, 0));
        let (low, high) = self.base.settings.fault_ms;
        let pause = self.base.rng.between(low, high);
        self.base.later(pause, Happening::Plan);
    }

    /// Strikes, if a send is in flight; otherwise lets somebody write and looks again.
    pub(crate) fn strike(&mut self, fault: Fault, polls: u32) {
        if self.healed.is_some() {
            return;
        }
        if self.base.flying.is_empty() && polls < POLLS_MAX {
            if polls % 10 == 3 {
                self.let_somebody_write();
            }
            let pause = self.base.rng.between(1, 8);
            return self.base.later(pause, Happening::Strike(fault, polls + 1));
        }
        let now = self.base.now;
        let until = now + self.base.rng.between(300, 4_000);
        match fault {
            Fault::UnknownDone
            | Fault::UnknownNot
            | Fault::UnknownLater
            | Fault::Abort
            | Fault::LateAnswer => self.store.arm(fault),
            Fault::StoreDown => {
                self.base.suffer(fault);
                self.store.go_down(until);
            }
            Fault::BusLoss | Fault::BusRepeat | Fault::BusReorder | Fault::BusPartition => {
                self.base.suffer(fault);
                let node = self.base.rng.index(NODES);
                let long = until + self.base.rng.below(4_000);
                self.bus.hit(fault, node, long);
            }
            Fault::NodeCrash | Fault::NodeDrain => self.strike_node(fault),
            Fault::LinkCut | Fault::HalfOpen | Fault::SlowReader => self.strike_link(fault, until),
            Fault::ClientCrash => self.strike_device(),
        }
    }

    fn strike_node(&mut self, fault: Fault) {
        let ready: Vec<usize> = (0..NODES).filter(|n| self.nodes[*n].is_ready()).collect();
        // One node is left, as a rule: three dead ones teach little.
        if ready.len() < 2 {
            return;
        }
        let node = *self.base.rng.pick(&ready);
        self.base.suffer(fault);
        self.base
            .trace
            .note(self.base.now, format_args!("{} hits n{node}", fault.name()));
        if fault == Fault::NodeDrain {
            self.at_node(node, |node, site| node.drain(site));
        } else {
            self.nodes[node].crash(&mut self.links, &mut self.base);
            let pause = self.base.rng.between(200, 4_000);
            self.base.later(pause, Happening::Start(node));
        }
    }

    fn strike_link(&mut self, fault: Fault, until: u64) {
        let held = self.devices.iter().filter_map(|device| device.link());
        let held: Vec<LinkId> = held.collect();
        let alive = self.links.alive();
        let mine: Vec<LinkId> = alive.into_iter().filter(|l| held.contains(l)).collect();
        if mine.is_empty() {
            return;
        }
        let link = *self.base.rng.pick(&mine);
        self.base.suffer(fault);
        match fault {
            Fault::SlowReader => self.links.slow(link, until + 2_000),
            Fault::HalfOpen => {
                let (client, server) =
                    *self
                        .base
                        .rng
                        .pick(&[(false, false), (false, true), (true, false)]);
                self.links.cut(link, client, server, &mut self.base);
            }
            _ => self.links.cut(link, true, true, &mut self.base),
        }
    }

    fn strike_device(&mut self) {
        let index = self.base.rng.index(self.devices.len());
        self.base.suffer(Fault::ClientCrash);
        self.at_device(index, |device, shore, _town| device.crash(shore));
        self.base.later(50, Happening::Wake(index));
    }

    fn let_somebody_write(&mut self) {
        let live: Vec<usize> = (0..self.devices.len())
            .filter(|at| self.devices[*at].is_live())
            .collect();
        if live.is_empty() {
            return;
        }
        let index = *self.base.rng.pick(&live);
        self.at_device(index, |device, shore, town| {
            if town.write(device, shore.base) {
                device.pump(shore);
            }
        });
    }
}
