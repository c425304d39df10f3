//! Examples of what is said about invitations.

use chinwag_core::ids::{InviteId, Millis, Seq};
use chinwag_core::room::{HistoryFrom, MemberState, Role, RoomKind};
use chinwag_core::wire::{ClientFrame, EditRow, InviteRow, Me, RoomRow, ServerFrame};

use crate::{ANN, BOB, KEY, ROOM, TOKEN};

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
        (
            "invite_user",
            ClientFrame::InviteUser {
                req: 44,
                key: KEY,
                room: ROOM,
                user: BOB,
            },
        ),
        (
            "edits",
            ClientFrame::Edits {
                req: 45,
                room: ROOM,
                target: Seq(12),
                after: Some(Seq(14)),
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
                avatar: None,
            },
        ),
        (
            "edits",
            ServerFrame::Edits {
                req: 45,
                room: ROOM,
                target: Seq(12),
                edits: vec![EditRow {
                    seq: Seq(15),
                    ts: Millis(1_795_324_500_000),
                    body: "I am here".into(),
                }],
                more: false,
            },
        ),
        ("row, asked in", ServerFrame::Row { row: asked() }),
    ]
}

fn asked() -> RoomRow {
    RoomRow {
        room: ROOM,
        kind: RoomKind::Group,
        name: Some("Kitchen".into()),
        topic: None,
        peer: None,
        history: HistoryFrom::Joining,
        head: Seq(0),
        msg_no: 0,
        floor: Seq(1),
        members: 3,
        pins: Vec::new(),
        avatar: None,
        me: Me {
            state: MemberState::Invited,
            role: Role::Member,
            since: Seq(0),
            delivered: Seq(0),
            read: Seq(0),
            unread: 0,
            mentions: 0,
            muted: false,
            notify: None,
            hidden: None,
        },
    }
}
