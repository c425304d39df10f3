//! Commands about rooms and who is in them: create, direct, configure, join, leave, add, remove,
//! ban, role, mute.

use super::deciding::{Batch, Draft, Verdict, or_refuse};
use super::{Ack, Command, Hung, Outcome, Submission};
use crate::avatar::Avatar;
use crate::code::ErrorCode;
use crate::event::{Body, MemberBody, RoleBody, RoomBody, SettingsBody};
use crate::ids::{RoomId, Seq, UserId};
use crate::invite::InviteHash;
use crate::limits;
use crate::policy::Act;
use crate::room::{HistoryFrom, Member, MemberState, Role, Room, RoomKind};
use crate::view::View;

impl<V: View + ?Sized> Batch<'_, V> {
    pub(super) fn membership(&mut self, item: &Submission) -> Verdict<Outcome, V::Error> {
        let (room, from) = (item.room(), item.from);
        match &item.command {
            Command::Create {
                kind,
                name,
                history,
            } => self.create(item, *kind, name, *history),
            Command::Direct { user } => self.direct(item, *user),
            Command::Configure {
                name,
                topic,
                avatar,
                ..
            } => {
                or_refuse!(self.may(Act::Configure, room, from, None)?);
                let body = SettingsBody {
                    name: name.clone(),
                    topic: topic.clone(),
                    avatar: *avatar,
                };
                self.configure(item, room, body)
            }
            Command::Join { invite: None, .. } => {
                or_refuse!(self.may(Act::Join { by_link: false }, room, from, None)?);
                self.enter(item, room, from, None)
            }
            Command::Join {
                invite: Some(hash), ..
            } => self.join_by_link(item, room, *hash),
            Command::Add { user, .. } => {
                or_refuse!(self.may(Act::Add, room, from, Some(*user))?);
                or_refuse!(self.may_reach(from, *user)?);
                self.enter(item, room, *user, Some(Role::Member))
            }
            Command::InviteUser { user, .. } => {
                or_refuse!(self.may(Act::InviteUser, room, from, Some(*user))?);
                self.ask_in(item, room, *user)
            }
            Command::Leave { .. } => {
                or_refuse!(self.may(Act::Leave, room, from, None)?);
                self.go(item, room, from, MemberState::Left)
            }
            Command::Remove { user, .. } => {
                or_refuse!(self.may(Act::Remove, room, from, Some(*user))?);
                self.go(item, room, *user, MemberState::Removed)
            }
            Command::Ban { user, on, .. } => {
                or_refuse!(self.may(Act::Ban { on: *on }, room, from, Some(*user))?);
                let state = if *on {
                    MemberState::Banned
                } else {
                    MemberState::Removed
                };
                self.go(item, room, *user, state)
            }
            Command::SetRole { user, role, .. } => {
                or_refuse!(self.may(Act::SetRole(*role), room, from, Some(*user))?);
                self.stand(item, room, *user, |member| member.role = *role)
            }
            Command::Mute { user, on, .. } => {
                or_refuse!(self.may(Act::Mute, room, from, Some(*user))?);
                self.stand(item, room, *user, |member| member.muted = *on)
            }
            other => unreachable!("not about a room: {other:?}"),
        }
    }

    /// Whether there is such a person, and neither of the two has blocked the other. Both are
    /// answered alike: the answer says that nothing can be done, and not by whom that was wished.
    fn may_reach(&self, from: UserId, user: UserId) -> Verdict<(), V::Error> {
        if !self.is_somebody(user)? {
            return Ok(Err(ErrorCode::NotFound));
        }
        Ok(if self.view.is_wall_between(from, user)? {
            Err(ErrorCode::Forbidden)
        } else {
            Ok(())
        })
    }

    /// Lets the bearer of a link in, and takes a use of it. What is wrong with a link is not said,
    /// nor whether the room is there.
    fn join_by_link(
        &mut self,
        item: &Submission,
        room: RoomId,
        hash: InviteHash,
    ) -> Verdict<Outcome, V::Error> {
        let state = self.member(room, item.from)?.map(|member| member.state);
        match state {
            Some(MemberState::Joined) => return Ok(Err(ErrorCode::AlreadyMember)),
            Some(MemberState::Banned) => return Ok(Err(ErrorCode::Banned)),
            Some(MemberState::Left | MemberState::Removed | MemberState::Invited) | None => {}
        }
        let found = self.invitation(hash)?;
        let good = found.filter(|found| found.room == room && found.is_good(self.now));
        let Some(invitation) = good else {
            return Ok(Err(ErrorCode::BadInvite));
        };
        or_refuse!(self.may(Act::Join { by_link: true }, room, item.from, None)?);
        let done = or_refuse!(self.enter(item, room, item.from, None)?);
        self.put_invitation(invitation.used());
        Ok(Ok(done))
    }

    fn create(
        &mut self,
        item: &Submission,
        kind: RoomKind,
        name: &str,
        history: Option<HistoryFrom>,
    ) -> Verdict<Outcome, V::Error> {
        let id = RoomId::created(item.from, item.key);
        or_refuse!(self.room_left(item.from)?);
        let history = history.unwrap_or(match kind {
            RoomKind::Public => HistoryFrom::Beginning,
            RoomKind::Group | RoomKind::Direct => HistoryFrom::Joining,
        });
        let body = RoomBody {
            kind,
            name: Some(name.to_owned()),
            history,
            members: vec![(item.from, Role::Owner)],
        };
        self.found(item, id, body)
    }

    fn direct(&mut self, item: &Submission, user: UserId) -> Verdict<Outcome, V::Error> {
        if user == item.from {
            return Ok(Err(ErrorCode::SelfDirect));
        }
        let id = RoomId::direct(item.from, user);
        if let Some(room) = self.room(id)? {
            // Found, not doubled: the answer is the same for both, whoever was first.
            let ack = Ack {
                room: id,
                seq: Seq(1),
                msg_no: 0,
                ts: room.created,
            };
            return Ok(Ok(Outcome::Replayed(ack)));
        }
        if !self.is_somebody(user)? {
            return Ok(Err(ErrorCode::NotFound));
        }
        if self.view.is_wall_between(item.from, user)? {
            return Ok(Err(ErrorCode::Forbidden));
        }
        or_refuse!(self.room_left(item.from)?);
        or_refuse!(self.room_left(user)?);
        let body = RoomBody {
            kind: RoomKind::Direct,
            name: None,
            history: HistoryFrom::Beginning,
            members: vec![(item.from, Role::Member), (user, Role::Member)],
        };
        self.found(item, id, body)
    }

    /// The first event of a room lets its first members in.
    fn found(
        &mut self,
        item: &Submission,
        id: RoomId,
        body: RoomBody,
    ) -> Verdict<Outcome, V::Error> {
        let owners = body.members.iter().filter(|(_, role)| *role == Role::Owner);
        self.put_room(Room {
            id,
            kind: body.kind,
            name: body.name.clone(),
            topic: None,
            history: body.history,
            head: Seq::ZERO,
            msg_no: 0,
            floor: Seq(1),
            members: body.members.len() as u32,
            owners: owners.count() as u32,
            pins: Vec::new(),
            avatar: None,
            created: self.now,
        });
        for (user, role) in &body.members {
            self.put_member(id, Member::joining(*user, *role, Seq(1)));
            *self.entered.entry(*user).or_default() += 1;
        }
        self.append(item, id, Draft::of(Body::Room(body)))
    }

    fn configure(
        &mut self,
        item: &Submission,
        id: RoomId,
        body: SettingsBody,
    ) -> Verdict<Outcome, V::Error> {
        if let Some(Avatar(Some(avatar))) = body.avatar
            && !self.view.has_avatar(avatar)?
        {
            return Ok(Err(ErrorCode::NotFound));
        }
        let mut room = self.known_room(id)?;
        if let Some(name) = &body.name {
            room.name = Some(name.clone());
        }
        if let Some(topic) = &body.topic {
            room.topic = Some(topic.clone()).filter(|topic| !topic.is_empty());
        }
        if let Some(Avatar(after)) = body.avatar {
            self.out.hung.push(Hung {
                room: id,
                by: item.from,
                before: room.avatar,
                after,
            });
            room.avatar = after;
        }
        self.put_room(room);
        self.append(item, id, Draft::of(Body::Settings(body)))
    }

    /// Asks `user` in by an event; they are told, and have seen nothing yet.
    fn ask_in(
        &mut self,
        item: &Submission,
        id: RoomId,
        user: UserId,
    ) -> Verdict<Outcome, V::Error> {
        or_refuse!(self.may_reach(item.from, user)?);
        let stored = self.view.invited_to(user)? as i64;
        let asked = self.asked.entry(user).or_default();
        if stored + *asked >= limits::INVITED_TO_MAX as i64 {
            return Ok(Err(ErrorCode::TooManyRooms));
        }
        *asked += 1;
        let room = self.known_room(id)?;
        let member = match self.member(id, user)? {
            Some(member) => Member {
                state: MemberState::Invited,
                role: Role::Member,
                ..member
            },
            None => Member::asked(user),
        };
        self.turn(item, room, member)
    }

    /// An invitation by name has been answered, or withdrawn.
    fn answered(&mut self, member: &Member) {
        if member.state == MemberState::Invited {
            *self.asked.entry(member.user).or_default() -= 1;
        }
    }

    /// Lets `user` in by an event; `role` is what whoever adds them gives.
    fn enter(
        &mut self,
        item: &Submission,
        id: RoomId,
        user: UserId,
        role: Option<Role>,
    ) -> Verdict<Outcome, V::Error> {
        or_refuse!(self.room_left(user)?);
        let mut room = self.known_room(id)?;
        let at = room.head.next();
        let row = self.member(id, user)?;
        row.iter().for_each(|member| self.answered(member));
        let role = match (&row, role) {
            (_, Some(given)) => given,
            // Who finds a room without an owner looks after it from now on.
            _ if room.owners == 0 => Role::Owner,
            // Going and coming is no way around a role.
            (Some(member), None) => member.role.min(Role::Member),
            (None, None) => Role::Member,
        };
        let member = match row {
            Some(mut member) => {
                member.enter(role, at);
                member
            }
            None => Member::joining(user, role, at),
        };
        room.members += 1;
        room.owners += u32::from(role == Role::Owner);
        *self.entered.entry(user).or_default() += 1;
        self.turn(item, room, member)
    }

    /// Lets `user` out by an event, or keeps them out otherwise than before.
    pub(super) fn go(
        &mut self,
        item: &Submission,
        id: RoomId,
        user: UserId,
        state: MemberState,
    ) -> Verdict<Outcome, V::Error> {
        let mut room = self.known_room(id)?;
        let Some(mut member) = self.member(id, user)? else {
            return Ok(Err(ErrorCode::NotMember));
        };
        self.answered(&member);
        if member.is_in() {
            room.members -= 1;
            room.owners -= u32::from(member.role == Role::Owner);
            *self.entered.entry(user).or_default() -= 1;
        }
        member.go(state, room.head.next());
        self.turn(item, room, member)
    }

    fn turn(
        &mut self,
        item: &Submission,
        room: Room,
        member: Member,
    ) -> Verdict<Outcome, V::Error> {
        let id = room.id;
        let body = MemberBody {
            user: member.user,
            state: member.state,
            role: member.role,
            members: Some(room.members),
        };
        self.put_member(id, member);
        self.put_room(room);
        self.append(item, id, Draft::of(Body::Member(body)))
    }

    /// Changes what somebody who is in may do.
    pub(super) fn stand(
        &mut self,
        item: &Submission,
        id: RoomId,
        user: UserId,
        change: impl FnOnce(&mut Member),
    ) -> Verdict<Outcome, V::Error> {
        let mut room = self.known_room(id)?;
        let Some(mut member) = self.member(id, user)? else {
            return Ok(Err(ErrorCode::NotMember));
        };
        room.owners -= u32::from(member.role == Role::Owner);
        change(&mut member);
        room.owners += u32::from(member.role == Role::Owner);
        let body = RoleBody {
            user,
            role: member.role,
            muted: member.muted,
        };
        self.put_member(id, member);
        self.put_room(room);
        self.append(item, id, Draft::of(Body::Role(body)))
    }
}
