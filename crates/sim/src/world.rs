//! A world: three nodes, a store, a bus, links, devices and their users, run from one seed.
//!
//! Single-threaded and without a clock: what happens next is what the agenda says. Faults come
//! for a while; then everything heals, and must come to rest.

use std::collections::BTreeMap;

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Command;
use chinwag_core::ids::{Epoch, Key, UserId};
use chinwag_core::mutant::{self, Mutant};
use chinwag_core::wire::Profile;

use crate::base::{Base, Happening, NodeRef};
use crate::bus::Bus;
use crate::device::{Device, Shore};
use crate::link::{End, LinkId, Links};
use crate::node::{Node, Site};
use crate::oracle::{Oracle, Violation};
use crate::report::Counts;
use crate::store::Store;
use crate::workload::Town;

/// Nodes of a world.
pub(crate) const NODES: usize = 3;
/// Users of a world.
const USERS: usize = 4;
/// After healing everything must have come to rest within this time.
const REST_MS: u64 = 150_000;
/// Between looks whether it has.
const QUIET_EVERY_MS: u64 = 500;
/// More happenings than any sane world has: it would never end.
const HAPPENINGS_MAX: u64 = 3_000_000;

/// What a seed came to.
#[derive(Debug)]
pub struct Outcome {
    /// Which.
    pub seed: u64,
    /// SHA-256 over everything that happened.
    pub hash: String,
    /// How often what happened.
    pub counts: Counts,
    /// What must not have.
    pub violations: Vec<Violation>,
    /// The last lines of the trace.
    pub tail: Vec<String>,
    /// All of them, if they were asked for.
    pub lines: Vec<String>,
}

/// Everything there is.
pub(crate) struct World {
    pub(crate) base: Base,
    pub(crate) store: Store,
    pub(crate) bus: Bus,
    pub(crate) nodes: Vec<Node>,
    pub(crate) links: Links,
    pub(crate) devices: Vec<Device>,
    pub(crate) oracle: Oracle,
    pub(crate) town: Town,
    people: BTreeMap<String, Profile>,
    pub(crate) healed: Option<u64>,
    /// Since when everything is quiet.
    quiet_since: Option<u64>,
    over: bool,
}

/// Runs the world of `seed`, with a planted mistake or none, and judges it.
#[must_use]
pub fn run(seed: u64, planted: Option<Mutant>, whole_trace: bool) -> Outcome {
    mutant::plant(planted);
    let mut world = World::new(seed, whole_trace);
    world.live();
    let outcome = world.judge(seed);
    mutant::plant(None);
    outcome
}

impl World {
    fn new(seed: u64, whole_trace: bool) -> Self {
        let mut base = Base::new(seed, whole_trace);
        let epoch = Epoch(base.rng.bytes());
        let mut store = Store::new(epoch);
        let mut oracle = Oracle::default();
        let mut people = BTreeMap::new();
        let mut devices = Vec::new();
        let mut users = Vec::new();
        for number in 0..USERS {
            let id = UserId(base.rng.bytes());
            let profile = Profile {
                id,
                name: format!("user {number}"),
                version: 1,
                display_name: None,
                avatar: None,
            };
            store.ledger.put_profile(profile.clone());
            if number == 1 && seed.is_multiple_of(2) {
                let change = SettingsChange {
                    hide_receipts: Some(true),
                    ..SettingsChange::default()
                };
                store.ledger.set(id, change);
                oracle.hiding.insert(id);
            }
            let token = format!("token of {number}");
            people.insert(token.clone(), profile);
            users.push(id);
            for _ in 0..base.rng.between(1, 2) {
                devices.push(Device::new(devices.len(), id, token.clone()));
            }
        }
        let town = Town::found(users, &mut store, &mut oracle, &mut base);
        let nodes = (0..NODES).map(|index| Node::new(index, epoch)).collect();
        let mut world = Self {
            base,
            store,
            bus: Bus::default(),
            nodes,
            links: Links::default(),
            devices,
            oracle,
            town,
            people,
            healed: None,
            quiet_since: None,
            over: false,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for node in 0..NODES {
            self.base.later(0, Happening::Start(node));
        }
        for device in &self.devices {
            device.plan_look(&mut self.base);
        }
        self.base.later(3_000, Happening::Plan);
        let chaos = self.base.settings.chaos_ms;
        self.base.later(chaos, Happening::Heal);
    }

    fn live(&mut self) {
        let mut happenings = 0;
        while !self.over && self.oracle.violations.is_empty() {
            let Some(what) = self.base.next() else {
                return;
            };
            happenings += 1;
            if happenings > HAPPENINGS_MAX {
                let what = format!("{happenings} happenings and no rest");
                return self.oracle.violation("all converge", what);
            }
            self.happen(what);
            for what in std::mem::take(&mut self.base.wrong) {
                self.oracle.violation("told to whom it may be", what);
            }
        }
    }

    fn happen(&mut self, what: Happening) {
        match what {
            Happening::Up(link) => {
                if let Some(frame) = self.links.arrive_up(link)
                    && let Some((_device, node)) = self.links.ends(link)
                {
                    self.at_node(node, |node, site| node.arrived(link, frame, site));
                }
            }
            Happening::Down(link) => self.down(link),
            Happening::Lost(link, end) => self.lost(link, end),
            Happening::Commit(id) => self.store.commit(id, &mut self.base),
            Happening::Read(id) => self.store.look(id, &mut self.base),
            Happening::Node(at, work) => {
                if self.nodes[at.node].name() == at {
                    self.at_node(at.node, |node, site| node.work(work, site));
                }
            }
            Happening::Start(node) => {
                if !self.nodes[node].is_up() {
                    let Ok(position) = chinwag_core::view::View::position(&self.store.ledger);
                    self.nodes[node].start(position, &mut self.base);
                }
            }
            Happening::Device(index, life) => {
                if self.devices[index].life == life {
                    self.look(index);
                }
            }
            Happening::Wake(index) => self.devices[index].plan_look(&mut self.base),
            Happening::Plan => self.plan_fault(),
            Happening::Strike(fault, polls) => self.strike(fault, polls),
            Happening::Heal => self.heal(),
            Happening::Quiet => self.quiet(),
        }
    }

    /// Lets a node do something with the rest of the world at hand.
    pub(crate) fn at_node<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Node, &mut Site<'_>) -> T,
    ) -> T {
        let up = self.nodes.iter().filter(|node| node.is_up());
        let others: Vec<NodeRef> = up.map(Node::name).filter(|at| at.node != index).collect();
        let mut site = Site {
            base: &mut self.base,
            store: &mut self.store,
            links: &mut self.links,
            bus: &self.bus,
            others: &others,
            people: &self.people,
        };
        act(&mut self.nodes[index], &mut site)
    }

