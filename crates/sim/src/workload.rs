//! What the people of a world do: write, change what they wrote, come, go, let in, send away,
//! repeat themselves, and break the rules on keys.

use chinwag_core::batch::{Command, Submission};
use chinwag_core::event::Mention;
use chinwag_core::ids::{Key, RoomId, Seq, UserId};
use chinwag_core::room::{Role, RoomKind};

use crate::base::Base;
use crate::device::{Copy, Device, Purpose, Shore};
use crate::oracle::Oracle;
use crate::store::Store;

/// Messages of a room that is too long to be streamed.
const OLD_MESSAGES: u64 = 1_020;
/// Commands that wait on one device before its user gets tired.
const WAITING_MAX: usize = 60;

/// The rooms and people that everybody knows of.
#[derive(Debug)]
pub(crate) struct Town {
    /// Everybody.
    pub(crate) users: Vec<UserId>,
    /// Rooms that anybody may join.
    pub(crate) public: Vec<RoomId>,
    texts: u64,
}

impl Town {
    /// A town of these people, with rooms in the store.
    #[must_use]
    pub(crate) fn found(
        users: Vec<UserId>,
        store: &mut Store,
        oracle: &mut Oracle,
        base: &mut Base,
    ) -> Self {
        let mut town = Self {
            users,
            public: Vec::new(),
            texts: 0,
        };
        for (owner, kind) in [
            (0, RoomKind::Group),
            (1, RoomKind::Public),
            (2, RoomKind::Group),
        ] {
            town.found_room(owner, kind, store, oracle, base);
        }
        town
    }

    fn found_room(
        &mut self,
        owner: usize,
        kind: RoomKind,
        store: &mut Store,
        oracle: &mut Oracle,
        base: &mut Base,
    ) {
        let from = self.users[owner];
        let create = Command::open(kind, format!("room of {owner}"));
        let key = Key(base.rng.bytes());
        let room = RoomId::created(from, key);
        let mut items = vec![Submission {
            from,
            key,
            command: create,
        }];
        for user in self.users.iter().filter(|user| **user != from) {
            let user = *user;
            items.push(Submission {
                from,
                key: Key(base.rng.bytes()),
                command: Command::Add { room, user },
            });
        }
        if kind == RoomKind::Public {
            self.public.push(room);
        }
        if owner == 2 && base.settings.old_room {
            for number in 0..OLD_MESSAGES {
                let text = format!("old {number}");
                items.push(Submission {
                    from,
                    key: Key(base.rng.bytes()),
                    command: Command::say(room, text),
                });
            }
        }
        let committed = store.found(&items, base);
        for (item, event) in items.iter().zip(&committed.events) {
            oracle.founded(item.from, item.key, &item.command, event);
        }
    }

    fn text(&mut self, base: &mut Base) -> String {
        self.texts += 1;
        let long = base.rng.chance(300);
        let bytes = if long {
            base.rng.below(base.settings.long_text)
        } else {
            base.rng.below(30)
        };
        let filler = usize::try_from(bytes).expect("texts are short");
        format!("text {} {}", self.texts, "~".repeat(filler))
    }

    /// Somebody writes somewhere, at once; false if they are nowhere in.
    pub(crate) fn write(&mut self, device: &mut Device, base: &mut Base) -> bool {
        let rooms: Vec<RoomId> = rooms(device, |copy| copy.joined);
        if rooms.is_empty() || device.outbox.len() >= WAITING_MAX {
            return false;
        }
        let room = *base.rng.pick(&rooms);
        let text = self.text(base);
        let key = Key(base.rng.bytes());
        device.submit(key, Command::say(room, text), Purpose::Real);
        true
    }

    /// What the user of a device does in this moment.
    pub(crate) fn act(
        &mut self,
        device: &mut Device,
        others: &[(Key, Command)],
        shore: &mut Shore<'_>,
    ) {
        let sends = shore.base.settings.send_per_mille;
        if shore.base.rng.chance(sends) {
            let many = match shore.base.rng.below(100) {
                0 => 30,
                1..=9 => shore.base.rng.between(2, 8),
                _ => 1,
            };
            for _ in 0..many {
                self.write(device, shore.base);
            }
        }
        match shore.base.rng.below(1_000) {
            0..=11 => self.repeat(device, others, Purpose::Again, shore.base),
            12..=17 => self.repeat(device, others, Purpose::Conflict, shore.base),
            18..=22 => {
                let for_ms = shore.base.rng.between(500, 8_000);
                device.go_away(for_ms, shore);
            }
            23..=62 => device.ping(shore),
            63..=77 => {
                let rooms = rooms(device, |copy| copy.joined && copy.is_whole());
                if !rooms.is_empty() {
                    let room = *shore.base.rng.pick(&rooms);
                    device.read_history(room, shore);
                }
            }
            78..=99 => self.govern(device, shore.base),
            100..=111 => self.wander(device, shore.base),
            112..=115 => {
                let user = self.other(device.user, shore.base);
                let key = Key(shore.base.rng.bytes());
                device.submit(key, Command::Direct { user }, Purpose::Real);
            }
            116..=117 => {
                let kind = *shore.base.rng.pick(&[RoomKind::Group, RoomKind::Public]);
                let name: String = self.text(shore.base).chars().take(20).collect();
                let key = Key(shore.base.rng.bytes());
                if kind == RoomKind::Public {
                    self.public.push(RoomId::created(device.user, key));
                }
                device.submit(key, Command::open(kind, name), Purpose::Real);
            }
            118..=157 => self.converse(device, shore.base),
            158..=187 => {
                let rooms = rooms(device, |copy| copy.joined);
                if !rooms.is_empty() {
                    let room = *shore.base.rng.pick(&rooms);
                    let on = shore.base.rng.chance(800);
                    device.types(room, on, shore);
                }
            }
            188..=195 if shore.base.settings.blocks => {
                let user = self.other(device.user, shore.base);
                let on = shore.base.rng.chance(400);
                device.blocks(user, on, shore);
            }
            196..=225 if shore.base.settings.invites => self.invite(device, shore.base),
            _ => {}
        }
        device.pump(shore);
    }

