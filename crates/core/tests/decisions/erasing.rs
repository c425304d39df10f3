//! Erasing an account: what a job writes into the rooms of somebody who has gone for good.

use chinwag_core::batch::{Command, Outcome};
use chinwag_core::code::ErrorCode;
use chinwag_core::erasure::{self, Erasure, Place, Texts};
use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{JobId, Millis, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::read;
use chinwag_core::room::{MemberState, Range, Role};
use chinwag_core::view::View;

use crate::{ANN, BOB, CAROL, by, commit, group, ledger, one};

const JOB: JobId = JobId([7; 16]);

fn begin(ledger: &mut Ledger, user: UserId, job: JobId, texts: Texts) {
    ledger.begin_erasure(Erasure {
        job,
        user,
        texts,
        asked: Millis(0),
        place: Place::START,
    });
}

fn open_jobs(ledger: &Ledger) -> Vec<Erasure> {
    let Ok(open) = View::estate(ledger).erasures(10);
    open
}

/// Runs all jobs to their ends, each step twice; the events that came of it.
fn run(ledger: &mut Ledger) -> Vec<Event> {
    let mut events = Vec::new();
    for _ in 0..10_000 {
        let Some(erasure) = open_jobs(ledger).first().cloned() else {
            return events;
        };
        let Ok(step) = erasure::look(&*ledger, &erasure);
        events.extend(ledger.erase(&step, Millis(9)).events);
        let again = ledger.erase(&step, Millis(9));
        assert!(again.events.is_empty(), "a step is done once: {again:?}");
    }
    panic!("the job does not end")
}

fn show(event: &Event) -> String {
    let who = |user: UserId| match user {
        ANN => "ann",
        BOB => "bob",
        CAROL => "carol",
        _ => "another",
    };
    let what = match &event.body {
        Body::Member(body) => format!("{} {:?}", who(body.user), body.state),
        Body::Role(body) => format!("{} is {:?}", who(body.user), body.role),
        Body::Redact(_) => format!("redacts {}", event.target.map_or(0, |at| at.0)),
        Body::Reaction(body) => {
            let at = event.target.map_or(0, |at| at.0);
            format!(
                "{} {} on {at}",
                if body.on { "puts" } else { "takes" },
                body.emoji
            )
        }
        other => format!("{other:?}"),
    };
    format!("{}: {what}", who(event.from.0))
}

/// Ann's group with Bob and Carol in it, in that order, and their roles there.
fn kitchen(bob: Option<Role>, carol: Option<Role>) -> (Ledger, RoomId) {
    let mut ledger = ledger();
    let room = group(&mut ledger, 100);
    for (at, (user, role)) in [(BOB, bob), (CAROL, carol)].into_iter().enumerate() {
        let Some(role) = role else { continue };
        let at = 110 + 2 * at as u8;
        one(&mut ledger, by(ANN, at, Command::Add { room, user }));
        one(
            &mut ledger,
            by(ANN, at + 1, Command::SetRole { room, user, role }),
        );
    }
    (ledger, room)
}

#[test]
fn a_last_owner_leaves_the_room_to_whoever_is_next() {
    use Role::{Admin, Member, Owner, Reader};
    for (bob, carol, expected) in [
        (None, None, &["ann: ann Left"][..]),
        (
            Some(Member),
            Some(Admin),
            &["ann: carol is Owner", "ann: ann Left"],
        ),
        (
            Some(Admin),
            Some(Admin),
            &["ann: bob is Owner", "ann: ann Left"],
        ),
        (
            Some(Reader),
            Some(Member),
            &["ann: carol is Owner", "ann: ann Left"],
        ),
        (Some(Reader), None, &["ann: bob is Owner", "ann: ann Left"]),
        (Some(Member), Some(Owner), &["ann: ann Left"]),
    ] {
        let (mut ledger, room) = kitchen(bob, carol);
        begin(&mut ledger, ANN, JOB, Texts::Keep);
        let events: Vec<String> = run(&mut ledger).iter().map(show).collect();
        assert_eq!(events, expected, "{bob:?} {carol:?}");
        let Ok(Some(row)) = ledger.room(room) else {
            panic!("the room stays")
        };
        let others = u32::from(bob.is_some()) + u32::from(carol.is_some());
        assert_eq!((row.members, row.owners), (others, others.min(1)));
        let Ok(Some(ann)) = ledger.member(room, ANN) else {
            panic!("the row stays")
        };
        assert_eq!(ann.state, MemberState::Left);
    }
}

#[test]
fn an_heir_gets_their_voice_back() {
    let (mut ledger, room) = kitchen(Some(Role::Member), None);
    let mute = Command::Mute {
        room,
        user: BOB,
        on: true,
    };
    one(&mut ledger, by(ANN, 1, mute));
    begin(&mut ledger, ANN, JOB, Texts::Keep);
    run(&mut ledger);
    let Ok(Some(bob)) = ledger.member(room, BOB) else {
        panic!("Bob is in")
    };
    assert_eq!((bob.role, bob.muted), (Role::Owner, false));
}

#[test]
fn two_who_go_at_once_leave_the_room_to_the_third() {
    let (mut ledger, room) = kitchen(Some(Role::Admin), Some(Role::Reader));
    begin(&mut ledger, ANN, JOB, Texts::Keep);
    begin(&mut ledger, BOB, JobId([8; 16]), Texts::Keep);
    let events: Vec<String> = run(&mut ledger).iter().map(show).collect();
    assert_eq!(
        events,
        ["ann: carol is Owner", "ann: ann Left", "bob: bob Left"]
    );
    let Ok(Some(row)) = ledger.room(room) else {
        panic!("the room stays")
    };
    assert_eq!((row.members, row.owners), (1, 1));
}

#[test]
fn redacting_takes_back_what_still_stands() {
    let (mut ledger, room) = kitchen(Some(Role::Member), None);
    // 1 room, 2 add, 3 role; what Bob says begins at 4.
    let say = |user, number, text: &str| by(user, number, Command::say(room, text));
    let react = |target, emoji: &str, on| Command::React {
        room,
        target: Seq(target),
        emoji: emoji.to_owned(),
        on,
    };
    let steps = [
        say(BOB, 1, "first"),
        say(ANN, 2, "not Bob's"),
        by(
            BOB,
            3,
            Command::Edit {
                room,
                target: Seq(4),
                body: "better".into(),
            },
        ),
        say(BOB, 4, "taken back before"),
        by(
            BOB,
            5,
            Command::Redact {
                room,
                target: Seq(7),
            },
        ),
        by(BOB, 6, react(5, "👍", true)),
        by(BOB, 7, react(5, "🎉", true)),
        by(BOB, 8, react(5, "🎉", false)),
        by(BOB, 9, react(5, "👍", true)),
        // His own, and gone with the message.
        by(BOB, 10, react(4, "👀", true)),
        by(
            ANN,
            11,
            Command::Pin {
                room,
                target: Seq(4),
                on: true,
            },
        ),
        by(ANN, 12, Command::Remove { room, user: BOB }),
    ];
    for step in steps {
        one(&mut ledger, step);
    }
    begin(&mut ledger, BOB, JOB, Texts::Redact);
    let events: Vec<String> = run(&mut ledger).iter().map(show).collect();
    // He had been sent away: nothing is said about that again.
    assert_eq!(events, ["bob: redacts 4", "bob: takes 👍 on 5"]);
    let everything = Range {
        from: Seq(1),
        to: Seq(99),
    };
    for event in ledger.range(room, everything, 99) {
        if event.from.0 == BOB && matches!(event.body, Body::Message(_) | Body::Edit(_)) {
            assert!(event.is_emptied(), "{event:?}");
        }
    }
    let Ok(Some(row)) = ledger.room(room) else {
        panic!("the room stays")
    };
    assert_eq!(row.pins, []);
}

#[test]
fn many_rooms_and_messages_take_many_steps_and_double_nothing() {
    let mut ledger = ledger();
    let mut expected = 0;
    for number in 0..=250u8 {
        let room = group(&mut ledger, number);
        expected += 1;
        if number == 200 {
            for batch in 0..9u8 {
                let items: Vec<_> = (0..100u8)
                    .map(|at| {
                        let mut item = by(ANN, batch, Command::say(room, "text"));
                        item.key.0[15] = at;
                        item.key.0[14] = 99;
                        item
                    })
                    .collect();
                commit(&mut ledger, &items);
                expected += 100;
            }
        }
    }
    begin(&mut ledger, ANN, JOB, Texts::Redact);
    let mut steps = 0;
    let mut events = Vec::new();
    while let Some(erasure) = open_jobs(&ledger).first().cloned() {
        let Ok(step) = erasure::look(&ledger, &erasure);
        assert!(step.leave.len() <= 100 && step.take_back.len() <= 200);
        events.extend(ledger.erase(&step, Millis(9)).events);
        steps += 1;
        assert!(steps < 100, "it ends");
    }
    assert_eq!(events.len(), expected);
    let mut keys: Vec<_> = events.iter().map(|event| event.key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), expected, "each event has a key of its own");
    assert!(steps >= 3 + 5, "{steps} steps");
}

