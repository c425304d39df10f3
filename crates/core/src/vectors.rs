//! Golden frames: `protocol/vectors/{client,server}.json`, read by Rust and TypeScript alike.
//!
//! One example of each frame and of each event kind, as it stands on the wire. A change of these
//! files is a change of the protocol: the test that rewrites them fails first.

use serde::Serialize;
use serde_json::{Value, json};

use crate::code::ErrorCode;
use crate::codec;
use crate::event::{
    Author, Body, DamagedBody, Event, MemberBody, ReactionBody, RedactBody, RoomBody, TextBody,
};
use crate::fold::Folded;
use crate::generated::generate;
use crate::ids::{DeviceId, Epoch, Key, Millis, Position, RoomId, Seq, SessionId, UserId};
use crate::room::{HistoryFrom, MemberState, Role, RoomKind, SkipWhy};
use crate::wire::{
    ClientFrame, Cursor, DirectoryRow, Item, Last, Me, Profile, PublicLimits, Reset, ResetWhy,
    RoomRow, ServerFrame, Skip,
};

const ROOM: RoomId = RoomId(*b"a room of people");
const ANN: UserId = UserId(*b"ann, who writes.");
const BOB: UserId = UserId(*b"bob, who reads..");
const KEY: Key = Key(*b"one key, once...");
const TEXT: &str = "Grüße, 世界 \u{202e}\u{1f469}\u{200d}\u{1f680} \"quoted\" \\ <b>\n\t\u{7f}";

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

