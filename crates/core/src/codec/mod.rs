//! Bytes to frames and back: JSON, strictly (contract 9; RFC 8259), and a compact binary form.
//!
//! Only here are bytes read from strangers. `strict` refuses what parsers of JSON disagree about;
//! this file knows the fields of each frame in JSON, `binary` their other form. Both sides ignore
//! unknown *fields*; the server refuses an unknown *command*.

pub mod binary;
mod check;
mod fields;
mod strict;

use bytes::Bytes;
use serde::Serialize;

use crate::code::ErrorCode;
use crate::event::Event;
use crate::ids::Key;
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
        "send" | "edit" | "redact" | "react" | "pin" => about_messages(&kind, req, fields),
        "create" | "direct" | "configure" | "join" | "leave" | "add" | "remove" | "ban"
        | "role" | "mute" => about_rooms(&kind, req, fields),
        _ => reading(&kind, req, fields),
    }
}

fn about_messages(kind: &str, req: Req, fields: &mut Fields) -> Result<ClientFrame, Refusal> {
    let key = fields.parsed("key")?;
    Ok(match kind {
        "send" => {
            let text = fields.text("text")?;
            check::message(&text)?;
            ClientFrame::Send {
                req,
                key,
                room: fields.parsed("room")?,
                text,
                reply_to: fields.seq_maybe("reply_to")?,
                mentions: fields.list("mentions", limits::MENTIONS_MAX, fields::parse)?,
            }
        }
        "edit" => {
            let text = fields.text("text")?;
            check::message(&text)?;
            ClientFrame::Edit {
                req,
                key,
                room: fields.parsed("room")?,
                target: fields.seq("target")?,
                text,
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

fn about_rooms(kind: &str, req: Req, fields: &mut Fields) -> Result<ClientFrame, Refusal> {
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
            check::settings(name.as_deref(), topic.as_deref())?;
            ClientFrame::Configure {
                req,
                key,
                room: fields.parsed("room")?,
                name,
                topic,
            }
        }
        "join" => ClientFrame::Join {
            req,
            key,
            room: fields.parsed("room")?,
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
        other => {
            let shown: String = other.chars().take(32).collect();
            return Err(unknown_command(&shown));
        }
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
