//! When markers came where, as stored: one row for a member whose markers ever rose.
//!
//! Runs in transactions that others begin. A trail is short numbers: each step is written as its
//! difference to the one before, in LEB128 (DWARF 5, section 7.6). One that cannot be read is none:
//! then a time is not told, and nothing else is lost.

use chinwag_core::ids::{Millis, RoomId, Seq, UserId};
use chinwag_core::limits;
use chinwag_core::marker::{Marked, Trails};
use chinwag_core::receipt::Stand;
use chinwag_core::trail::Trail;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::apply::known;
use super::inside::Inside;
use super::rows::{JOINED, number, seq, user_id};

/// Adds a rise of markers to what is known of their steps.
pub(super) fn step(
    db: &Connection,
    inside: &Inside,
    (room, user): (RoomId, UserId),
    marked: &Marked,
    at: Millis,
) -> rusqlite::Result<()> {
    let room = known(inside.room(db, room)?)?;
    let user = known(inside.user(db, user)?)?;
    let before = db
        .prepare_cached("SELECT delivered, read FROM trails WHERE room = ?1 AND user = ?2")?
        .query_row([room, user], |row| trails(row, 0))
        .optional()?;
    let mut trails = before.unwrap_or_default();
    if trails.step(marked, at) {
        let (delivered, read) = (written(&trails.delivered), written(&trails.read));
        db.prepare_cached(
            "INSERT INTO trails (room, user, delivered, read) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (room, user) DO UPDATE SET delivered = excluded.delivered, \
             read = excluded.read",
        )?
        .execute(params![room, user, delivered, read])?;
    }
    Ok(())
}

/// The query of [`stand`], over an inside room.
pub(super) const STANDING: &str = "SELECT u.public, m.delivered, m.read, coalesce(p.hide_receipts, 0), t.delivered, t.read \
     FROM members AS m JOIN users AS u ON u.id = m.user \
     LEFT JOIN presence AS p ON p.user = m.user \
     LEFT JOIN trails AS t ON t.room = m.room AND t.user = m.user \
     WHERE m.room = ?1 AND m.state = ?2 ORDER BY u.public LIMIT ?3";

/// What [`STANDING`] is asked with.
pub(super) fn everybody(room: i64) -> [i64; 3] {
    [room, JOINED, number(limits::RECEIPT_MEMBERS_MAX as u64)]
}

/// A row of [`STANDING`].
pub(super) fn stand(row: &Row<'_>) -> rusqlite::Result<Stand> {
    Ok(Stand {
        user: user_id(row, 0)?,
        delivered: seq(row, 1)?,
        read: seq(row, 2)?,
        hides: row.get(3)?,
        trails: trails(row, 4)?,
    })
}

pub(super) fn trails(row: &Row<'_>, at: usize) -> rusqlite::Result<Trails> {
    let trail = |at| {
        let bytes: Option<Vec<u8>> = row.get(at)?;
        let trail = bytes.and_then(|bytes| read(&bytes));
        Ok::<_, rusqlite::Error>(trail.unwrap_or_default())
    };
    Ok(Trails {
        delivered: trail(at)?,
        read: trail(at + 1)?,
    })
}

fn written(trail: &Trail) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut seq, mut at) = (trail.forgotten().0, 0);
    put(seq, &mut bytes);
    for (to, when) in trail.steps() {
        // Both rise; a clock that was set back makes a step of no time.
        put(to.0.saturating_sub(seq), &mut bytes);
        put(
            u64::try_from(when.0.saturating_sub(at)).unwrap_or(0),
            &mut bytes,
        );
        (seq, at) = (to.0, when.0.max(at));
    }
    bytes
}

fn read(mut bytes: &[u8]) -> Option<Trail> {
    let forgotten = take(&mut bytes)?;
    let (mut seq, mut at) = (forgotten, 0_i64);
    let mut steps = Vec::new();
    while !bytes.is_empty() {
        seq = seq.checked_add(take(&mut bytes)?)?;
        at = at.checked_add(i64::try_from(take(&mut bytes)?).ok()?)?;
        steps.push((Seq(seq), Millis(at)));
    }
    Some(Trail::kept(Seq(forgotten), steps))
}

fn put(mut number: u64, to: &mut Vec<u8>) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn take(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (first, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(forgotten: u64, steps: &[(u64, i64)]) -> Trail {
        let steps = steps.iter().map(|(seq, at)| (Seq(*seq), Millis(*at)));
        Trail::kept(Seq(forgotten), steps.collect())
    }

    #[test]
    fn what_is_written_is_read() {
        for (trail, bytes) in [
            (trail(0, &[]), 1),
            (trail(300, &[]), 2),
            (
                trail(3, &[(4, 1_763_780_001_234), (9, 1_763_780_002_300)]),
                1 + 1 + 6 + 1 + 2,
            ),
            (trail(0, &[(u64::MAX >> 1, i64::MAX)]), 1 + 9 + 9),
        ] {
            let written = written(&trail);
            assert_eq!(read(&written), Some(trail));
            assert_eq!(written.len(), bytes);
        }
    }

    #[test]
    fn a_clock_that_is_set_back_makes_a_step_of_no_time() {
        let back = trail(0, &[(1, 5_000), (2, 3_000), (3, 6_000)]);
        let kept = trail(0, &[(1, 5_000), (2, 5_000), (3, 6_000)]);
        assert_eq!(read(&written(&back)), Some(kept));
    }

    #[test]
    fn damage_is_no_trail() {
        for bytes in [&[][..], &[0x80], &[1, 2], &[0xff; 11]] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
    }
}
