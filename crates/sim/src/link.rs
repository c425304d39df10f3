//! A connection between a device and a node, as TCP is: in order, with latency and bandwidth,
//! and able to end at any moment with everything in flight, at both ends or at none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use chinwag_core::code::CloseCode;
use chinwag_core::codec;
use chinwag_core::event::{Form, Shared};
use chinwag_core::wire::ServerFrame;

use crate::base::{Base, Happening};

/// A link of this world; never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub u64);

/// Which end of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The device.
    Client,
    /// The node.
    Server,
}

/// Something on its way to a node.
#[derive(Debug, Clone)]
pub(crate) enum Up {
    /// A frame as text.
    Frame(String),
    /// The answer to a protocol ping.
    Pong,
}

/// Something on its way to a device.
#[derive(Debug, Clone)]
pub(crate) enum Down {
    /// An event, shared by all its receivers.
    Event(Arc<Shared>),
    /// Any other frame.
    Frame(Arc<ServerFrame>),
    /// A protocol ping.
    Ping,
    /// The close frame.
    Close(CloseCode),
}

impl Down {
    /// Bytes on the socket.
    #[must_use]
    pub(crate) fn weight(&self) -> usize {
        4 + match self {
            Self::Event(event) => event.frame(Form::Json, codec::encode_event).len(),
            Self::Frame(frame) => codec::encode(&**frame).len(),
            Self::Ping | Self::Close(_) => 2,
        }
    }
}

/// Bytes that the operating systems at both ends keep for a link.
const WINDOW_BYTES: usize = 4_096;
/// Bytes a millisecond of an ordinary link.
const BANDWIDTH: u64 = 1_000;

#[derive(Debug)]
struct Way<T> {
    flight: VecDeque<(T, usize)>,
    bytes: usize,
    /// The last byte sent so far leaves then.
    busy: u64,
    /// The last frame sent so far arrives then.
    arrives: u64,
}

impl<T> Default for Way<T> {
    fn default() -> Self {
        Self {
            flight: VecDeque::new(),
            bytes: 0,
            busy: 0,
            arrives: 0,
        }
    }
}

impl<T> Way<T> {
    /// Sends a frame and says when it arrives.
    fn send(&mut self, what: T, bytes: usize, base: &mut Base, bandwidth: u64) -> u64 {
        let (low, high) = base.settings.latency_ms;
        let travel = base.rng.between(low, high);
        self.busy = self.busy.max(base.now) + bytes as u64 / bandwidth.max(1);
        self.arrives = self.arrives.max(self.busy + travel);
        self.flight.push_back((what, bytes));
        self.bytes += bytes;
        self.arrives
    }

    fn arrive(&mut self) -> Option<T> {
        let (what, bytes) = self.flight.pop_front()?;
        self.bytes -= bytes;
        Some(what)
    }

    fn lose(&mut self) {
        self.flight.clear();
        self.bytes = 0;
    }
}

/// One link.
#[derive(Debug)]
pub(crate) struct Link {
    /// Its device.
    pub(crate) device: usize,
    /// Its node.
    pub(crate) node: usize,
    /// Nothing arrives any more.
    dead: bool,
    client_knows: bool,
    server_knows: bool,
    up: Way<Up>,
    down: Way<Down>,
    slow_until: u64,
}

/// All links that somebody still holds.
#[derive(Debug, Default)]
pub(crate) struct Links {
    links: BTreeMap<LinkId, Link>,
    next: u64,
}

impl Links {
    /// A new link from a device to a node.
    pub(crate) fn open(&mut self, device: usize, node: usize) -> LinkId {
        self.next += 1;
        let link = Link {
            device,
            node,
            dead: false,
            client_knows: false,
            server_knows: false,
            up: Way::default(),
            down: Way::default(),
            slow_until: 0,
        };
        self.links.insert(LinkId(self.next), link);
        LinkId(self.next)
    }

    /// The device and node of a link.
    #[must_use]
    pub(crate) fn ends(&self, id: LinkId) -> Option<(usize, usize)> {
        self.links.get(&id).map(|link| (link.device, link.node))
    }

