//! Conditions, bodies that nobody here understands, what one hides from oneself, and walls between
//! people.

use chinwag_core::batch::{Command, Outcome};
use chinwag_core::code::ErrorCode;
use chinwag_core::event::{Body, Content, Mention, OpaqueBody, OpaqueBytes};
use chinwag_core::fold::Folded;
use chinwag_core::ids::{Millis, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::own::{OwnChange, Owned};
use chinwag_core::read;
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{Hidden, Me};

use crate::conversation::{check, redact, setting};
use crate::{ANN, BOB, CAROL, by, commit, group, ledger, one};

fn after(room: RoomId, last: u64) -> Command {
    Command::Send {
        room,
        body: "next".into(),
        reply_to: None,
        mentions: Vec::new(),
        if_last: Some(Seq(last)),
    }
}

fn opaque(bytes: &[u8]) -> Content {
    Content::Opaque(OpaqueBody {
        enc: "mls-1".into(),
        bytes: OpaqueBytes(bytes.to_vec()),
    })
}

/// The messages of [`setting`] are 3 and 4; 5 lets Carol in.
#[test]
fn what_must_follow_a_message_follows_it_or_is_refused() {
    check(
        |room| {
            vec![
                (BOB, after(room, 0)),
                (BOB, after(room, 5)),
                (BOB, after(room, 4)),
                // Of two for one place the first has it; what came in between counts.
                (CAROL, after(room, 4)),
                (CAROL, after(room, 6)),
                (ANN, redact(room, 7)),
                // A redacted message is a message still, and a redaction is none.
                (ANN, after(room, 8)),
                (ANN, after(room, 7)),
            ]
        },
        &[
            "not_last 4",
            "not_last 4",
            "6",
            "not_last 6",
            "7",
            "8",
            "not_last 7",
            "9",
        ],
    );
}

#[test]
fn the_first_message_of_a_room_can_be_asked_for() {
    let mut ledger = ledger();
    let room = group(&mut ledger, 1);
    let early = commit(&mut ledger, &[by(ANN, 2, after(room, 1))]);
    assert_eq!(early.outcomes, [Outcome::NotLast(Seq(0))]);
    let first = by(ANN, 3, after(room, 0));
    let ack = one(&mut ledger, first.clone());
    assert_eq!(ack.seq, Seq(2));
    // The same again under its key is answered with the first ack, whatever came after it.
    one(&mut ledger, by(ANN, 4, Command::say(room, "later")));
    let again = commit(&mut ledger, std::slice::from_ref(&first));
    assert_eq!(again.outcomes, [Outcome::Replayed(ack)]);
    // Refused is not stored: its key is free for another try, with another condition.
    let late = commit(&mut ledger, &[by(ANN, 2, after(room, 3))]);
    assert!(matches!(late.outcomes[..], [Outcome::Done(_)]), "{late:?}");
    // The condition is a part of the command.
    let mut other = first;
    other.command = Command::say(room, "next");
    let conflict = commit(&mut ledger, &[other]);
    let expected = Outcome::Refused(ErrorCode::Conflict);
    assert_eq!(conflict.outcomes, [expected]);
    // Who may not send learns nothing of what is the last message.
    let stranger = commit(&mut ledger, &[by(BOB, 5, after(room, 0))]);
    assert_eq!(stranger.outcomes, [Outcome::Refused(ErrorCode::NotFound)]);
}

fn history(ledger: &Ledger, user: UserId, room: RoomId) -> Vec<Folded> {
    let Ok(page) = read::history(ledger, user, room, None, 50);
    page.expect("a member").messages
}

fn me(ledger: &Ledger, user: UserId, room: RoomId) -> Me {
    let Ok(row) = read::row(ledger, user, room);
    row.expect("a member").me
}

fn line(ledger: &Ledger, user: UserId, room: RoomId, seq: u64) -> Folded {
    let lines = history(ledger, user, room);
    let mut found = lines.into_iter().filter(|line| line.event.seq == Seq(seq));
    found.next().expect("a line")
}

#[test]
fn what_is_not_understood_is_a_message_like_others() {
    let (mut ledger, room) = setting();
    let say = Command::Send {
        room,
        body: opaque(&[1, 2, 3]),
        reply_to: Some(Seq(3)),
        mentions: vec![Mention::User(BOB)],
        if_last: None,
    };
    one(&mut ledger, by(ANN, 1, say.clone()));
    let counted = me(&ledger, BOB, room);
    assert_eq!((counted.unread, counted.mentions), (2, 1));
    let react = Command::React {
        room,
        target: Seq(6),
        emoji: "x".into(),
        on: true,
    };
    one(&mut ledger, by(BOB, 2, react));
    // A text may become one that nobody here understands, and the other way round.
    let edit = |target, body| Command::Edit {
        room,
        target: Seq(target),
        body,
    };
    one(&mut ledger, by(ANN, 3, edit(6, opaque(&[9]))));
    one(&mut ledger, by(ANN, 4, edit(3, opaque(&[8]))));
    let shown = line(&ledger, BOB, room, 6);
    assert_eq!(shown.event.body, Body::Message(opaque(&[9])));
    assert_eq!(shown.event.reply_to, Some(Seq(3)));
    assert_eq!(shown.reactions.len(), 1);
    assert_eq!(
        line(&ledger, BOB, room, 3).event.body,
        Body::Message(opaque(&[8]))
    );
    one(&mut ledger, by(ANN, 5, edit(3, "in the open".into())));
    assert_eq!(
        line(&ledger, BOB, room, 3).event.body,
        Body::Message("in the open".into())
    );
    let Ok(texts) = read::edits(&ledger, BOB, room, Seq(6), None);
    let (rows, more) = texts.expect("a message");
    let bodies: Vec<Content> = rows.into_iter().map(|row| row.body).collect();
    assert_eq!(
        (bodies, more),
        (vec![opaque(&[1, 2, 3]), opaque(&[9])], false)
    );
    // The bytes are a part of what a key stands for.
    let mut other = by(ANN, 1, say);
    if let Command::Send { body, .. } = &mut other.command {
        *body = opaque(&[1, 2, 4]);
    }
    let conflict = commit(&mut ledger, &[other]).outcomes[0];
    assert_eq!(conflict, Outcome::Refused(ErrorCode::Conflict));
    // A redaction leaves neither the bytes nor those of edits.
    one(&mut ledger, by(ANN, 6, redact(room, 6)));
    for event in ledger.range(
        room,
        chinwag_core::room::Range {
            from: Seq(1),
            to: Seq(99),
        },
        99,
    ) {
        if let Body::Message(said) | Body::Edit(said) = &event.body {
            let about = event.seq == Seq(6) || event.target == Some(Seq(6));
            assert_eq!(said.is_emptied(), about, "{event:?}");
        }
    }
    assert_eq!(me(&ledger, BOB, room).mentions, 0);
}

fn hide(
    ledger: &mut Ledger,
    user: UserId,
    room: RoomId,
    target: u64,
    on: bool,
) -> Result<Vec<u64>, ErrorCode> {
    let target = Seq(target);
    let owned = ledger.own(user, &OwnChange::Hide { room, target, on })?;
    let Owned::Hidden { seqs, .. } = owned else {
        panic!("{owned:?}");
    };
    Ok(seqs.into_iter().map(|seq| seq.0).collect())
}

#[test]
fn what_somebody_hides_is_hidden_from_them_alone() {
    let (mut ledger, room) = setting();
    assert_eq!(me(&ledger, BOB, room).hidden, None);
    let counted = me(&ledger, BOB, room).unread;
    assert_eq!(hide(&mut ledger, BOB, room, 3, true), Ok(vec![3]));
    assert_eq!(hide(&mut ledger, BOB, room, 4, true), Ok(vec![3, 4]));
    assert_eq!(hide(&mut ledger, BOB, room, 4, true), Ok(vec![3, 4]));
    let expected = Hidden {
        seqs: vec![Seq(3), Seq(4)],
        version: 2,
        more: false,
    };
    let row = me(&ledger, BOB, room);
    assert_eq!((row.hidden, row.unread), (Some(expected.clone()), counted));
    for (user, hidden) in [(ANN, false), (BOB, true)] {
        assert_eq!(line(&ledger, user, room, 3).hidden, hidden);
        assert!(!line(&ledger, user, room, 2).hidden);
    }
    assert_eq!(me(&ledger, ANN, room).hidden, None);
    assert_eq!(hide(&mut ledger, BOB, room, 4, false), Ok(vec![3]));
    assert_eq!(hide(&mut ledger, BOB, room, 4, false), Ok(vec![3]));
    // It outlives a going and coming, and its message.
    one(&mut ledger, by(BOB, 10, Command::Leave { room }));
    assert_eq!(hide(&mut ledger, BOB, room, 4, true), Ok(vec![3, 4]));
    one(&mut ledger, by(ANN, 11, Command::Add { room, user: BOB }));
    one(&mut ledger, by(ANN, 12, redact(room, 3)));
    let kept = me(&ledger, BOB, room).hidden.expect("a list");
    assert_eq!((kept.seqs, kept.version), (expected.seqs, 4));
    let gone = line(&ledger, BOB, room, 3);
    assert!(gone.hidden && gone.redacted.is_some());
    for (who, target, code) in [
        (BOB, 1, ErrorCode::NotFound),
        (BOB, 2, ErrorCode::NoMessage),
        (BOB, 6, ErrorCode::NoMessage),
        (BOB, 99, ErrorCode::NotFound),
        (CAROL, 4, ErrorCode::NotFound),
        (CAROL, 5, ErrorCode::NoMessage),
        (UserId([9; 16]), 4, ErrorCode::NotFound),
    ] {
        assert_eq!(
            hide(&mut ledger, who, room, target, true),
            Err(code),
            "{target}"
        );
    }
    let nowhere = hide(&mut ledger, BOB, RoomId([7; 16]), 3, false);
    assert_eq!(nowhere, Err(ErrorCode::NotFound));
}

#[test]
fn so_many_are_hidden_and_the_row_has_the_newest() {
    let (mut ledger, room) = setting();
    for number in 0..=limits::HIDDEN_MAX as u64 {
        let mut item = by(ANN, 0, Command::say(room, "another"));
        item.key = chinwag_core::ids::Key(u128::from(1_000 + number).to_be_bytes());
        ledger.append(&[item], Millis(0));
        let hidden = hide(&mut ledger, CAROL, room, 6 + number, true);
        let full = number as usize == limits::HIDDEN_MAX;
        assert_eq!(hidden.err(), full.then_some(ErrorCode::TooMany), "{number}");
    }
    let row = me(&ledger, CAROL, room).hidden.expect("a list");
    assert_eq!(row.seqs.len(), limits::HIDDEN_IN_ROW_MAX);
    assert_eq!((row.seqs.last(), row.more), (Some(&Seq(1_005)), true));
    // One that is there is no further one, and one less makes room.
    assert!(hide(&mut ledger, CAROL, room, 7, true).is_ok());
    assert!(hide(&mut ledger, CAROL, room, 7, false).is_ok());
    assert!(hide(&mut ledger, CAROL, room, 1_006, true).is_ok());
}

#[test]
fn a_wall_keeps_people_from_letting_each_other_in() {
    for blocker in [ANN, BOB] {
        let (mut ledger, other) = (ledger(), if blocker == ANN { BOB } else { ANN });
        let room = group(&mut ledger, 1);
        let block = |on| OwnChange::Block { user: other, on };
        assert!(ledger.own(blocker, &block(true)).is_ok());
        let tries = [
            by(ANN, 2, Command::Add { room, user: BOB }),
            by(ANN, 3, Command::InviteUser { room, user: BOB }),
            by(ANN, 4, Command::Direct { user: BOB }),
        ];
        let refused = commit(&mut ledger, &tries).outcomes;
        let forbidden = Outcome::Refused(ErrorCode::Forbidden);
        assert_eq!(refused, [forbidden; 3], "one answer, whoever blocks whom");
        one(&mut ledger, by(ANN, 5, Command::Add { room, user: CAROL }));
        // Who comes by themselves comes in: a room is not its owner's alone.
        let open = by(ANN, 6, Command::open(RoomKind::Public, "Square"));
        let square = open.room();
        one(&mut ledger, open);
        one(&mut ledger, by(BOB, 7, Command::join(square)));
        assert!(ledger.own(blocker, &block(false)).is_ok());
        one(&mut ledger, by(ANN, 8, Command::Add { room, user: BOB }));
    }
}
