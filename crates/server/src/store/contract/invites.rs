//! Invitations: kept by their hash, used up in the commit that lets somebody in.

use chinwag_core::batch::{Command, Outcome};
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::{Change, Deed};
use chinwag_core::ids::{InviteToken, Millis, RoomId};
use chinwag_core::invite::{Invitation, InviteHash};
use chinwag_core::limits;
use chinwag_core::room::RoomKind;

use super::{Subject, by, contract, user};

contract!(
    an_invitation_is_kept_listed_and_revoked,
    an_invitation_lets_in_as_many_as_it_says,
    of_two_at_once_one_gets_in_whatever_transaction_they_share,
    an_invitation_ends_with_its_time,
    a_room_has_so_many_open_invitations_and_no_more,
    an_invitation_lets_nobody_in_who_may_not_or_is_in,
);

/// Commits of the suite happen at this time.
const NOW: Millis = Millis(1_000);

fn hash(number: u8) -> InviteHash {
    InviteHash::of(InviteToken([number; 16]))
}

fn enter(from: u8, key: u64, room: RoomId, number: u8) -> chinwag_core::batch::Submission {
    let invite = Some(hash(number));
    by(from, key, Command::Join { room, invite })
}

async fn perform(subject: &Subject, who: u8, deed: Deed, drawn: u8) -> Result<Change, ErrorCode> {
    let done = subject.store().perform(user(who), deed, hash(drawn), NOW);
    done.await.expect("the store takes writes")
}

/// User 1 makes an invitation whose token is `number`.
async fn invite(subject: &Subject, room: RoomId, number: u8, life_ms: u64, uses: u64) {
    let deed = Deed::invite(room, Some(life_ms), Some(uses));
    let made = perform(subject, 1, deed, number).await;
    assert!(matches!(made, Ok(Change::Invited(_))), "{made:?}");
}

async fn kept(subject: &Subject, room: RoomId) -> Vec<Invitation> {
    subject.read(move |view| view.invitations(room)).await
}

async fn an_invitation_is_kept_listed_and_revoked(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let other = subject.room(1, 2, RoomKind::Group).await;
    invite(&subject, room, 1, 500, 3).await;
    invite(&subject, room, 2, 700, 1).await;
    invite(&subject, other, 3, 700, 1).await;
    subject.reopen();
    let first = Invitation {
        hash: hash(1),
        room,
        by: user(1),
        uses_left: 3,
        expires: Millis(1_500),
    };
    let second = Invitation {
        hash: hash(2),
        uses_left: 1,
        expires: Millis(1_700),
        ..first
    };
    let mut expected = vec![first, second];
    expected.sort_by_key(|kept| kept.hash);
    assert_eq!(kept(&subject, room).await, expected);
    let found = subject.read(|view| view.invitation(hash(1))).await;
    assert_eq!(found, Some(first));
    let nobodys = subject.read(|view| view.invitation(hash(9))).await;
    assert_eq!(nobodys, None);
    let revoke = |room, number: u8| Deed::RevokeInvite {
        room,
        invite: hash(number).id(),
    };
    for (who, deed, expected) in [
        // By its id in its own room only, and by those who look after that.
        (1, revoke(other, 1), Err(ErrorCode::NotFound)),
        (2, revoke(room, 1), Err(ErrorCode::NotFound)),
        (1, revoke(room, 1), Ok(Change::Revoked(hash(1)))),
        (1, revoke(room, 1), Err(ErrorCode::NotFound)),
    ] {
        assert_eq!(perform(&subject, who, deed, 9).await, expected);
    }
    subject.reopen();
    assert_eq!(kept(&subject, room).await, [second]);
    assert_eq!(kept(&subject, other).await.len(), 1);
    let refused = subject.refused(enter(2, 10, room, 1)).await;
    assert_eq!(refused, ErrorCode::BadInvite);
}

async fn an_invitation_lets_in_as_many_as_it_says(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    invite(&subject, room, 1, 500, 2).await;
    let first = subject.done(enter(2, 10, room, 1)).await;
    subject.reopen();
    assert_eq!(kept(&subject, room).await[0].uses_left, 1);
    // A replay takes no second use.
    for _ in 0..3 {
        assert_eq!(subject.done_again(enter(2, 10, room, 1)).await, first);
    }
    let refused = subject.refused(enter(2, 11, room, 1)).await;
    assert_eq!(refused, ErrorCode::AlreadyMember);
    assert_eq!(kept(&subject, room).await[0].uses_left, 1);
    subject.done(enter(3, 12, room, 1)).await;
    subject.reopen();
    assert_eq!(kept(&subject, room).await, []);
    let refused = subject.refused(enter(4, 13, room, 1)).await;
    assert_eq!(refused, ErrorCode::BadInvite);
    // Also when nothing is left of it, the first answer stands.
    assert_eq!(subject.done_again(enter(2, 10, room, 1)).await, first);
    let stored = subject.read(move |view| view.room(room)).await;
    assert_eq!(stored.expect("a room").members, 3);
}

