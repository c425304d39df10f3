//! Erasing an account, and what is known of one person.

use chinwag_core::aside::SettingsChange;
use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::Deed;
use chinwag_core::erasure::{self, Erasure, Place, Step, Texts};
use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{JobId, Millis, RoomId, Seq};
use chinwag_core::invite::InviteHash;
use chinwag_core::ledger::Committed;
use chinwag_core::marker::Trails;
use chinwag_core::own::{NotifyChange, OwnChange};
use chinwag_core::room::{MemberState, Range, Role, RoomKind};
use chinwag_core::wire::{Blocks, Notify, NotifyLevel, Settings};

use super::{Subject, by, contract, create, profile, react, send, user};

contract!(
    where_somebody_was_and_what_they_wrote,
    what_is_kept_of_somebody_beside_the_logs,
    who_looks_after_a_room_next,
    an_account_is_erased_step_by_step,
    nothing_is_kept_of_whoever_is_gone,
);

const JOB: JobId = JobId([7; 16]);

fn erasure(number: u8, texts: Texts) -> Erasure {
    Erasure {
        job: JOB,
        user: user(number),
        texts,
        asked: Millis(500),
        place: Place::START,
    }
}

async fn open_jobs(subject: &Subject) -> Vec<Erasure> {
    subject.read(|view| view.estate().erasures(10)).await
}

async fn next_step(subject: &Subject) -> Option<Step> {
    let erasure = open_jobs(subject).await.into_iter().next()?;
    let step = subject.read(move |view| erasure::look(view, &erasure));
    Some(step.await)
}

async fn erase(subject: &Subject, step: &Step) -> Committed {
    let erased = subject.store().erase(step.clone(), Millis(2_000)).await;
    erased.expect("the store takes writes")
}

/// All steps of all jobs, each done twice, with a new start between; what came of it.
async fn run(subject: &mut Subject) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..100 {
        let Some(step) = next_step(subject).await else {
            return events;
        };
        let before = subject.position().await;
        let committed = erase(subject, &step).await;
        assert!(committed.position > before);
        events.extend(committed.events);
        subject.reopen();
        let again = erase(subject, &step).await;
        assert_eq!(again.events, [], "a step is done once");
    }
    panic!("the job does not end")
}

/// 1's room with 2 to 4 in it, and their roles.
async fn kitchen(subject: &Subject, first_key: u64, roles: [Role; 3]) -> RoomId {
    let room = subject.room(1, first_key, RoomKind::Group).await;
    for (at, role) in (0..).zip(roles) {
        let who = user(2 + at as u8);
        let add = Command::Add { room, user: who };
        subject.done(by(1, first_key + 1 + 2 * at, add)).await;
        let role = Command::SetRole {
            room,
            user: who,
            role,
        };
        subject.done(by(1, first_key + 2 + 2 * at, role)).await;
    }
    room
}

async fn where_somebody_was_and_what_they_wrote(subject: Subject) {
    let mut rooms = Vec::new();
    for number in 0..5 {
        rooms.push(subject.room(1, number, RoomKind::Public).await);
    }
    rooms.sort();
    subject.done(by(2, 10, Command::join(rooms[1]))).await;
    subject
        .done(by(2, 11, Command::Leave { room: rooms[1] }))
        .await;
    let ask = Command::InviteUser {
        room: rooms[3],
        user: user(2),
    };
    subject.done(by(1, 12, ask)).await;
    for (who, after, limit, expected) in [
        (1, None, 9, &rooms[..]),
        (1, Some(rooms[1]), 2, &rooms[2..4]),
        (2, None, 9, &[rooms[1], rooms[3]][..]),
        (2, Some(rooms[3]), 9, &[]),
        (99, None, 9, &[]),
    ] {
        let found = subject.read(move |view| view.estate().ever_in(user(who), after, limit));
        assert_eq!(found.await, expected, "{who} {after:?} {limit}");
    }

    let room = rooms[0];
    subject.done(by(2, 20, Command::join(room))).await;
    for number in 0..4 {
        subject
            .done(send(1 + number % 2, 30 + u64::from(number), room, "text"))
            .await;
    }
    // 1 room, 2 joins; 3 and 5 by 1, 4 and 6 by 2.
    for (who, from, to, limit, expected) in [
        (1, 1, 99, 9, &[1, 3, 5][..]),
        (2, 1, 99, 9, &[2, 4, 6]),
        (2, 3, 5, 9, &[4]),
        (2, 1, 99, 2, &[2, 4]),
        (3, 1, 99, 9, &[]),
        (99, 1, 99, 9, &[]),
    ] {
        let range = Range {
            from: Seq(from),
            to: Seq(to),
        };
        let found = subject.read(move |view| view.estate().by(room, user(who), range, limit));
        let seqs: Vec<u64> = found.await.iter().map(|event| event.seq.0).collect();
        assert_eq!(seqs, expected, "{who} {from}..={to} {limit}");
    }
}

