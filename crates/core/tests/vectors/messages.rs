//! Examples of what messages can be beside plain text, and of what is done with them.

use chinwag_core::code::ErrorCode;
use chinwag_core::event::{
    Author, BODY_VERSION, Body, Content, Event, Mention, OpaqueBody, OpaqueBytes,
};
use chinwag_core::fold::Folded;
use chinwag_core::ids::{Millis, Seq};
use chinwag_core::room::{MemberState, Role};
use chinwag_core::wire::{ClientFrame, EditRow, ServerFrame};

use crate::{ANN, BOB, KEY, ROOM};

/// Every byte once, so that each digit of base64url stands in the examples.
fn opaque() -> Content {
    Content::Opaque(OpaqueBody {
        enc: "mls-1".into(),
        bytes: OpaqueBytes((0..=255).rev().collect()),
    })
}

pub(crate) fn client() -> Vec<(&'static str, ClientFrame)> {
    vec![
        (
            "send, only after the last message",
            ClientFrame::Send {
                req: 60,
                key: KEY,
                room: ROOM,
                body: "the next step".into(),
                reply_to: None,
                mentions: Vec::new(),
                if_last: Some(Seq(12)),
            },
        ),
        (
            "send, opaque",
            ClientFrame::Send {
                req: 61,
                key: KEY,
                room: ROOM,
                body: opaque(),
                reply_to: Some(Seq(12)),
                mentions: vec![Mention::User(BOB)],
                if_last: Some(Seq(0)),
            },
        ),
        (
            "edit, opaque",
            ClientFrame::Edit {
                req: 62,
                key: KEY,
                room: ROOM,
                target: Seq(12),
                body: opaque(),
            },
        ),
        (
            "members, banned",
            ClientFrame::Members {
                req: 63,
                room: ROOM,
                after: Some(ANN),
                state: Some(MemberState::Banned),
            },
        ),
        (
            "hide",
            ClientFrame::Hide {
                req: 64,
                room: ROOM,
                target: Seq(12),
                on: true,
            },
        ),
        (
            "hidden",
            ClientFrame::Hidden {
                req: 65,
                room: ROOM,
            },
        ),
    ]
}

fn event(body: Body) -> Event {
    Event {
        room: ROOM,
        seq: Seq(12),
        msg_no: 9,
        v: BODY_VERSION,
        from: Author(ANN, 3),
        key: KEY,
        ts: Millis(1_795_324_500_285),
        target: None,
        reply_to: None,
        mentions: vec![Mention::User(BOB)],
        body,
    }
}

pub(crate) fn server() -> Vec<(&'static str, ServerFrame)> {
    let code = ErrorCode::NotLast;
    let hidden = Folded {
        event: event(Body::Message("not for me".into())),
        edited: None,
        redacted: None,
        reactions: Vec::new(),
        hidden: true,
    };
    vec![
        (
            "event: message, opaque",
            ServerFrame::Event(event(Body::Message(opaque()))),
        ),
        (
            "event: edit, opaque",
            ServerFrame::Event(Event {
                target: Some(Seq(11)),
                mentions: Vec::new(),
                ..event(Body::Edit(opaque()))
            }),
        ),
        (
            "error: not the last message",
            ServerFrame::Error {
                req: Some(60),
                code,
                message: code.meaning().to_owned(),
                field: None,
                retryable: code.retryable(),
                retry_after_ms: None,
                seq: Some(Seq(14)),
            },
        ),
        (
            "edits, opaque",
            ServerFrame::Edits {
                req: 45,
                room: ROOM,
                target: Seq(12),
                edits: vec![EditRow {
                    seq: Seq(12),
                    ts: Millis(1_795_324_500_000),
                    body: opaque(),
                }],
                more: false,
            },
        ),
        (
            "members, one muted",
            ServerFrame::Members {
                req: 63,
                room: ROOM,
                members: vec![(ANN, Role::Owner), (BOB, Role::Member)],
                more: false,
                muted: vec![BOB],
            },
        ),
        (
            "page, with a hidden message",
            ServerFrame::Page {
                req: 64,
                room: ROOM,
                as_of: Seq(12),
                messages: vec![hidden],
                skips: Vec::new(),
                before: Some(Seq(12)),
            },
        ),
        (
            "hidden",
            ServerFrame::Hidden {
                req: Some(65),
                room: ROOM,
                seqs: vec![Seq(11), Seq(12)],
                version: 2,
            },
        ),
        (
            "hidden, changed",
            ServerFrame::Hidden {
                req: None,
                room: ROOM,
                seqs: Vec::new(),
                version: 4,
            },
        ),
    ]
}
