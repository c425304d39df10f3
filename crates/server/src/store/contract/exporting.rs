//! What an export says of somebody, page by page.

use chinwag_core::batch::Command;
use chinwag_core::erasure::{Erasure, Place as At, Texts};
use chinwag_core::ids::{JobId, Millis, RoomId};
use chinwag_core::room::RoomKind;
use serde_json::Value;

use super::erasing::begin;
use super::{Subject, by, contract, create, redact, send, user};
use crate::gateway::http::export::{self, Place};

contract!(
    an_export_has_what_one_wrote_and_nothing_of_others,
    a_closed_account_is_not_exported,
);

/// All lines about `number`, and how many pages they took.
async fn lines(subject: &Subject, number: u8) -> (Vec<Value>, usize) {
    let (mut lines, mut pages) = (Vec::new(), 0);
    let mut place = Some(Place::Own);
    while let Some(at) = place {
        let page = subject.read(move |view| export::page(view, user(number), at));
        let page = page.await.expect("an open account is exported");
        assert!(page.lines.len() <= 200);
        lines.extend(page.lines);
        place = page.next;
        pages += 1;
        assert!(pages < 1_000, "it ends");
    }
    (lines, pages)
}

async fn an_export_has_what_one_wrote_and_nothing_of_others(subject: Subject) {
    let many: Vec<_> = (0..120).map(|at| create(1, at, RoomKind::Public)).collect();
    let rooms: Vec<_> = many.iter().map(|item| item.room()).collect();
    subject.append(many).await;
    let all = (200..).zip(&rooms);
    let joins: Vec<_> = all
        .map(|(at, room)| by(2, at, Command::join(*room)))
        .collect();
    subject.append(joins).await;
    let said: Vec<_> = (0..230)
        .map(|at| send(2, 1_000 + at, rooms[3], &format!("mine {at}")))
        .collect();
    subject.append(said).await;
    subject.done(send(1, 2_000, rooms[3], "not mine")).await;
    // 1 room, 2 joins.
    subject.done(by(1, 2_001, redact(rooms[3], 7))).await;
    subject
        .done(by(2, 2_002, Command::Leave { room: rooms[3] }))
        .await;

    let (lines, pages) = lines(&subject, 2).await;
    assert!(pages >= 5, "{pages} pages");
    let of =
        |kind: &str| -> Vec<&Value> { lines.iter().filter(|line| line["type"] == kind).collect() };
    assert_eq!(of("room").len(), 120);
    let events = of("event");
    // What they said, that they came in everywhere, and that they left one.
    assert_eq!(events.len(), 230 + 120 + 1);
    let messages: Vec<_> = events
        .iter()
        .filter(|line| line["kind"] == "message")
        .collect();
    assert_eq!(messages.len(), 230);
    for (at, line) in messages.iter().enumerate() {
        if at == 4 {
            assert_eq!(
                (&line["redacted"], &line["body"]),
                (&true.into(), &serde_json::json!({}))
            );
        } else {
            assert_eq!(line["body"]["text"], format!("mine {at}"));
        }
    }
    let mut order: Vec<(RoomId, u64)> = Vec::new();
    for line in &events {
        let room = line["room"].as_str().expect("a room");
        let room = room.parse().expect("a room's id");
        order.push((room, line["seq"].as_u64().expect("a seq")));
    }
    let rooms = order.iter().map(|(room, _seq)| room);
    assert!(rooms.is_sorted(), "rooms one after the other");
    assert!(
        order
            .chunk_by(|one, other| one.0 == other.0)
            .all(|room| room.is_sorted())
    );
}

async fn a_closed_account_is_not_exported(subject: Subject) {
    subject.room(1, 1, RoomKind::Group).await;
    let erasure = Erasure {
        job: JobId([7; 16]),
        user: user(1),
        texts: Texts::Keep,
        asked: Millis(0),
        place: At::START,
    };
    begin(&subject, erasure).await;
    for number in [1, 99] {
        let page = subject.read(move |view| export::page(view, user(number), Place::Own));
        assert_eq!(page.await, None, "{number}");
    }
}
