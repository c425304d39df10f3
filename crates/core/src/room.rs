//! Rooms and members: what they are, and which part of a log somebody may see.
//!
//! Who may do what is `policy`. What is stored is known from the store's view.

use serde::{Deserialize, Serialize};

use crate::ids::{AvatarId, Millis, RoomId, Seq, UserId};
use crate::wire::Notify;

/// What a room is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RoomKind {
    /// Two people; found again by whoever opens it.
    Direct,
    /// Members come in by being added.
    Group,
    /// Anybody may join; listed in the directory.
    Public,
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads only.
    Reader,
    /// Reads and writes.
    Member,
    /// Adds and removes members as well.
    Admin,
    /// All of it.
    Owner,
}

/// Where somebody stands. Rows are never deleted (contract 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Is in.
    Joined,
    /// Went by themselves.
    Left,
    /// Was sent away; may come back.
    Removed,
    /// Was sent away, and may not come back.
    Banned,
    /// Was asked in, and has not answered: sees what the room is, and nothing of its log.
    Invited,
}

/// From where on members see a room's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HistoryFrom {
    /// From each joining to the going that follows it.
    Joining,
    /// From the first event to the last going.
    Beginning,
}

/// A room as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its id.
    pub id: RoomId,
    /// What it is for.
    pub kind: RoomKind,
    /// Its name; direct rooms have none.
    pub name: Option<String>,
    /// What it is about, in a line.
    pub topic: Option<String>,
    /// Which part of the log members see.
    pub history: HistoryFrom,
    /// The last seq given.
    pub head: Seq,
    /// How many messages the log has.
    pub msg_no: u64,
    /// Below it the log is purged; 1 while it is whole.
    pub floor: Seq,
    /// How many are in.
    pub members: u32,
    /// How many of them are owners: while somebody is in, at least one, but for direct rooms.
    pub owners: u32,
    /// The messages that are pinned, in the order of pinning.
    pub pins: Vec<Seq>,
    /// Its picture.
    pub avatar: Option<AvatarId>,
    /// When it was made: a label.
    pub created: Millis,
}

/// A stay in a room: from the event that let the member in to the one that let them go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stay {
    /// The joining event.
    pub from: Seq,
    /// The leaving or removing event, which they still see; none while they are in.
    pub to: Option<Seq>,
}

/// A member of a room as stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: UserId,
    /// Where they stand.
    pub state: MemberState,
    /// What they may do while in.
    pub role: Role,
    /// Whether their voice was taken; it stays so through a going and coming.
    pub muted: bool,
    /// All their stays, the oldest first; they do not overlap. None: only ever invited.
    pub stays: Vec<Stay>,
    /// Everything up to here has reached a device of theirs.
    pub delivered: Seq,
    /// Everything up to here has been read.
    pub read: Seq,
    /// What they want to be notified of; nothing in a log depends on it.
    pub notify: Notify,
    /// How often the list of what they have hidden from themselves has changed; 0: never.
    pub hidden: u64,
}

impl Member {
    /// Somebody who comes in with event `at`.
    #[must_use]
    pub fn joining(user: UserId, role: Role, at: Seq) -> Self {
        Self {
            user,
            state: MemberState::Joined,
            role,
            muted: false,
            stays: vec![Stay { from: at, to: None }],
            delivered: Seq::ZERO,
            read: Seq::ZERO,
            notify: Notify::default(),
            hidden: 0,
        }
    }

    /// Somebody who is asked in, and was never in.
    #[must_use]
    pub fn asked(user: UserId) -> Self {
        Self {
            state: MemberState::Invited,
            stays: Vec::new(),
            ..Self::joining(user, Role::Member, Seq::ZERO)
        }
    }

    /// Whether they are in.
    #[must_use]
    pub fn is_in(&self) -> bool {
        self.state == MemberState::Joined
    }

    /// The event that let them in last.
    #[must_use]
    pub fn since(&self) -> Seq {
        self.stays.last().map_or(Seq::ZERO, |stay| stay.from)
    }

    /// They come in again with event `at`.
    pub fn enter(&mut self, role: Role, at: Seq) {
        self.state = MemberState::Joined;
        self.role = role;
        self.stays.push(Stay { from: at, to: None });
    }

    /// They go with event `at`; who is out already stays out, and sees no more than before.
    pub fn go(&mut self, state: MemberState, at: Seq) {
        self.state = state;
        if let Some(stay) = self.stays.last_mut() {
            stay.to.get_or_insert(at);
        }
    }
}

/// Somebody in a list of a room's people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Who.
    pub user: UserId,
    /// What they may do, or might before they went.
    pub role: Role,
    /// Whether their voice was taken.
    pub muted: bool,
}

/// Seqs `from..=to` of a log; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Range {
    /// The first.
    pub from: Seq,
    /// The last.
    pub to: Seq,
}

impl Range {
    /// `from..=to`, or nothing if that is empty.
    #[must_use]
    pub fn new(from: Seq, to: Seq) -> Option<Self> {
        (from <= to).then_some(Self { from, to })
    }

    /// The part within `other`.
    #[must_use]
    pub fn within(self, other: Self) -> Option<Self> {
        Self::new(self.from.max(other.from), self.to.min(other.to))
    }

    /// Whether it holds `seq`.
    #[must_use]
    pub fn holds(self, seq: Seq) -> bool {
        self.from <= seq && seq <= self.to
    }
}

