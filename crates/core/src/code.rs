//! The two public registries: what a reply may say, and what a closed socket means.
//!
//! An [`ErrorCode`] answers one command; the connection goes on. A [`CloseCode`]'s number range
//! alone tells a client whether and when to come back. Neither is ever renumbered or reused.

use serde::{Deserialize, Serialize};

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $retryable:literal, $meaning:literal;)*) => {
        /// Why a command was not done.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(test, derive(ts_rs::TS))]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorCode { $(#[doc = $meaning] $name,)* }

        impl ErrorCode {
            /// All of them, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As it stands on the wire.
            #[must_use]
            pub fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// Whether the same command may succeed later, unchanged and under the same key.
            #[must_use]
            pub fn retryable(self) -> bool {
                match self { $(Self::$name => $retryable,)* }
            }

            /// What it means and what to do, for the documents.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

errors! {
    BadFrame = "bad_frame", false, "The frame is not JSON as this protocol wants it: the message says where.";
    UnknownCommand = "unknown_command", false, "No command has this `type`.";
    BadField = "bad_field", false, "A field is missing, of another type, or out of its range; `field` names it.";
    TooLong = "too_long", false, "A text is longer than its limit; `field` names it.";
    Blank = "blank", false, "A text has nothing to see; `field` names it.";
    HelloFirst = "hello_first", false, "A command came before `hello` was answered with `welcome`.";
    HelloTwice = "hello_twice", false, "`hello` came again on a connection that has one.";
    ReqReused = "req_reused", false, "A command with this `req` still waits for its reply.";
    BadToken = "bad_token", false, "The token is not valid here: sign in again.";
    TokenExpired = "token_expired", false, "The token has ended: fetch a new one.";
    NotFound = "not_found", false, "No such thing, or none that you may see.";
    Forbidden = "forbidden", false, "Your role in this room does not allow it.";
    NotMember = "not_member", false, "The person is not a member of this room.";
    AlreadyMember = "already_member", false, "The person is a member of this room already.";
    RoomFull = "room_full", false, "The room has as many members as a room may have.";
    TooManyRooms = "too_many_rooms", false, "The person is in as many rooms as a person may be in.";
    SelfDirect = "self_direct", false, "A direct room needs two people.";
    Muted = "muted", false, "Your voice in this room was taken for now.";
    Banned = "banned", false, "The person was sent away from this room for good.";
    LastOwner = "last_owner", false, "A room with people in it keeps an owner: make somebody else one first.";
    Gone = "gone", false, "The message has been deleted.";
    NoMessage = "no_message", false, "That event is no message: this cannot be done to it.";
    TooMany = "too_many", false, "There are as many of these as there may be.";
    Conflict = "conflict", false, "This key has been used for something else; the first stays.";
    RetryInOrder = "retry_in_order", true, "An earlier command of this connection to this room was refused for now; send that one first, then this.";
    RateLimited = "rate_limited", true, "Too many at once: wait `retry_after_ms`.";
    Unavailable = "unavailable", true, "The store does not answer, or its answer is unknown: send it again under the same key.";
    StorageFull = "storage_full", true, "The server's disk is full: nothing can be stored until its operator makes room.";
    GoingAway = "going_away", true, "The server is stopping: reconnect and send it again.";
    NameTaken = "name_taken", false, "Somebody has this name, or one that looks like it.";
    BadCredentials = "bad_credentials", false, "That password does not fit this name.";
    WeakPassword = "weak_password", false, "A password has 8 to 256 characters.";
    RegistrationClosed = "registration_closed", false, "This server takes no new accounts.";
    InviteNeeded = "invite_needed", false, "A new account needs an invitation that is still good.";
    BadInvite = "bad_invite", false, "This invitation lets nobody in: it is unknown, used up, revoked, or too old.";
    AlreadyInvited = "already_invited", false, "The person has been asked into this room already, and has not answered.";
    NotLast = "not_last", false, "The last message of the room is another one than `if_last` says; `seq` is its place, 0 if there is none.";
    Busy = "busy", true, "The same is under way already, or too many sign in at once: wait for what is under way, or `retry_after_ms`.";
}

macro_rules! closes {
    ($($name:ident = $number:literal, $reason:literal, $meaning:literal;)*) => {
        /// Why a socket was closed (RFC 6455, section 7.4).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum CloseCode { $(#[doc = $meaning] $name,)* }

        impl CloseCode {
            /// All of them, in the order of the documents.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The number in the close frame.
            #[must_use]
            pub fn number(self) -> u16 {
                match self { $(Self::$name => $number,)* }
            }

            /// The short text in the close frame.
            #[must_use]
            pub fn reason(self) -> &'static str {
                match self { $(Self::$name => $reason,)* }
            }

            /// What it means, for the documents.
            #[must_use]
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

closes! {
    Restart = 1012, "service restart", "The server restarts: come back after the `reconnect` hint.";
    Protocol = 1002, "protocol error", "The bytes are not WebSocket as RFC 6455 wants it.";
    WrongForm = 1003, "wrong kind of frame", "A binary frame on the JSON protocol, or a text frame on the binary one.";
    BadText = 1007, "not UTF-8", "Text that is not UTF-8, or a compressed message that is damaged.";
    Overrun = 1008, "too many small frames", "More pings and pongs, or fragments of one message, than anybody needs.";
    TooBig = 1009, "frame too big", "A frame or message above its limit.";
    Silent = 4001, "no sign of life", "Nothing came for 45 s, or for 150 s from a client of low bandwidth.";
    Behind = 4102, "too slow", "Fell behind a third time in a minute, or did not answer `behind` with `sync`.";
    HelloLate = 4103, "no hello in time", "No valid `hello` within 10 s.";
    Overloaded = 4104, "overloaded", "The server cannot take this connection now.";
    TooManyConnections = 4105, "too many connections", "The user has as many connections as one may have.";
    TokenExpired = 4201, "token expired", "The token ended and was not renewed.";
    BadToken = 4202, "token refused", "The token in `hello` is not valid here.";
    Revoked = 4203, "session ended", "The session was ended: logout, password change, or an administrator.";
    Refused = 4301, "refused", "The client broke the protocol in a way that would repeat.";
    Version = 4302, "version not spoken", "`v` names a version that this server does not speak.";
}

/// What a client does after a close, by number range alone.
///
/// Codes that RFC 6455 has named keep their names (section 7.4.1; "policy violation", 1008, is a
/// flood of small frames here). Of these, all that say that the client's bytes were wrong mean
/// [`ComeBack::Never`]: the same bytes would be wrong again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ComeBack {
    /// Back-off from its first step.
    Soon,
    /// Back-off from its slowest step.
    Later,
    /// With a fresh token, or after signing in.
    WithToken,
    /// Not at all: the client itself must change.
    Never,
}

impl ComeBack {
    /// Reads the range of `number`; unknown numbers mean [`ComeBack::Soon`].
    #[must_use]
    pub fn of(number: u16) -> Self {
        match number {
            1002 | 1003 | 1007..=1009 | 4300..=4399 => Self::Never,
            4100..=4199 => Self::Later,
            4200..=4299 => Self::WithToken,
            _ => Self::Soon,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wire_text_is_serde_s() {
        for code in ErrorCode::ALL {
            let text = serde_json::to_string(code).expect("a unit variant");
            assert_eq!(text, format!("\"{}\"", code.text()));
        }
    }

    #[test]
    fn numbers_are_used_once_and_lie_in_a_range_that_says_what_to_do() {
        let mut numbers: Vec<u16> = CloseCode::ALL.iter().map(|code| code.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), CloseCode::ALL.len());
        assert_eq!(ComeBack::of(CloseCode::Restart.number()), ComeBack::Soon);
        assert_eq!(ComeBack::of(CloseCode::Behind.number()), ComeBack::Later);
        assert_eq!(
            ComeBack::of(CloseCode::Revoked.number()),
            ComeBack::WithToken
        );
        for wrong in [CloseCode::Version, CloseCode::Overrun, CloseCode::TooBig] {
            assert_eq!(ComeBack::of(wrong.number()), ComeBack::Never, "{wrong:?}");
        }
        assert_eq!(ComeBack::of(1006), ComeBack::Soon);
    }
}
