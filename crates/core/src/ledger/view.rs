//! The look-ups of [`View`] over the reference store, each as plain as can be.

use std::convert::Infallible;

use super::Ledger;
use crate::aside::Seen;
use crate::batch::Ack;
use crate::estate::Estate;
use crate::event::{Body, Event, Mention};
use crate::fold;
use crate::ids::{AvatarId, Epoch, Key, Position, RoomId, Seq, UserId};
use crate::invite::{Invitation, InviteHash};
use crate::limits;
use crate::mutant::{self, Mutant};
use crate::name;
use crate::rate::Rate;
use crate::receipt::Stand;
use crate::room::{Listed, Member, MemberState, Range, Room, RoomKind};
use crate::view::{Alterations, Changes, View};
use crate::wire::{Blocks, DirectoryRow, Profile, Settings};

impl View for Ledger {
    type Error = Infallible;

    fn epoch(&self) -> Result<Epoch, Infallible> {
        Ok(self.epoch)
    }

    fn position(&self) -> Result<Position, Infallible> {
        Ok(self.position)
    }

    fn replay(
        &self,
        key: Key,
        from: UserId,
        room: RoomId,
    ) -> Result<Option<(u64, Ack)>, Infallible> {
        Ok(self.keys.get(&(key, from, room)).copied())
    }

    fn room(&self, room: RoomId) -> Result<Option<Room>, Infallible> {
        let mut found = self.logs.get(&room).map(|log| log.room.clone());
        if mutant::active(Mutant::NodeCounter)
            && let (Some(room), Some(head)) = (&mut found, self.node_heads.get(&(self.node, room)))
        {
            room.head = *head;
        }
        Ok(found)
    }

    fn member(&self, room: RoomId, user: UserId) -> Result<Option<Member>, Infallible> {
        let row = self.logs.get(&room).and_then(|log| log.members.get(&user));
        Ok(row.map(|(member, _changed)| member.clone()))
    }

    fn profile(&self, user: UserId) -> Result<Option<Profile>, Infallible> {
        Ok(self.people.get(&user).cloned())
    }

    fn named(&self, name: &str) -> Result<Option<Profile>, Infallible> {
        let Ok(wanted) = name::name(name) else {
            return Ok(None);
        };
        Ok(self
            .people
            .values()
            .find(|person| name::name(&person.name).is_ok_and(|name| name.key() == wanted.key()))
            .cloned())
    }

    fn rooms_in(&self, user: UserId) -> Result<usize, Infallible> {
        Ok(self.rooms_where_in(user).count())
    }

    fn heads(&self, user: UserId) -> Result<Vec<(RoomId, Seq)>, Infallible> {
        Ok(self
            .rooms_where_in(user)
            .map(|log| (log.room.id, log.room.head))
            .collect())
    }

    fn changed(&self, user: UserId, since: Option<Position>) -> Result<Vec<RoomId>, Infallible> {
        let Some(since) = since else {
            let rooms = self.rooms_of.get(&user).into_iter().flatten().copied();
            let current = |id: &RoomId| {
                let row = self.logs.get(id).and_then(|log| log.members.get(&user));
                row.is_some_and(|row| row.0.is_in()) || self.is_asked(user, *id)
            };
            return Ok(rooms.filter(current).collect());
        };
        let rooms = self.rooms_of.get(&user).into_iter().flatten();
        let changed = rooms.filter(|id| {
            let row = self
                .logs
                .get(id)
                .and_then(|log| Some((log, log.members.get(&user)?)));
            // Somebody who is out hears only of their own going.
            row.is_some_and(|(log, (member, own))| {
                *own > since || (member.is_in() && log.changed > since)
            })
        });
        Ok(changed.copied().collect())
    }

    fn event(&self, room: RoomId, seq: Seq) -> Result<Option<Event>, Infallible> {
        Ok(self
            .logs
            .get(&room)
            .and_then(|log| log.events.get(&seq))
            .map(|row| row.0.clone()))
    }

