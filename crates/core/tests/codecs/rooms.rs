//! Any frame about coming into rooms.

use chinwag_core::limits;
use chinwag_core::wire::{ClientFrame, EditRow, InviteRow, ServerFrame};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::parts::{content, invite, key, kind, millis, number, room, seq, text, token, user};

pub(crate) fn client() -> impl Strategy<Value = ClientFrame> {
    let bounds = (
        of(1..=limits::INVITE_LIFE_MAX_MS),
        of(1..=limits::INVITE_USES_MAX),
    );
    let all = (number(), key(), room(), invite(), token(), bounds);
    let about = (user(), seq(), of(seq()));
    (0..7, all, about).prop_map(|(which, (req, key, room, invite, token, bounds), about)| {
        let (user, target, after) = about;
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
            4 => ClientFrame::InviteUser {
                req,
                key,
                room,
                user,
            },
            5 => ClientFrame::Edits {
                req,
                room,
                target,
                after,
            },
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
        of(crate::parts::avatar()),
    );
    let invitation =
        all.prop_map(
            |(req, room, kind, name, topic, members, avatar)| ServerFrame::Invitation {
                req,
                room,
                kind,
                name,
                topic,
                members,
                avatar,
            },
        );
    let edit = (seq(), millis(), content());
    let edit = edit.prop_map(|(seq, ts, body)| EditRow { seq, ts, body });
    let all = (number(), room(), seq(), vec(edit, 0..3), any::<bool>());
    let edits = all.prop_map(|(req, room, target, edits, more)| ServerFrame::Edits {
        req,
        room,
        target,
        edits,
        more,
    });
    let row = crate::parts::row().prop_map(|row| ServerFrame::Row { row });
    prop_oneof![invite, invites, invitation, edits, row]
}
