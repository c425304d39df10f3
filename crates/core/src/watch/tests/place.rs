//! One room and those who look at it: what each is told, in words. Test support.

use std::sync::Arc;

use super::super::*;
use crate::event::{Author, Body, MemberBody, Run, Shared};
use crate::ids::{Key, Millis, Position, Seq};
use crate::limits;
use crate::live::Outlet;
use crate::room::{MemberState, Role};

pub(super) const ROOM: RoomId = RoomId([9; 16]);
pub(super) const GRACE: u64 = limits::PRESENCE_GRACE_MS;

/// Conn 11 is the first of user 1, conn 12 the second, 21 of user 2.
pub(super) fn user(number: u64) -> UserId {
    UserId([u8::try_from(number).expect("a small number"); 16])
}

fn name(user: UserId) -> String {
    user.0[0].to_string()
}

pub(super) fn names(users: &[UserId]) -> String {
    let names: Vec<String> = users.iter().copied().map(name).collect();
    names.join(" ")
}

/// Everybody's outboxes take everything.
struct Anything;

impl Outlet for Anything {
    fn event(&mut self, _to: ConnId, _event: &Arc<Shared>) -> bool {
        true
    }
    fn caught_up(&mut self, _to: ConnId, _position: Position) -> bool {
        true
    }
    fn behind(&mut self, _to: ConnId) {}
}

/// What each connection was told, in words.
#[derive(Default)]
struct Told(Vec<(u64, String)>);

impl Tell for Told {
    fn tell(
        &mut self,
        to: &mut dyn Iterator<Item = ConnId>,
        _topic: Option<Topic>,
        frame: &ServerFrame,
    ) {
        let words = match frame {
            ServerFrame::Typing { users, more, .. } => match more {
                0 => format!("types[{}]", names(users)),
                more => format!("types[{}]+{more}", names(users)),
            },
            ServerFrame::Presence {
                count,
                change,
                online,
                joined,
                left,
                ..
            } => match (change, online) {
                (None, _) => format!("{count}"),
                (Some(change), Some(online)) => format!("#{change}=[{}]", names(online)),
                (Some(change), None) => {
                    format!("#{change}+[{}]-[{}]={count}", names(joined), names(left))
                }
            },
            other => panic!("{other:?} is not ephemeral"),
        };
        let mut told: Vec<u64> = to.map(|conn| conn.0).collect();
        told.sort_unstable();
        self.0
            .extend(told.into_iter().map(|conn| (conn, words.clone())));
    }
}

/// One room, with so many members that the store says.
pub(super) struct Place {
    pub(super) live: Live,
    pub(super) watching: Watching,
    pub(super) now: Tick,
    pub(super) members: u32,
    seq: u64,
    /// Who is in, as the log says.
    pub(super) inside: BTreeSet<UserId>,
}

impl Place {
    pub(super) fn new(members: u32) -> Self {
        Self {
            live: Live::default(),
            watching: Watching::default(),
            now: Tick(0),
            members,
            seq: 0,
            inside: (1..=5).map(user).collect(),
        }
    }

    pub(super) fn register(&mut self, conn: u64) {
        self.watching.part(ConnId(conn));
        self.live.register(ConnId(conn), user(conn / 10));
    }

    pub(super) fn catch_up(&mut self, conn: u64) {
        let heads: Vec<(RoomId, Seq)> = match self.inside.contains(&user(conn / 10)) {
            true => vec![(ROOM, Seq(self.seq))],
            false => Vec::new(),
        };
        let shown = self.live.shown(ConnId(conn), &heads, |_room| None);
        assert!(shown.is_some());
        let nothing = |_room| None;
        if self
            .live
            .flush(ConnId(conn), Position(0), nothing, &mut Anything)
        {
            self.watching.came(ConnId(conn), &self.live, self.now);
        }
    }

    pub(super) fn enter(&mut self, conn: u64) {
        self.register(conn);
        self.catch_up(conn);
    }

    pub(super) fn leave(&mut self, conn: u64) {
        self.watching.lose(ConnId(conn), &self.live, self.now);
        self.live.unregister(ConnId(conn), &mut Vec::new());
    }

    pub(super) fn watch(&mut self, conn: u64) {
        let rooms = vec![(ROOM, self.members)];
        self.watching
            .watch(ConnId(conn), rooms, &self.live, self.now);
    }

    pub(super) fn typing(&mut self, number: u64, on: bool) {
        self.watching
            .typing(user(number), ROOM, on, &self.live, self.now);
    }

    pub(super) fn hide(&mut self, number: u64, hide_online: bool, version: u64) {
        let settings = Settings {
            hide_online,
            version,
            ..Settings::default()
        };
        self.watching
            .settle(user(number), settings, &self.live, self.now);
    }

    pub(super) fn event(&mut self, from: u64, body: Body) {
        self.seq += 1;
        let event = Event {
            room: ROOM,
            seq: Seq(self.seq),
            msg_no: 0,
            v: 1,
            from: Author(user(from), 1),
            key: Key([0; 16]),
            ts: Millis(0),
            target: None,
            reply_to: None,
            mentions: Vec::new(),
            body,
        };
        let run = Run::one(Shared::new(event));
        self.live.deliver(&run, &mut Anything, &mut Vec::new());
        for event in run.events() {
            self.watching.delivered(&event.event, &self.live, self.now);
        }
    }

    pub(super) fn message(&mut self, from: u64) {
        let text = "hello".to_owned();
        self.event(from, Body::Message(text.into()));
    }

    pub(super) fn member(&mut self, number: u64, is_in: bool) {
        let (state, user) = match is_in {
            true => (MemberState::Joined, user(number)),
            false => (MemberState::Removed, user(number)),
        };
        match is_in {
            true => self.inside.insert(user),
            false => self.inside.remove(&user),
        };
        let role = Role::Member;
        self.event(
            1,
            Body::Member(MemberBody {
                user,
                state,
                role,
                members: None,
            }),
        );
    }

    /// Lets time pass to this moment, and says what was told when it was due.
    pub(super) fn until(&mut self, at: u64) -> Vec<String> {
        let mut out = Vec::new();
        loop {
            let due = self.watching.due().filter(|due| due.0 <= at);
            self.now = due.map_or(Tick(at), |due| due.max(self.now));
            let mut told = Told::default();
            self.watching.tell(&self.live, self.now, &mut told);
            let words = told.0.into_iter();
            out.extend(words.map(|(conn, words)| format!("{conn}:{words}")));
            if due.is_none() {
                return out;
            }
        }
    }

    #[track_caller]
    pub(super) fn check(&mut self, at: u64, expected: &[&str]) {
        assert_eq!(self.until(at), expected, "at {at}");
    }
}