fn client() -> Vec<(&'static str, ClientFrame)> {
    let token = || "header.claims.signature".to_owned();
    let hello = |device, cursor| ClientFrame::Hello {
        v: 1,
        token: token(),
        device,
        cursor,
    };
    let text = TEXT.to_owned();
    let name = || "Tea & talk".to_owned();
    vec![
        ("hello, first time", hello(None, Cursor::default())),
        (
            "hello, again",
            hello(Some(DeviceId(*b"a phone of ann's")), cursor()),
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
                text,
            },
        ),
        (
            "create",
            ClientFrame::Create {
                req: 4,
                key: KEY,
                kind: RoomKind::Public,
                name: name(),
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
}

fn event(seq: u64, target: Option<u64>, body: Body) -> Event {
    Event {
        room: ROOM,
        seq: Seq(seq),
        msg_no: 7,
        v: 1,
        from: Author(ANN, 2),
        key: KEY,
        ts: Millis(1_795_324_500_285),
        target: target.map(Seq),
        body,
    }
}

fn message(seq: u64) -> Event {
    event(seq, None, Body::Message(TextBody { text: TEXT.into() }))
}

fn row() -> RoomRow {
    RoomRow {
        room: ROOM,
        kind: RoomKind::Direct,
        name: None,
        peer: Some(BOB),
        history: HistoryFrom::Beginning,
        head: Seq(13),
        msg_no: 7,
        floor: Seq(1),
        members: 2,
        me: Me {
            state: MemberState::Joined,
            role: Role::Member,
            since: Seq(1),
            delivered: Seq(12),
            read: Seq(9),
            unread: 3,
        },
    }
}

fn skip() -> Skip {
    Skip {
        room: ROOM,
        from: Seq(1),
        to: Seq(4),
        why: SkipWhy::BeforeJoin,
    }
}

fn folded() -> Vec<Folded> {
    let reactions = vec![("\u{1f44d}".to_owned(), BOB)];
    let plain = Folded {
        event: message(12),
        edited: None,
        redacted: None,
        reactions,
    };
    let edited = Folded {
        edited: Some(Seq(14)),
        reactions: Vec::new(),
        ..plain.clone()
    };
    vec![plain, edited]
}

fn events() -> Vec<(&'static str, ServerFrame)> {
    let room = RoomBody {
        kind: RoomKind::Public,
        name: Some("Tea & talk".into()),
        history: HistoryFrom::Beginning,
        members: vec![(ANN, Role::Owner)],
    };
    let member = MemberBody {
        user: BOB,
        state: MemberState::Joined,
        role: Role::Member,
    };
    let edit = TextBody {
        text: "better".into(),
    };
    let reaction = ReactionBody {
        emoji: "\u{1f44d}".into(),
        on: true,
    };
    let of = |seq, target, body| ServerFrame::Event(event(seq, target, body));
    vec![
        ("event: room", of(1, None, Body::Room(room))),
        ("event: member", of(2, None, Body::Member(member))),
        ("event: message", ServerFrame::Event(message(3))),
        ("event: edit", of(4, Some(3), Body::Edit(edit))),
        ("event: reaction", of(5, Some(3), Body::Reaction(reaction))),
        ("event: redact", of(6, Some(3), Body::Redact(RedactBody {}))),
        ("event: damaged", of(7, None, Body::Damaged(DamagedBody {}))),
    ]
}

fn connecting() -> Vec<(&'static str, ServerFrame)> {
    let welcome = ServerFrame::Welcome {
        v: 1,
        epoch: Epoch(*b"the first epoch."),
        user: Profile {
            id: ANN,
            name: "ann".into(),
            version: 2,
        },
        session: Some(SessionId(*b"a session of ann")),
        features: Vec::new(),
        limits: PublicLimits {
            text_bytes: 16_384,
            frame_bytes: 65_536,
            in_flight: 64,
            open_rooms: 32,
            rate_per_second: 10,
            rate_burst: 20,
        },
        now: Millis(1_795_324_500_285),
    };
    let summary = |all, reset, rooms| ServerFrame::Summary {
        rooms,
        new: 3,
        all,
        reset,
        more: false,
    };
    let reset = |req, why| Reset {
        req,
        why,
        row: row(),
        page: folded(),
        redacted: vec![Seq(6)],
    };
    vec![
        ("welcome", welcome),
        ("summary, nothing new", summary(false, None, Vec::new())),
        (
            "summary, all anew",
            summary(true, Some(ResetWhy::Epoch), vec![row()]),
        ),
        (
            "events while connecting",
            ServerFrame::Events {
                req: None,
                room: ROOM,
                from: Seq(1),
                to: Seq(5),
                head: Seq(13),
                items: vec![Item::Skip(skip()), Item::Event(message(5))],
            },
        ),
        (
            "reset while connecting",
            ServerFrame::Reset(reset(None, ResetWhy::TooFar)),
        ),
        (
            "reset as a reply",
            ServerFrame::Reset(reset(Some(11), ResetWhy::History)),
        ),
        ("skip", ServerFrame::Skip(skip())),
        (
            "caught_up",
            ServerFrame::CaughtUp {
                position: Position(1043),
            },
        ),
        ("behind", ServerFrame::Behind {}),
        (
            "token_expiring",
            ServerFrame::TokenExpiring { in_ms: 60_000 },
        ),
        (
            "reconnect",
            ServerFrame::Reconnect {
                after_ms: 500,
                spread_ms: 2_000,
            },
        ),
    ]
}

fn replies() -> Vec<(&'static str, ServerFrame)> {
    let error = |req, code: ErrorCode, field: Option<&str>, retry_after_ms| ServerFrame::Error {
        req,
        code,
        message: code.meaning().to_owned(),
        field: field.map(str::to_owned),
        retryable: code.retryable(),
        retry_after_ms,
    };
    let ts = Millis(1_795_324_500_285);
    vec![
        (
            "ack",
            ServerFrame::Ack {
                req: 3,
                room: ROOM,
                seq: Seq(13),
                msg_no: 7,
                ts,
            },
        ),
        ("ok", ServerFrame::Ok { req: 10 }),
        (
            "error without req",
            error(None, ErrorCode::BadFrame, None, None),
        ),
        (
            "error with a field",
            error(Some(3), ErrorCode::TooLong, Some("text"), None),
        ),
        (
            "error to retry",
            error(Some(3), ErrorCode::RateLimited, None, Some(100)),
        ),
        (
            "events as a reply",
            ServerFrame::Events {
                req: Some(11),
                room: ROOM,
                from: Seq(13),
                to: Seq(12),
                head: Seq(12),
                items: Vec::new(),
            },
        ),
        (
            "page",
            ServerFrame::Page {
                req: 12,
                room: ROOM,
                as_of: Seq(13),
                messages: folded(),
                skips: vec![skip()],
                before: Some(Seq(12)),
            },
        ),
        (
            "marker",
            ServerFrame::Marker {
                room: ROOM,
                delivered: Seq(13),
                read: Seq(13),
                unread: 0,
            },
        ),
        (
            "pong",
            ServerFrame::Pong {
                req: 20,
                now: ts,
                position: Some(Position(1044)),
                heads: vec![(ROOM, Seq(13))],
            },
        ),
        (
            "room",
            ServerFrame::Room {
                req: 13,
                row: row(),
            },
        ),
        (
            "members",
            ServerFrame::Members {
                req: 14,
                room: ROOM,
                members: vec![(BOB, Role::Member)],
                more: false,
            },
        ),
        (
            "profiles",
            ServerFrame::Profiles {
                req: 15,
                users: vec![Profile {
                    id: BOB,
                    name: "bob".into(),
                    version: 1,
                }],
            },
        ),
        (
            "directory",
            ServerFrame::Directory {
                req: 17,
                rooms: vec![DirectoryRow {
                    room: ROOM,
                    name: "Tea & talk".into(),
                    members: 2,
                }],
                more: false,
            },
        ),
    ]
}

fn golden<F: Serialize>(path: &str, frames: &[(&'static str, F)]) {
    let entry = |(name, frame): &(&'static str, F)| {
        let frame: Value = serde_json::from_slice(&codec::encode(frame)).expect("what we encoded");
        json!({ "name": name, "frame": frame })
    };
    let all: Vec<Value> = frames.iter().map(entry).collect();
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    generate(path, &(text + "\n"));
}

#[test]
fn client_frames() {
    let frames = client();
    golden("protocol/vectors/client.json", &frames);
    for (name, frame) in frames {
        let bytes = codec::encode(&frame);
        let text = std::str::from_utf8(&bytes).expect("JSON is UTF-8");
        assert_eq!(codec::decode(text).as_ref(), Ok(&frame), "{name}");
    }
}

#[test]
fn server_frames() {
    let frames: Vec<_> = [connecting(), events(), replies()]
        .into_iter()
        .flatten()
        .collect();
    golden("protocol/vectors/server.json", &frames);
    for (name, frame) in frames {
        let bytes = codec::encode(&frame);
        let text = std::str::from_utf8(&bytes).expect("JSON is UTF-8");
        assert_eq!(codec::decode_server(text).expect(name), frame, "{name}");
        if let ServerFrame::Event(event) = &frame {
            assert_eq!(
                codec::encode_event(event),
                bytes,
                "{name}: both ways encode alike"
            );
        }
    }
}