async fn what_is_kept_of_somebody_beside_the_logs(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    for number in 10..14 {
        subject.done(send(1, number, room, "text")).await;
    }
    let none = subject.read(move |view| view.estate().last_seen(user(2)));
    assert_eq!(none.await, None);
    let seen = subject.store().saw(vec![(user(2), Millis(60_000))]).await;
    seen.expect("stored");
    let seen = subject.read(move |view| view.estate().last_seen(user(2)));
    assert_eq!(seen.await, Some(Millis(60_000)));
    subject.mark(2, room, 5, 3).await;
    let trails = subject
        .read(move |view| view.estate().trails(room, user(2)))
        .await;
    assert_eq!(trails.delivered.steps(), [(Seq(5), Millis(1_000))]);
    assert_eq!(trails.read.steps(), [(Seq(3), Millis(1_000))]);
    let none = subject.read(move |view| view.estate().trails(room, user(1)));
    assert_eq!(none.await, Trails::default());
    let invite = Deed::invite(room, None, Some(3));
    let made = subject
        .store()
        .perform(user(1), invite, InviteHash([9; 32]), Millis(0));
    made.await.expect("an answer").expect("made");
    for (who, count) in [(1, 1), (2, 0)] {
        let made = subject.read(move |view| view.estate().invitations_by(user(who)));
        assert_eq!(made.await.len(), count);
    }
}

async fn who_looks_after_a_room_next(subject: Subject) {
    use Role::{Admin, Member, Owner, Reader};
    for (first_key, roles, expected) in [
        (100, [Member, Admin, Admin], 3),
        (200, [Reader, Member, Member], 3),
        (300, [Reader, Reader, Reader], 2),
        (400, [Admin, Member, Owner], 4),
    ] {
        let room = kitchen(&subject, first_key, roles).await;
        let heir = subject.read(move |view| view.estate().heir(room, user(1)));
        assert_eq!(heir.await, Some(user(expected)), "{roles:?}");
    }
    let alone = subject.room(1, 1, RoomKind::Group).await;
    let nobody = subject.read(move |view| view.estate().heir(alone, user(1)));
    assert_eq!(nobody.await, None);
}

pub(super) async fn begin(subject: &Subject, erasure: Erasure) {
    match subject {
        Subject::Memory(store) => store.begin_erasure(erasure),
        Subject::Sqlite(..) | Subject::Recent(..) => {
            let begun = subject.file().begin_erasure(erasure).await;
            begun.expect("stored");
        }
    }
}

fn show(event: &Event) -> String {
    let target = event.target.map_or(0, |seq| seq.0);
    match &event.body {
        Body::Member(body) => format!("{} {:?}", body.user.0[0], body.state),
        Body::Role(body) => format!("{} is {:?}", body.user.0[0], body.role),
        Body::Redact(_) => format!("redacts {target}"),
        Body::Reaction(body) if !body.on => format!("takes {} off {target}", body.emoji),
        other => format!("{other:?}"),
    }
}

async fn an_account_is_erased_step_by_step(mut subject: Subject) {
    // More rooms than one step takes, in the order of ids.
    let many: Vec<_> = (1_000..1_150)
        .map(|at| create(1, at, RoomKind::Group))
        .collect();
    subject.append(many).await;
    let room = kitchen(&subject, 1, [Role::Member, Role::Admin, Role::Member]).await;
    // 1 room, 2 to 7 the others come in.
    subject.done(send(1, 20, room, "of mine")).await;
    subject.done(send(2, 21, room, "of 2")).await;
    subject.done(by(1, 22, react(room, 9, "👍", true))).await;
    subject.done(send(1, 23, room, "of mine, too")).await;
    begin(&subject, erasure(1, Texts::Redact)).await;
    assert_eq!(open_jobs(&subject).await, [erasure(1, Texts::Redact)]);
    let gone = subject.read(|view| view.profile(user(1))).await;
    let gone = gone.expect("there was somebody");
    assert!(gone.is_deleted() && gone.version == 2, "{gone:?}");
    let named = subject.read(|view| view.named("Person 1")).await;
    assert_eq!(named, None);
    let late = send(1, 24, room, "late");
    assert_eq!(subject.refused(late).await, ErrorCode::BadToken);

    let events = run(&mut subject).await;
    let here = events.iter().filter(|event| event.room == room);
    let here: Vec<String> = here.map(show).collect();
    assert_eq!(
        here,
        [
            "3 is Owner",
            "1 Left",
            "redacts 8",
            "takes 👍 off 9",
            "redacts 11"
        ]
    );
    assert_eq!(events.len(), 5 + 150);
    assert!(events.iter().all(|event| event.from.1 == 2));
    assert_eq!(open_jobs(&subject).await, []);
    let in_none = subject.read(|view| view.rooms_in(user(1))).await;
    assert_eq!(in_none, 0);
    let all = Range {
        from: Seq(1),
        to: Seq(99),
    };
    let stored = subject.read(move |view| view.events(room, all, 99)).await;
    let texts = stored.iter().filter_map(|event| match &event.body {
        Body::Message(body) => body.text(),
        _other => None,
    });
    assert_eq!(texts.collect::<Vec<_>>(), ["", "of 2", ""]);
    assert_eq!(stored[11..], *events_of(&events, room));
}