async fn of_two_at_once_one_gets_in_whatever_transaction_they_share(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    invite(&subject, room, 1, 500, 1).await;
    let both = vec![enter(2, 10, room, 1), enter(3, 10, room, 1)];
    let outcomes = subject.append(both.clone()).await.outcomes;
    let (Outcome::Done(ack), Outcome::Refused(ErrorCode::BadInvite)) = (outcomes[0], outcomes[1])
    else {
        panic!("{outcomes:?}");
    };
    subject.reopen();
    let again = subject.append(both).await.outcomes;
    let expected = [
        Outcome::Replayed(ack),
        Outcome::Refused(ErrorCode::BadInvite),
    ];
    assert_eq!(again, expected);
    // In transactions of their own.
    invite(&subject, room, 2, 500, 1).await;
    let one = subject
        .store()
        .append(vec![enter(4, 10, room, 2)], Millis(1_000));
    let other = subject
        .store()
        .append(vec![enter(5, 10, room, 2)], Millis(1_000));
    let (one, other) = tokio::join!(one, other);
    let outcomes = [one, other].map(|done| done.expect("stored").outcomes[0]);
    let in_now = outcomes.iter().filter(|o| matches!(o, Outcome::Done(_)));
    assert_eq!(in_now.count(), 1, "{outcomes:?}");
}

async fn an_invitation_ends_with_its_time(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    invite(&subject, room, 1, 500, 5).await;
    let at = async |from: u8, now| {
        let items = vec![enter(from, u64::from(from), room, 1)];
        let done = subject.store().append(items, Millis(now)).await;
        done.expect("stored").outcomes[0]
    };
    assert!(matches!(at(2, 1_499).await, Outcome::Done(_)));
    let late = at(3, 1_500).await;
    assert_eq!(late, Outcome::Refused(ErrorCode::BadInvite));
}

async fn a_room_has_so_many_open_invitations_and_no_more(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    let most = limits::INVITES_MAX as u8;
    for number in 0..most {
        invite(&subject, room, number, 1_000 + u64::from(number), 1).await;
    }
    let deed = || Deed::invite(room, None, None);
    let more = perform(&subject, 1, deed(), most).await;
    assert_eq!(more, Err(ErrorCode::TooMany));
    // One that is used up or too old makes room.
    subject.done(enter(2, 10, room, 3)).await;
    assert!(perform(&subject, 1, deed(), most).await.is_ok());
    let later = |drawn| {
        let now = Millis(2_002);
        subject.store().perform(user(1), deed(), hash(drawn), now)
    };
    let made = later(most + 1).await.expect("stored");
    assert!(made.is_ok(), "{made:?}");
    assert_eq!(kept(&subject, room).await.len(), 48, "three had ended");
}

async fn an_invitation_lets_nobody_in_who_may_not_or_is_in(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let other = subject.room(1, 2, RoomKind::Group).await;
    invite(&subject, room, 1, 500, 5).await;
    let nowhere = RoomId([77; 16]);
    let third = user(3);
    subject
        .done(by(1, 20, Command::Add { room, user: third }))
        .await;
    let ban = Command::Ban {
        room,
        user: third,
        on: true,
    };
    subject.done(by(1, 21, ban)).await;
    for (from, room, number, expected) in [
        (1, room, 1, ErrorCode::AlreadyMember),
        (1, room, 9, ErrorCode::AlreadyMember),
        (3, room, 1, ErrorCode::Banned),
        (2, room, 9, ErrorCode::BadInvite),
        (2, other, 1, ErrorCode::BadInvite),
        (2, nowhere, 1, ErrorCode::BadInvite),
        (2, nowhere, 9, ErrorCode::BadInvite),
    ] {
        let refused = subject.refused(enter(from, 30, room, number)).await;
        assert_eq!(refused, expected, "{from} {room} {number}");
    }
    assert_eq!(kept(&subject, room).await[0].uses_left, 5);
    // Whoever was sent away, but not for good, comes back.
    let unban = Command::Ban {
        room,
        user: third,
        on: false,
    };
    subject.done(by(1, 22, unban)).await;
    subject.done(enter(3, 31, room, 1)).await;
}
