//! What random people change beside the log: whom they block, how they are shown, and what they
//! hide from themselves.

use chinwag_core::avatar::{Avatar, Image, ImageKind};
use chinwag_core::ids::{Millis, RoomId, Seq, UserId};
use chinwag_core::own::{OwnChange, ProfileChange};
use chinwag_core::room::{Range, RoomKind};

use super::Dice;
use crate::store::contract::{PEOPLE, Subject, create, send, user};

/// Different pictures. So few that the same one is shown by several, and goes with the last.
const PICTURES: u64 = 5;

fn person(dice: &mut Dice) -> UserId {
    user(1 + u8::try_from(dice.below(u64::from(PEOPLE))).expect("few"))
}

fn image(number: u64) -> Image {
    Image {
        kind: ImageKind::Png,
        bytes: vec![number as u8; 9].into(),
    }
}

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
    let (one, other) = (person(dice), person(dice));
    if one == other {
        return;
    }
    let (blocks, _changed) = memory.read(move |view| view.blocks(one)).await;
    let on = !blocks.users.contains(&other);
    let change = OwnChange::Block { user: other, on };
    let expected = memory.store().own(one, change.clone()).await;
    assert_eq!(sqlite.store().own(one, change).await, expected);
}

/// A picture for a room, or none, or nothing said of it. It may not be there.
pub(super) fn picture(dice: &mut Dice) -> Option<Avatar> {
    match dice.below(4) {
        0 => Some(Avatar(None)),
        1 => Some(Avatar(Some(image(dice.below(PICTURES)).id()))),
        _ => None,
    }
}

/// Somebody is shown otherwise: always a change, as above.
pub(super) async fn show(dice: &mut Dice, memory: &Subject, sqlite: &Subject) {
    let (one, number) = (person(dice), dice.below(PICTURES));
    let id = image(number).id();
    let now = memory.read(move |view| view.profile(one)).await;
    let now = now.expect("they are known");
    let avatar = if now.avatar == Some(id) {
        None
    } else {
        let (image, at) = (image(number), Millis(0));
        let expected = memory.avatars().put_avatar(one, image.clone(), at).await;
        assert_eq!(sqlite.avatars().put_avatar(one, image, at).await, expected);
        Some(id)
    };
    let change = OwnChange::Profile(ProfileChange {
        display_name: Some(format!("version {}", now.version)),
        avatar: Some(Avatar(avatar)),
    });
    let expected = memory.store().own(one, change.clone()).await;
    assert_eq!(sqlite.store().own(one, change).await, expected);
    for number in 0..PICTURES {
        let id = image(number).id();
        let expected = memory.avatars().avatar(id).await;
        assert_eq!(sqlite.avatars().avatar(id).await, expected, "{number}");
    }
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
