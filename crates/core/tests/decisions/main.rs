//! The deciding parts that work together, run as a node runs them: batch, ledger, feed, live
//! delivery and the reads of a snapshot, over scripts.

mod batches;
mod conversation;
mod delivering;
mod erasing;
mod folding;
mod messages;
mod neighbours;
mod overlooked;
mod policy;
mod reading;
mod receipts;

use chinwag_core::batch::{Ack, Command, Outcome, Submission};
use chinwag_core::ids::{Epoch, Key, Millis, RoomId, UserId};
use chinwag_core::ledger::{Committed, Ledger};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Profile;

const ANN: UserId = UserId([1; 16]);
const BOB: UserId = UserId([2; 16]);
const CAROL: UserId = UserId([3; 16]);

fn key(number: u8) -> Key {
    Key([number; 16])
}

/// A store that knows three people.
fn ledger() -> Ledger {
    let mut ledger = Ledger::new(Epoch([1; 16]));
    for (id, name) in [(ANN, "Ann"), (BOB, "Bob"), (CAROL, "Carol")] {
        let name = name.to_owned();
        ledger.put_profile(Profile {
            id,
            name,
            version: 1,
            display_name: None,
            avatar: None,
        });
    }
    ledger
}

/// Ann's group under this key.
fn group(ledger: &mut Ledger, number: u8) -> RoomId {
    let create = Command::open(RoomKind::Group, "Kitchen");
    let submission = by(ANN, number, create);
    let room = submission.room();
    one(ledger, submission);
    room
}

fn by(from: UserId, number: u8, command: Command) -> Submission {
    Submission {
        from,
        key: key(number),
        command,
    }
}

fn commit(ledger: &mut Ledger, items: &[Submission]) -> Committed {
    ledger.append(items, Millis(0))
}

/// Commits one command that succeeds.
fn one(ledger: &mut Ledger, item: Submission) -> Ack {
    match commit(ledger, &[item]).outcomes[..] {
        [Outcome::Done(ack)] => ack,
        ref other => panic!("it is done, not {other:?}"),
    }
}
