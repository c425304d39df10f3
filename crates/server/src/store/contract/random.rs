//! Ten thousand commands drawn at random, answered by SQLite exactly as by the ledger.

mod beside;

use chinwag_core::batch::{Command, Submission};
use chinwag_core::event::{Content, Mention, OpaqueBody, OpaqueBytes};
use chinwag_core::ids::{Key, Millis, Position, RoomId, Seq, UserId};
use chinwag_core::marker::Mark;
use chinwag_core::read;
use chinwag_core::room::{MemberState, Range, Role, RoomKind};
use chinwag_core::wire::{Cursor, Last};

use super::{PEOPLE, Subject, key, user};
use crate::store::{AnyView, StoreError};

const COMMANDS: usize = 10_000;
const BATCH: u64 = 12;
const ROOMS: usize = 12;
const ROLES: [Role; 4] = [Role::Reader, Role::Member, Role::Admin, Role::Owner];

/// A seeded source of choices (xorshift).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound
    }

    fn user(&mut self) -> UserId {
        // Now and then somebody whom nobody knows.
        match self.below(200) {
            0 => user(200),
            other => user((other % u64::from(PEOPLE)) as u8 + 1),
        }
    }

    fn room(&mut self, rooms: &[RoomId]) -> RoomId {
        match self.below(100) {
            0 => RoomId([99; 16]),
            other => rooms
                .get(other as usize % rooms.len().max(1))
                .copied()
                .unwrap_or(RoomId([98; 16])),
        }
    }

    fn command(&mut self, rooms: &[RoomId]) -> Command {
        let room = self.room(rooms);
        // Few rooms with much in them, rather than many empty ones.
        match self.below(40) {
            0 if rooms.len() < ROOMS => Command::open(
                if self.below(4) == 0 {
                    RoomKind::Group
                } else {
                    RoomKind::Public
                },
                format!("room {}", self.below(1_000)),
            ),
            1 if (ROOMS..ROOMS + 3).contains(&rooms.len()) => Command::Direct { user: self.user() },
            2..8 => Command::join(room),
            8 => Command::Leave { room },
            9..12 => Command::Add {
                room,
                user: self.user(),
            },
            12 => Command::InviteUser {
                room,
                user: self.user(),
            },
            13 => Command::Remove {
                room,
                user: self.user(),
            },
            14..20 => self.change(room),
            _ => self.message(room),
        }
    }

    /// One in eight takes up a key that was used before.
    fn submission(&mut self, rooms: &[RoomId], used: &mut Vec<Submission>) -> Submission {
        if !used.is_empty() && self.below(8) == 0 {
            let at = self.below(used.len() as u64) as usize;
            let mut again = used[at].clone();
            if self.below(4) == 0 {
                again.command = self.command(rooms);
            }
            return again;
        }
        let new = Submission {
            from: self.user(),
            key: key(used.len() as u64 + 1),
            command: self.command(rooms),
        };
        used.push(new.clone());
        new
    }

    fn mark(&mut self, rooms: &[RoomId]) -> Mark {
        Mark {
            user: self.user(),
            room: self.room(rooms),
            delivered: Seq(self.below(300)),
            read: Seq(self.below(300)),
        }
    }

    /// Something about a message, or about somebody.
    fn change(&mut self, room: RoomId) -> Command {
        let (target, user, on) = (Seq(self.below(60) + 1), self.user(), self.below(3) > 0);
        match self.below(12) {
            0..=2 => Command::Edit {
                room,
                target,
                body: format!("edit {}", self.below(9)).into(),
            },
            3 => Command::Redact { room, target },
            4..=6 => Command::React {
                room,
                target,
                emoji: ["👍", "☕"][self.below(2) as usize].into(),
                on,
            },
            7 => Command::Pin { room, target, on },
            8 => Command::Configure {
                room,
                name: on.then(|| format!("renamed {}", self.below(9))),
                topic: Some(["", "about tea"][self.below(2) as usize].into()),
                avatar: beside::picture(self),
            },
            // More is taken back than taken, or nobody had a voice in the end.
            9 => Command::Ban {
                room,
                user,
                on: !on,
            },
            10 => Command::SetRole {
                room,
                user,
                role: ROLES[self.below(4) as usize],
            },
            _ => Command::Mute {
                room,
                user,
                on: !on,
            },
        }
    }

    fn message(&mut self, room: RoomId) -> Command {
        let text = format!("text {} \u{1F600} \"quoted\" \\", self.below(50));
        if self.below(3) > 0 {
            return Command::say(room, text);
        }
        let body = match self.below(3) {
            0 => Content::Opaque(OpaqueBody {
                enc: "mls-1".into(),
                bytes: OpaqueBytes(text.into_bytes()),
            }),
            _ => text.into(),
        };
        let if_last = (self.below(3) == 0).then(|| Seq(self.below(60)));
        let mentions = match self.below(3) {
            0 => vec![Mention::Room],
            1 => vec![Mention::User(self.user()), Mention::Room],
            _ => vec![Mention::User(self.user()), Mention::User(self.user())],
        };
        Command::Send {
            room,
            body,
            reply_to: (self.below(2) == 0).then(|| Seq(self.below(60) + 1)),
            mentions,
            if_last,
        }
    }

    fn question(&mut self, rooms: &[RoomId], position: Position) -> Question {
        Question {
            user: self.user(),
            other: self.user(),
            room: self.room(rooms),
            since: Position(self.below(position.0 + 3)),
            seq: Seq(self.below(300)),
            key: key(self.below(2_000)),
            limit: self.below(60) as usize + 1,
        }
    }
}

