//! Bytes to frames and back: JSON, strictly (contract 9; RFC 8259), and a compact binary form.
//!
//! Only here are bytes read from strangers. `strict` refuses what parsers of JSON disagree about;
//! this file knows the fields of each frame in JSON, `binary` their other form. Both sides ignore
//! unknown *fields*; the server refuses an unknown *command*.

pub mod binary;
mod check;
mod commands;
mod fields;
mod own;
mod strict;

use bytes::Bytes;
use serde::Serialize;

use crate::code::ErrorCode;
use crate::event::Event;
use crate::limits;
use crate::wire::{ClientFrame, Cursor, Last, Req, ServerFrame};

use fields::Fields;

/// A frame that cannot be taken, and what to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The number of the frame, if it could be read.
    pub req: Option<Req>,
    /// Why.
    pub code: ErrorCode,
    /// The field at fault.
    pub field: Option<&'static str>,
    /// What, where, what to do.
    pub message: String,
}

impl Refusal {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            req: None,
            code,
            field: None,
            message: message.into(),
        }
    }

    fn field(code: ErrorCode, field: &'static str, message: impl Into<String>) -> Self {
        Self {
            req: None,
            code,
            field: Some(field),
            message: message.into(),
        }
    }

    /// As the client gets it.
    #[must_use]
    pub fn into_frame(self) -> ServerFrame {
        ServerFrame::Error {
            req: self.req,
            code: self.code,
            message: self.message,
            field: self.field.map(str::to_owned),
            retryable: self.code.retryable(),
            retry_after_ms: None,
            seq: None,
        }
    }
}

/// Reads a client's frame.
///
/// # Errors
/// A [`Refusal`] that names what is wrong; it never panics, whatever the bytes.
pub fn decode(text: &str) -> Result<ClientFrame, Refusal> {
    let object = strict::object(text)?;
    let mut fields = Fields::new(object);
    // `req` first, so that every later refusal can be paired with its command.
    let req = fields.number_maybe("req");
    frame(&mut fields, &req).map_err(|mut refusal| {
        refusal.req = req.ok().flatten();
        refusal
    })
}

fn frame(fields: &mut Fields, req: &Result<Option<u64>, Refusal>) -> Result<ClientFrame, Refusal> {
    let kind: String = fields.text("type")?;
    if kind == "hello" {
        return Ok(ClientFrame::Hello {
            v: fields.number("v")?,
            token: fields.text("token")?,
            device: fields.parsed_maybe("device")?,
            cursor: cursor(fields)?,
            low_bandwidth: fields.flag("low_bandwidth")?,
        });
    }
    let req = match req {
        Ok(Some(req)) => *req,
        Ok(None) => return Err(fields::missing("req")),
        Err(refusal) => return Err(refusal.clone()),
    };
    match kind.as_str() {
        "send" | "edit" | "redact" | "react" | "pin" => {
            commands::about_messages(&kind, req, fields)
        }
        "create" | "direct" | "configure" | "join" | "leave" | "add" | "remove" | "ban"
        | "role" | "mute" | "invite_user" => commands::about_rooms(&kind, req, fields),
        _ => reading(&kind, req, fields),
    }
}

fn reading(kind: &str, req: Req, fields: &mut Fields) -> Result<ClientFrame, Refusal> {
    Ok(match kind {
        "auth" => ClientFrame::Auth {
            req,
            token: fields.text("token")?,
        },
        "sync" => ClientFrame::Sync {
            req,
            cursor: cursor(fields)?,
        },
        "mark" => ClientFrame::Mark {
            req,
            room: fields.parsed("room")?,
            delivered: fields.seq_maybe("delivered")?,
            read: fields.seq_maybe("read")?,
        },
        "after" => ClientFrame::After {
            req,
            room: fields.parsed("room")?,
            seq: fields.seq("seq")?,
            key: fields.parsed_maybe("key")?,
            limit: fields.number_maybe("limit")?,
        },
        "history" => ClientFrame::History {
            req,
            room: fields.parsed("room")?,
            before: fields.seq_maybe("before")?,
            at_least: fields.seq_maybe("at_least")?,
            limit: fields.number_maybe("limit")?,
        },
        "room" => ClientFrame::Room {
            req,
            room: fields.parsed("room")?,
        },
        "members" => ClientFrame::Members {
            req,
            room: fields.parsed("room")?,
            after: fields.parsed_maybe("after")?,
            state: fields.word_maybe("state", &check::LISTED)?,
        },
        "profiles" => ClientFrame::Profiles {
            req,
            users: fields.list("users", limits::PROFILES_MAX, fields::parse)?,
            name: fields.text_maybe("name")?,
        },
        "directory" => ClientFrame::Directory {
            req,
            after: fields.parsed_maybe("after")?,
        },
        "ping" => ClientFrame::Ping {
            req,
            rooms: fields.list("rooms", limits::OPEN_ROOMS_MAX, fields::parse)?,
        },
        "edits" => ClientFrame::Edits {
            req,
            room: fields.parsed("room")?,
            target: fields.seq("target")?,
            after: fields.seq_maybe("after")?,
        },
        "receipts" | "typing" | "watch" | "who" | "settings" => return beside(kind, req, fields),
        kind if own::COMMANDS.contains(&kind) => return own::command(kind, req, fields),
        "invite" | "invites" | "revoke_invite" | "invitation" => {
            return commands::about_invitations(kind, req, fields);
        }
        other => {
            let shown: String = other.chars().take(32).collect();
            return Err(unknown_command(&shown));
        }
    })
}