    /// Lets a device do something with the rest of the world at hand.
    pub(crate) fn at_device<T>(
        &mut self,
        index: usize,
        act: impl FnOnce(&mut Device, &mut Shore<'_>, &mut Town) -> T,
    ) -> T {
        let mut shore = Shore {
            base: &mut self.base,
            links: &mut self.links,
            oracle: &mut self.oracle,
            store: &self.store,
        };
        act(&mut self.devices[index], &mut shore, &mut self.town)
    }

    fn down(&mut self, link: LinkId) {
        let Some(frame) = self.links.arrive_down(link) else {
            return;
        };
        let Some((device, node)) = self.links.ends(link) else {
            return;
        };
        if self.devices[device].link() == Some(link) {
            self.at_device(device, |device, shore, _town| device.hear(frame, shore));
        }
        // The window has room again.
        self.at_node(node, |node, site| node.writable(link, site));
    }

    fn lost(&mut self, link: LinkId, end: End) {
        let Some((device, node)) = self.links.ends(link) else {
            return;
        };
        match end {
            End::Server => self.at_node(node, |node, site| node.lost(link, site)),
            End::Client if self.devices[device].link() == Some(link) => {
                self.at_device(device, |device, shore, _town| device.give_up(None, shore));
            }
            End::Client => self.links.release(link, End::Client, &mut self.base),
        }
    }

    fn look(&mut self, index: usize) {
        let past = self.past_of(index);
        let calm = self.healed.is_some();
        self.at_device(index, |device, shore, town| {
            device.look(NODES, shore);
            if !calm {
                town.act(device, &past, shore);
            }
            device.plan_look(shore.base);
        });
    }

    /// Acked sends of the user of a device, by any of their devices.
    fn past_of(&self, index: usize) -> Vec<(Key, Command)> {
        let user = self.devices[index].user;
        let mine = self.devices.iter().filter(|device| device.user == user);
        mine.flat_map(|device| device.past.iter().rev().take(40).cloned())
            .collect()
    }

    /// From here on nothing goes wrong any more.
    fn heal(&mut self) {
        self.base.trace.note(self.base.now, format_args!("HEAL"));
        self.healed = Some(self.base.now);
        self.store.heal();
        self.bus.heal();
        // As people do who have waited long enough: every client looks whether it is connected.
        for index in 0..self.devices.len() {
            self.at_device(index, |device, shore, _town| device.ping(shore));
        }
        self.base.later(QUIET_EVERY_MS, Happening::Quiet);
    }

    /// Ends the world once everything has come to rest, or has had time enough to.
    fn quiet(&mut self) {
        let unrest = self.devices.iter().find_map(Device::unrest).or_else(|| {
            let down = self.nodes.iter().find(|node| !node.is_ready())?;
            Some(format!("n{} is not ready", down.name().node))
        });
        let since = self.healed.unwrap_or(self.base.now);
        let Some(unrest) = unrest else {
            // Long enough for a last look at the store by every node.
            let quiet = *self.quiet_since.get_or_insert(self.base.now);
            let patience = if self.base.settings.patient {
                chinwag_core::limits::PRESENCE_GRACE_MS + 2_000
            } else {
                0
            };
            self.over = self.base.now >= quiet.max(since + 4_000) + 6_500 + patience;
            return self.base.later(QUIET_EVERY_MS, Happening::Quiet);
        };
        self.quiet_since = None;
        if self.base.now > since + REST_MS {
            return self.oracle.violation("all converge", unrest);
        }
        self.base.later(QUIET_EVERY_MS, Happening::Quiet);
    }

    fn judge(mut self, seed: u64) -> Outcome {
        for entry in &self.store.journal {
            let kind = entry.event.body.kind();
            *self.base.counts.events.entry(kind).or_default() += 1;
        }
        if self.oracle.violations.is_empty() {
            self.oracle
                .finish(&mut self.store, &self.devices, NODES as u64);
            for device in &self.devices {
                let ends = device.link().and_then(|link| self.links.ends(link));
                if let Some((_device, node)) = ends {
                    let online = self.nodes[node].online(self.base.now);
                    self.oracle
                        .judge_presence(device, &online, &self.store.ledger);
                }
            }
        }
        let mut counts = self.base.counts;
        counts.seeds = 1;
        counts.simulated_ms = self.base.now;
        let tail = self.base.trace.tail();
        let (hash, lines) = self.base.trace.finish();
        Outcome {
            seed,
            hash,
            counts,
            violations: self.oracle.violations,
            tail,
            lines,
        }
    }
}
