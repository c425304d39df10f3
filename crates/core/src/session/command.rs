//! What a frame asks for, as a typed command or question: the border where wire types end
//! (design, principle 14).

use super::effect::Query;
use crate::aside::{Aside, SettingsChange};
use crate::batch::Command;
use crate::deed::Deed;
use crate::ids::{Key, RoomId, Seq};
use crate::invite::InviteHash;
use crate::own::{NotifyChange, OwnChange, ProfileChange};
use crate::room::MemberState;
use crate::wire::{ClientFrame, Cursor, Req};

/// What a frame with a `req` asks for.
pub(super) enum Asked {
    /// A fresh token.
    Renew(String),
    /// Section 3 of the contract again.
    Sync(Cursor),
    /// A sign of life, with the heads of these rooms.
    Ping(Vec<RoomId>),
    /// Markers.
    Mark {
        room: RoomId,
        delivered: Seq,
        read: Seq,
    },
    /// A question.
    Read(Query),
    /// A command under its key.
    Write(Key, Command),
    /// Something beside the log.
    Aside(Aside),
    /// What one shows of oneself.
    Settings(SettingsChange),
    /// Another change of one's own state.
    Own(OwnChange),
    /// Something written beside the log.
    Deed(Deed),
}

impl ClientFrame {
    /// The number that pairs the reply; `hello` has none.
    #[must_use]
    pub fn req(&self) -> Option<Req> {
        match self {
            Self::Hello { .. } => None,
            Self::Auth { req, .. }
            | Self::Sync { req, .. }
            | Self::Send { req, .. }
            | Self::Create { req, .. }
            | Self::Direct { req, .. }
            | Self::Join { req, .. }
            | Self::Leave { req, .. }
            | Self::Add { req, .. }
            | Self::Remove { req, .. }
            | Self::Edit { req, .. }
            | Self::Redact { req, .. }
            | Self::React { req, .. }
            | Self::Pin { req, .. }
            | Self::Configure { req, .. }
            | Self::Ban { req, .. }
            | Self::Role { req, .. }
            | Self::Mute { req, .. }
            | Self::Mark { req, .. }
            | Self::After { req, .. }
            | Self::History { req, .. }
            | Self::Room { req, .. }
            | Self::Members { req, .. }
            | Self::Profiles { req, .. }
            | Self::Directory { req, .. }
            | Self::Ping { req, .. }
            | Self::Typing { req, .. }
            | Self::Watch { req, .. }
            | Self::Who { req, .. }
            | Self::Settings { req, .. }
            | Self::Receipts { req, .. }
            | Self::Notify { req, .. }
            | Self::Block { req, .. }
            | Self::Invite { req, .. }
            | Self::Invites { req, .. }
            | Self::RevokeInvite { req, .. }
            | Self::Invitation { req, .. }
            | Self::InviteUser { req, .. }
            | Self::Edits { req, .. }
            | Self::Profile { req, .. }
            | Self::Hide { req, .. }
            | Self::Hidden { req, .. } => Some(*req),
        }
    }

    /// What it asks for; nothing if it is `hello`.
    pub(super) fn asked(self) -> Option<Asked> {
        match self {
            Self::Hello { .. } => None,
            Self::Auth { token, .. } => Some(Asked::Renew(token)),
            Self::Sync { cursor, .. } => Some(Asked::Sync(cursor)),
            Self::Ping { rooms, .. } => Some(Asked::Ping(rooms)),
            Self::Mark {
                room,
                delivered,
                read,
                ..
            } => Some(Asked::Mark {
                room,
                delivered: delivered.unwrap_or_default(),
                read: read.unwrap_or_default(),
            }),
            aside @ (Self::Typing { .. } | Self::Watch { .. } | Self::Who { .. }) => {
                aside.beside().map(Asked::Aside)
            }
            Self::Settings {
                hide_last_seen,
                hide_online,
                hide_receipts,
                dnd_until,
                dnd_daily,
                ..
            } => Some(Asked::Settings(SettingsChange {
                hide_last_seen,
                hide_online,
                hide_receipts,
                dnd_until,
                dnd_daily,
            })),
            own @ (Self::Notify { .. }
            | Self::Block { .. }
            | Self::Profile { .. }
            | Self::Hide { .. }) => own.own().map(Asked::Own),
            Self::Invite {
                room,
                expires_in_ms,
                uses,
                ..
            } => Some(Asked::Deed(Deed::invite(room, expires_in_ms, uses))),
            Self::RevokeInvite { room, invite, .. } => {
                Some(Asked::Deed(Deed::RevokeInvite { room, invite }))
            }
            reading_or_writing => reading_or_writing.question_or_command(),
        }
    }

