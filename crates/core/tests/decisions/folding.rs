//! What is left of messages: the same whatever the way, and no more than a page holds.

use std::collections::BTreeMap;

use chinwag_core::batch::{Command, Submission};
use chinwag_core::event::Mention;
use chinwag_core::fold::{self, Folded, Folding};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use chinwag_core::ledger::Ledger;
use chinwag_core::limits;
use chinwag_core::read::{self, After};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Item;
use proptest::prelude::*;

use crate::conversation::{redact, setting};
use crate::{ANN, BOB, CAROL, ledger};

/// A page carries who reacted: it ends where that is enough, and the next goes on from there.
#[test]
fn pages_of_popular_messages_are_short() {
    let mut ledger = ledger();
    let mut number = 0_u64;
    let mut append = |from: UserId, command: Command| {
        number += 1;
        let key = Key(u128::from(number).to_be_bytes());
        let item = Submission { from, key, command };
        ledger.append(&[item], Millis(0)).outcomes[0]
    };
    let room = RoomId::created(ANN, Key(1_u128.to_be_bytes()));
    append(ANN, Command::open(RoomKind::Public, "Hall"));
    for _ in 0..20 {
        append(ANN, Command::say(room, "hooray"));
    }
    let kinds = limits::REACTION_KINDS_MAX as u32;
    for who in [BOB, CAROL] {
        append(who, Command::join(room));
    }
    let people = [ANN, BOB, CAROL];
    for (target, kind) in (2..22).flat_map(|target| (0..kinds).map(move |kind| (target, kind))) {
        let emoji = char::from_u32(0x1f600 + kind)
            .expect("an emoji")
            .to_string();
        for who in people {
            let command = Command::React {
                room,
                target: Seq(target),
                emoji: emoji.clone(),
                on: true,
            };
            append(who, command);
        }
    }
    let (mut lines, mut pages, mut before) = (Vec::new(), 0, None);
    loop {
        let Ok(Ok(page)) = read::history(&ledger, ANN, room, before, 50) else {
            panic!("a member reads");
        };
        let reactions: usize = page.messages.iter().map(|line| line.reactions.len()).sum();
        // A frame of about 100 KiB, and one message more.
        assert!(reactions < 2_300, "{reactions} in one page");
        lines.splice(0..0, page.messages);
        pages += 1;
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    let seqs: Vec<u64> = lines.iter().map(|line| line.event.seq.0).collect();
    assert_eq!(seqs, (1..=23).collect::<Vec<u64>>());
    let all: usize = lines.iter().map(|line| line.reactions.len()).sum();
    assert_eq!((all, pages), (20 * people.len() * kinds as usize, 2));
}
/// What a client has made of the events that it was sent.
type Lines = BTreeMap<Seq, Folding>;

fn catch_up(ledger: &Ledger, user: UserId, room: RoomId, lines: &mut Lines, at: &mut Seq) {
    loop {
        let Ok(Ok(After::Events(stretch))) = read::after(ledger, user, room, *at, None, 7) else {
            panic!("a short log is streamed");
        };
        if stretch.items.is_empty() {
            return;
        }
        *at = stretch.to;
        for item in stretch.items {
            let Item::Event(event) = item else { continue };
            if let Some(line) = event.target.and_then(|target| lines.get_mut(&target)) {
                line.apply(&event);
            }
            if fold::has_line(&event.body) {
                lines.insert(event.seq, Folding::new(event));
            }
        }
    }
}

fn history(ledger: &Ledger, user: UserId, room: RoomId) -> Vec<Folded> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let Ok(Ok(page)) = read::history(ledger, user, room, before, 5) else {
            panic!("a member reads");
        };
        all.splice(0..0, page.messages);
        before = page.before;
        if before.is_none() {
            return all;
        }
    }
}

proptest! {
    /// Applying events to old state, whenever they were fetched, equals fetching fresh.
    #[test]
    fn old_state_and_events_make_what_is_fetched_fresh(
        steps in prop::collection::vec((0..9_u8, 0..3_usize, 1..30_u64, any::<bool>()), 1..80),
    ) {
        let (mut ledger, room) = setting();
        let mut clients = [ANN, BOB, CAROL].map(|user| (user, Lines::new(), Seq::ZERO));
        for (number, (what, who, target, on)) in (1_u64..).zip(steps) {
            let from = [ANN, BOB, CAROL][who];
            let (seq, emoji) = (Seq(target), "x".to_owned());
            let command = match what {
                0 | 1 => Command::say(room, format!("text {number}")),
                2 => Command::Edit { room, target: seq, body: format!("edit {number}").into() },
                3 => redact(room, target),
                4 => Command::React { room, target: seq, emoji, on },
                5 => Command::Pin { room, target: seq, on },
                6 => Command::Send {
                    room,
                    body: format!("answer {number}").into(),
                    reply_to: Some(seq),
                    mentions: vec![Mention::Room],
                    if_last: None,
                },
                7 => Command::Configure { room, name: None, topic: Some("tea".into()), avatar: None },
                _ => {
                    let (user, lines, at) = &mut clients[who];
                    catch_up(&ledger, *user, room, lines, at);
                    continue;
                }
            };
            let key = Key(u128::from(number).to_be_bytes());
            ledger.append(&[Submission { from, key, command }], Millis(0));
        }
        for (user, lines, at) in &mut clients {
            catch_up(&ledger, *user, room, lines, at);
            let held: Vec<Folded> = lines.values().map(Folding::finish).collect();
            prop_assert_eq!(held, history(&ledger, *user, room));
        }
    }
}