fn beside(kind: &str, req: Req, fields: &mut Fields) -> Result<ClientFrame, Refusal> {
    Ok(match kind {
        "receipts" => ClientFrame::Receipts {
            req,
            room: fields.parsed("room")?,
            seq: fields.seq_maybe("seq")?,
        },
        "typing" => ClientFrame::Typing {
            req,
            room: fields.parsed("room")?,
            on: fields.flag("on")?,
        },
        "watch" => ClientFrame::Watch {
            req,
            rooms: fields.list("rooms", limits::WATCHED_ROOMS_MAX, fields::parse)?,
        },
        "who" => ClientFrame::Who {
            req,
            room: fields.parsed("room")?,
            after: fields.parsed_maybe("after")?,
            online: fields.flag("online")?,
        },
        _ => ClientFrame::Settings {
            req,
            hide_last_seen: fields.flag_maybe("hide_last_seen")?,
            hide_online: fields.flag_maybe("hide_online")?,
            hide_receipts: fields.flag_maybe("hide_receipts")?,
            dnd_until: own::time_maybe(fields, "dnd_until")?,
            dnd_daily: own::daily_maybe(fields)?,
        },
    })
}

fn cursor(fields: &mut Fields) -> Result<Cursor, Refusal> {
    let last = match fields.object_maybe("last")? {
        Some(mut last) => Some(Last {
            room: last.parsed("room")?,
            seq: last.seq("seq")?,
            key: last.parsed("key")?,
        }),
        None => None,
    };
    Ok(Cursor {
        epoch: fields.parsed_maybe("epoch")?,
        position: fields.parsed_maybe("position")?,
        last,
        open: fields.list("open", limits::OPEN_ROOMS_MAX, fields::room_and_seq)?,
    })
}

fn unknown_command(shown: &str) -> Refusal {
    let message = format!("there is no command `{shown}`");
    Refusal::new(ErrorCode::UnknownCommand, message)
}

/// A frame as text. Frames are data without maps of foreign keys: this cannot fail.
#[must_use]
pub fn encode<F: Serialize>(frame: &F) -> Bytes {
    Bytes::from(serde_json::to_vec(frame).expect("frames hold only strings, numbers and lists"))
}

/// A live event as text: [`ServerFrame::Event`] without owning it.
#[must_use]
pub fn encode_event(event: &Event) -> Bytes {
    encode(&Tagged {
        kind: "event",
        event,
    })
}

/// Frames that were encoded already, as one text for a client of low bandwidth: a list of them.
#[must_use]
pub fn encode_list(frames: &[&[u8]]) -> Bytes {
    let commas = frames.len() + 1;
    let mut list =
        Vec::with_capacity(commas + frames.iter().map(|frame| frame.len()).sum::<usize>());
    list.push(b'[');
    for (at, frame) in frames.iter().enumerate() {
        if at > 0 {
            list.push(b',');
        }
        list.extend_from_slice(frame);
    }
    list.push(b']');
    Bytes::from(list)
}

/// `{"type":"event", …}` without copying the event.
#[derive(Serialize)]
struct Tagged<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    event: &'a Event,
}

/// Reads a server's frame, as a client does.
///
/// # Errors
/// What serde found wrong.
pub fn decode_server(text: &str) -> Result<ServerFrame, serde_json::Error> {
    serde_json::from_str(text)
}

#[cfg(test)]
mod tests;