    fn beside(self) -> Option<Aside> {
        match self {
            Self::Typing { room, on, .. } => Some(Aside::Typing { room, on }),
            Self::Watch { rooms, .. } => Some(Aside::Watch { rooms }),
            Self::Who {
                room,
                after,
                online,
                ..
            } => Some(Aside::Who {
                room,
                after,
                online,
            }),
            _ => None,
        }
    }

    fn own(self) -> Option<OwnChange> {
        match self {
            Self::Notify {
                room,
                level,
                quiet_until,
                ..
            } => {
                let change = NotifyChange { level, quiet_until };
                Some(OwnChange::Notify { room, change })
            }
            Self::Block { user, on, .. } => Some(OwnChange::Block { user, on }),
            Self::Profile {
                display_name,
                avatar,
                ..
            } => Some(OwnChange::Profile(ProfileChange {
                display_name,
                avatar,
            })),
            Self::Hide {
                room, target, on, ..
            } => Some(OwnChange::Hide { room, target, on }),
            _ => None,
        }
    }

    fn question_or_command(self) -> Option<Asked> {
        Some(Asked::Read(match self {
            Self::After {
                room,
                seq,
                key,
                limit,
                ..
            } => Query::After {
                room,
                seq,
                key,
                limit,
            },
            Self::History {
                room,
                before,
                at_least,
                limit,
                ..
            } => Query::History {
                room,
                before,
                at_least,
                limit,
            },
            Self::Room { room, .. } => Query::Room { room },
            Self::Members {
                room, after, state, ..
            } => Query::Members {
                room,
                state: state.unwrap_or(MemberState::Joined),
                after,
            },
            Self::Profiles { users, name, .. } => Query::Profiles { users, name },
            Self::Directory { after, .. } => Query::Directory { after },
            Self::Receipts { room, seq, .. } => Query::Receipts { room, seq },
            Self::Edits {
                room,
                target,
                after,
                ..
            } => Query::Edits {
                room,
                target,
                after,
            },
            Self::Invites { room, .. } => Query::Invites { room },
            Self::Invitation { token, .. } => Query::Invitation { token },
            Self::Hidden { room, .. } => Query::Hidden { room },
            writing => {
                let (key, command) = writing.command()?;
                return Some(Asked::Write(key, command));
            }
        }))
    }

    /// The typed command of a writing frame.
    fn command(self) -> Option<(Key, Command)> {
        let (key, command) = match self {
            Self::Send {
                key,
                room,
                body,
                reply_to,
                mentions,
                if_last,
                ..
            } => {
                let command = Command::Send {
                    room,
                    body,
                    reply_to,
                    mentions,
                    if_last,
                };
                (key, command)
            }
            Self::Edit {
                key,
                room,
                target,
                body,
                ..
            } => (key, Command::Edit { room, target, body }),
            Self::Redact {
                key, room, target, ..
            } => (key, Command::Redact { room, target }),
            Self::React {
                key,
                room,
                target,
                emoji,
                on,
                ..
            } => {
                let command = Command::React {
                    room,
                    target,
                    emoji,
                    on,
                };
                (key, command)
            }
            Self::Pin {
                key,
                room,
                target,
                on,
                ..
            } => (key, Command::Pin { room, target, on }),
            rest => return rest.command_about_a_room(),
        };
        Some((key, command))
    }

    fn command_about_a_room(self) -> Option<(Key, Command)> {
        Some(match self {
            Self::Create {
                key,
                kind,
                name,
                history,
                ..
            } => {
                let command = Command::Create {
                    kind,
                    name,
                    history,
                };
                (key, command)
            }
            Self::Direct { key, user, .. } => (key, Command::Direct { user }),
            Self::Configure {
                key,
                room,
                name,
                topic,
                avatar,
                ..
            } => {
                let command = Command::Configure {
                    room,
                    name,
                    topic,
                    avatar,
                };
                (key, command)
            }
            Self::Join {
                key, room, invite, ..
            } => {
                // Here the token ends: behind this door there is only its hash.
                let invite = invite.map(InviteHash::of);
                (key, Command::Join { room, invite })
            }
            Self::Leave { key, room, .. } => (key, Command::Leave { room }),
            rest => return rest.command_about_somebody(),
        })
    }

    fn command_about_somebody(self) -> Option<(Key, Command)> {
        Some(match self {
            Self::Add {
                key, room, user, ..
            } => (key, Command::Add { room, user }),
            Self::InviteUser {
                key, room, user, ..
            } => (key, Command::InviteUser { room, user }),
            Self::Remove {
                key, room, user, ..
            } => (key, Command::Remove { room, user }),
            Self::Ban {
                key,
                room,
                user,
                on,
                ..
            } => (key, Command::Ban { room, user, on }),
            Self::Role {
                key,
                room,
                user,
                role,
                ..
            } => (key, Command::SetRole { room, user, role }),
            Self::Mute {
                key,
                room,
                user,
                on,
                ..
            } => (key, Command::Mute { room, user, on }),
            _ => return None,
        })
    }
}
