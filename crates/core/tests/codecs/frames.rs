//! Any frame at all, as far as the types and the rules of a single frame let it be.

use chinwag_core::code::ErrorCode;
use chinwag_core::event::{
    Author, Body, DamagedBody, Event, MemberBody, ReactionBody, RedactBody, RoomBody, TextBody,
};
use chinwag_core::fold::Folded;
use chinwag_core::ids::{DeviceId, Epoch, Key, Millis, Position, RoomId, Seq, SessionId, UserId};
use chinwag_core::room::{HistoryFrom, MemberState, Role, RoomKind, SkipWhy};
use chinwag_core::wire::{
    ClientFrame, Cursor, DirectoryRow, Item, Last, Me, Profile, PublicLimits, Reset, ResetWhy,
    RoomRow, ServerFrame, Skip,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..300_u64, 0..1_u64 << 53]
}

fn seq() -> impl Strategy<Value = Seq> {
    number().prop_map(Seq)
}

fn millis() -> impl Strategy<Value = Millis> {
    prop_oneof![0..1_i64 << 53, -1_000..1_000_i64].prop_map(Millis)
}

fn position() -> impl Strategy<Value = Position> {
    any::<u64>().prop_map(Position)
}

macro_rules! ids {
    ($($function:ident: $name:ident),*) => {$(
        fn $function() -> impl Strategy<Value = $name> {
            any::<[u8; 16]>().prop_map($name)
        }
    )*};
}
ids!(room: RoomId, user: UserId, device: DeviceId, session: SessionId, key: Key, epoch: Epoch);

fn kind() -> impl Strategy<Value = RoomKind> {
    select(vec![RoomKind::Direct, RoomKind::Group, RoomKind::Public])
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Reader, Role::Member, Role::Admin, Role::Owner])
}

fn state() -> impl Strategy<Value = MemberState> {
    select(vec![
        MemberState::Joined,
        MemberState::Left,
        MemberState::Removed,
    ])
}

fn history() -> impl Strategy<Value = HistoryFrom> {
    select(vec![HistoryFrom::Joining, HistoryFrom::Beginning])
}

fn why() -> impl Strategy<Value = ResetWhy> {
    select(vec![ResetWhy::Epoch, ResetWhy::History, ResetWhy::TooFar])
}

/// A text that may be sent.
fn text() -> impl Strategy<Value = String> {
    "[^\u{0}]{0,40}x"
}

fn cursor() -> impl Strategy<Value = Cursor> {
    let last = (room(), seq(), key()).prop_map(|(room, seq, key)| Last { room, seq, key });
    let fields = (
        of(epoch()),
        of(position()),
        of(last),
        vec((room(), seq()), 0..4),
    );
    fields.prop_map(|(epoch, position, last, open)| Cursor {
        epoch,
        position,
        last,
        open,
    })
}

pub(crate) fn client() -> impl Strategy<Value = ClientFrame> {
    let all = (number(), text(), of(device()), cursor(), any::<bool>());
    let hello = all.prop_map(
        |(v, token, device, cursor, low_bandwidth)| ClientFrame::Hello {
            v,
            token,
            device,
            cursor,
            low_bandwidth,
        },
    );
    let renewing = (number(), text()).prop_map(|(req, token)| ClientFrame::Auth { req, token });
    let sync = (number(), cursor()).prop_map(|(req, cursor)| ClientFrame::Sync { req, cursor });
    prop_oneof![hello, renewing, sync, writing(), asking(), listing()]
}

fn writing() -> impl Strategy<Value = ClientFrame> {
    let kinds = select(vec![RoomKind::Group, RoomKind::Public]);
    let all = (number(), key(), room(), user(), text(), kinds);
    (0..7, all).prop_map(|(which, (req, key, room, user, text, kind))| match which {
        0 => ClientFrame::Send {
            req,
            key,
            room,
            text,
        },
        1 => ClientFrame::Create {
            req,
            key,
            kind,
            name: "Tea \u{1f375}".into(),
        },
        2 => ClientFrame::Direct { req, key, user },
        3 => ClientFrame::Join { req, key, room },
        4 => ClientFrame::Leave { req, key, room },
        5 => ClientFrame::Add {
            req,
            key,
            room,
            user,
        },
        _ => ClientFrame::Remove {
            req,
            key,
            room,
            user,
        },
    })
}

