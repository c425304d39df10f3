//! Opens what a power failure left, with the server's own store, and compares it with what was promised.
//!
//! Not here: building images (`replay.rs`), reading promises (`promises.rs`).

use std::collections::BTreeMap;
use std::path::Path;

use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{Key, RoomId, Seq, UserId};
use chinwag_core::room::Range;
use chinwag_server::store::sqlite::SqliteStore;
use chinwag_server::store::{self, StoreError};

use super::image::Image;
use super::promises::Promises;
use super::tally::Tally;

/// More events than any test writes into a room.
const EVENTS_MAX: usize = 1_000_000;

/// Where memory poses as a disk: what is judged is what an image holds, so opening it need not wait for one.
const MEMORY: &str = "/dev/shm";

fn image_place() -> std::io::Result<tempfile::TempDir> {
    tempfile::tempdir_in(MEMORY).or_else(|_not_there| tempfile::tempdir())
}

/// Everything a store holds that was promised to anybody.
struct Holding {
    events: BTreeMap<(RoomId, Seq), Event>,
    users: Vec<UserId>,
}

/// Judges images of one record.
pub(crate) struct Judge<'run> {
    pub(crate) promises: &'run Promises,
    pub(crate) rooms: &'run [RoomId],
    /// What everybody handed in, by key: the texts that may stand in a log.
    pub(crate) texts: &'run BTreeMap<Key, String>,
}

impl Judge<'_> {
    /// Compares one image with what had left before its cut, and says what is wrong.
    pub(crate) fn judge(&self, image: &Image, cut: usize) -> (Tally, Vec<String>) {
        let place = image_place().expect("a temporary directory");
        image.write_to(place.path()).expect("an image is written");
        let mut tally = Tally {
            images: 1,
            ..Tally::default()
        };
        let mut wrong = Vec::new();
        match self.open(place.path()) {
            Ok(holding) => self.compare(&holding, cut, &mut tally, &mut wrong),
            Err(why) => {
                tally.corrupt = 1;
                wrong.push(why);
            }
        }
        (tally, wrong)
    }

    fn compare(&self, holding: &Holding, cut: usize, tally: &mut Tally, wrong: &mut Vec<String>) {
        let promises = self.promises;
        for user in promises
            .accounts
            .iter()
            .filter(|promise| promise.left_at <= cut)
        {
            tally.acked += 1;
            if !holding.users.contains(&user.what) {
                tally.lost += 1;
                wrong.push(format!("lost: account {}", user.what));
            }
        }
        for ack in promises
            .acks
            .iter()
            .filter(|promise| promise.left_at <= cut)
        {
            let ack = ack.what;
            tally.acked += 1;
            let found = holding
                .events
                .get(&(ack.room, ack.seq))
                .map(|event| event.key);
            if found != Some(ack.key) {
                tally.lost += 1;
                wrong.push(format!("lost: {ack:?}, found {found:?}"));
            }
        }
        for seen in promises
            .events
            .iter()
            .filter(|promise| promise.left_at <= cut)
        {
            let seen = &seen.what;
            if holding.events.get(&(seen.room, seen.seq)) != Some(seen) {
                tally.ghosts += 1;
                wrong.push(format!(
                    "received, and gone or changed: {} {}",
                    seen.room, seen.seq
                ));
            }
        }
        let strange = holding
            .events
            .values()
            .filter(|event| !self.is_known(event));
        for event in strange {
            tally.ghosts += 1;
            wrong.push(format!("nobody wrote this: {event:?}"));
        }
    }

    fn is_known(&self, event: &Event) -> bool {
        match &event.body {
            Body::Message(body) => self.texts.get(&event.key).map(String::as_str) == body.text(),
            Body::Room(_) | Body::Member(_) => true,
            Body::Edit(_)
            | Body::Redact(_)
            | Body::Reaction(_)
            | Body::Settings(_)
            | Body::Role(_)
            | Body::Pin(_)
            | Body::Damaged(_) => false,
        }
    }

    /// Opens the store as a start of the server would, reads everything, and has SQLite look at every page.
    fn open(&self, directory: &Path) -> Result<Holding, String> {
        let store =
            SqliteStore::open(directory).map_err(|error| format!("does not open: {error}"))?;
        let rooms = self.rooms.to_vec();
        let users: Vec<UserId> = self
            .promises
            .accounts
            .iter()
            .map(|promise| promise.what)
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let holding = runtime.block_on(store::read(&store, move |view| {
            let mut holding = Holding {
                events: BTreeMap::new(),
                users: Vec::new(),
            };
            for room in rooms {
                let all = Range {
                    from: Seq(1),
                    to: Seq(i64::MAX as u64),
                };
                let events = view.events(room, all, EVENTS_MAX)?;
                let head = view.room(room)?.map_or(Seq(0), |room| room.head);
                let dense = (1..=head.0)
                    .map(Seq)
                    .eq(events.iter().map(|event| event.seq));
                if !dense {
                    return Err(StoreError::Read(format!(
                        "{room}: the log up to {head} has a hole"
                    )));
                }
                holding
                    .events
                    .extend(events.into_iter().map(|event| ((room, event.seq), event)));
            }
            for user in users {
                holding
                    .users
                    .extend(view.profile(user)?.map(|profile| profile.id));
            }
            Ok(holding)
        }));
        let holding = holding.map_err(|error| error.to_string())?;
        drop(store);
        let damaged = holding
            .events
            .values()
            .find(|event| matches!(event.body, Body::Damaged(_)));
        if let Some(damaged) = damaged {
            return Err(format!(
                "a row is damaged: {} {}",
                damaged.room, damaged.seq
            ));
        }
        let verdict =
            rusqlite::Connection::open(directory.join("chinwag.db")).and_then(|database| {
                database.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0))
            });
        match verdict {
            Ok(verdict) if verdict == "ok" => Ok(holding),
            Ok(verdict) => Err(verdict),
            Err(error) => Err(error.to_string()),
        }
    }
}