/// Why some seqs are not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SkipWhy {
    /// They lie before the reader's first joining, and the room shows no earlier history.
    BeforeJoin,
    /// The reader was not in at that time.
    NotMember,
    /// They are gone.
    Purged,
}

/// A part of a log: shown, or accounted for (contract 1: every seq is).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The reader may see these.
    Shown(Range),
    /// The reader may not, and is told why.
    Skipped(Range, SkipWhy),
}

/// Cuts `wanted` into parts for `member`: stays ∩ policy, without gap or overlap, in order.
#[must_use]
pub fn parts(room: &Room, member: &Member, wanted: Range) -> Vec<Part> {
    let first = member.stays.first().map_or(Seq::ZERO, |stay| stay.from);
    let mut shown: Vec<Range> = Vec::new();
    for stay in &member.stays {
        let from = match room.history {
            HistoryFrom::Joining => stay.from,
            HistoryFrom::Beginning => Seq(1),
        };
        let to = stay.to.unwrap_or(room.head);
        let whole = Range {
            from: from.max(room.floor),
            to,
        };
        match shown.last_mut() {
            // Policy "from the beginning" makes later stays contain the earlier ones.
            Some(last) if whole.from <= last.to => last.to = last.to.max(to),
            _ => shown.extend(Range::new(whole.from, to)),
        }
    }
    let mut out = Vec::new();
    let mut at = wanted.from;
    for range in shown.iter().filter_map(|range| range.within(wanted)) {
        skip(&mut out, at, range.from.before(), room.floor, first);
        out.push(Part::Shown(range));
        at = range.to.next();
    }
    skip(&mut out, at, wanted.to, room.floor, first);
    out
}

/// Accounts for `from..=to`, naming the reason that holds for each piece.
fn skip(out: &mut Vec<Part>, from: Seq, to: Seq, floor: Seq, first: Seq) {
    let mut at = from;
    let pieces = [
        (floor.before(), SkipWhy::Purged),
        (first.before(), SkipWhy::BeforeJoin),
        (Seq(u64::MAX), SkipWhy::NotMember),
    ];
    for (end, why) in pieces {
        if let Some(range) = Range::new(at, to.min(end)) {
            out.push(Part::Skipped(range, why));
            at = range.to.next();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: UserId = UserId([1; 16]);

    fn room(kind: RoomKind, history: HistoryFrom, floor: u64) -> Room {
        Room {
            id: RoomId([9; 16]),
            kind,
            name: None,
            topic: None,
            history,
            head: Seq(20),
            msg_no: 10,
            floor: Seq(floor),
            members: 2,
            owners: 1,
            pins: Vec::new(),
            avatar: None,
            created: Millis(0),
        }
    }

    fn member(user: UserId, role: Role, stays: &[(u64, Option<u64>)]) -> Member {
        let mut member = Member::joining(user, role, Seq(stays[0].0));
        member.stays = stays
            .iter()
            .map(|&(from, to)| Stay {
                from: Seq(from),
                to: to.map(Seq),
            })
            .collect();
        if stays.last().is_some_and(|stay| stay.1.is_some()) {
            member.state = MemberState::Left;
        }
        member
    }

    /// `S` shown, `b` before joining, `n` not a member, `p` purged, one letter a seq.
    fn check(history: HistoryFrom, floor: u64, stays: &[(u64, Option<u64>)], expected: &str) {
        let room = room(RoomKind::Group, history, floor);
        let wanted = Range {
            from: Seq(1),
            to: Seq(expected.len() as u64),
        };
        let mut text = String::new();
        for part in parts(&room, &member(ANN, Role::Member, stays), wanted) {
            let (range, letter) = match part {
                Part::Shown(range) => (range, 'S'),
                Part::Skipped(range, SkipWhy::BeforeJoin) => (range, 'b'),
                Part::Skipped(range, SkipWhy::NotMember) => (range, 'n'),
                Part::Skipped(range, SkipWhy::Purged) => (range, 'p'),
            };
            assert_eq!(range.from.0, text.len() as u64 + 1, "dense in {text}");
            text.extend((range.from.0..=range.to.0).map(|_| letter));
        }
        assert_eq!(text, expected);
    }

    #[test]
    fn every_seq_is_shown_or_accounted_for() {
        check(HistoryFrom::Joining, 1, &[(3, None)], "bbSSSS");
        check(
            HistoryFrom::Joining,
            1,
            &[(3, Some(4)), (6, None)],
            "bbSSnSSS",
        );
        check(HistoryFrom::Joining, 1, &[(1, Some(2)), (3, None)], "SSSS");
        check(
            HistoryFrom::Joining,
            4,
            &[(2, Some(5)), (8, None)],
            "pppSSnnSS",
        );
        check(
            HistoryFrom::Joining,
            7,
            &[(2, Some(5)), (9, None)],
            "ppppppnnS",
        );
        check(HistoryFrom::Beginning, 1, &[(3, None)], "SSSSSS");
        check(HistoryFrom::Beginning, 1, &[(3, Some(4))], "SSSSnn");
        check(
            HistoryFrom::Beginning,
            1,
            &[(3, Some(4)), (7, None)],
            "SSSSSSSS",
        );
        check(HistoryFrom::Beginning, 3, &[(5, Some(6))], "ppSSSSnn");
    }
}
