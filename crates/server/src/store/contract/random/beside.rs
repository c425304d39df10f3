//! What changes beside the logs meanwhile.

use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::own::OwnChange;
use chinwag_core::room::{Range, RoomKind};

use super::super::{PEOPLE, Subject, create, send, user};
use super::Dice;

/// Somebody hides a message, or does so no longer, if that is a change.
pub(super) async fn hide(dice: &mut Dice, rooms: &[RoomId], memory: &Subject, sqlite: &Subject) {
    let (user, room) = (dice.user(), dice.room(rooms));
    let target = Seq(dice.below(60) + 1);
    let hidden = memory.read(move |view| {
        let here = Range {
            from: target,
            to: target,
        };
        view.hidden(room, user, here)
    });
    let on = hidden.await.is_empty();
    let changes =
        memory.read(move |view| chinwag_core::hidden::changes(view, user, room, target, on));
    if changes.await != Ok(true) {
        return;
    }
    let change = OwnChange::Hide { room, target, on };
    let expected = memory.store().own(user, change.clone()).await;
    assert_eq!(sqlite.store().own(user, change).await, expected);
}

/// Somebody blocks somebody, or does so no longer: always a change, since a store may number also
/// what changes nothing.
pub(super) async fn toggle(dice: &mut Dice, memory: &Subject, sqlite: &Subject) {
    let mut person = || user(1 + u8::try_from(dice.below(u64::from(PEOPLE))).expect("few"));
    let (one, other) = (person(), person());
    if one == other {
        return;
    }
    let (blocks, _changed) = memory.read(move |view| view.blocks(one)).await;
    let on = !blocks.users.contains(&other);
    let change = OwnChange::Block { user: other, on };
    let expected = memory.store().own(one, change.clone()).await;
    assert_eq!(sqlite.store().own(one, change).await, expected);
}

/// Adding people took transactions in the one and none in the other: the one that is behind
/// raises a marker in steps, the other at once, and both end with the same state.
pub(super) async fn same_position(memory: &Subject, sqlite: &Subject) {
    let behind = sqlite.position().await.0 - memory.position().await.0;
    let create = create(1, 1 << 40, RoomKind::Group);
    let room = create.room();
    let mut items = vec![create];
    items.extend((1..=behind).map(|number| send(1, 1 << 40 | number, room, "step")));
    memory.append(items.clone()).await;
    sqlite.append(items).await;
    for seq in 1..=behind + 1 {
        memory.mark(1, room, seq, seq).await;
    }
    sqlite.mark(1, room, behind + 1, behind + 1).await;
    assert_eq!(memory.position().await, sqlite.position().await);
    // From here on the room, too, was changed by the same transaction in both.
    let level = send(1, 1 << 41, room, "level");
    memory.append(vec![level.clone()]).await;
    sqlite.append(vec![level]).await;
}
