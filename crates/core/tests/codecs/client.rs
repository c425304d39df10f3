//! Any frame of a client at all, as far as the types and the rules of a single frame let it be.

use chinwag_core::avatar::Avatar;
use chinwag_core::ids::{AvatarId, UserId};
use chinwag_core::room::{MemberState, RoomKind};
use chinwag_core::wire::{ClientFrame, Cursor, Last};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

use crate::parts::{
    chosen, content, daily, device, epoch, history, key, level, mentions, number, picture,
    position, role, room, seq, text, user,
};
use crate::{messages, rooms};

pub(crate) fn any_frame() -> impl Strategy<Value = ClientFrame> {
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
    prop_oneof![
        hello,
        renewing,
        sync,
        writing(),
        changing(),
        asking(),
        listing(),
        beside(),
        rooms::client(),
        messages::client()
    ]
}

fn writing() -> impl Strategy<Value = ClientFrame> {
    let kinds = select(vec![RoomKind::Group, RoomKind::Public]);
    let all = (number(), key(), room(), user(), kinds);
    let more = ((of(seq()), of(seq()), content()), mentions(), of(history()));
    (0..7, all, more).prop_map(|(which, all, more)| {
        let (req, key, room, user, kind) = all;
        let ((reply_to, if_last, body), mentions, history) = more;
        match which {
            0 => ClientFrame::Send {
                req,
                key,
                room,
                body,
                reply_to,
                mentions,
                if_last,
            },
            1 => ClientFrame::Create {
                req,
                key,
                kind,
                name: "Tea \u{1f375}".into(),
                history,
            },
            2 => ClientFrame::Direct { req, key, user },
            3 => ClientFrame::Join {
                req,
                key,
                room,
                invite: None,
            },
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
        }
    })
}

fn changing() -> impl Strategy<Value = ClientFrame> {
    let all = (number(), key(), room(), user(), seq());
    let more = (content(), any::<bool>(), role());
    (0..8, all, more).prop_map(|(which, all, more)| {
        let (req, key, room, user, target) = all;
        let (body, on, role) = more;
        match which {
            0 => ClientFrame::Edit {
                req,
                key,
                room,
                target,
                body,
            },
            1 => ClientFrame::Redact {
                req,
                key,
                room,
                target,
            },
            2 => ClientFrame::React {
                req,
                key,
                room,
                target,
                emoji: "\u{1f44d}".into(),
                on,
            },
            3 => ClientFrame::Pin {
                req,
                key,
                room,
                target,
                on,
            },
            4 => ClientFrame::Configure {
                req,
                key,
                room,
                name: on.then(|| "Tea".into()),
                topic: Some("About tea".into()),
                avatar: on.then_some(Avatar(on.then_some(AvatarId(room.0)))),
            },
            5 => ClientFrame::Ban {
                req,
                key,
                room,
                user,
                on,
            },
            6 => ClientFrame::Role {
                req,
                key,
                room,
                user,
                role,
            },
            _ => ClientFrame::Mute {
                req,
                key,
                room,
                user,
                on,
            },
        }
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
                state: name.map(|_some| MemberState::Banned),
            },
            1 => ClientFrame::Profiles { req, users, name },
            2 => ClientFrame::Directory { req, after },
            _ => ClientFrame::Ping { req, rooms },
        },
    )
}

fn beside() -> impl Strategy<Value = ClientFrame> {
    let dnd = (of(chosen()), of(daily()), of(level()));
    let flags = (any::<bool>(), of(any::<bool>()), of(any::<bool>()), dnd);
    let profile = (
        number(),
        of(select(vec!["", "Ann of Chinwag"])),
        of(picture()),
    )
        .prop_map(|(req, display_name, avatar)| ClientFrame::Profile {
            req,
            display_name: display_name.map(str::to_owned),
            avatar,
        });
    let all = (number(), room(), of(user()), vec(room(), 0..4), flags);
    let others = (0..7, all, of(seq())).prop_map(
        |(which, (req, room, after, rooms, (flag, one, other, (at, daily, level))), seq)| {
            match which {
                0 => ClientFrame::Typing {
                    req,
                    room,
                    on: flag,
                },
                1 => ClientFrame::Watch { req, rooms },
                2 => ClientFrame::Who {
                    req,
                    room,
                    after,
                    online: flag,
                },
                5 => ClientFrame::Receipts { req, room, seq },
                4 => ClientFrame::Block {
                    req,
                    user: after.unwrap_or(UserId([0; 16])),
                    on: flag,
                },
                3 => ClientFrame::Notify {
                    req,
                    room,
                    level,
                    quiet_until: at,
                },
                _ => ClientFrame::Settings {
                    req,
                    hide_last_seen: one,
                    hide_online: other,
                    hide_receipts: one.and(other),
                    dnd_until: at,
                    dnd_daily: daily,
                },
            }
        },
    );
    prop_oneof![6 => others, 1 => profile]
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
