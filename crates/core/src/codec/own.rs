//! The fields of what changes one's own state, and what they alone prove wrong: for JSON and for the
//! binary form.

use super::fields::{self, Fields};
use super::{Refusal, check};
use crate::ids::Millis;
use crate::wire::{ClientFrame, Daily, Req};

/// What [`command`] knows.
pub(super) const COMMANDS: [&str; 5] = ["notify", "block", "profile", "hide", "hidden"];

pub(super) fn command(kind: &str, req: Req, fields: &mut Fields) -> Result<ClientFrame, Refusal> {
    Ok(match kind {
        "notify" => ClientFrame::Notify {
            req,
            room: fields.parsed("room")?,
            level: fields.word_maybe("level", &check::LEVELS)?,
            quiet_until: time_maybe(fields, "quiet_until")?,
        },
        "profile" => {
            let display_name = fields.choice_maybe("display_name")?;
            check::display_name(display_name.as_deref())?;
            ClientFrame::Profile {
                req,
                display_name,
                avatar: fields.avatar_maybe("avatar")?,
            }
        }
        "hide" => ClientFrame::Hide {
            req,
            room: fields.parsed("room")?,
            target: fields.seq("target")?,
            on: fields.flag("on")?,
        },
        "hidden" => ClientFrame::Hidden {
            req,
            room: fields.parsed("room")?,
        },
        _ => ClientFrame::Block {
            req,
            user: fields.parsed("user")?,
            on: fields.flag("on")?,
        },
    })
}

/// A time that a client chooses, in ms since 1970.
pub(super) fn time_maybe(
    fields: &mut Fields,
    field: &'static str,
) -> Result<Option<Millis>, Refusal> {
    let number = fields.number_maybe(field)?;
    // Below 2^53, as all numbers are.
    Ok(number.map(|ms| Millis(i64::try_from(ms).unwrap_or(i64::MAX))))
}

/// The same, as the binary form has it.
pub(super) fn time(at: Option<Millis>, field: &'static str) -> Result<(), Refusal> {
    match at {
        Some(Millis(ms)) if !(0..1 << 53).contains(&ms) => {
            Err(fields::wrong(field, "a whole number of 0 to 2^53 - 1"))
        }
        Some(_) | None => Ok(()),
    }
}

pub(super) fn daily_maybe(fields: &mut Fields) -> Result<Option<Daily>, Refusal> {
    let Some(mut object) = fields.object_maybe("dnd_daily")? else {
        return Ok(None);
    };
    let minute = |number: u64| u16::try_from(number).unwrap_or(u16::MAX);
    let wanted = Some(Daily {
        from: minute(object.number("from")?),
        to: minute(object.number("to")?),
    });
    daily(wanted)?;
    Ok(wanted)
}

pub(super) fn daily(wanted: Option<Daily>) -> Result<(), Refusal> {
    if wanted.is_none_or(Daily::is_valid) {
        return Ok(());
    }
    Err(fields::wrong(
        "dnd_daily",
        "a pair of minutes of a day, 0 to 1439",
    ))
}
