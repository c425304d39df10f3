//! What a client takes in: events in their turn, holes fetched, positions stored behind what they vouch for.
//!
//! Not here: connecting and writing (`client.rs`, whose other half this is).

use std::sync::atomic::Ordering::SeqCst;

use chinwag_core::event::Event;
use chinwag_core::ids::{Position, RoomId, Seq};
use chinwag_core::wire::{
    ClientFrame, Item, Last, Req, Reset, ResetWhy, RoomRow, ServerFrame, Skip,
};

use super::{Client, Session, Store};
use crate::history::{CaughtUp, Fate, Moment, Way};
use crate::socket::Lost;

impl Client {
    pub(super) fn take_in(
        &mut self,
        session: &mut Session,
        frame: ServerFrame,
    ) -> Result<(), Lost> {
        match frame {
            ServerFrame::Welcome { epoch, .. } => session.epoch = Some(epoch),
            ServerFrame::Summary { rooms, reset, .. } => self.summary(&rooms, reset),
            ServerFrame::Event(event) => self.item(session, Item::Event(event), Way::Live)?,
            ServerFrame::Skip(skip) => self.item(session, Item::Skip(skip), Way::Live)?,
            ServerFrame::Events {
                req,
                room,
                from,
                to,
                head,
                items,
            } => {
                let way = if req.is_some() { Way::After } else { Way::Sync };
                self.check_stretch(room, from, to, &items);
                for item in items {
                    self.item(session, item, way)?;
                }
                if req.is_some_and(|req| session.afters.remove(&req).is_some()) && to < head {
                    self.ask_after(session, room)?;
                }
            }
            ServerFrame::Reset(reset) => {
                if let Some(req) = reset.req {
                    session.afters.remove(&req);
                }
                self.reset(&reset);
            }
            ServerFrame::CaughtUp { position } => self.caught_up(session, position)?,
            ServerFrame::Ack { req, seq, .. } => {
                let at = Moment::now();
                self.answered(session, req, Fate::Acked { seq, at });
            }
            ServerFrame::Error {
                req: Some(req),
                code,
                retryable,
                retry_after_ms,
                ..
            } => {
                if retryable {
                    self.refused_for_now(session, req, code, retry_after_ms);
                } else {
                    self.answered(session, req, Fate::Refused(code));
                }
            }
            ServerFrame::Error { code, message, .. } => {
                let said = format!("error without a request: {code:?} {message}");
                self.seat.notes().contradictions.push(said);
            }
            ServerFrame::Behind {} => {
                self.seat.notes().behinds += 1;
                session.caught_up = false;
                session.asked = Moment::now();
                let (req, cursor) = (self.request(), self.cursor());
                session.socket.say(&ClientFrame::Sync { req, cursor })?;
            }
            ServerFrame::Pong {
                req,
                position,
                heads,
                ..
            } => self.pong(session, req, position, &heads)?,
            ServerFrame::Room { row, .. } => {
                session.unknown_rooms.remove(&row.room);
                self.summary(&[row], None);
            }
            _ => {}
        }
        Ok(())
    }

    fn check_stretch(&self, room: RoomId, from: Seq, to: Seq, items: &[Item]) {
        let mut next = from;
        for item in items {
            let range = item.range();
            if range.from != next {
                break;
            }
            next = range.to.next();
        }
        if next != to.next() {
            let said = format!("{room}: events {from}..={to} leave a hole at {next}");
            self.seat.notes().contradictions.push(said);
        }
    }

    /// An event or skip from anywhere: applied in its turn, held or dropped.
    fn item(&mut self, session: &mut Session, item: Item, way: Way) -> Result<(), Lost> {
        let (room, range) = match &item {
            Item::Event(event) => (event.room, item.range()),
            Item::Skip(skip) => (skip.room, item.range()),
        };
        if let Item::Event(event) = &item {
            self.seat.notes().receive(event, way);
        }
        let view_is_known = self
            .seat
            .notes()
            .rooms
            .get(&room)
            .is_some_and(|view| view.head > Seq(0));
        if !view_is_known && session.unknown_rooms.insert(room) {
            let req = self.request();
            session.socket.say(&ClientFrame::Room { req, room })?;
        }
        let cursor = self.seat.notes().rooms.entry(room).or_default().cursor;
        if range.to <= cursor {
            return Ok(());
        }
        if range.from > cursor.next() {
            if let Item::Event(event) = item {
                let mut notes = self.seat.notes();
                let view = notes.rooms.entry(room).or_default();
                view.head = view.head.max(event.seq);
                session.held.insert((room, event.seq), event);
            }
            return self.ask_after(session, room);
        }
        match &item {
            Item::Event(event) => self.apply(event),
            Item::Skip(skip) => self.skip(*skip),
        }
        while let Some(event) = self.next_held(session, room) {
            self.apply(&event);
        }
        Ok(())
    }

