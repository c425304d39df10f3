//! `hello`, timers, tokens, falling behind, and every end.

use super::*;

#[test]
fn hello_is_answered_and_anything_else_is_refused() {
    let start = "0: authenticate token";
    let entered = [start, "0: welcome", "0: register", "0: snapshot"];
    check(live(HOUR), 0, &entered);
    check(
        vec![(0, ping(1))],
        0,
        &["0: error 1 hello_first", "0: close 4301"],
    );
    check(
        vec![(0, malformed())],
        0,
        &["0: error - bad_frame", "0: close 4301"],
    );
    check(
        vec![(0, hello()), (0, ping(1))],
        0,
        &[start, "0: error 1 hello_first", "0: close 4301"],
    );
    check(
        vec![(0, hello()), (0, hello())],
        0,
        &[start, "0: error - hello_twice"],
    );
    check(
        vec![(0, hello()), (0, malformed())],
        0,
        &[start, "0: error - bad_frame"],
    );
    let version = ClientFrame::Hello {
        v: 2,
        token: String::new(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth: false,
    };
    check(vec![(0, frame(version))], 0, &["0: close 4302"]);
    check_live(
        HOUR,
        vec![(1, hello()), (1, malformed())],
        1,
        &["1: error - hello_twice", "1: error - bad_frame"],
    );
    // Nothing is heard after a close.
    check(
        vec![(0, ping(1)), (0, hello())],
        HOUR,
        &["0: error 1 hello_first", "0: close 4301"],
    );
}

#[test]
fn a_token_that_is_not_good_closes_with_what_to_do() {
    for (code, close) in [
        (ErrorCode::BadToken, 4202),
        (ErrorCode::TokenExpired, 4201),
        (ErrorCode::Unavailable, 4104),
        (ErrorCode::StorageFull, 4104),
    ] {
        let error = format!("5: error - {}", code.text());
        let close = format!("5: close {close}");
        check(
            vec![(0, hello()), (5, Input::Authenticated(Err(code)))],
            5,
            &["0: authenticate token", &error, &close],
        );
    }
}

#[test]
fn hello_has_ten_seconds() {
    check(vec![], HOUR, &["10000: close 4103"]);
    check(
        vec![(9_999, hello())],
        HOUR,
        &["9999: authenticate token", "10000: close 4103"],
    );
    // Frames of another kind of life change nothing.
    check(vec![(9_000, Input::Heard)], HOUR, &["10000: close 4103"]);
}

#[test]
fn pings_at_30_s_and_death_at_45() {
    check_live(HOUR, vec![], HOUR, &["30000: ping", "45000: close 4001"]);
    let heard = vec![(31_000, Input::Heard), (70_000, ping(1))];
    check_live(
        HOUR,
        heard,
        120_000,
        &[
            "30000: ping",
            "60000: ping",
            "70000: pong 1",
            "90000: ping",
            "115000: close 4001",
        ],
    );
}

#[test]
fn a_token_is_noticed_renewed_and_ends() {
    check_live(
        70_000,
        vec![(20_000, Input::Heard), (50_000, Input::Heard)],
        HOUR,
        &[
            "10000: token_expiring 60000",
            "30000: ping",
            "60000: ping",
            "70000: close 4201",
        ],
    );
    let renewed = vec![(12_000, auth(1)), (12_500, good(80_000))];
    check_live(
        70_000,
        renewed,
        33_000,
        &[
            "10000: token_expiring 60000",
            "12000: authenticate fresh",
            "12500: ok 1",
            "30000: ping",
            "32500: token_expiring 60000",
        ],
    );
    // One that lives shorter than the notice is told of at once.
    check_live(
        1_000,
        vec![],
        HOUR,
        &["0: token_expiring 1000", "1000: close 4201"],
    );
    // Refused renewals change nothing, and one at a time is verified.
    let stranger = Input::Authenticated(Ok(identity(UserId([2; 16]), HOUR)));
    let refused = vec![
        (1, auth(1)),
        (2, auth(2)),
        (3, auth(1)),
        (4, Input::Authenticated(Err(ErrorCode::TokenExpired))),
        (5, auth(1)),
        (6, stranger),
    ];
    check_live(
        70_000,
        refused,
        10_000,
        &[
            "1: authenticate fresh",
            "2: error 2 busy",
            "3: error 1 req_reused",
            "4: error 1 token_expired",
            "5: authenticate fresh",
            "6: error 1 bad_token",
            "10000: token_expiring 60000",
        ],
    );
}

#[test]
fn behind_twice_is_caught_up_with_a_third_time_closes() {
    let fall = |at| {
        vec![
            (at, Input::FellBehind),
            (at + 10, sync(1)),
            (at + 20, Input::CaughtUp),
        ]
    };
    let thrice = |gap: u64| {
        (0..3)
            .flat_map(|round| fall(1_000 + round * gap))
            .collect::<Vec<_>>()
    };
    let out = run(live(HOUR).into_iter().chain(thrice(1_000)).collect(), 4_000);
    assert_eq!(
        out[4..],
        [
            "1010: ok 1",
            "1010: register",
            "1010: snapshot",
            "2010: ok 1",
            "2010: register",
            "2010: snapshot",
            "3000: close 4102"
        ]
    );
    // Spread over more than a minute it is no fault.
    let out = run(
        live(HOUR).into_iter().chain(thrice(30_001)).collect(),
        61_100,
    );
    assert!(!out.iter().any(|line| line.contains("close")), "{out:?}");
    // And without `sync` it closes after 30 s.
    check_live(
        HOUR,
        vec![(1_000, Input::FellBehind), (20_000, Input::Heard)],
        HOUR,
        &["30000: ping", "31000: close 4102"],
    );
    // While a sync runs, another one has to wait; a live connection may ask for one.
    check_live(
        HOUR,
        vec![(5, sync(1)), (6, sync(2))],
        6,
        &["5: ok 1", "5: register", "5: snapshot", "6: error 2 busy"],
    );
}

#[test]
fn a_stopping_server_says_so_and_answers_what_it_has() {
    let script = vec![
        (0, say(1, 1)),
        (1, draining()),
        (2, say(2, 2)),
        (3, say(3, 3)),
        (4, ask(4)),
        (5, committed(1, 1, done())),
        (6, Input::Restart),
        (7, ping(5)),
    ];
    let expected = [
        "0: submit 1",
        "1: reconnect",
        "2: error 2 going_away",
        "3: look up 2",
        "3: error 3 retry_in_order",
        "4: read 4",
        "5: ack 1 at 7",
        "6: close 1012",
    ];
    check_live(HOUR, script, HOUR, &expected);
}

#[test]
fn what_ends_a_session_ends_it_once() {
    for (input, close) in [
        (Input::Revoked, 4203),
        (Input::SyncFailed, 4104),
        (Input::Restart, 1012),
    ] {
        check_live(
            HOUR,
            vec![(1, input), (2, Input::Revoked), (3, ping(1))],
            HOUR,
            &[&format!("1: close {close}")],
        );
    }
    check(
        vec![(0, hello()), (1, Input::Crowded)],
        HOUR,
        &["0: authenticate token", "1: close 4105"],
    );
    check_live(HOUR, vec![(1, Input::Ended), (2, ping(1))], HOUR, &[]);
}

/// Labels are the wall clock's; nothing that is decided looks at them.
#[test]
fn the_label_s_clock_decides_nothing() {
    for now in [i64::MIN, -1, 0, i64::MAX] {
        let mut odd = identity(USER, 70_000);
        odd.now = Millis(now);
        let script = vec![(0, hello()), (0, Input::Authenticated(Ok(odd)))];
        let out = run(script, 10_000);
        assert_eq!(out[4..], ["10000: token_expiring 60000"], "{now}");
    }
}

fn spare_hello() -> Input {
    frame(ClientFrame::Hello {
        v: 1,
        token: "token".into(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth: true,
    })
}

#[test]
fn a_client_of_low_bandwidth_is_asked_seldom() {
    let mut session = Session::new(terms(), Tick(0));
    let mut effects = Vec::new();
    for input in [spare_hello(), good(HOUR), Input::CaughtUp] {
        session.step(input, Tick(0), None, &mut effects);
    }
    effects.clear();
    assert_eq!(session.due(), Tick(120_000));
    session.step(Input::Time, Tick(120_000), None, &mut effects);
    assert_eq!(effects, [Effect::Ping]);
    assert_eq!(session.due(), Tick(150_000));
    session.step(Input::Time, Tick(150_000), None, &mut effects);
    assert_eq!(effects[1..], [Effect::Close(CloseCode::Silent)]);
}

#[test]
fn what_waits_for_a_client_of_low_bandwidth_leaves_together() {
    let mut session = Session::new(terms(), Tick(0));
    assert!(!session.holds(10, Tick(0)), "nobody has asked for it yet");
    session.step(spare_hello(), Tick(5), None, &mut Vec::new());
    let far = session.due();
    let mut check = |at, bytes, held: bool, due: Tick| {
        assert_eq!(
            session.holds(bytes, Tick(at)),
            held,
            "{bytes} bytes at {at}"
        );
        assert_eq!(session.due(), due, "{bytes} bytes at {at}");
    };
    check(10, 0, false, far);
    // The first one opens the window, later ones do not move its end.
    check(1_000, 1, true, Tick(1_100));
    check(1_099, 500, true, Tick(1_100));
    check(1_100, 500, false, far);
    check(1_200, 500, true, Tick(1_300));
    check(1_900, 500, false, far);
    // Much leaves at once, and what left by another way holds nothing.
    check(2_000, limits::BATCH_BYTES_MAX, false, far);
    check(2_001, 1, true, Tick(2_101));
    check(2_002, 0, false, far);
    session.step(Input::Restart, Tick(3_000), None, &mut Vec::new());
    assert!(!session.holds(1, Tick(3_000)), "a close waits for nobody");
}

#[test]
fn other_clients_wait_for_nothing() {
    let mut session = Session::new(terms(), Tick(0));
    session.step(hello(), Tick(0), None, &mut Vec::new());
    assert!(!session.is_low_bandwidth() && !session.holds(1, Tick(1)));
    assert_eq!(session.held_until(), None);
}
