//! Any frame of the server at all.

use chinwag_core::code::ErrorCode;
use chinwag_core::wire::{
    Blocks, DirectoryRow, Item, Person, PublicLimits, Reset, ServerFrame, Settings, Standing,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::parts::{
    avatar, daily, epoch, event, folded, millis, notify, number, position, profile, role, room,
    row, seq, session, skip, text, user, why,
};
use crate::{messages, rooms};

pub(crate) fn any_frame() -> impl Strategy<Value = ServerFrame> {
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
        ephemeral(),
        receipts(),
        rooms::server(),
        messages::server(),
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
        of(settings()),
        of(blocks()),
        of(profile()),
    );
    let summary = all.prop_map(
        |(rooms, new, all, reset, more, settings, blocks, profile)| ServerFrame::Summary {
            rooms,
            new,
            all,
            reset,
            more,
            settings,
            blocks,
            profile,
        },
    );
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
            seq: retry_after_ms.map(chinwag_core::ids::Seq),
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
            mentions: req,
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
    let lists = (vec((user(), role()), 0..3), vec(user(), 0..2));
    let all = (number(), room(), lists, any::<bool>());
    let members = all.prop_map(|(req, room, (members, muted), more)| ServerFrame::Members {
        req,
        room,
        members,
        more,
        muted,
    });
    let profiles = (number(), vec(profile(), 0..3))
        .prop_map(|(req, users)| ServerFrame::Profiles { req, users });
    let public =
        (room(), text(), any::<u32>(), of(avatar())).prop_map(|(room, name, members, avatar)| {
            DirectoryRow {
                room,
                name,
                members,
                avatar,
            }
        });
    let directory = (number(), vec(public, 0..3), any::<bool>())
        .prop_map(|(req, rooms, more)| ServerFrame::Directory { req, rooms, more });
    prop_oneof![pong, one, members, profiles, directory]
}

fn settings() -> impl Strategy<Value = Settings> {
    let dnd = (of(millis()), of(daily()));
    let hides = (any::<bool>(), any::<bool>(), any::<bool>());
    (hides, number(), dnd).prop_map(|(hides, version, dnd)| Settings {
        hide_last_seen: hides.0,
        hide_online: hides.1,
        hide_receipts: hides.2,
        version,
        dnd_until: dnd.0,
        dnd_daily: dnd.1,
    })
}

fn blocks() -> impl Strategy<Value = Blocks> {
    (vec(user(), 0..4), number()).prop_map(|(users, version)| Blocks { users, version })
}

fn ephemeral() -> impl Strategy<Value = ServerFrame> {
    let users = || vec(user(), 0..3);
    let typing = (room(), users(), number()).prop_map(|(room, users, more)| ServerFrame::Typing {
        room,
        users,
        more,
    });
    let all = (
        room(),
        any::<u32>(),
        of(number()),
        of(users()),
        users(),
        users(),
    );
    let presence =
        all.prop_map(
            |(room, count, change, online, joined, left)| ServerFrame::Presence {
                room,
                count,
                change,
                online,
                joined,
                left,
            },
        );
    let person = (user(), any::<bool>(), of(millis()));
    let person = person.prop_map(|(user, online, last_seen)| Person {
        user,
        online,
        last_seen,
    });
    let all = (number(), room(), vec(person, 0..3), any::<bool>());
    let who = all.prop_map(|(req, room, people, more)| ServerFrame::Who {
        req,
        room,
        people,
        more,
    });
    let settings = settings().prop_map(ServerFrame::Settings);
    let notify = (room(), notify()).prop_map(|(room, notify)| ServerFrame::Notify { room, notify });
    let blocks =
        blocks().prop_map(|Blocks { users, version }| ServerFrame::Blocks { users, version });
    let profile = profile().prop_map(|user| ServerFrame::Profile { user });
    prop_oneof![typing, presence, who, settings, notify, blocks, profile]
}

fn receipts() -> impl Strategy<Value = ServerFrame> {
    let members = vec((user(), seq(), seq()), 0..3);
    let told = (room(), members).prop_map(|(room, members)| ServerFrame::Receipt { room, members });
    let standing = (user(), seq(), seq(), of(millis()), of(millis()));
    let standing = standing.prop_map(|(user, delivered, read, delivered_at, read_at)| Standing {
        user,
        delivered,
        read,
        delivered_at,
        read_at,
    });
    let all = (number(), room(), of(seq()), vec(standing, 0..3));
    let asked = all.prop_map(|(req, room, seq, members)| ServerFrame::Receipts {
        req,
        room,
        seq,
        members,
    });
    prop_oneof![told, asked]
}
