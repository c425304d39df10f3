//! Replies, order, refusals for now, and the bound on work in flight.

use super::*;

#[test]
fn a_req_waits_for_its_reply_and_is_free_again() {
    let script = vec![
        (1, say(1, 1)),
        (2, say(1, 2)),
        (3, ask(1)),
        (4, committed(1, 1, done())),
        (5, ask(1)),
        (6, ask(1)),
        (7, Input::Replied(1)),
        (8, ping(1)),
        (9, ping(1)),
    ];
    check_live(
        HOUR,
        script,
        9,
        &[
            "1: submit 1",
            "2: error 1 req_reused",
            "3: error 1 req_reused",
            "4: ack 1 at 7",
            "5: read 1",
            "6: error 1 req_reused",
            "8: pong 1",
            "9: pong 1",
        ],
    );
}

#[test]
fn work_in_flight_is_bounded() {
    let mut session = Session::new(
        Terms {
            epoch: Epoch([1; 16]),
            rate: Rate::default(),
        },
        Tick(0),
    );
    let mut effects = Vec::new();
    for (_at, input) in live(HOUR) {
        session.step(input, Tick(0), None, &mut effects);
    }
    for req in 0..limits::IN_FLIGHT_MAX as u64 {
        assert!(session.wants_input(), "{req}");
        session.step(ask(req), Tick(0), None, &mut effects);
    }
    assert!(!session.wants_input() && !session.is_idle());
    session.step(Input::Replied(3), Tick(0), None, &mut effects);
    assert!(session.wants_input());
    for req in 0..limits::IN_FLIGHT_MAX as u64 {
        session.step(Input::Replied(req), Tick(0), None, &mut effects);
    }
    assert!(session.is_idle());
}

#[test]
fn what_is_refused_for_now_goes_first() {
    // Three at once, then one a second; the key that was refused opens the room again.
    let script = vec![
        (0, say(1, 1)),
        (0, say(2, 2)),
        (0, say(3, 3)),
        (0, say(4, 4)),
        (0, say(5, 5)),
        (500, say(4, 4)),
        (1_000, say(5, 5)),
        (1_000, say(4, 4)),
        (1_100, say(5, 5)),
        (2_000, say(5, 5)),
    ];
    let expected = [
        "0: submit 1",
        "0: submit 2",
        "0: submit 3",
        "0: error 4 rate_limited in 1000",
        "0: error 5 retry_in_order",
        "500: error 4 rate_limited in 500",
        "1000: error 5 retry_in_order",
        "1000: submit 4",
        "1100: error 5 rate_limited in 900",
        "2000: submit 5",
    ];
    check_live(HOUR, script, 2_000, &expected);
}

#[test]
fn what_the_store_refuses_for_now_goes_first_too() {
    let refused = |req, key| committed(req, key, Err(ErrorCode::Unavailable));
    let script = vec![
        (0, say(1, 1)),
        (0, say(2, 2)),
        (1, refused(1, 1)),
        (1, committed(2, 2, Err(ErrorCode::RetryInOrder))),
        (2, say(3, 2)),
        (2, send_to(OTHER, 4, 9)),
        (1_500, say(5, 1)),
        (2_500, say(6, 2)),
    ];
    let expected = [
        "0: submit 1",
        "0: submit 2",
        "1: error 1 unavailable",
        "1: error 2 retry_in_order",
        "2: error 3 retry_in_order",
        "2: submit 4",
        "1500: submit 5",
        "2500: submit 6",
    ];
    check_live(HOUR, script, 2_500, &expected);
    // A refusal for good holds nothing up.
    for code in [ErrorCode::NotMember, ErrorCode::Conflict] {
        let error = format!("1: error 1 {}", code.text());
        let refused = committed(1, 1, Ok(Outcome::Refused(code)));
        check_live(
            HOUR,
            vec![(0, say(1, 1)), (1, refused), (2, say(2, 2))],
            2,
            &["0: submit 1", &error, "2: submit 2"],
        );
    }
}
