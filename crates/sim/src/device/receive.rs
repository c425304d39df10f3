//! What a device hears, applied by the rules of docs/protocol.md, section 11.

use chinwag_core::event::{Event, Turn};
use chinwag_core::ids::{Position, RoomId, Seq};
use chinwag_core::room::MemberState;
use chinwag_core::wire::{ClientFrame, Item, Last, Req, Reset, RoomRow, ServerFrame};

use super::{Asked, Copy, Device, Phase, Purpose, Shore};
use crate::link::{Down, Up};
use crate::oracle::Way;

/// Messages that a device remembers in each room, to say something about.
const SPOKEN_MAX: usize = 16;

impl Device {
    /// Something arrived on the present link.
    pub(crate) fn hear(&mut self, what: Down, shore: &mut Shore<'_>) {
        self.heard = shore.base.now;
        match what {
            Down::Event(event) => self.live_event(&event.event, shore),
            Down::Frame(frame) => self.frame(&frame, shore),
            Down::Ping => {
                if let Some(link) = self.link {
                    shore.links.up(link, Up::Pong, shore.base);
                }
            }
            Down::Close(code) => {
                shore.base.counts.closes += 1;
                self.give_up(Some(code), shore);
            }
        }
    }

    fn frame(&mut self, frame: &ServerFrame, shore: &mut Shore<'_>) {
        match frame {
            ServerFrame::Welcome { epoch, .. } => {
                if self.memory.epoch.is_some_and(|mine| mine != *epoch) {
                    shore
                        .oracle
                        .wrong(format!("d{}: another epoch", self.index));
                }
                self.memory.epoch = Some(*epoch);
                self.phase = Phase::Syncing;
                self.pump(shore);
            }
            ServerFrame::Summary {
                rooms, all, reset, ..
            } => self.summary(rooms, *all, reset.is_some(), shore),
            ServerFrame::Event(event) => self.live_event(event, shore),
            ServerFrame::Skip(_) => {}
            ServerFrame::Events {
                req,
                room,
                from,
                to,
                head,
                items,
            } => self.events(*req, *room, (*from, *to, *head), items, shore),
            ServerFrame::Reset(reset) => self.reset(reset, shore),
            ServerFrame::CaughtUp { position } => {
                self.failures = 0;
                self.phase = Phase::Live;
                self.position(*position, "caught_up", shore);
                self.look_at_rooms(shore);
                self.repair(shore);
                self.pump(shore);
            }
            ServerFrame::Ack { req, .. } => self.ack(*req, frame, shore),
            ServerFrame::Ok { req } => self.ok(*req),
            ServerFrame::Error { req, code, .. } => {
                let wait = match frame {
                    ServerFrame::Error { retry_after_ms, .. } => *retry_after_ms,
                    _ => None,
                };
                self.error(*req, *code, wait, shore);
            }
            ServerFrame::Behind {} => self.behind(shore),
            ServerFrame::Marker {
                room,
                delivered,
                read,
                ..
            } => shore
                .oracle
                .marker_told(self.user, *room, *delivered, *read),
            ServerFrame::Receipt { room, members } => {
                shore.base.counts.receipts += 1;
                shore.oracle.receipt(self.user, *room, members);
            }
            ServerFrame::Reconnect {
                after_ms,
                spread_ms,
            } => self.hint = Some((*after_ms, *spread_ms)),
            ServerFrame::Pong {
                req,
                position,
                heads,
                ..
            } => {
                self.asked.remove(req);
                if let Some(position) = position {
                    self.position(*position, "pong", shore);
                }
                for (room, head) in heads {
                    let copy = self.memory.rooms.entry(*room).or_default();
                    copy.head = copy.head.max(*head);
                    shore.oracle.told(self.index, *room, *head);
                }
                self.repair(shore);
            }
            ServerFrame::Page {
                req,
                as_of,
                messages,
                ..
            } => {
                let lines = messages.iter().map(|line| &line.event);
                shore.oracle.read(self.user, lines, *as_of);
                if let Some(Asked::History(at_least)) = self.asked.remove(req)
                    && *as_of < at_least
                {
                    shore
                        .oracle
                        .wrong(format!("d{}: a page of {as_of} < {at_least}", self.index));
                }
            }
            ServerFrame::TokenExpiring { .. }
            | ServerFrame::Room { .. }
            | ServerFrame::Members { .. }
            | ServerFrame::Profiles { .. }
            | ServerFrame::Directory { .. }
            | ServerFrame::Who { .. }
            | ServerFrame::Receipts { .. }
            | ServerFrame::Notify { .. }
            | ServerFrame::Blocks { .. }
            | ServerFrame::Invite { .. }
            | ServerFrame::Invites { .. }
            | ServerFrame::Invitation { .. }
            | ServerFrame::Edits { .. }
            | ServerFrame::Row { .. }
            | ServerFrame::Profile { .. }
            | ServerFrame::Hidden { .. }
            | ServerFrame::Settings(_) => {}
            ServerFrame::Typing { .. } | ServerFrame::Presence { .. } => {
                self.ephemeral(frame, shore);
            }
        }
    }

    fn summary(&mut self, rows: &[RoomRow], all: bool, void: bool, shore: &mut Shore<'_>) {
        shore
            .oracle
            .summary(self.index, self.user, rows, all || void);
        if void {
            shore.base.counts.resets += 1;
        }
        if all || void {
            let rooms = &mut self.memory.rooms;
            rooms.retain(|room, _copy| !void && rows.iter().any(|row| row.room == *room));
        }
        for row in rows {
            self.row(row);
        }
    }

