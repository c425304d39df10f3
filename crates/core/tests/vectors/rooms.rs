//! Examples of what is said about invitations.

use chinwag_core::ids::{InviteId, Millis};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{ClientFrame, InviteRow, ServerFrame};

use crate::{ANN, ROOM, TOKEN};

const INVITE: InviteId = InviteId(*b"an invitation...");

pub(crate) fn client() -> Vec<(&'static str, ClientFrame)> {
    vec![
        (
            "invite",
            ClientFrame::Invite {
                req: 40,
                room: ROOM,
                expires_in_ms: Some(86_400_000),
                uses: Some(5),
            },
        ),
        (
            "invites",
            ClientFrame::Invites {
                req: 41,
                room: ROOM,
            },
        ),
        (
            "revoke_invite",
            ClientFrame::RevokeInvite {
                req: 42,
                room: ROOM,
                invite: INVITE,
            },
        ),
        (
            "invitation",
            ClientFrame::Invitation {
                req: 43,
                token: TOKEN,
            },
        ),
    ]
}

pub(crate) fn server() -> Vec<(&'static str, ServerFrame)> {
    let invite = InviteRow {
        id: INVITE,
        by: ANN,
        uses: 5,
        expires: Millis(1_795_324_500_000),
    };
    vec![
        (
            "invite",
            ServerFrame::Invite {
                req: 40,
                room: ROOM,
                token: TOKEN,
                invite,
            },
        ),
        (
            "invites",
            ServerFrame::Invites {
                req: 41,
                room: ROOM,
                invites: vec![invite],
            },
        ),
        (
            "invitation",
            ServerFrame::Invitation {
                req: 43,
                room: ROOM,
                kind: RoomKind::Group,
                name: Some("Kitchen".into()),
                topic: Some("What is for lunch".into()),
                members: 3,
            },
        ),
    ]
}