fn events_of(events: &[Event], room: RoomId) -> Vec<Event> {
    let here = events.iter().filter(|event| event.room == room);
    here.cloned().collect()
}

/// Whom 2 has blocked, what of a room notifies them, and what they have hidden there.
fn own_changes(room: RoomId) -> [OwnChange; 3] {
    let level = NotifyChange {
        level: Some(NotifyLevel::Mentions),
        quiet_until: Some(Millis(9_000)),
    };
    [
        OwnChange::Block {
            user: user(4),
            on: true,
        },
        OwnChange::Notify {
            room,
            change: level,
        },
        OwnChange::Hide {
            room,
            target: Seq(8),
            on: true,
        },
    ]
}

/// 2 uploads three pictures, and shows one that 3 shows as well.
async fn show_pictures(subject: &Subject) {
    for (who, picture) in [(2, 0), (2, 1), (2, 2), (3, 2)] {
        let uploaded = profile::upload(subject, who, picture, 0).await;
        uploaded.expect("kept");
    }
    for (who, picture) in [(2, 0), (2, 2), (3, 2)] {
        let shown = profile::show(subject, who, Some("Shown"), profile::named(picture));
        shown.await.expect("shown");
    }
}

/// Of 2 nothing is there beside the rooms.
async fn check_nothing_beside(subject: &Subject) {
    let settings = subject.read(|view| view.settings(user(2))).await;
    assert_eq!(settings, Settings::default());
    let (blocks, _changed) = subject.read(|view| view.blocks(user(2))).await;
    assert_eq!(blocks, Blocks::default());
    let seen = subject.read(|view| view.estate().last_seen(user(2))).await;
    assert_eq!(seen, None);
    let who = subject.read(|view| view.profile(user(2))).await;
    let who = who.expect("the id stays");
    assert_eq!((who.display_name, who.avatar), (None, None));
    let kept = profile::kept(subject, 3).await;
    assert_eq!(kept, [2], "what another shows stays");
}

/// Of 2 nothing is there in a room but the row.
async fn check_nothing_inside(subject: &Subject, room: RoomId) {
    let member = subject.read(move |view| view.member(room, user(2))).await;
    let member = member.expect("the row stays");
    assert_eq!(member.state, MemberState::Left);
    assert_eq!((member.delivered, member.read), (Seq::ZERO, Seq::ZERO));
    assert_eq!((member.notify, member.hidden), (Notify::default(), 0));
    let whole = Range {
        from: Seq(1),
        to: Seq(99),
    };
    let hidden = subject.read(move |view| view.hidden(room, user(2), whole));
    assert_eq!(hidden.await, []);
    let trails = subject.read(move |view| view.estate().trails(room, user(2)));
    assert_eq!(trails.await, Trails::default());
}

async fn nothing_is_kept_of_whoever_is_gone(mut subject: Subject) {
    let room = kitchen(&subject, 1, [Role::Member, Role::Member, Role::Member]).await;
    subject.done(send(1, 20, room, "text")).await;
    let store = subject.store();
    let hide = SettingsChange {
        hide_online: Some(true),
        ..SettingsChange::default()
    };
    store.set(user(2), hide).await.expect("stored");
    for change in own_changes(room) {
        let owned = store.own(user(2), change).await;
        owned.expect("an answer").expect("changed");
    }
    let saw = store.saw(vec![(user(2), Millis(60_000))]).await;
    saw.expect("stored");
    subject.mark(2, room, 8, 8).await;
    show_pictures(&subject).await;
    begin(&subject, erasure(2, Texts::Keep)).await;
    check_nothing_beside(&subject).await;
    // What was under way comes too late.
    let store = subject.store();
    store.set(user(2), hide).await.expect("an answer");
    for change in own_changes(room) {
        let owned = store.own(user(2), change).await;
        assert_eq!(owned, Ok(Err(ErrorCode::BadToken)));
    }
    let saw = store.saw(vec![(user(2), Millis(120_000))]).await;
    saw.expect("an answer");
    let invite = Deed::invite(room, None, None);
    let made = store
        .perform(user(2), invite, InviteHash([9; 32]), Millis(0))
        .await;
    assert_eq!(made, Ok(Err(ErrorCode::BadToken)));
    check_nothing_beside(&subject).await;

    let events: Vec<String> = run(&mut subject).await.iter().map(show).collect();
    assert_eq!(events, ["2 Left"]);
    check_nothing_beside(&subject).await;
    check_nothing_inside(&subject, room).await;
}
