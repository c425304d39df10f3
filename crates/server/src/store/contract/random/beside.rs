//! What random people change beside the log: whom they block, and how they are shown.

use chinwag_core::avatar::{Avatar, Image, ImageKind};
use chinwag_core::ids::{Millis, UserId};
use chinwag_core::own::{OwnChange, ProfileChange};

use super::Dice;
use crate::store::contract::{PEOPLE, Subject, user};

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
