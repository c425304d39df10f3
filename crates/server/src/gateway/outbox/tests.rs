//! A connection without a socket: what a sync, falling behind and an end leave queued.

use chinwag_core::code::ErrorCode;
use chinwag_core::ids::{Epoch, Millis, UserId};
use chinwag_core::rate::Rate;
use chinwag_core::session::Identity;
use chinwag_core::wire::{ClientFrame, Cursor, Profile};

use super::*;

/// A connection that has said `hello`; its sync is about to begin.
fn connection() -> Arc<Connection> {
    let terms = Terms {
        epoch: Epoch([1; 16]),
        rate: Rate::default(),
    };
    let connection = Connection::new(
        ConnId(1),
        Dialect::default(),
        terms,
        Arc::default(),
        Tick(0),
    );
    let hello = ClientFrame::Hello {
        v: 1,
        token: "token".into(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth: false,
    };
    connection.input(Input::Frame(Ok(hello)), Tick(0));
    let identity = Identity {
        user: Profile {
            id: UserId([1; 16]),
            name: "Ann".into(),
            version: 1,
            display_name: None,
            avatar: None,
        },
        session: None,
        expires_in_ms: 600_000,
        now: Millis(0),
    };
    connection.input(Input::Authenticated(Ok(identity)), Tick(0));
    connection
}

fn effects(connection: &Connection) -> Vec<(Effect, SyncId)> {
    std::iter::from_fn(|| connection.take_effect()).collect()
}

fn texts(connection: &Connection) -> Vec<String> {
    let mut state = connection.state();
    let frames = std::iter::from_fn(|| state.outbox.pop());
    let texts = frames.map(|(frame, _bytes)| String::from_utf8_lossy(&frame).into_owned());
    texts.collect()
}

/// A connection that fell behind while its sync was being streamed got the rest of that
/// stream behind `behind`, and its `caught_up`, although frames between had been dropped.
#[tokio::test]
async fn what_fell_behind_gets_no_more_of_that_sync() {
    let connection = connection();
    let effects = effects(&connection);
    let (_snapshot, sync) = effects.last().expect("a snapshot is wanted");
    let part = ServerFrame::Ok { req: 1 };
    assert!(connection.stream(*sync, &part).await);
    connection.fall_behind(Tick(1));
    assert!(!connection.is_current(*sync));
    assert!(!connection.stream(*sync, &part).await);
    let texts = texts(&connection);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(
        texts[0].contains("welcome") && texts[1].contains("behind"),
        "{texts:?}"
    );
    let sync_frame = ClientFrame::Sync {
        req: 2,
        cursor: Cursor::default(),
    };
    connection.input(Input::Frame(Ok(sync_frame)), Tick(2));
    let (_snapshot, next) = self::effects(&connection).pop().expect("a snapshot");
    assert!(connection.is_current(next) && !connection.is_current(*sync));
}

/// What waits for the end of a sync would wait for ever if that end did not come.
#[test]
fn only_a_welcome_waits_for_its_sync() {
    let gathers = |connection: &Connection| connection.state().gathering;
    let welcomed = connection();
    assert!(gathers(&welcomed), "the summary is being read");
    welcomed.fall_behind(Tick(1));
    assert!(!gathers(&welcomed), "that sync has no end");
    let asked = connection();
    let again = ClientFrame::Hello {
        v: 1,
        token: "token".into(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth: false,
    };
    asked.input(Input::Frame(Ok(again)), Tick(1));
    assert!(!gathers(&asked), "a refusal is not part of the sync");
}

#[test]
fn a_sync_that_has_not_begun_is_given_up() {
    let connection = connection();
    connection.fall_behind(Tick(1));
    let left = effects(&connection);
    let begun = left
        .iter()
        .any(|(effect, _)| matches!(effect, Effect::Register(_) | Effect::Snapshot(_)));
    assert!(!begun, "{left:?}");
}

/// Commands that wait for the disk used to count as drained: the acks came after the close.
#[test]
fn commands_in_flight_are_not_drained() {
    let connection = connection();
    effects(&connection);
    texts(&connection);
    assert!(connection.is_drained());
    let room = chinwag_core::ids::RoomId([1; 16]);
    let key = chinwag_core::ids::Key([1; 16]);
    let send = ClientFrame::Send {
        req: 3,
        key,
        room,
        body: "x".into(),
        reply_to: None,
        mentions: Vec::new(),
        if_last: None,
    };
    connection.input(Input::Frame(Ok(send)), Tick(3));
    effects(&connection);
    assert!(!connection.is_drained(), "its ack is still to come");
    let result = Err(ErrorCode::Unavailable);
    let committed = Input::Committed {
        req: 3,
        room,
        key,
        result,
    };
    connection.input(committed, Tick(4));
    assert!(!connection.is_drained(), "its reply is still to go");
    texts(&connection);
    assert!(connection.is_drained());
}

/// A client had the reply, asked again under the same number, and was told that the number still
/// waited for its reply.
#[test]
fn who_has_a_reply_may_use_its_number_again() {
    const TIMES: u64 = 3_000;
    let connection = connection();
    let _summary = (effects(&connection), texts(&connection));
    let (read, reading) = std::sync::mpsc::sync_channel(1);
    let reader = {
        let connection = connection.clone();
        std::thread::spawn(move || {
            let mut left = TIMES;
            while left > 0 {
                let mut state = connection.state();
                if state.outbox.pop().is_some() {
                    left -= 1;
                    // Nobody asks again before this has gone.
                    read.send(state.session.is_idle()).unwrap();
                }
            }
        })
    };
    for _turn in 0..TIMES {
        let question = ClientFrame::Profiles {
            req: 1,
            users: Vec::new(),
            name: None,
        };
        connection.input(Input::Frame(Ok(question)), Tick(1));
        let asked = effects(&connection);
        assert!(matches!(asked[..], [(Effect::Read(1, _), _)]), "{asked:?}");
        let reply = ServerFrame::Profiles {
            req: 1,
            users: Vec::new(),
        };
        connection.reply(1, &reply, Tick(1));
        assert!(reading.recv().unwrap(), "a reply came before its end");
    }
    reader.join().unwrap();
}