#[test]
fn a_closed_account_writes_nothing_and_comes_in_nowhere() {
    let (mut ledger, room) = kitchen(Some(Role::Admin), Some(Role::Member));
    let direct = one(&mut ledger, by(BOB, 1, Command::Direct { user: ANN })).room;
    let said = one(&mut ledger, by(BOB, 2, Command::say(direct, "hello"))).seq;
    begin(&mut ledger, ANN, JOB, Texts::Keep);
    let refused = |ledger: &mut Ledger, item| match commit(ledger, &[item]).outcomes[..] {
        [Outcome::Refused(code)] => code,
        ref other => panic!("it is refused, not {other:?}"),
    };
    let say = by(ANN, 3, Command::say(room, "one more"));
    assert_eq!(refused(&mut ledger, say), ErrorCode::BadToken);
    run(&mut ledger);
    let say = by(ANN, 4, Command::say(room, "one more"));
    assert_eq!(refused(&mut ledger, say), ErrorCode::BadToken);
    for (number, command, code) in [
        (5, Command::Add { room, user: ANN }, ErrorCode::NotFound),
        (
            6,
            Command::InviteUser { room, user: ANN },
            ErrorCode::NotFound,
        ),
        (
            7,
            Command::say(direct, "are you there?"),
            ErrorCode::Forbidden,
        ),
        (
            8,
            Command::Edit {
                room: direct,
                target: said,
                body: "?".into(),
            },
            ErrorCode::Forbidden,
        ),
    ] {
        let words = format!("{command:?}");
        assert_eq!(
            refused(&mut ledger, by(BOB, number, command)),
            code,
            "{words}"
        );
    }
    let open = by(CAROL, 9, Command::Direct { user: ANN });
    assert_eq!(refused(&mut ledger, open), ErrorCode::NotFound);
    // What there is stays: found, readable, with the other one named.
    let again = commit(&mut ledger, &[by(BOB, 10, Command::Direct { user: ANN })]);
    assert!(matches!(again.outcomes[..], [Outcome::Replayed(ack)] if ack.room == direct));
    let Ok(Some(row)) = read::row(&ledger, BOB, direct) else {
        panic!("Bob sees his direct room")
    };
    assert_eq!((row.peer, row.members), (Some(ANN), 1));
    one(
        &mut ledger,
        by(
            BOB,
            11,
            Command::Redact {
                room: direct,
                target: said,
            },
        ),
    );
    let Ok(Some(ann)) = ledger.profile(ANN) else {
        panic!("there was somebody")
    };
    assert!(ann.is_deleted());
    assert_eq!(ann.version, 2);
}

#[test]
fn who_is_asked_in_is_no_longer() {
    let (mut ledger, room) = kitchen(None, None);
    one(
        &mut ledger,
        by(ANN, 1, Command::InviteUser { room, user: BOB }),
    );
    begin(&mut ledger, BOB, JOB, Texts::Redact);
    let events: Vec<String> = run(&mut ledger).iter().map(show).collect();
    assert_eq!(events, ["bob: bob Left"]);
    let Ok(0) = ledger.invited_to(BOB) else {
        panic!("nothing is left of the invitation")
    };
}
