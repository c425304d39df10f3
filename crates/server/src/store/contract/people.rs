//! What people show of themselves, and when they were here last.

use chinwag_core::aside::{Seen, SettingsChange};
use chinwag_core::batch::Command;
use chinwag_core::ids::{Millis, UserId};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Settings;

use super::{Subject, by, contract, user};
use crate::store::read;

contract!(
    settings_change_one_by_one_and_count_their_changes,
    people_of_a_room_and_when_they_were_there,
);

async fn settings(subject: &Subject, who: UserId) -> Settings {
    let found = read(subject.store(), move |view| view.settings(who)).await;
    found.expect("settings are read")
}

async fn settings_change_one_by_one_and_count_their_changes(subject: Subject) {
    let change = |hide_last_seen, hide_online| SettingsChange {
        hide_last_seen,
        hide_online,
        hide_receipts: hide_online,
    };
    let steps = [
        (change(None, None), (false, false, 0)),
        (change(Some(false), None), (false, false, 0)),
        (change(None, Some(true)), (false, true, 1)),
        (change(Some(true), None), (true, true, 2)),
        (change(Some(true), Some(true)), (true, true, 2)),
        (change(Some(false), Some(false)), (false, false, 3)),
    ];
    for (change, (hide_last_seen, hide_online, version)) in steps {
        let expected = Settings {
            hide_last_seen,
            hide_online,
            hide_receipts: hide_online,
            version,
        };
        let stored = subject.store().set(user(1), change).await;
        assert_eq!(stored, Ok(expected), "{change:?}");
        assert_eq!(settings(&subject, user(1)).await, expected, "{change:?}");
        assert_eq!(settings(&subject, user(2)).await, Settings::default());
    }
}

async fn people_of_a_room_and_when_they_were_there(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    for number in [3, 2] {
        let join = by(number, u64::from(number), Command::Join { room });
        subject.done(join).await;
    }
    let store = subject.store();
    let hide = SettingsChange {
        hide_last_seen: Some(true),
        ..SettingsChange::default()
    };
    store.set(user(3), hide).await.expect("stored");
    let seen = vec![(user(2), Millis(120_000)), (user(3), Millis(60_000))];
    store.saw(seen).await.expect("stored");
    // An older one changes nothing; a stranger is nobody's concern.
    let older = vec![(user(2), Millis(60_000)), (user(99), Millis(60_000))];
    store.saw(older).await.expect("stored");
    let row = |number, last_seen: Option<i64>, hides| Seen {
        user: user(number),
        last_seen: last_seen.map(Millis),
        hides,
    };
    let all = [
        row(1, None, false),
        row(2, Some(120_000), false),
        row(3, Some(60_000), true),
    ];
    for (after, limit, expected) in [
        (None, 9, &all[..]),
        (None, 2, &all[..2]),
        (Some(user(1)), 9, &all[1..]),
        (Some(user(3)), 9, &[]),
    ] {
        let people = read(store, move |view| view.people(room, after, limit)).await;
        assert_eq!(people.as_deref(), Ok(expected), "{after:?} {limit}");
    }
}
