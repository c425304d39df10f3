//! Scripts: what comes in when, and everything that goes out. Time passes as the session asks.

mod living;
mod sending;

use super::*;
use crate::batch::{Ack, Outcome};
use crate::ids::{Epoch, Millis, RoomId, Seq, SessionId};
use crate::rate::{Allowance, Rate};
use crate::wire::Profile;

const ROOM: RoomId = RoomId([1; 16]);
const OTHER: RoomId = RoomId([2; 16]);
const USER: UserId = UserId([1; 16]);

fn hello() -> Input {
    frame(ClientFrame::Hello {
        v: 1,
        token: "token".into(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth: false,
    })
}

fn terms() -> Terms {
    Terms {
        epoch: Epoch([1; 16]),
        rate: Rate::default(),
    }
}

fn frame(frame: ClientFrame) -> Input {
    Input::Frame(Ok(frame))
}

/// A good token of our user that lives so long.
fn good(expires_in_ms: u64) -> Input {
    Input::Authenticated(Ok(identity(USER, expires_in_ms)))
}

fn identity(user: UserId, expires_in_ms: u64) -> Identity {
    Identity {
        user: Profile {
            id: user,
            name: "Ann".into(),
            version: 1,
            display_name: None,
            avatar: None,
        },
        session: Some(SessionId([1; 16])),
        expires_in_ms,
        now: Millis(0),
    }
}

const HOUR: u64 = 3_600_000;

fn send_to(room: RoomId, req: Req, key: u8) -> Input {
    frame(ClientFrame::Send {
        req,
        key: Key([key; 16]),
        room,
        body: "x".into(),
        reply_to: None,
        mentions: Vec::new(),
        if_last: None,
    })
}

fn say(req: Req, key: u8) -> Input {
    send_to(ROOM, req, key)
}

fn committed(req: Req, key: u8, result: Result<Outcome, ErrorCode>) -> Input {
    Input::Committed {
        req,
        room: ROOM,
        key: Key([key; 16]),
        result,
    }
}

fn done() -> Result<Outcome, ErrorCode> {
    Ok(Outcome::Done(Ack {
        room: ROOM,
        seq: Seq(7),
        msg_no: 5,
        ts: Millis(0),
    }))
}

fn auth(req: Req) -> Input {
    frame(ClientFrame::Auth {
        req,
        token: "fresh".into(),
    })
}

fn ping(req: Req) -> Input {
    frame(ClientFrame::Ping {
        req,
        rooms: Vec::new(),
    })
}

fn ask(req: Req) -> Input {
    frame(ClientFrame::Room { req, room: ROOM })
}

fn sync(req: Req) -> Input {
    frame(ClientFrame::Sync {
        req,
        cursor: Cursor::default(),
    })
}

fn draining() -> Input {
    Input::Draining {
        after_ms: 500,
        spread_ms: 2_000,
    }
}

/// A live session of a token that lives so long.
fn live(expires_in_ms: u64) -> Vec<(u64, Input)> {
    vec![(0, hello()), (0, good(expires_in_ms)), (0, Input::CaughtUp)]
}

fn show(effect: &Effect) -> String {
    match effect {
        Effect::Authenticate(token) => format!("authenticate {token}"),
        Effect::Register(_) => "register".into(),
        Effect::Snapshot(_) => "snapshot".into(),
        Effect::Submit(req, turn, _) if *turn == Turn::default() => format!("submit {req}"),
        Effect::Submit(req, turn, _) => format!("submit {req} in {turn:?}"),
        Effect::LookUp(_room, key) => format!("look up {}", key.0[0]),
        Effect::Mark(req, _) => format!("mark {req}"),
        Effect::Read(req, _) => format!("read {req}"),
        Effect::Aside(req, aside) => format!("aside {req} {aside:?}"),
        Effect::Settings(req, change) => format!("settings {req} {change:?}"),
        Effect::Own(req, change) => format!("own {req} {change:?}"),
        Effect::Deed(req, deed) => format!("deed {req} {deed:?}"),
        Effect::Pong(req, _) => format!("pong {req}"),
        Effect::Ping => "ping".into(),
        Effect::Close(code) => format!("close {}", code.number()),
        Effect::Send(_, frame) => match &**frame {
            ServerFrame::Welcome { .. } => "welcome".into(),
            ServerFrame::Ack { req, seq, .. } => format!("ack {req} at {seq}"),
            ServerFrame::Ok { req } => format!("ok {req}"),
            ServerFrame::TokenExpiring { in_ms } => format!("token_expiring {in_ms}"),
            ServerFrame::Reconnect { .. } => "reconnect".into(),
            ServerFrame::Error {
                req,
                code,
                retry_after_ms,
                ..
            } => {
                let req = req.map_or("-".into(), |req| req.to_string());
                let wait = retry_after_ms.map_or(String::new(), |ms| format!(" in {ms}"));
                format!("error {req} {}{wait}", code.text())
            }
            other => panic!("a session does not say {other:?}"),
        },
    }
}

/// Runs a script with a bucket of three messages and one a second; between its steps, and up to
/// `until`, time passes as the session wants to be told.
fn run(script: Vec<(u64, Input)>, until: u64) -> Vec<String> {
    let rate = Rate {
        thousandths_per_second: 1_000,
        burst: 3,
    };
    let terms = Terms { rate, ..terms() };
    let mut session = Session::new(terms, Tick(0));
    let mut own = Allowance::new(rate, Tick(0));
    let mut out = Vec::new();
    let mut effects = Vec::new();
    for (at, input) in script
        .into_iter()
        .map(|(at, input)| (at, Some(input)))
        .chain([(until, None)])
    {
        while session.due() <= Tick(at) && !session.is_closed() {
            let due = session.due();
            session.step(
                Input::Time,
                due,
                Some(Purse::new(&mut own, None)),
                &mut effects,
            );
            out.extend(
                effects
                    .drain(..)
                    .map(|effect| format!("{}: {}", due.0, show(&effect))),
            );
            assert!(
                session.is_closed() || session.due() > due,
                "it would spin at {due:?}"
            );
        }
        if let Some(input) = input {
            session.step(
                input,
                Tick(at),
                Some(Purse::new(&mut own, None)),
                &mut effects,
            );
            out.extend(
                effects
                    .drain(..)
                    .map(|effect| format!("{at}: {}", show(&effect))),
            );
        }
    }
    out
}

#[track_caller]
fn check(script: Vec<(u64, Input)>, until: u64, expected: &[&str]) {
    assert_eq!(run(script, until), expected);
}

/// What follows the beginning of a live session.
#[track_caller]
fn check_live(expires_in_ms: u64, script: Vec<(u64, Input)>, until: u64, expected: &[&str]) {
    let whole = live(expires_in_ms).into_iter().chain(script).collect();
    let out = run(whole, until);
    assert_eq!(
        out[..4],
        [
            "0: authenticate token",
            "0: welcome",
            "0: register",
            "0: snapshot"
        ]
    );
    assert_eq!(out[4..], *expected);
}

fn malformed() -> Input {
    Input::Frame(crate::codec::decode("nonsense"))
}