    fn next_held(&self, session: &mut Session, room: RoomId) -> Option<Event> {
        let next = self.seat.notes().rooms[&room].cursor.next();
        session.held.remove(&(room, next))
    }

    fn apply(&mut self, event: &Event) {
        let (room, seq, key) = (event.room, event.seq, event.key);
        let mut notes = self.seat.notes();
        let view = notes.rooms.entry(room).or_default();
        view.cursor = seq;
        view.cursor_key = Some(key);
        self.store.last = Some(Last { room, seq, key });
    }

    fn skip(&self, skip: Skip) {
        let mut notes = self.seat.notes();
        let view = notes.rooms.entry(skip.room).or_default();
        view.cursor = skip.to;
        view.cursor_key = None;
        view.skips.push(skip);
    }

    fn ask_after(&self, session: &mut Session, room: RoomId) -> Result<(), Lost> {
        if session.afters.values().any(|other| *other == room) {
            return Ok(());
        }
        let (seq, key) = {
            let mut notes = self.seat.notes();
            let view = notes.rooms.entry(room).or_default();
            (view.cursor, view.cursor_key)
        };
        let req = self.request();
        session.afters.insert(req, room);
        session.socket.say(&ClientFrame::After {
            req,
            room,
            seq,
            key,
            limit: None,
        })
    }

    fn summary(&mut self, rows: &[RoomRow], reset: Option<ResetWhy>) {
        let mut notes = self.seat.notes();
        if reset.is_some() {
            notes.resets += 1;
            for view in notes.rooms.values_mut() {
                (view.cursor, view.cursor_key, view.begins) = (Seq(0), None, Seq(0));
            }
            self.store = Store::default();
        }
        for row in rows {
            notes.rooms.entry(row.room).or_default().head = row.head;
        }
    }

    fn reset(&mut self, reset: &Reset) {
        let (room, head) = (reset.row.room, reset.row.head);
        let last = reset.page.last().map(|line| &line.event);
        if self.store.last.is_some_and(|last| last.room == room) {
            self.store.last = last.map(|event| Last {
                room,
                seq: event.seq,
                key: event.key,
            });
        }
        let mut notes = self.seat.notes();
        notes.resets += 1;
        let view = notes.rooms.entry(room).or_default();
        (view.cursor, view.begins, view.head) = (head, head, head);
        view.cursor_key = last
            .filter(|event| event.seq == head)
            .map(|event| event.key);
    }

    fn caught_up(&mut self, session: &mut Session, position: Position) -> Result<(), Lost> {
        session.caught_up = true;
        self.store.epoch = session.epoch.or(self.store.epoch);
        if session.unknown_rooms.is_empty() {
            self.store.position = Some(position);
        }
        let mut notes = self.seat.notes();
        let cursors = notes
            .rooms
            .iter()
            .map(|(room, view)| (*room, view.cursor))
            .collect();
        notes.caught_up.push(CaughtUp {
            asked: session.asked,
            cursors,
        });
        let short = notes
            .rooms
            .iter()
            .filter(|(_room, view)| view.head > view.cursor);
        let short: Vec<RoomId> = short.map(|(room, _view)| *room).collect();
        drop(notes);
        short
            .into_iter()
            .try_for_each(|room| self.ask_after(session, room))
    }

    fn pong(
        &mut self,
        session: &mut Session,
        req: Req,
        position: Option<Position>,
        heads: &[(RoomId, Seq)],
    ) -> Result<(), Lost> {
        let Some((_, round)) = session.ping.take().filter(|(asked, _)| *asked == req) else {
            return Ok(());
        };
        if position.is_some() && session.unknown_rooms.is_empty() && session.caught_up {
            self.store.position = position;
        }
        let has = |room: &RoomId| {
            self.seat
                .notes()
                .rooms
                .get(room)
                .map_or(Seq(0), |view| view.cursor)
        };
        let short: Vec<RoomId> = heads
            .iter()
            .filter(|(room, head)| *head > has(room))
            .map(|(room, _)| *room)
            .collect();
        if short.is_empty() && heads.len() == self.rooms.len() && self.outbox.is_empty() {
            self.seat.settled.store(round, SeqCst);
        }
        short
            .into_iter()
            .try_for_each(|room| self.ask_after(session, room))
    }
}
