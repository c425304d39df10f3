//! Examples of what a client says.

use chinwag_core::event::Mention;
use chinwag_core::ids::{DeviceId, Epoch, Position, Seq};
use chinwag_core::room::{Role, RoomKind};
use chinwag_core::wire::{ClientFrame, Cursor, Last};

use crate::{ANN, BOB, KEY, ROOM, TEXT, TOKEN, messages, people, rooms};

fn cursor() -> Cursor {
    Cursor {
        epoch: Some(Epoch(*b"the first epoch.")),
        position: Some(Position(1042)),
        last: Some(Last {
            room: ROOM,
            seq: Seq(12),
            key: KEY,
        }),
        open: vec![(ROOM, Seq(12))],
    }
}

pub(crate) fn frames() -> Vec<(&'static str, ClientFrame)> {
    [common(), rooms::client(), messages::client()]
        .into_iter()
        .flatten()
        .collect()
}

fn common() -> Vec<(&'static str, ClientFrame)> {
    let token = || "header.claims.signature".to_owned();
    let hello = |device, cursor, low_bandwidth| ClientFrame::Hello {
        v: 1,
        token: token(),
        device,
        cursor,
        low_bandwidth,
    };
    let text = || TEXT.to_owned();
    let name = || "Tea & talk".to_owned();
    vec![
        ("hello, first time", hello(None, Cursor::default(), false)),
        ("hello, low bandwidth", hello(None, Cursor::default(), true)),
        (
            "hello, again",
            hello(Some(DeviceId(*b"a phone of ann's")), cursor(), false),
        ),
        (
            "auth",
            ClientFrame::Auth {
                req: 1,
                token: token(),
            },
        ),
        (
            "sync",
            ClientFrame::Sync {
                req: 2,
                cursor: cursor(),
            },
        ),
        (
            "send",
            ClientFrame::Send {
                req: 3,
                key: KEY,
                room: ROOM,
                body: text().into(),
                reply_to: None,
                mentions: Vec::new(),
                if_last: None,
            },
        ),
        (
            "send, an answer that mentions",
            ClientFrame::Send {
                req: 3,
                key: KEY,
                room: ROOM,
                body: text().into(),
                reply_to: Some(Seq(12)),
                mentions: vec![Mention::Room, Mention::User(BOB)],
                if_last: None,
            },
        ),
        (
            "create",
            ClientFrame::Create {
                req: 4,
                key: KEY,
                kind: RoomKind::Public,
                name: name(),
                history: None,
            },
        ),
        (
            "direct",
            ClientFrame::Direct {
                req: 5,
                key: KEY,
                user: BOB,
            },
        ),
        (
            "join",
            ClientFrame::Join {
                req: 6,
                key: KEY,
                room: ROOM,
                invite: None,
            },
        ),
        (
            "join, by invitation",
            ClientFrame::Join {
                req: 6,
                key: KEY,
                room: ROOM,
                invite: Some(TOKEN),
            },
        ),
        (
            "leave",
            ClientFrame::Leave {
                req: 7,
                key: KEY,
                room: ROOM,
            },
        ),
        (
            "add",
            ClientFrame::Add {
                req: 8,
                key: KEY,
                room: ROOM,
                user: BOB,
            },
        ),
        (
            "remove",
            ClientFrame::Remove {
                req: 9,
                key: KEY,
                room: ROOM,
                user: BOB,
            },
        ),
        (
            "edit",
            ClientFrame::Edit {
                req: 21,
                key: KEY,
                room: ROOM,
                target: Seq(12),
                body: text().into(),
            },
        ),
        (
            "redact",
            ClientFrame::Redact {
                req: 22,
                key: KEY,
                room: ROOM,
                target: Seq(12),
            },
        ),
        (
            "react",
            ClientFrame::React {
                req: 23,
                key: KEY,
                room: ROOM,
                target: Seq(12),
                emoji: "\u{1f44d}".into(),
                on: true,
            },
        ),
        (
            "pin",
            ClientFrame::Pin {
                req: 24,
                key: KEY,
                room: ROOM,
                target: Seq(12),
                on: false,
            },
        ),
        (
            "configure",
            ClientFrame::Configure {
                req: 25,
                key: KEY,
                room: ROOM,
                name: Some(name()),
                topic: Some("Black, green, white".into()),
                avatar: None,
            },
        ),
        (
            "ban",
            ClientFrame::Ban {
                req: 26,
                key: KEY,
                room: ROOM,
                user: BOB,
                on: true,
            },
        ),
        (
            "role",
            ClientFrame::Role {
                req: 27,
                key: KEY,
                room: ROOM,
                user: BOB,
                role: Role::Admin,
            },
        ),
        (
            "mute",
            ClientFrame::Mute {
                req: 28,
                key: KEY,
                room: ROOM,
                user: BOB,
                on: true,
            },
        ),
        (
            "mark",
            ClientFrame::Mark {
                req: 10,
                room: ROOM,
                delivered: Some(Seq(12)),
                read: Some(Seq(9)),
            },
        ),
        (
            "after",
            ClientFrame::After {
                req: 11,
                room: ROOM,
                seq: Seq(12),
                key: Some(KEY),
                limit: None,
            },
        ),
        (
            "history",
            ClientFrame::History {
                req: 12,
                room: ROOM,
                before: Some(Seq(40)),
                at_least: Some(Seq(60)),
                limit: Some(50),
            },
        ),
        (
            "room",
            ClientFrame::Room {
                req: 13,
                room: ROOM,
            },
        ),
        (
            "members",
            ClientFrame::Members {
                state: None,
                req: 14,
                room: ROOM,
                after: Some(ANN),
            },
        ),
        (
            "profiles by id",
            ClientFrame::Profiles {
                req: 15,
                users: vec![ANN, BOB],
                name: None,
            },
        ),
        (
            "profiles by name",
            ClientFrame::Profiles {
                req: 16,
                users: Vec::new(),
                name: Some("bob".into()),
            },
        ),
        (
            "directory",
            ClientFrame::Directory {
                req: 17,
                after: None,
            },
        ),
        (
            "ping",
            ClientFrame::Ping {
                req: (1 << 53) - 1,
                rooms: vec![ROOM],
            },
        ),
    ]
    .into_iter()
    .chain(beside())
    .collect()
}

fn beside() -> Vec<(&'static str, ClientFrame)> {
    vec![
        (
            "typing",
            ClientFrame::Typing {
                req: 30,
                room: ROOM,
                on: true,
            },
        ),
        (
            "watch",
            ClientFrame::Watch {
                req: 31,
                rooms: vec![ROOM],
            },
        ),
        (
            "who",
            ClientFrame::Who {
                req: 32,
                room: ROOM,
                after: Some(BOB),
                online: true,
            },
        ),
        (
            "settings",
            ClientFrame::Settings {
                req: 33,
                hide_last_seen: Some(true),
                hide_online: Some(false),
                hide_receipts: Some(true),
                dnd_until: None,
                dnd_daily: None,
            },
        ),
        (
            "receipts",
            ClientFrame::Receipts {
                req: 34,
                room: ROOM,
                seq: Some(Seq(58)),
            },
        ),
    ]
    .into_iter()
    .chain(people::client())
    .collect()
}