/// Everything that can be asked, with what it takes.
#[derive(Debug, Clone, Copy)]
struct Question {
    user: UserId,
    other: UserId,
    room: RoomId,
    since: Position,
    seq: Seq,
    key: Key,
    limit: usize,
}

impl Question {
    /// All answers in words, so that a difference shows where it is.
    fn ask(self, view: &AnyView<'_>) -> Result<Vec<String>, StoreError> {
        let Self {
            user,
            other,
            room,
            since,
            seq,
            key,
            limit,
        } = self;
        let mut cursor = Cursor {
            epoch: None,
            position: Some(since),
            last: None,
            open: vec![(room, seq)],
        };
        let some = Range {
            from: seq.max(Seq(1)),
            to: Seq(seq.0 + 40),
        };
        let mut said = vec![format!(
            "{:?}",
            unnamed(read::snapshot(view, user, &cursor)?)
        )];
        cursor.last = Some(Last { room, seq, key });
        cursor.position = None;
        said.push(format!(
            "{:?}",
            unnamed(read::snapshot(view, user, &cursor)?)
        ));
        said.push(format!(
            "{:?}",
            read::after(view, user, room, seq, None, limit)?
        ));
        said.push(format!(
            "{:?}",
            read::after(view, user, room, seq, Some(key), limit)?
        ));
        said.push(format!(
            "{:?}",
            read::history(view, user, room, Some(seq), limit)?
        ));
        said.push(format!(
            "{:?}",
            read::history(view, user, room, None, limit)?
        ));
        said.push(format!("{:?}", read::row(view, user, room)?));
        said.push(format!(
            "{:?}",
            read::stretch(view, user, room, some, limit)?
        ));
        said.push(format!("{:?}", view.room(room)?));
        said.push(format!("{:?}", view.member(room, user)?));
        said.push(format!(
            "{:?}",
            view.members(room, MemberState::Joined, Some(other), limit)?
        ));
        said.push(format!(
            "{:?}",
            view.members(room, MemberState::Banned, None, limit)?
        ));
        said.push(format!("{:?}", view.directory(Some(room), limit)?));
        said.push(format!("{:?}", view.directory(None, limit)?));
        said.push(format!("{:?}", view.changes(since)?));
        said.push(format!("{:?}", view.changed(user, Some(since))?));
        said.push(format!("{:?}", view.rooms_in(user)?));
        said.push(format!("{:?}", view.invited_to(user)?));
        said.push(format!("{:?}", view.heads(user)?));
        said.push(format!("{:?}", view.replay(key, user, room)?));
        said.push(format!("{:?}", view.events(room, some, limit)?));
        said.push(format!("{:?}", view.lines(room, some, limit)?));
        said.push(format!("{:?}", view.about(room, some)?));
        said.push(format!("{:?}", view.redacted(room, some)?));
        said.push(format!(
            "{:?}",
            view.countable(room, user, some, limit as u64)?
        ));
        said.push(format!(
            "{:?}",
            view.mentioned(room, user, some, limit as u64)?
        ));
        said.push(format!("{:?}", view.alterations(room, seq)?));
        said.push(format!("{:?}", view.blocks(user)?));
        said.push(format!("{:?}", view.is_wall_between(user, other)?));
        said.push(format!("{:?}", view.is_walled(room, user)?));
        said.push(format!("{:?}", view.last_message(room)?));
        said.push(format!("{:?}", view.hidden(room, user, some)?));
        Ok(said)
    }
}

