//! The fields of the writing commands in JSON.

use super::fields::{self, Fields};
use super::{Refusal, check};
use crate::event::Content;
use crate::ids::Key;
use crate::limits;
use crate::wire::{ClientFrame, Req};

pub(super) fn about_messages(
    kind: &str,
    req: Req,
    fields: &mut Fields,
) -> Result<ClientFrame, Refusal> {
    let key = fields.parsed("key")?;
    Ok(match kind {
        "send" => {
            let body = content(fields)?;
            ClientFrame::Send {
                req,
                key,
                room: fields.parsed("room")?,
                body,
                reply_to: fields.seq_maybe("reply_to")?,
                mentions: fields.list("mentions", limits::MENTIONS_MAX, fields::parse)?,
                if_last: fields.seq_maybe("if_last")?,
            }
        }
        "edit" => {
            let body = content(fields)?;
            ClientFrame::Edit {
                req,
                key,
                room: fields.parsed("room")?,
                target: fields.seq("target")?,
                body,
            }
        }
        "redact" => ClientFrame::Redact {
            req,
            key,
            room: fields.parsed("room")?,
            target: fields.seq("target")?,
        },
        "react" => {
            let emoji = fields.text("emoji")?;
            check::reaction(&emoji)?;
            ClientFrame::React {
                req,
                key,
                room: fields.parsed("room")?,
                target: fields.seq("target")?,
                emoji,
                on: fields.flag("on")?,
            }
        }
        _ => ClientFrame::Pin {
            req,
            key,
            room: fields.parsed("room")?,
            target: fields.seq("target")?,
            on: fields.flag("on")?,
        },
    })
}

/// What a message says: a text, or what only its readers understand.
fn content(fields: &mut Fields) -> Result<Content, Refusal> {
    let text = fields.text_maybe("text")?;
    let enc = fields.text_maybe("enc")?;
    let bytes = match fields.text_maybe("bytes")? {
        Some(text) => Some(check::opaque_text(&text)?),
        None => None,
    };
    check::content(text, enc, bytes)
}

pub(super) fn about_rooms(
    kind: &str,
    req: Req,
    fields: &mut Fields,
) -> Result<ClientFrame, Refusal> {
    let key = fields.parsed("key")?;
    Ok(match kind {
        "create" => {
            let kind = fields.word("kind", &check::KINDS)?;
            let name = fields.text("name")?;
            check::room_name(&name)?;
            ClientFrame::Create {
                req,
                key,
                kind,
                name,
                history: fields.word_maybe("history", &check::HISTORIES)?,
            }
        }
        "direct" => ClientFrame::Direct {
            req,
            key,
            user: fields.parsed("user")?,
        },
        "configure" => {
            let (name, topic) = (fields.text_maybe("name")?, fields.text_maybe("topic")?);
            let avatar = fields.avatar_maybe("avatar")?;
            check::settings(name.as_deref(), topic.as_deref(), avatar)?;
            ClientFrame::Configure {
                req,
                key,
                room: fields.parsed("room")?,
                name,
                topic,
                avatar,
            }
        }
        "join" => ClientFrame::Join {
            req,
            key,
            room: fields.parsed("room")?,
            invite: fields.parsed_maybe("invite")?,
        },
        "leave" => ClientFrame::Leave {
            req,
            key,
            room: fields.parsed("room")?,
        },
        _ => return about_people(kind, req, key, fields),
    })
}

fn about_people(
    kind: &str,
    req: Req,
    key: Key,
    fields: &mut Fields,
) -> Result<ClientFrame, Refusal> {
    let (room, user) = (fields.parsed("room")?, fields.parsed("user")?);
    Ok(match kind {
        "add" => ClientFrame::Add {
            req,
            key,
            room,
            user,
        },
        "invite_user" => ClientFrame::InviteUser {
            req,
            key,
            room,
            user,
        },
        "remove" => ClientFrame::Remove {
            req,
            key,
            room,
            user,
        },
        "ban" => ClientFrame::Ban {
            req,
            key,
            room,
            user,
            on: fields.flag("on")?,
        },
        "role" => ClientFrame::Role {
            req,
            key,
            room,
            user,
            role: fields.word("role", &check::ROLES)?,
        },
        _ => ClientFrame::Mute {
            req,
            key,
            room,
            user,
            on: fields.flag("on")?,
        },
    })
}

/// Links that let people in.
pub(super) fn about_invitations(
    kind: &str,
    req: Req,
    fields: &mut Fields,
) -> Result<ClientFrame, Refusal> {
    Ok(match kind {
        "invite" => {
            let expires_in_ms = fields.number_maybe("expires_in_ms")?;
            let uses = fields.number_maybe("uses")?;
            check::invitation(expires_in_ms, uses)?;
            ClientFrame::Invite {
                req,
                room: fields.parsed("room")?,
                expires_in_ms,
                uses,
            }
        }
        "invites" => ClientFrame::Invites {
            req,
            room: fields.parsed("room")?,
        },
        "revoke_invite" => ClientFrame::RevokeInvite {
            req,
            room: fields.parsed("room")?,
            invite: fields.parsed("invite")?,
        },
        _ => ClientFrame::Invitation {
            req,
            token: fields.parsed("token")?,
        },
    })
}
