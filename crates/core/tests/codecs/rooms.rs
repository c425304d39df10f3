//! Any frame about coming into rooms.

use chinwag_core::limits;
use chinwag_core::wire::{ClientFrame, InviteRow, ServerFrame};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::parts::{invite, key, kind, millis, number, room, text, token, user};

pub(crate) fn client() -> impl Strategy<Value = ClientFrame> {
    let bounds = (
        of(1..=limits::INVITE_LIFE_MAX_MS),
        of(1..=limits::INVITE_USES_MAX),
    );
    let all = (number(), key(), room(), invite(), token(), bounds);
    (0..5, all).prop_map(|(which, (req, key, room, invite, token, bounds))| {
        let (expires_in_ms, uses) = bounds;
        match which {
            0 => ClientFrame::Join {
                req,
                key,
                room,
                invite: Some(token),
            },
            1 => ClientFrame::Invite {
                req,
                room,
                expires_in_ms,
                uses,
            },
            2 => ClientFrame::Invites { req, room },
            3 => ClientFrame::RevokeInvite { req, room, invite },
            _ => ClientFrame::Invitation { req, token },
        }
    })
}

fn row() -> impl Strategy<Value = InviteRow> {
    let all = (invite(), user(), any::<u32>(), millis());
    all.prop_map(|(id, by, uses, expires)| InviteRow {
        id,
        by,
        uses,
        expires,
    })
}

pub(crate) fn server() -> impl Strategy<Value = ServerFrame> {
    let all = (number(), room(), token(), row());
    let invite = all.prop_map(|(req, room, token, invite)| ServerFrame::Invite {
        req,
        room,
        token,
        invite,
    });
    let all = (number(), room(), vec(row(), 0..3));
    let invites = all.prop_map(|(req, room, invites)| ServerFrame::Invites { req, room, invites });
    let all = (
        number(),
        room(),
        kind(),
        of(text()),
        of(text()),
        any::<u32>(),
    );
    let invitation =
        all.prop_map(
            |(req, room, kind, name, topic, members)| ServerFrame::Invitation {
                req,
                room,
                kind,
                name,
                topic,
                members,
            },
        );
    prop_oneof![invite, invites, invitation]
}