    fn row(&mut self, row: &RoomRow) {
        let copy = self.memory.rooms.entry(row.room).or_default();
        copy.head = copy.head.max(row.head);
        copy.joined = row.me.state == MemberState::Joined;
        copy.role = Some(row.me.role);
        // What the server does not know of is said again.
        copy.marked = (row.me.delivered, row.me.read);
        copy.read = copy.read.max(row.me.read);
    }

    fn position(&mut self, position: Position, how: &str, shore: &mut Shore<'_>) {
        let journal = &shore.store.journal;
        shore
            .oracle
            .position(self.index, self.user, position, how, journal);
        self.memory.position = Some(position);
    }

    fn live_event(&mut self, event: &Event, shore: &mut Shore<'_>) {
        shore.base.counts.live += 1;
        shore.oracle.live(self.index, self.user, event);
        shore.base.trace.note(
            shore.base.now,
            format_args!("d{} hears {} #{}", self.index, event.room, event.seq),
        );
        let copy = self.memory.rooms.entry(event.room).or_default();
        copy.head = copy.head.max(event.seq);
        if event.seq == copy.cursor.next() {
            self.apply(event, shore);
            self.drain_held(event.room, shore);
        } else if event.seq > copy.cursor {
            let held = self.held.entry(event.room).or_default();
            held.insert(event.seq, event.clone());
            self.fetch_missing(event.room, shore);
        }
    }

    fn drain_held(&mut self, room: RoomId, shore: &mut Shore<'_>) {
        loop {
            let cursor = self.memory.rooms.entry(room).or_default().cursor;
            let held = self.held.entry(room).or_default();
            held.retain(|seq, _event| *seq > cursor);
            match held.remove(&cursor.next()) {
                Some(event) => self.apply(&event, shore),
                None => return,
            }
        }
    }

    fn apply(&mut self, event: &Event, shore: &mut Shore<'_>) {
        shore.oracle.applied(self.index, event.room, event.seq);
        let user = self.user;
        let copy = self.memory.rooms.entry(event.room).or_default();
        copy.cursor = event.seq;
        copy.key = Some(event.key);
        copy.head = copy.head.max(event.seq);
        if event.body.is_message() {
            copy.spoken.push((event.seq, event.from.0));
            let old = copy.spoken.len().saturating_sub(SPOKEN_MAX);
            copy.spoken.drain(..old);
        }
        event.turns(|turn| match turn {
            Turn::In(who) if who == user => {
                copy.joined = true;
                copy.role = None;
                self.beside.stale = true;
            }
            Turn::Out(who) if who == user => {
                copy.joined = false;
                self.beside.online.remove(&event.room);
            }
            Turn::In(_) | Turn::Out(_) => {}
        });
        self.memory.last = Some(Last {
            room: event.room,
            seq: event.seq,
            key: event.key,
        });
        if event.from.0 == user {
            // Stored, whatever its own reply may say, or have said.
            self.settle(event.key, Purpose::Real, true, shore);
        }
    }

    fn events(
        &mut self,
        req: Option<Req>,
        room: RoomId,
        (from, to, head): (Seq, Seq, Seq),
        items: &[Item],
        shore: &mut Shore<'_>,
    ) {
        let way = if req.is_none() { Way::Sync } else { Way::After };
        if let Some(req) = req {
            self.asked.remove(&req);
            self.fetching.remove(&room);
        }
        shore
            .oracle
            .stretch(self.index, self.user, room, (from, to, head), items, way);
        for item in items {
            let copy = self.memory.rooms.entry(room).or_default();
            copy.head = copy.head.max(head);
            match item {
                Item::Event(event) => {
                    match way {
                        Way::Sync => shore.base.counts.sync += 1,
                        Way::After => shore.base.counts.backfill += 1,
                    }
                    if event.seq == copy.cursor.next() {
                        self.apply(event, shore);
                    }
                }
                Item::Skip(skip) if skip.from <= copy.cursor.next() && skip.to > copy.cursor => {
                    copy.cursor = skip.to;
                    copy.key = None;
                    shore.oracle.skipped(self.index, room, skip.to);
                }
                Item::Skip(_) => {}
            }
        }
        self.drain_held(room, shore);
        self.fetch_missing(room, shore);
    }

    fn reset(&mut self, reset: &Reset, shore: &mut Shore<'_>) {
        shore.base.counts.resets += 1;
        let room = reset.row.room;
        if let Some(req) = reset.req {
            self.asked.remove(&req);
            self.fetching.remove(&room);
        }
        shore.oracle.reset(self.index, self.user, reset);
        self.memory.rooms.remove(&room);
        self.row(&reset.row);
        let copy = self.memory.rooms.entry(room).or_default();
        copy.cursor = reset.row.head;
        self.drain_held(room, shore);
    }

    fn behind(&mut self, shore: &mut Shore<'_>) {
        shore.base.counts.behinds += 1;
        let note = format_args!("d{} is behind", self.index);
        shore.base.trace.note(shore.base.now, note);
        self.phase = Phase::Syncing;
        self.beside = super::beside::Beside::default();
        self.held.clear();
        let cursor = self.stored_cursor(shore);
        shore
            .oracle
            .sync_begins(self.index, &cursor, self.rooms_out());
        let req = self.req(Asked::Other);
        self.say(&ClientFrame::Sync { req, cursor }, shore);
    }
}

impl Copy {
    /// Whether anything is missing.
    #[must_use]
    pub(crate) fn is_whole(&self) -> bool {
        self.cursor >= self.head
    }
}