    fn other(&self, user: UserId, base: &mut Base) -> UserId {
        let others: Vec<UserId> = self.users.iter().copied().filter(|u| *u != user).collect();
        *base.rng.pick(&others)
    }

    /// People change, delete, react to and pin what was said, their own and others', and answer.
    fn converse(&mut self, device: &mut Device, base: &mut Base) {
        let rooms = rooms(device, |copy| copy.joined && !copy.spoken.is_empty());
        if rooms.is_empty() || device.outbox.len() >= WAITING_MAX {
            return;
        }
        let room = *base.rng.pick(&rooms);
        let spoken = &device.memory.rooms[&room].spoken;
        let own = spoken.iter().filter(|(_seq, who)| *who == device.user);
        let own: Vec<Seq> = own.map(|(seq, _who)| *seq).collect();
        let (any, _who) = *base.rng.pick(spoken);
        let target = if own.is_empty() || base.rng.chance(200) {
            any
        } else {
            *base.rng.pick(&own)
        };
        let on = base.rng.chance(700);
        let command = match base.rng.below(10) {
            0..=2 => Command::Edit {
                room,
                target,
                text: self.text(base),
            },
            3 => Command::Redact { room, target },
            4..=6 => Command::React {
                room,
                target: any,
                emoji: (*base.rng.pick(&["👍", "🎉", "❤️"])).to_owned(),
                on,
            },
            7 => Command::Pin {
                room,
                target: any,
                on,
            },
            _ => Command::Send {
                room,
                text: self.text(base),
                reply_to: Some(any),
                mentions: match base.rng.below(3) {
                    0 => Vec::new(),
                    1 => vec![Mention::Room],
                    _ => vec![Mention::User(self.other(device.user, base))],
                },
            },
        };
        device.submit(Key(base.rng.bytes()), command, Purpose::Real);
    }

    /// Owners let in and send away, and say who may do what.
    fn govern(&self, device: &mut Device, base: &mut Base) {
        let rooms = rooms(device, |copy| {
            copy.joined && copy.role.is_none_or(|role| role == Role::Owner)
        });
        if rooms.is_empty() {
            return;
        }
        let room = *base.rng.pick(&rooms);
        let user = self.other(device.user, base);
        let on = base.rng.chance(500);
        let command = match base.rng.below(12) {
            0..=2 => Command::Remove { room, user },
            3..=6 => Command::Add { room, user },
            7 => Command::Ban { room, user, on },
            8 => Command::Mute { room, user, on },
            9 | 10 => {
                let roles = [Role::Reader, Role::Member, Role::Admin, Role::Owner];
                let role = *base.rng.pick(&roles);
                Command::SetRole { room, user, role }
            }
            _ => Command::Configure {
                room,
                name: on.then(|| "renamed".to_owned()),
                topic: Some("a topic".to_owned()),
            },
        };
        device.submit(Key(base.rng.bytes()), command, Purpose::Real);
    }

    /// Somebody is asked in, accepts, or declines.
    fn invite(&self, device: &mut Device, base: &mut Base) {
        let asks = base.rng.chance(600);
        let rooms = rooms(device, |copy| copy.joined == asks);
        if rooms.is_empty() {
            return;
        }
        let room = *base.rng.pick(&rooms);
        let user = self.other(device.user, base);
        let command = match (asks, base.rng.chance(750)) {
            (true, _) => Command::InviteUser { room, user },
            (false, true) => Command::join(room),
            (false, false) => Command::Leave { room },
        };
        device.submit(Key(base.rng.bytes()), command, Purpose::Real);
    }

    /// People come into public rooms and go.
    fn wander(&self, device: &mut Device, base: &mut Base) {
        let room = *base.rng.pick(&self.public);
        let inside = device.memory.rooms.get(&room).is_some_and(|c| c.joined);
        let command = if inside {
            Command::Leave { room }
        } else {
            Command::join(room)
        };
        device.submit(Key(base.rng.bytes()), command, Purpose::Real);
    }

    /// A key that was acked is used again, by any device of its user.
    fn repeat(
        &mut self,
        device: &mut Device,
        past: &[(Key, Command)],
        purpose: Purpose,
        base: &mut Base,
    ) {
        if past.is_empty() || device.outbox.len() >= WAITING_MAX {
            return;
        }
        let (key, command) = base.rng.pick(past).clone();
        let command = match (purpose, command) {
            (Purpose::Conflict, Command::Send { room, .. }) => {
                let text = self.text(base);
                Command::say(room, text)
            }
            (_, command) => command,
        };
        if device.outbox.iter().all(|item| item.key != key) {
            device.submit(key, command, purpose);
        }
    }
}

fn rooms(device: &Device, wanted: impl Fn(&Copy) -> bool) -> Vec<RoomId> {
    let rooms = device.memory.rooms.iter();
    let rooms = rooms.filter(|(_room, copy)| wanted(copy));
    rooms.map(|(room, _copy)| *room).collect()
}
