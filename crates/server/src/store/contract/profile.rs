//! What others see of people, pictures of them and of rooms, and how long those are kept.

use chinwag_core::avatar::{Avatar, Image, ImageKind};
use chinwag_core::batch::Command;
use chinwag_core::code::ErrorCode;
use chinwag_core::event::Body;
use chinwag_core::ids::{AvatarId, Millis, Position, RoomId, Seq};
use chinwag_core::limits::{AVATAR_SWEEP_MAX, AVATAR_UNUSED_MS, AVATAR_UPLOADS_MAX};
use chinwag_core::own::{OwnChange, Owned, ProfileChange};
use chinwag_core::read;
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{Cursor, Profile};

use super::{Subject, by, contract, profile, send, user};

contract!(
    a_profile_rises_with_what_is_seen_of_it,
    what_is_written_after_a_change_carries_its_version,
    a_picture_is_kept_once_and_as_long_as_somebody_refers_to_it,
    rooms_have_pictures,
    unused_uploads_are_few_and_do_not_last,
    a_batch_may_hang_a_picture_and_take_it_down,
);

fn image(number: usize) -> Image {
    let kind = ImageKind::ALL[number % 3];
    let bytes = format!("picture {number}").into_bytes().into();
    Image { kind, bytes }
}

pub(super) fn named(number: usize) -> Option<Avatar> {
    Some(Avatar(Some(image(number).id())))
}

const NONE: Option<Avatar> = Some(Avatar(None));

pub(super) async fn upload(
    subject: &Subject,
    who: u8,
    number: usize,
    now: i64,
) -> Result<AvatarId, ErrorCode> {
    let kept = subject.avatars();
    let kept = kept.put_avatar(user(who), image(number), Millis(now)).await;
    kept.expect("the store takes writes")
}

async fn is_kept(subject: &Subject, number: usize) -> bool {
    let id = image(number).id();
    let found = subject.avatars().avatar(id).await.expect("it can be read");
    if let Some(found) = &found {
        assert_eq!(*found, image(number));
    }
    let named = subject.read(move |view| view.has_avatar(id)).await;
    assert_eq!(named, found.is_some(), "both look-ups agree");
    named
}

/// Which of the pictures up to `many` are kept, by their numbers.
pub(super) async fn kept(subject: &Subject, many: usize) -> Vec<usize> {
    let mut all = Vec::new();
    for number in 0..many {
        all.extend(is_kept(subject, number).await.then_some(number));
    }
    all
}

pub(super) async fn show(
    subject: &Subject,
    who: u8,
    display_name: Option<&str>,
    avatar: Option<Avatar>,
) -> Result<Profile, ErrorCode> {
    let change = OwnChange::Profile(ProfileChange {
        display_name: display_name.map(str::to_owned),
        avatar,
    });
    let owned = subject.store().own(user(who), change).await;
    owned
        .expect("the store takes writes")
        .map(|owned| match owned {
            Owned::Profile(profile) => profile,
            other => panic!("{other:?}"),
        })
}

/// What a summary since `position` brings of one's own profile.
async fn told(subject: &Subject, who: u8, position: Option<Position>) -> Option<Profile> {
    let cursor = Cursor {
        position,
        ..Cursor::default()
    };
    let snapshot = subject.read(move |view| read::snapshot(view, user(who), &cursor));
    snapshot.await.profile
}

async fn a_profile_rises_with_what_is_seen_of_it(mut subject: Subject) {
    upload(&subject, 1, 0, 0).await.expect("kept");
    let picture = image(0).id();
    let expected = |version, display_name: Option<&str>, avatar| Profile {
        version,
        display_name: display_name.map(str::to_owned),
        avatar,
        ..profile(1)
    };
    let long = "a".repeat(65);
    let steps = [
        (None, None, Ok(expected(1, None, None))),
        (Some(""), NONE, Ok(expected(1, None, None))),
        // Trimmed and joined as names are; it may be another's name.
        (
            Some(" Person  2 "),
            None,
            Ok(expected(2, Some("Person 2"), None)),
        ),
        (
            None,
            named(0),
            Ok(expected(3, Some("Person 2"), Some(picture))),
        ),
        (
            Some("李雷"),
            None,
            Ok(expected(4, Some("李雷"), Some(picture))),
        ),
        (Some("\u{200d}"), None, Err(ErrorCode::Blank)),
        (Some("a\u{202e}b"), None, Err(ErrorCode::BadField)),
        (Some(&long), None, Err(ErrorCode::TooLong)),
        (Some("Ann"), named(1), Err(ErrorCode::NotFound)),
        (None, named(0), Ok(expected(4, Some("李雷"), Some(picture)))),
        (Some(""), None, Ok(expected(5, None, Some(picture)))),
        (Some("Ann"), NONE, Ok(expected(6, Some("Ann"), None))),
    ];
    let mut last = profile(1);
    for (display_name, avatar, outcome) in steps {
        let before = subject.position().await;
        let shown = show(&subject, 1, display_name, avatar).await;
        assert_eq!(shown, outcome, "{display_name:?} {avatar:?}");
        let now = shown.unwrap_or_else(|_code| last.clone());
        let found = subject.read(|view| view.profile(user(1))).await;
        assert_eq!(found, Some(now.clone()), "a refusal changes nothing");
        let changed = (now != last).then(|| now.clone());
        assert_eq!(told(&subject, 1, Some(before)).await, changed);
        last = now;
    }
    // Nobody else's, none without a cursor (`welcome` has said it), and none again.
    let begin = Some(Position(0));
    assert_eq!(told(&subject, 2, begin).await, None);
    assert_eq!(told(&subject, 1, None).await, None);
    let now = subject.position().await;
    assert_eq!(told(&subject, 1, Some(now)).await, None);
    let nobody = show(&subject, 99, Some("Nobody"), None).await;
    assert_eq!(nobody, Err(ErrorCode::NotFound));
    subject.reopen();
    assert_eq!(told(&subject, 1, begin).await, Some(last.clone()));
    let by_name = subject.read(|view| view.named("person 1")).await;
    assert_eq!(
        by_name,
        Some(last),
        "found by the name that is theirs alone"
    );
}

