//! At rest, every device knows who is online in its rooms: those who have a connection to the same
//! node, perhaps those who lost it a short time ago, and nobody else. Nodes do not tell each other
//! yet.

use std::collections::BTreeSet;

use chinwag_core::ids::UserId;
use chinwag_core::ledger::Ledger;
use chinwag_core::view::View as _;

use super::Oracle;
use crate::device::Device;

impl Oracle {
    /// Judges one device by who must be `online` on its node, and who `may` be.
    pub(crate) fn judge_presence(
        &mut self,
        device: &Device,
        (online, may): &(BTreeSet<UserId>, BTreeSet<UserId>),
        ledger: &Ledger,
    ) {
        // Nodes do not tell each other of blocks yet either: in a world that has had them, who is kept
        // apart from whom is judged by the core's own tests.
        let has_blocked = |user: &UserId| {
            let Ok((blocks, _changed)) = ledger.blocks(*user);
            blocks.version > 0
        };
        if online
            .iter()
            .chain(may)
            .chain([&device.user])
            .any(has_blocked)
        {
            return;
        }
        for room in device.memory.rooms.keys() {
            if self.standing.joined(device.user, *room).is_none() {
                continue;
            }
            let inside = |user: &&UserId| {
                self.standing.joined(**user, *room).is_some() && !may.contains(user)
            };
            let expected: BTreeSet<&UserId> = online.iter().filter(inside).collect();
            let known = device.online().get(room);
            let known = known.map(|known| &known.users);
            let told: BTreeSet<&UserId> = known.into_iter().flatten().filter(inside).collect();
            let foreign = known.into_iter().flatten();
            let foreign = foreign.filter(|user| {
                let joined = self.standing.joined(**user, *room).is_some();
                !joined && !may.contains(user)
            });
            if told != expected || foreign.count() > 0 {
                let index = device.index;
                let what =
                    format!("d{index} knows {known:?} of {room}, and {expected:?} are online");
                self.violation("presence converges", what);
            }
        }
    }
}