fn asking() -> impl Strategy<Value = ClientFrame> {
    let all = (
        number(),
        room(),
        seq(),
        of(seq()),
        of(seq()),
        of(number()),
        of(key()),
    );
    (0..4, all).prop_map(
        |(which, (req, room, seq, one, other, limit, key))| match which {
            0 => ClientFrame::Mark {
                req,
                room,
                delivered: one,
                read: other,
            },
            1 => ClientFrame::After {
                req,
                room,
                seq,
                key,
                limit,
            },
            2 => ClientFrame::History {
                req,
                room,
                before: one,
                at_least: other,
                limit,
            },
            _ => ClientFrame::Room { req, room },
        },
    )
}

fn listing() -> impl Strategy<Value = ClientFrame> {
    let all = (
        number(),
        room(),
        of(user()),
        of(room()),
        vec(user(), 0..4),
        of(text()),
    );
    let rooms = vec(room(), 0..4);
    (0..4, all, rooms).prop_map(
        |(which, (req, room, user, after, users, name), rooms)| match which {
            0 => ClientFrame::Members {
                req,
                room,
                after: user,
            },
            1 => ClientFrame::Profiles { req, users, name },
            2 => ClientFrame::Directory { req, after },
            _ => ClientFrame::Ping { req, rooms },
        },
    )
}

fn body() -> impl Strategy<Value = Body> {
    let all = (kind(), of(text()), history(), vec((user(), role()), 0..3));
    let made = all.prop_map(|(kind, name, history, members)| {
        Body::Room(RoomBody {
            kind,
            name,
            history,
            members,
        })
    });
    let member = (user(), state(), role())
        .prop_map(|(user, state, role)| Body::Member(MemberBody { user, state, role }));
    let reaction =
        (text(), any::<bool>()).prop_map(|(emoji, on)| Body::Reaction(ReactionBody { emoji, on }));
    prop_oneof![
        made,
        member,
        reaction,
        ".{0,60}".prop_map(|text| Body::Message(TextBody { text })),
        ".{0,60}".prop_map(|text| Body::Edit(TextBody { text })),
        Just(Body::Redact(RedactBody {})),
        Just(Body::Damaged(DamagedBody {})),
    ]
}

fn event() -> impl Strategy<Value = Event> {
    let head = (room(), seq(), number(), any::<u8>(), (user(), number()));
    (head, key(), millis(), of(seq()), body()).prop_map(
        |((room, seq, msg_no, v, (user, version)), key, ts, target, body)| Event {
            room,
            seq,
            msg_no,
            v,
            from: Author(user, version),
            key,
            ts,
            target,
            body,
        },
    )
}

fn folded() -> impl Strategy<Value = Folded> {
    let reactions = vec((text(), user()), 0..3);
    (event(), of(seq()), of(seq()), reactions).prop_map(|(event, edited, redacted, reactions)| {
        Folded {
            event,
            edited,
            redacted,
            reactions,
        }
    })
}

fn skip() -> impl Strategy<Value = Skip> {
    let whys = select(vec![
        SkipWhy::BeforeJoin,
        SkipWhy::NotMember,
        SkipWhy::Purged,
    ]);
    (room(), seq(), seq(), whys).prop_map(|(room, from, to, why)| Skip {
        room,
        from,
        to,
        why,
    })
}

fn row() -> impl Strategy<Value = RoomRow> {
    let head = (room(), kind(), of(text()), of(user()), history());
    let numbers = (seq(), number(), seq(), any::<u32>());
    let me = (state(), role(), seq(), seq(), seq(), number());
    (head, numbers, me).prop_map(
        |((room, kind, name, peer, history), (head, msg_no, floor, members), me)| RoomRow {
            room,
            kind,
            name,
            peer,
            history,
            head,
            msg_no,
            floor,
            members,
            me: Me {
                state: me.0,
                role: me.1,
                since: me.2,
                delivered: me.3,
                read: me.4,
                unread: me.5,
            },
        },
    )
}

fn profile() -> impl Strategy<Value = Profile> {
    (user(), text(), number()).prop_map(|(id, name, version)| Profile { id, name, version })
}