async fn what_is_written_after_a_change_carries_its_version(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    subject.done(by(2, 2, Command::join(room))).await;
    subject.done(send(2, 3, room, "before")).await;
    show(&subject, 2, Some("Bob"), None).await.expect("shown");
    subject.done(send(2, 4, room, "after")).await;
    subject.done(by(2, 5, Command::Leave { room })).await;
    show(&subject, 2, None, NONE).await.expect("nothing new");
    subject.done(by(2, 6, Command::join(room))).await;
    let versions = subject.read(move |view| {
        let events = (2..=6).map(|seq| view.event(room, Seq(seq)));
        events.collect::<Result<Vec<_>, _>>()
    });
    let versions = versions.await.into_iter().flatten();
    let versions: Vec<u64> = versions.map(|event| event.from.1).collect();
    assert_eq!(versions, [1, 1, 2, 2, 2]);
}

async fn a_picture_is_kept_once_and_as_long_as_somebody_refers_to_it(mut subject: Subject) {
    let first = upload(&subject, 1, 0, 0).await;
    assert_eq!(first, Ok(image(0).id()), "named by what it holds");
    assert_eq!(upload(&subject, 2, 0, 0).await, first, "whoever sends it");
    let nobody = upload(&subject, 99, 0, 0).await;
    assert_eq!(nobody, Err(ErrorCode::NotFound));
    show(&subject, 1, None, named(0)).await.expect("theirs");
    // Uploaded by another, who may still put it somewhere.
    show(&subject, 1, None, NONE).await.expect("none");
    assert!(is_kept(&subject, 0).await);
    show(&subject, 2, None, named(0)).await.expect("theirs");
    subject.reopen();
    show(&subject, 1, None, named(0)).await.expect("as well");
    show(&subject, 2, None, NONE).await.expect("none");
    assert!(is_kept(&subject, 0).await, "of the other");
    // One for another: the last reference goes.
    upload(&subject, 1, 1, 0).await.expect("kept");
    show(&subject, 1, None, named(1)).await.expect("another");
    assert_eq!(kept(&subject, 2).await, [1]);
    let gone = show(&subject, 1, None, named(0)).await;
    assert_eq!(gone, Err(ErrorCode::NotFound));
    show(&subject, 1, None, NONE).await.expect("none");
    assert_eq!(kept(&subject, 2).await, [0; 0]);
}

fn configure(room: RoomId, avatar: Option<Avatar>) -> Command {
    Command::Configure {
        room,
        name: None,
        topic: None,
        avatar,
    }
}

