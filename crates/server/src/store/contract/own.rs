//! One's own state: what of rooms one wants to be notified of, and when not to be disturbed.

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Millis, RoomId};
use chinwag_core::own::{NotifyChange, OwnChange, Owned};
use chinwag_core::read;
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{Daily, Me, Notify, NotifyLevel, Settings};

use super::{Subject, by, contract, send, user};

contract!(
    what_notifies_is_ones_own_and_converges,
    quiet_hours_are_settings_like_others,
);

async fn own(subject: &Subject, who: u8, change: OwnChange) -> Result<Owned, ErrorCode> {
    let owned = subject.store().own(user(who), change).await;
    owned.expect("the store takes writes")
}

async fn me(subject: &Subject, who: u8, room: RoomId) -> Me {
    let row = subject.read(move |view| read::row(view, user(who), room));
    row.await.expect("a member").me
}

fn notify(level: NotifyLevel, quiet_until: i64, version: u64) -> Notify {
    Notify {
        level,
        quiet_until: Some(Millis(quiet_until)).filter(|until| until.0 > 0),
        version,
    }
}

async fn what_notifies_is_ones_own_and_converges(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    assert_eq!(me(&subject, 2, room).await.notify, None);
    let change = |level, quiet_until: Option<i64>| OwnChange::Notify {
        room,
        change: NotifyChange {
            level,
            quiet_until: quiet_until.map(Millis),
        },
    };
    let steps = [
        (change(None, None), notify(NotifyLevel::All, 0, 0)),
        (
            change(Some(NotifyLevel::All), Some(0)),
            notify(NotifyLevel::All, 0, 0),
        ),
        (
            change(Some(NotifyLevel::Mentions), None),
            notify(NotifyLevel::Mentions, 0, 1),
        ),
        (change(None, Some(90)), notify(NotifyLevel::Mentions, 90, 2)),
        (
            change(Some(NotifyLevel::Nothing), Some(90)),
            notify(NotifyLevel::Nothing, 90, 3),
        ),
        (change(None, Some(0)), notify(NotifyLevel::Nothing, 0, 4)),
    ];
    for (change, expected) in steps {
        let since = subject.position().await;
        let before = me(&subject, 2, room).await.notify.unwrap_or_default();
        let owned = own(&subject, 2, change.clone()).await;
        assert_eq!(owned, Ok(Owned::Notify(room, expected)), "{change:?}");
        let row = me(&subject, 2, room).await;
        assert_eq!(row.notify.unwrap_or_default(), expected, "{change:?}");
        // What has changed comes with the next summary, to this member alone.
        let changed = |who| subject.read(move |view| view.changed(user(who), Some(since)));
        let expected_rooms = if expected == before {
            vec![]
        } else {
            vec![room]
        };
        assert_eq!(changed(2).await, expected_rooms, "{change:?}");
        assert_eq!(changed(1).await, []);
    }
    // It outlives messages, markers, a going and coming, and a restart.
    let kept = me(&subject, 2, room).await.notify;
    subject.done(send(2, 3, room, "still here")).await;
    subject.mark(2, room, 3, 3).await.expect("a member");
    subject.done(by(2, 4, Command::Leave { room })).await;
    assert_eq!(
        own(&subject, 2, change(Some(NotifyLevel::All), None)).await,
        Err(ErrorCode::NotMember)
    );
    subject.done(by(2, 5, Command::join(room))).await;
    subject.reopen();
    assert_eq!(me(&subject, 2, room).await.notify, kept);
    assert_eq!(me(&subject, 1, room).await.notify, None);
    // Foreign rooms, and none at all, answer alike.
    let all = change(Some(NotifyLevel::All), None);
    assert_eq!(own(&subject, 3, all).await, Err(ErrorCode::NotFound));
    let nowhere = OwnChange::Notify {
        room: RoomId([99; 16]),
        change: NotifyChange::default(),
    };
    assert_eq!(own(&subject, 3, nowhere).await, Err(ErrorCode::NotFound));
}

async fn quiet_hours_are_settings_like_others(mut subject: Subject) {
    let daily = |from, to| Some(Daily { from, to });
    let change = |dnd_until: Option<i64>, dnd_daily| SettingsChange {
        dnd_until: dnd_until.map(Millis),
        dnd_daily,
        ..SettingsChange::default()
    };
    let steps = [
        (change(Some(0), daily(7, 7)), (None, None, 0)),
        (change(Some(90), None), (Some(90), None, 1)),
        (
            change(None, daily(1_320, 420)),
            (Some(90), daily(1_320, 420), 2),
        ),
        (change(Some(0), None), (None, daily(1_320, 420), 3)),
        (change(None, daily(0, 1_439)), (None, daily(0, 1_439), 4)),
        (change(None, daily(5, 5)), (None, None, 5)),
        (change(Some(80), daily(0, 1)), (Some(80), daily(0, 1), 6)),
    ];
    let mut last = Settings::default();
    for (change, (dnd_until, dnd_daily, version)) in steps {
        last = Settings {
            dnd_until: dnd_until.map(Millis),
            dnd_daily,
            version,
            ..Settings::default()
        };
        let stored = subject.store().set(user(1), change).await;
        assert_eq!(stored, Ok(last), "{change:?}");
    }
    subject.reopen();
    let found = subject.read(|view| view.settings(user(1))).await;
    assert_eq!(found, last);
}