pub(crate) fn server() -> impl Strategy<Value = ServerFrame> {
    let item = prop_oneof![event().prop_map(Item::Event), skip().prop_map(Item::Skip)];
    let all = (of(number()), room(), seq(), seq(), seq(), vec(item, 0..3));
    let events = all.prop_map(|(req, room, from, to, head, items)| ServerFrame::Events {
        req,
        room,
        from,
        to,
        head,
        items,
    });
    let all = (
        of(number()),
        why(),
        row(),
        vec(folded(), 0..3),
        vec(seq(), 0..3),
    );
    let reset = all.prop_map(|(req, why, row, page, redacted)| {
        ServerFrame::Reset(Reset {
            req,
            why,
            row,
            page,
            redacted,
        })
    });
    let all = (
        number(),
        room(),
        seq(),
        vec(folded(), 0..3),
        vec(skip(), 0..3),
        of(seq()),
    );
    let page = all.prop_map(
        |(req, room, as_of, messages, skips, before)| ServerFrame::Page {
            req,
            room,
            as_of,
            messages,
            skips,
            before,
        },
    );
    prop_oneof![
        event().prop_map(ServerFrame::Event),
        skip().prop_map(ServerFrame::Skip),
        events,
        reset,
        page,
        connecting(),
        small(),
        lists(),
    ]
}

fn connecting() -> impl Strategy<Value = ServerFrame> {
    let welcome = (
        epoch(),
        profile(),
        of(session()),
        vec(text(), 0..2),
        millis(),
    );
    let welcome = welcome.prop_map(
        |(epoch, user, session, features, now)| ServerFrame::Welcome {
            v: 1,
            epoch,
            user,
            session,
            features,
            limits: PublicLimits {
                text_bytes: 16_384,
                frame_bytes: 65_536,
                in_flight: 64,
                open_rooms: 32,
                rate_per_second: 10,
                rate_burst: 20,
            },
            now,
        },
    );
    let all = (
        vec(row(), 0..3),
        number(),
        any::<bool>(),
        of(why()),
        any::<bool>(),
    );
    let summary = all.prop_map(|(rooms, new, all, reset, more)| ServerFrame::Summary {
        rooms,
        new,
        all,
        reset,
        more,
    });
    prop_oneof![
        welcome,
        summary,
        position().prop_map(|position| ServerFrame::CaughtUp { position }),
    ]
}

fn small() -> impl Strategy<Value = ServerFrame> {
    let all = (
        of(number()),
        select(ErrorCode::ALL.to_vec()),
        text(),
        of(text()),
    );
    let error = (all, any::<bool>(), of(number())).prop_map(
        |((req, code, message, field), retryable, retry_after_ms)| ServerFrame::Error {
            req,
            code,
            message,
            field,
            retryable,
            retry_after_ms,
        },
    );
    let all = (number(), room(), seq(), seq(), number(), millis());
    let others = (0..6, all).prop_map(|(which, (req, room, seq, read, number, ts))| match which {
        0 => ServerFrame::Ack {
            req,
            room,
            seq,
            msg_no: number,
            ts,
        },
        1 => ServerFrame::Ok { req },
        2 => ServerFrame::Behind {},
        3 => ServerFrame::Marker {
            room,
            delivered: seq,
            read,
            unread: number,
        },
        4 => ServerFrame::TokenExpiring { in_ms: number },
        _ => ServerFrame::Reconnect {
            after_ms: number,
            spread_ms: req,
        },
    });
    prop_oneof![error, others]
}

fn lists() -> impl Strategy<Value = ServerFrame> {
    let heads = vec((room(), seq()), 0..3);
    let pong =
        (number(), millis(), of(position()), heads).prop_map(|(req, now, position, heads)| {
            ServerFrame::Pong {
                req,
                now,
                position,
                heads,
            }
        });
    let one = (number(), row()).prop_map(|(req, row)| ServerFrame::Room { req, row });
    let all = (number(), room(), vec((user(), role()), 0..3), any::<bool>());
    let members = all.prop_map(|(req, room, members, more)| ServerFrame::Members {
        req,
        room,
        members,
        more,
    });
    let profiles = (number(), vec(profile(), 0..3))
        .prop_map(|(req, users)| ServerFrame::Profiles { req, users });
    let public = (room(), text(), any::<u32>()).prop_map(|(room, name, members)| DirectoryRow {
        room,
        name,
        members,
    });
    let directory = (number(), vec(public, 0..3), any::<bool>())
        .prop_map(|(req, rooms, more)| ServerFrame::Directory { req, rooms, more });
    prop_oneof![pong, one, members, profiles, directory]
}