    fn events(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, Infallible> {
        Ok(self.in_range(room, range).take(limit).cloned().collect())
    }

    fn lines(&self, room: RoomId, range: Range, limit: usize) -> Result<Vec<Event>, Infallible> {
        let lines = self
            .in_range(room, range)
            .rev()
            .filter(|event| fold::has_line(&event.body));
        let mut lines: Vec<Event> = lines.take(limit).cloned().collect();
        lines.reverse();
        Ok(lines)
    }

    fn about(&self, room: RoomId, range: Range) -> Result<Vec<Event>, Infallible> {
        let later = Range {
            from: range.from,
            to: Seq(u64::MAX),
        };
        let about = self.in_range(room, later);
        Ok(about
            .filter(|event| event.target.is_some_and(|at| range.holds(at)))
            .cloned()
            .collect())
    }

    fn last_message(&self, room: RoomId) -> Result<Option<Seq>, Infallible> {
        let log = self.logs.get(&room).into_iter();
        let events = log.flat_map(|log| log.events.values().rev());
        let mut messages = events.filter(|(event, _hash)| event.body.is_message());
        Ok(messages.next().map(|(event, _hash)| event.seq))
    }

    fn redacted(&self, room: RoomId, range: Range) -> Result<Vec<Seq>, Infallible> {
        let redactions = self
            .in_range(room, range)
            .filter(|event| matches!(event.body, Body::Redact(_)));
        Ok(redactions.filter_map(|event| event.target).collect())
    }

    fn countable(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, Infallible> {
        let later = Range {
            from: range.from,
            to: Seq(u64::MAX),
        };
        let Ok(gone) = self.redacted(room, later);
        let messages = self.in_range(room, range).filter(|event| {
            let counts = event.body.is_message() && !gone.contains(&event.seq);
            counts && event.from.0 != user && !self.has_blocked(user, event.from.0)
        });
        Ok(messages
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .count() as u64)
    }

    fn alterations(&self, room: RoomId, target: Seq) -> Result<Alterations, Infallible> {
        let one = Range {
            from: target,
            to: target,
        };
        let Ok(about) = self.about(room, one);
        let mut counts = Alterations::new();
        if about
            .iter()
            .any(|event| matches!(event.body, Body::Redact(_)))
        {
            return Ok(counts);
        }
        for what in about.iter().filter_map(|event| event.body.alters()) {
            *counts.entry(what.to_owned()).or_default() += 1;
        }
        Ok(counts)
    }

    fn mentioned(
        &self,
        room: RoomId,
        user: UserId,
        range: Range,
        limit: u64,
    ) -> Result<u64, Infallible> {
        // A redaction takes the mentions out as well.
        let messages = self.in_range(room, range).filter(|event| {
            let calls = |mention: &Mention| match mention {
                Mention::Room => true,
                Mention::User(who) => *who == user,
            };
            let by = event.from.0;
            by != user && !self.has_blocked(user, by) && event.mentions.iter().any(calls)
        });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(messages.take(limit).count() as u64)
    }

    fn members(
        &self,
        room: RoomId,
        state: MemberState,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Listed>, Infallible> {
        let rows = self
            .logs
            .get(&room)
            .into_iter()
            .flat_map(|log| &log.members);
        let people = rows
            .filter(|(user, row)| row.0.state == state && after.is_none_or(|after| **user > after))
            .map(|(user, row)| Listed {
                user: *user,
                role: row.0.role,
                muted: row.0.muted,
            });
        Ok(people.take(limit).collect())
    }

    fn directory(
        &self,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<Vec<DirectoryRow>, Infallible> {
        let rooms = self.logs.values().map(|log| &log.room).filter(|room| {
            room.kind == RoomKind::Public && after.is_none_or(|after| room.id > after)
        });
        let rows = rooms.map(|room| DirectoryRow {
            room: room.id,
            name: room.name.clone().unwrap_or_default(),
            members: room.members,
            avatar: room.avatar,
        });
        Ok(rows.take(limit).collect())
    }

    fn changes(&self, since: Position) -> Result<Changes, Infallible> {
        let mut changes = Changes {
            position: self.position,
            ..Changes::default()
        };
        for (id, log) in &self.logs {
            if log.changed > since {
                changes.rooms.push((*id, log.room.head));
            }
            for (user, (member, changed)) in &log.members {
                if *changed > since && member.is_in() {
                    changes.joined.push((*user, *id, member.since()));
                }
            }
        }
        Ok(changes)
    }

    fn settings(&self, user: UserId) -> Result<Settings, Infallible> {
        Ok(self.settings.get(&user).copied().unwrap_or_default())
    }

    fn people(
        &self,
        room: RoomId,
        after: Option<UserId>,
        limit: usize,
    ) -> Result<Vec<Seen>, Infallible> {
        let members = self.members(room, MemberState::Joined, after, limit)?;
        let seen = members.into_iter().map(|listed| Seen {
            user: listed.user,
            last_seen: self.seen.get(&listed.user).copied(),
            hides: self
                .settings
                .get(&listed.user)
                .is_some_and(|own| own.hide_last_seen),
        });
        Ok(seen.collect())
    }

    fn standing(&self, room: RoomId) -> Result<Vec<Stand>, Infallible> {
        let rows = self
            .logs
            .get(&room)
            .into_iter()
            .flat_map(|log| &log.members);
        let inside = rows.filter(|(_user, row)| row.0.is_in());
        let standing = inside.map(|(user, (member, _changed))| Stand {
            user: *user,
            delivered: member.delivered,
            read: member.read,
            hides: self.settings.get(user).is_some_and(|own| own.hide_receipts),
            trails: self.trails.get(&(room, *user)).cloned().unwrap_or_default(),
        });
        Ok(standing.take(limits::RECEIPT_MEMBERS_MAX).collect())
    }

    fn blocks(&self, user: UserId) -> Result<(Blocks, Position), Infallible> {
        Ok(self.blocks.get(&user).cloned().unwrap_or_default())
    }

    fn is_wall_between(&self, one: UserId, other: UserId) -> Result<bool, Infallible> {
        Ok(self.has_blocked(one, other) || self.has_blocked(other, one))
    }

    fn is_walled(&self, room: RoomId, user: UserId) -> Result<bool, Infallible> {
        let log = self.logs.get(&room).into_iter();
        let mut others = log.flat_map(|log| log.members.keys());
        Ok(others.any(|other| self.has_blocked(user, *other) || self.has_blocked(*other, user)))
    }

    fn invited_to(&self, user: UserId) -> Result<usize, Infallible> {
        let rooms = self.rooms_of.get(&user).into_iter().flatten();
        let asked = rooms.filter(|id| self.is_asked(user, **id));
        Ok(asked.count())
    }

    fn invitation(&self, hash: InviteHash) -> Result<Option<Invitation>, Infallible> {
        Ok(self.invites.get(&hash).copied())
    }

    fn has_avatar(&self, avatar: AvatarId) -> Result<bool, Infallible> {
        Ok(self.avatar(avatar).is_some())
    }

    fn profile_changed(&self, user: UserId) -> Result<Position, Infallible> {
        Ok(self.shown_since(user))
    }

    fn hidden(&self, room: RoomId, user: UserId, range: Range) -> Result<Vec<Seq>, Infallible> {
        let seqs = self.hidden.get(&(room, user)).into_iter().flatten();
        Ok(seqs.filter(|seq| range.holds(**seq)).copied().collect())
    }

    fn rates(&self) -> Result<Vec<(UserId, Rate)>, Infallible> {
        let rates = self.rates.iter();
        Ok(rates.map(|(user, rate)| (*user, *rate)).collect())
    }

    fn invitations(&self, room: RoomId) -> Result<Vec<Invitation>, Infallible> {
        let all = self.invites.values();
        Ok(all.filter(|kept| kept.room == room).copied().collect())
    }

    fn estate(&self) -> &dyn Estate<Error = Infallible> {
        self
    }
}

impl Ledger {
    fn has_blocked(&self, user: UserId, other: UserId) -> bool {
        let blocks = self.blocks.get(&user);
        blocks.is_some_and(|(blocks, _changed)| blocks.users.contains(&other))
    }
}
