//! Examples of what the server says.

use chinwag_core::avatar::Avatar;
use chinwag_core::code::ErrorCode;
use chinwag_core::event::{
    Author, Body, DamagedBody, Event, MemberBody, Mention, PinBody, ReactionBody, RedactBody,
    RoleBody, RoomBody, SettingsBody,
};
use chinwag_core::fold::Folded;
use chinwag_core::ids::{Epoch, Millis, Position, Seq, SessionId};
use chinwag_core::room::{HistoryFrom, MemberState, Role, RoomKind, SkipWhy};
use chinwag_core::wire::{
    DirectoryRow, Item, Me, Person, Profile, PublicLimits, Reset, ResetWhy, RoomRow, ServerFrame,
    Settings, Skip, Standing,
};

use crate::{ANN, BOB, KEY, ROOM, TEXT, messages, people, rooms};

pub(crate) fn frames() -> Vec<(&'static str, ServerFrame)> {
    [
        connecting(),
        events(),
        replies(),
        ephemeral(),
        rooms::server(),
        messages::server(),
    ]
    .into_iter()
    .flatten()
    .collect()
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
        reply_to: None,
        mentions: Vec::new(),
        body,
    }
}

/// Another picture for the room.
pub(crate) fn settings_event(avatar: Option<Avatar>) -> Event {
    let body = SettingsBody {
        name: None,
        topic: None,
        avatar,
    };
    event(14, None, Body::Settings(body))
}

fn message(seq: u64) -> Event {
    event(seq, None, Body::Message(TEXT.into()))
}

pub(crate) fn row() -> RoomRow {
    RoomRow {
        room: ROOM,
        kind: RoomKind::Direct,
        name: None,
        topic: Some("Black, green, white".into()),
        peer: Some(BOB),
        history: HistoryFrom::Beginning,
        head: Seq(13),
        msg_no: 7,
        floor: Seq(1),
        members: 2,
        pins: vec![Seq(3)],
        avatar: None,
        me: Me {
            state: MemberState::Joined,
            role: Role::Member,
            since: Seq(1),
            delivered: Seq(12),
            read: Seq(9),
            unread: 3,
            mentions: 1,
            muted: true,
            notify: None,
            hidden: None,
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
        hidden: false,
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
        members: Some(2),
    };
    let settings = SettingsBody {
        name: None,
        topic: Some("Black, green, white".into()),
        avatar: None,
    };
    let role_of = RoleBody {
        user: BOB,
        role: Role::Reader,
        muted: true,
    };
    let answer = Event {
        reply_to: Some(Seq(2)),
        mentions: vec![Mention::Room, Mention::User(BOB)],
        ..message(10)
    };
    let edit = "better".into();
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
        ("event: settings", of(8, None, Body::Settings(settings))),
        ("event: role", of(9, None, Body::Role(role_of))),
        (
            "event: message that answers and mentions",
            ServerFrame::Event(answer),
        ),
        (
            "event: pin",
            of(11, Some(3), Body::Pin(PinBody { on: true })),
        ),
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
            display_name: None,
            avatar: None,
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
        settings: None,
        blocks: None,
        profile: None,
    };
    let hiding = ServerFrame::Summary {
        rooms: Vec::new(),
        new: 0,
        all: false,
        reset: None,
        more: false,
        settings: Some(settings()),
        blocks: None,
        profile: None,
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
        ("summary, hiding", hiding),
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
        seq: None,
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
                mentions: 0,
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
                muted: Vec::new(),
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
                    display_name: None,
                    avatar: None,
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
                    avatar: None,
                }],
                more: false,
            },
        ),
    ]
}

fn settings() -> Settings {
    Settings {
        hide_last_seen: true,
        hide_online: false,
        hide_receipts: true,
        version: 2,
        dnd_until: None,
        dnd_daily: None,
    }
}

fn ephemeral() -> Vec<(&'static str, ServerFrame)> {
    let presence = |change, online, joined, left| ServerFrame::Presence {
        room: ROOM,
        count: 2,
        change,
        online,
        joined,
        left,
    };
    let person = |user, online, last_seen| Person {
        user,
        online,
        last_seen,
    };
    let people = vec![
        person(ANN, true, None),
        person(BOB, false, Some(Millis(1_795_324_500_000))),
    ];
    vec![
        (
            "typing",
            ServerFrame::Typing {
                room: ROOM,
                users: vec![ANN],
                more: 0,
            },
        ),
        (
            "presence, all of it",
            presence(Some(7), Some(vec![ANN, BOB]), Vec::new(), Vec::new()),
        ),
        (
            "presence, what changed",
            presence(Some(8), None, vec![BOB], vec![ANN]),
        ),
        (
            "presence, a large room",
            presence(None, None, Vec::new(), Vec::new()),
        ),
        (
            "who",
            ServerFrame::Who {
                req: 32,
                room: ROOM,
                people,
                more: false,
            },
        ),
        ("settings", ServerFrame::Settings(settings())),
        (
            "receipt",
            ServerFrame::Receipt {
                room: ROOM,
                members: vec![(BOB, Seq(58), Seq(57))],
            },
        ),
        (
            "receipts",
            ServerFrame::Receipts {
                req: 34,
                room: ROOM,
                seq: Some(Seq(58)),
                members: vec![Standing {
                    user: BOB,
                    delivered: Seq(58),
                    read: Seq(57),
                    delivered_at: Some(Millis(1_795_324_500_000)),
                    read_at: None,
                }],
            },
        ),
    ]
    .into_iter()
    .chain(people::server())
    .collect()
}