/// A snapshot without the name of the store's life, which is random.
fn unnamed(mut snapshot: read::Snapshot) -> read::Snapshot {
    snapshot.epoch = chinwag_core::ids::Epoch([0; 16]);
    snapshot
}

#[tokio::test]
async fn ten_thousand_random_commands_are_answered_alike() {
    alike(0x5eed_0000_0000_0001, Subject::sqlite().await).await;
}

#[tokio::test]
async fn ten_thousand_random_commands_are_answered_alike_with_recent_events_in_front() {
    let subject = alike(0x5eed_0000_0000_0002, Subject::recent().await).await;
    let Subject::Recent(Some((_store, front)), _dir) = &subject else {
        panic!("another store came back");
    };
    // It is in front: much was answered from memory, and much was not.
    let figures = front.recent().figures();
    let enough = [figures.hits, figures.misses, figures.older, figures.loads];
    assert!(enough.iter().all(|count| *count > 0), "{figures:?}");
}

/// Answers of `sqlite`, which is given back, are those of the ledger.
async fn alike(seed: u64, mut sqlite: Subject) -> Subject {
    let mut dice = Dice(seed);
    let memory = Subject::memory().await;
    beside::same_position(&memory, &sqlite).await;
    let mut rooms: Vec<RoomId> = Vec::new();
    let mut used = Vec::new();
    let (mut commands, mut done, mut answers) = (0, 0, 0);
    while commands < COMMANDS {
        let size = dice.below(BATCH) + 1;
        let items: Vec<_> = (0..size)
            .map(|_| dice.submission(&rooms, &mut used))
            .collect();
        commands += items.len();
        let expected = memory.append(items.clone()).await;
        let found = sqlite.append(items.clone()).await;
        assert_eq!(
            found, expected,
            "seed {seed:#x}, after {commands}: {items:?}"
        );
        done += found.events.len();
        for event in &found.events {
            if event.seq == Seq(1) {
                rooms.push(event.room);
            }
        }
        if dice.below(3) == 0 {
            let marks: Vec<_> = (0..4).map(|_| dice.mark(&rooms)).collect();
            let expected = memory.store().mark(marks.clone(), Millis(0)).await;
            assert_eq!(
                sqlite.store().mark(marks, Millis(0)).await,
                expected,
                "seed {seed:#x}"
            );
        }
        if dice.below(40) == 0 {
            beside::toggle(&mut dice, &memory, &sqlite).await;
            beside::show(&mut dice, &memory, &sqlite).await;
        }
        if dice.below(20) == 0 {
            beside::hide(&mut dice, &rooms, &memory, &sqlite).await;
        }
        if dice.below(300) == 0 {
            sqlite.reopen();
        }
        if dice.below(3) > 0 {
            continue;
        }
        let question = dice.question(&rooms, found.position);
        let expected = memory.read(move |view| question.ask(view)).await;
        let found = sqlite.read(move |view| question.ask(view)).await;
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(
                found, expected,
                "seed {seed:#x}, after {commands}: {question:?}"
            );
        }
        answers += found.len();
    }
    // The run is worth something only if much of it was accepted.
    assert!(
        done > COMMANDS / 5 && answers > COMMANDS && rooms.len() >= ROOMS,
        "{done} done, {answers} answers, {} rooms",
        rooms.len()
    );
    sqlite
}