async fn rooms_have_pictures(mut subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Public).await;
    let other = subject.room(1, 2, RoomKind::Public).await;
    subject.done(by(2, 3, Command::join(room))).await;
    upload(&subject, 1, 0, 0).await.expect("kept");
    upload(&subject, 1, 1, 0).await.expect("kept");
    let forbidden = subject.refused(by(2, 4, configure(room, named(0))));
    assert_eq!(forbidden.await, ErrorCode::Forbidden);
    let unknown = subject.refused(by(1, 5, configure(room, named(7))));
    assert_eq!(unknown.await, ErrorCode::NotFound);
    let hung = by(1, 6, configure(room, named(0)));
    let ack = subject.done(hung.clone()).await;
    subject.done_again(hung).await;
    let event = subject.read(move |view| view.event(room, ack.seq)).await;
    match event.expect("it is in the log").body {
        Body::Settings(body) => assert_eq!(body.avatar, named(0)),
        other => panic!("{other:?}"),
    }
    subject.done(by(1, 7, configure(other, named(0)))).await;
    // With each message the room is written anew, and keeps its picture.
    subject.done(send(2, 8, room, "a fine picture")).await;
    subject.reopen();
    let picture = Some(image(0).id());
    let row = subject
        .read(move |view| read::row(view, user(2), room))
        .await;
    assert_eq!(row.expect("a member").avatar, picture);
    let listed = subject.read(|view| view.directory(None, 9)).await;
    assert!(listed.iter().all(|row| row.avatar == picture), "{listed:?}");
    subject.done(by(1, 9, configure(room, named(1)))).await;
    assert_eq!(kept(&subject, 2).await, [0, 1], "of the other room");
    let ack = subject.done(by(1, 10, configure(other, NONE))).await;
    let event = subject.read(move |view| view.event(other, ack.seq)).await;
    match event.expect("it is in the log").body {
        Body::Settings(body) => assert_eq!(body.avatar, NONE, "said, not left out"),
        other => panic!("{other:?}"),
    }
    assert_eq!(kept(&subject, 2).await, [1]);
    let stored = subject.read(move |view| view.room(other)).await;
    assert_eq!(stored.expect("a room").avatar, None);
}

async fn unused_uploads_are_few_and_do_not_last(mut subject: Subject) {
    for number in 0..AVATAR_UPLOADS_MAX {
        let now = number as i64;
        upload(&subject, 1, number, now).await.expect("kept");
    }
    let many = AVATAR_UPLOADS_MAX;
    let more = upload(&subject, 1, many, 0).await;
    assert_eq!(more, Err(ErrorCode::TooMany));
    assert!(!is_kept(&subject, many).await);
    upload(&subject, 2, many, 0).await.expect("another's");
    // Sent again it is no more than it was, only younger; used it is none of them.
    upload(&subject, 1, 0, 9).await.expect("kept");
    show(&subject, 1, None, named(1)).await.expect("theirs");
    upload(&subject, 1, many + 1, 0)
        .await
        .expect("room for one");
    subject.reopen();
    let sweep = async |subject: &Subject, now, limit| {
        let swept = subject.avatars().sweep_avatars(Millis(now), limit).await;
        swept.expect("the store takes writes")
    };
    let all: Vec<usize> = (0..many + 2).collect();
    assert_eq!(sweep(&subject, AVATAR_UNUSED_MS - 1, 9).await, 0);
    assert_eq!(kept(&subject, many + 2).await, all);
    // The oldest first, no more than asked for.
    assert_eq!(sweep(&subject, AVATAR_UNUSED_MS, 1).await, 1);
    assert_eq!(kept(&subject, many + 2).await.len(), many + 1);
    assert_eq!(sweep(&subject, AVATAR_UNUSED_MS + 2, 9).await, 2);
    let left = [&[0, 1], &all[3..many]].concat();
    assert_eq!(kept(&subject, many + 2).await, left);
    // Too old ones that are not swept away yet count no more.
    let later = AVATAR_UNUSED_MS + 20;
    for number in 0..AVATAR_UPLOADS_MAX {
        upload(&subject, 1, 20 + number, later).await.expect("kept");
    }
    let old = sweep(&subject, later, AVATAR_SWEEP_MAX).await;
    assert_eq!(old, many - 2);
    assert_eq!(kept(&subject, 20).await, [1], "what is used stays");
}

async fn a_batch_may_hang_a_picture_and_take_it_down(subject: Subject) {
    let room = subject.room(1, 1, RoomKind::Group).await;
    let other = subject.room(1, 2, RoomKind::Group).await;
    upload(&subject, 1, 0, 0).await.expect("kept");
    let done = subject.append(vec![
        by(1, 3, configure(room, named(0))),
        by(1, 4, configure(room, NONE)),
    ]);
    assert_eq!(done.await.events.len(), 2);
    assert_eq!(kept(&subject, 1).await, [0; 0]);
    upload(&subject, 1, 0, 0).await.expect("kept");
    subject.done(by(1, 5, configure(room, named(0)))).await;
    // From one room to another, by way of nobody's.
    let done = subject.append(vec![
        by(1, 6, configure(room, NONE)),
        by(1, 7, configure(other, named(0))),
    ]);
    assert_eq!(done.await.events.len(), 2);
    assert_eq!(kept(&subject, 1).await, [0]);
    let stored = subject.read(move |view| Ok((view.room(room)?, view.room(other)?)));
    let (room, other) = stored.await;
    let avatars = [room, other].map(|room| room.expect("a room").avatar);
    assert_eq!(avatars, [None, Some(image(0).id())]);
}