    /// Links that carry something, or could.
    #[must_use]
    pub(crate) fn alive(&self) -> Vec<LinkId> {
        let alive = self.links.iter().filter(|(_id, link)| !link.dead);
        alive.map(|(id, _link)| *id).collect()
    }

    /// Sends to the node. A dead link swallows it.
    pub(crate) fn up(&mut self, id: LinkId, what: Up, base: &mut Base) {
        let bytes = match &what {
            Up::Frame(text) => text.len() + 8,
            Up::Pong => 6,
        };
        if let Some(link) = self.links.get_mut(&id)
            && !link.dead
            && !link.server_knows
        {
            let at = link.up.send(what, bytes, base, BANDWIDTH);
            base.at(at, Happening::Up(id));
        }
    }

    /// Sends to the device. A dead link swallows it, as a kernel does.
    pub(crate) fn down(&mut self, id: LinkId, what: Down, base: &mut Base) {
        if let Some(link) = self.links.get_mut(&id) {
            let bytes = what.weight();
            if link.dead {
                // Nobody acknowledges these bytes: the window fills up and stays full.
                link.down.bytes += bytes;
                return;
            }
            let slow = link.slow_until > base.now;
            let bandwidth = if slow { 1 } else { BANDWIDTH };
            let at = link.down.send(what, bytes, base, bandwidth);
            base.at(at, Happening::Down(id));
        }
    }

    /// Whether the node can write more.
    #[must_use]
    pub(crate) fn writable(&self, id: LinkId) -> bool {
        self.links
            .get(&id)
            .is_some_and(|link| link.down.bytes < WINDOW_BYTES)
    }

    /// A frame reaches the node.
    pub(crate) fn arrive_up(&mut self, id: LinkId) -> Option<Up> {
        let link = self.links.get_mut(&id)?;
        if link.dead || link.server_knows {
            None
        } else {
            link.up.arrive()
        }
    }

    /// A frame reaches the device.
    pub(crate) fn arrive_down(&mut self, id: LinkId) -> Option<Down> {
        let link = self.links.get_mut(&id)?;
        if link.dead { None } else { link.down.arrive() }
    }

    /// The device reads a byte a millisecond until then.
    pub(crate) fn slow(&mut self, id: LinkId, until: u64) {
        if let Some(link) = self.links.get_mut(&id) {
            link.slow_until = until;
        }
    }

    /// Ends a link at once with everything in flight. Ends that are to learn of it do so a while
    /// later; a half-open link tells nobody.
    pub(crate) fn cut(
        &mut self,
        id: LinkId,
        tell_client: bool,
        tell_server: bool,
        base: &mut Base,
    ) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.dead = true;
        link.up.lose();
        link.down.lose();
        for (end, tell) in [(End::Client, tell_client), (End::Server, tell_server)] {
            if tell {
                let delay = base.rng.between(0, 200);
                base.later(delay, Happening::Lost(id, end));
            }
        }
    }

    /// An end lets go of a link; the other learns of it.
    pub(crate) fn release(&mut self, id: LinkId, end: End, base: &mut Base) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        let black_hole = link.dead;
        let other_knows = match end {
            End::Client => {
                link.client_knows = true;
                link.server_knows
            }
            End::Server => {
                link.server_knows = true;
                link.client_knows
            }
        };
        let other = match end {
            End::Client => End::Server,
            End::Server => End::Client,
        };
        if other_knows {
            self.links.remove(&id);
        } else if !black_hole {
            link.dead = true;
            link.up.lose();
            link.down.lose();
            base.later(base.settings.latency_ms.1, Happening::Lost(id, other));
        }
    }

    /// The node writes a close frame behind everything else and lets go.
    pub(crate) fn close(&mut self, id: LinkId, code: CloseCode, base: &mut Base) {
        self.down(id, Down::Close(code), base);
        if let Some(link) = self.links.get_mut(&id) {
            link.server_knows = true;
            link.up.lose();
        }
    }
}
