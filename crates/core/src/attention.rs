//! Whether an event is worth somebody's attention now: the one rule that every notifier asks.
//!
//! Says nothing about how somebody is notified, and nothing about unread, which knows no quiet.
//! Pure, like all of the core: the time is an argument.

use crate::event::{Event, Mention};
use crate::ids::Millis;
use crate::room::Member;
use crate::wire::{NotifyLevel, Settings};

/// Whether `member` is to be notified of `event` now.
///
/// Only of messages by others that stand, that came after the member did, and that they have not
/// read. Not while the room is quiet, or they do not want to be disturbed at all: that holds for
/// mentions as well. `is_blocked`: they have blocked the author.
#[must_use]
pub fn notifies(
    event: &Event,
    member: &Member,
    settings: &Settings,
    is_blocked: bool,
    now: Millis,
) -> bool {
    let is_news = event.body.is_message()
        && !event.is_emptied()
        && event.from.0 != member.user
        && !is_blocked
        && member.is_in()
        && event.seq > member.since().max(member.read);
    let calls = |mention: &Mention| match mention {
        Mention::Room => true,
        Mention::User(user) => *user == member.user,
    };
    let is_wanted = match member.notify.level {
        NotifyLevel::All => true,
        NotifyLevel::Mentions => event.mentions.iter().any(calls),
        NotifyLevel::Nothing => false,
    };
    let room_is_quiet = member.notify.quiet_until.is_some_and(|until| now < until);
    is_news && is_wanted && !room_is_quiet && !is_disturbing(settings, now)
}

/// Whether somebody does not want to be disturbed now, whatever the room.
#[must_use]
pub fn is_disturbing(settings: &Settings, now: Millis) -> bool {
    settings.dnd_until.is_some_and(|until| now < until)
        || settings.dnd_daily.is_some_and(|daily| daily.holds(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Author, Body, RedactBody};
    use crate::ids::{Key, RoomId, Seq, UserId};
    use crate::room::{MemberState, Role};
    use crate::wire::{Daily, Notify};

    const ANN: UserId = UserId([1; 16]);
    const BOB: UserId = UserId([2; 16]);
    const NOON: Millis = Millis(20_000 * 86_400_000 + 12 * 3_600_000);

    fn message(from: UserId, mentions: &[Mention]) -> Event {
        Event {
            room: RoomId([9; 16]),
            seq: Seq(7),
            msg_no: 5,
            v: 1,
            from: Author(from, 1),
            key: Key([1; 16]),
            ts: NOON,
            target: None,
            reply_to: None,
            mentions: mentions.to_vec(),
            body: Body::Message("tea?".into()),
        }
    }

    fn member(level: NotifyLevel, quiet_until: Option<Millis>) -> Member {
        let mut member = Member::joining(ANN, Role::Member, Seq(3));
        member.notify = Notify {
            level,
            quiet_until,
            version: 1,
        };
        member
    }

    fn check(event: &Event, member: &Member, settings: Settings, blocked: bool, wanted: bool) {
        let got = notifies(event, member, &settings, blocked, NOON);
        assert_eq!(got, wanted, "{event:?} {member:?} {settings:?} {blocked}");
    }

    #[test]
    fn the_level_of_the_room_says_what_is_wanted() {
        let plain = message(BOB, &[]);
        let by_name = message(BOB, &[Mention::User(ANN)]);
        let to_all = message(BOB, &[Mention::Room]);
        let another = message(BOB, &[Mention::User(BOB)]);
        let table = [
            (NotifyLevel::All, [true, true, true, true]),
            (NotifyLevel::Mentions, [false, true, true, false]),
            (NotifyLevel::Nothing, [false; 4]),
        ];
        for (level, wanted) in table {
            let member = member(level, None);
            for (event, wanted) in [&plain, &by_name, &to_all, &another]
                .into_iter()
                .zip(wanted)
            {
                check(event, &member, Settings::default(), false, wanted);
                check(event, &member, Settings::default(), true, false);
            }
        }
    }

    #[test]
    fn only_news_is_told() {
        let all = member(NotifyLevel::All, None);
        check(&message(ANN, &[]), &all, Settings::default(), false, false);
        let mut redacted = message(BOB, &[]);
        redacted.body = Body::Message(String::new().into());
        check(&redacted, &all, Settings::default(), false, false);
        let mut redaction = message(BOB, &[]);
        redaction.body = Body::Redact(RedactBody {});
        check(&redaction, &all, Settings::default(), false, false);
        let read = Member {
            read: Seq(7),
            ..all.clone()
        };
        check(&message(BOB, &[]), &read, Settings::default(), false, false);
        let later = Member::joining(ANN, Role::Member, Seq(8));
        check(
            &message(BOB, &[]),
            &later,
            Settings::default(),
            false,
            false,
        );
        let mut gone = all;
        gone.go(MemberState::Left, Seq(9));
        check(&message(BOB, &[]), &gone, Settings::default(), false, false);
    }

    #[test]
    fn quiet_rooms_and_quiet_hours_keep_even_mentions() {
        let event = message(BOB, &[Mention::User(ANN)]);
        let at = |ms: i64| Some(Millis(NOON.0 + ms));
        let settings = |dnd_until, from, to| Settings {
            dnd_until,
            dnd_daily: Some(Daily { from, to }).filter(|daily| !daily.is_empty()),
            ..Settings::default()
        };
        for (quiet_until, settings, wanted) in [
            (at(0), settings(None, 0, 0), true),
            (at(1), settings(None, 0, 0), false),
            (None, settings(at(0), 0, 0), true),
            (None, settings(at(1), 0, 0), false),
            (None, settings(None, 720, 721), false),
            (None, settings(None, 719, 720), true),
            (None, settings(None, 1_320, 420), true),
            (None, settings(None, 1_320, 721), false),
            (None, settings(None, 720, 420), false),
        ] {
            let member = member(NotifyLevel::All, quiet_until);
            check(&event, &member, settings, false, wanted);
        }
    }
}
