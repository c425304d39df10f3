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
        "0: look up 4",
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
        "2: look up 1",
        "2: error 3 retry_in_order",
        "2: submit 4 in Turn(2)",
        "1500: submit 5 in Turn(2)",
        "2500: submit 6 in Turn(2)",
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

fn looked_up(key: u8, stored: bool) -> Input {
    Input::LookedUp {
        room: ROOM,
        key: Key([key; 16]),
        stored,
    }
}

/// What is stored after all does not come again when its client has heard so by its event.
#[test]
fn nobody_waits_for_what_is_stored_after_all() {
    let script = vec![
        (0, say(1, 1)),
        (1, committed(1, 1, Err(ErrorCode::Unavailable))),
        (2, say(2, 2)),
        (3, say(3, 3)),
        (4, looked_up(1, false)),
        (5, say(4, 2)),
        (6, looked_up(1, true)),
        (7, say(5, 3)),
        (8, say(6, 2)),
        (2_000, say(7, 3)),
    ];
    let expected = [
        "0: submit 1",
        "1: error 1 unavailable",
        "2: look up 1",
        "2: error 2 retry_in_order",
        "3: error 3 retry_in_order",
        "5: look up 1",
        "5: error 4 retry_in_order",
        "7: look up 2",
        "7: error 5 retry_in_order",
        "8: submit 6 in Turn(1)",
        "2000: submit 7 in Turn(1)",
    ];
    check_live(HOUR, script, 2_000, &expected);
}

/// The answer to the second attempt came when the client had long had its final answer.
#[test]
fn nobody_waits_for_what_has_its_answer() {
    let answers = [
        (
            Ok(Outcome::Refused(ErrorCode::NotMember)),
            "error 1 not_member",
        ),
        (done(), "ack 1 at 7"),
    ];
    for (answer, shown) in answers {
        let script = vec![
            (0, say(1, 1)),
            (0, say(2, 1)),
            (1, committed(1, 1, answer)),
            (2, committed(2, 1, Err(ErrorCode::Unavailable))),
            (3, say(3, 2)),
        ];
        let expected = [
            "0: submit 1",
            "0: submit 2",
            &format!("1: {shown}"),
            "2: error 2 unavailable",
            "3: submit 3 in Turn(1)",
        ];
        check_live(HOUR, script, 3, &expected);
    }
}

/// Three are under way when the first is refused. A fourth would overtake the others, which have
/// been refused as well; and a refusal elsewhere changes nothing for those of this room.
#[test]
fn what_was_under_way_has_its_answer_before_others_pass() {
    let script = vec![
        (0, say(1, 1)),
        (0, say(2, 2)),
        (0, say(3, 3)),
        (1, committed(1, 1, Err(ErrorCode::Unavailable))),
        // The client has heard by its event that it is stored.
        (2, say(4, 4)),
        (3, looked_up(1, true)),
        (4, say(5, 4)),
        (5, committed(2, 2, Err(ErrorCode::RetryInOrder))),
        (6, committed(3, 3, Err(ErrorCode::RetryInOrder))),
        (1_000, say(6, 2)),
        (2_000, say(7, 3)),
        (3_000, say(8, 4)),
    ];
    let expected = [
        "0: submit 1",
        "0: submit 2",
        "0: submit 3",
        "1: error 1 unavailable",
        "2: look up 1",
        "2: error 4 retry_in_order",
        "4: error 5 retry_in_order",
        "5: error 2 retry_in_order",
        "6: error 3 retry_in_order",
        "1000: submit 6 in Turn(3)",
        "2000: submit 7 in Turn(3)",
        "3000: submit 8 in Turn(3)",
    ];
    check_live(HOUR, script, 3_000, &expected);
}

/// A refusal in one room says nothing about another: what follows there is of the same turn as
/// what is under way, so that the commit's gate refuses both if it refuses the first.
#[test]
fn commands_that_follow_each_other_are_of_one_turn() {
    let script = vec![
        (0, say(1, 1)),
        (0, send_to(OTHER, 2, 9)),
        (
            1,
            Input::Committed {
                req: 2,
                room: OTHER,
                key: Key([9; 16]),
                result: Err(ErrorCode::Unavailable),
            },
        ),
        (2, say(3, 2)),
        (3, committed(1, 1, done())),
        (4, committed(3, 2, done())),
        (2_000, say(4, 3)),
    ];
    let expected = [
        "0: submit 1",
        "0: submit 2",
        "1: error 2 unavailable",
        "2: submit 3",
        "3: ack 1 at 7",
        "4: ack 3 at 7",
        "2000: submit 4 in Turn(1)",
    ];
    check_live(HOUR, script, 2_000, &expected);
}

/// A second attempt keeps the place of the first, which is still under way.
#[test]
fn a_second_attempt_keeps_the_place_of_the_first() {
    let script = vec![
        (0, say(1, 1)),
        (0, say(2, 2)),
        (0, say(3, 1)),
        (1, committed(1, 1, Err(ErrorCode::Unavailable))),
        (1, committed(2, 2, Err(ErrorCode::RetryInOrder))),
        (1, committed(3, 1, Err(ErrorCode::RetryInOrder))),
        (2_000, say(4, 2)),
        (2_000, say(5, 1)),
        (2_000, say(6, 2)),
    ];
    let expected = [
        "0: submit 1",
        "0: submit 2",
        "0: submit 3",
        "1: error 1 unavailable",
        "1: error 2 retry_in_order",
        "1: error 3 retry_in_order",
        "2000: look up 1",
        "2000: error 4 retry_in_order",
        "2000: submit 5 in Turn(3)",
        "2000: submit 6 in Turn(3)",
    ];
    check_live(HOUR, script, 2_000, &expected);
}
