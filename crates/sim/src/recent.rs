//! What each node has of the store in memory: the core's tails, filled by its own commits and
//! its reads, empty again with each life of the node.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chinwag_core::recent::Tails;

use crate::base::NodeRef;

/// Bytes of one node: too few for all rooms of a town.
const BYTES_MAX: usize = 48 * 1024;

/// The tails of all nodes, each with the life that it belongs to.
#[derive(Debug, Default)]
pub(crate) struct Memories {
    nodes: BTreeMap<usize, (u64, RefCell<Tails>)>,
}

impl Memories {
    /// What a node has in its present life.
    pub(crate) fn of(&mut self, node: NodeRef) -> &RefCell<Tails> {
        let empty = || (node.life, RefCell::new(Tails::new(BYTES_MAX)));
        let slot = self.nodes.entry(node.node).or_insert_with(empty);
        if slot.0 != node.life {
            *slot = empty();
        }
        &slot.1
    }
}
