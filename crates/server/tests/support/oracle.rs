//! Compares what clients did and saw with the server's log: contract sections 1 to 3 as absences.
//!
//! Not here: how the log was read, or whether a client is still at work; whoever asks knows.

use std::collections::BTreeMap;
use std::fmt;

use chinwag_core::event::{Body, Event};
use chinwag_core::ids::{Key, RoomId, Seq, UserId};

use crate::history::{Fate, History, Moment, RoomView, Seen, Sent};
use crate::socket::Log;

/// Violations kept word for word.
const EXAMPLES_MAX: usize = 12;

/// A way of breaking the promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Breach {
    /// Acknowledged and not in the log, or elsewhere, or with another text.
    Lost,
    /// One key of one sender twice in a room.
    Doubled,
    /// Received by somebody, and not in the log as it was.
    Ghost,
    /// In the log, and sent by nobody, or with another text.
    Invented,
    /// The log leaves a seq out, or counts messages wrongly.
    Hole,
    /// Two readers are told different things.
    Unequal,
    /// A client's own view lacks something between its beginning and its cursor, or ends too early.
    Gap,
    /// One sender's sends to one room changed places.
    SenderOrder,
    /// An ack was received before another send began, and has the higher seq.
    RealTime,
    /// A connection caught up without something that was acknowledged before it asked.
    Stale,
    /// A send was refused for good, or the server contradicted itself.
    Contradiction,
}

impl Breach {
    const ALL: [(Self, &str); 11] = [
        (Self::Lost, "lost"),
        (Self::Doubled, "doubled"),
        (Self::Ghost, "ghosts"),
        (Self::Invented, "invented"),
        (Self::Hole, "holes"),
        (Self::Unequal, "unequal"),
        (Self::Gap, "gaps"),
        (Self::SenderOrder, "sender order"),
        (Self::RealTime, "real time"),
        (Self::Stale, "stale"),
        (Self::Contradiction, "contradictions"),
    ];
}

/// What was compared and what was wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) acked: u64,
    pub(crate) entries: u64,
    counts: BTreeMap<Breach, u64>,
    examples: Vec<String>,
}

impl Findings {
    fn add(&mut self, breach: Breach, example: impl FnOnce() -> String) {
        *self.counts.entry(breach).or_default() += 1;
        if self.examples.len() < EXAMPLES_MAX {
            self.examples.push(format!("{breach:?}: {}", example()));
        }
    }

    pub(crate) fn count(&self, breach: Breach) -> u64 {
        self.counts.get(&breach).copied().unwrap_or(0)
    }

    pub(crate) fn is_clean(&self) -> bool {
        self.counts.is_empty()
    }

    /// Some client never got everything, although nothing was sent any more.
    pub(crate) fn unsettled(&mut self) {
        self.add(Breach::Gap, || "the clients do not come to rest".to_owned());
    }

    /// The first violations, one a line.
    pub(crate) fn examples(&self) -> String {
        self.examples.join("\n")
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "acked {}", self.acked)?;
        for (breach, name) in Breach::ALL {
            write!(formatter, " {name} {}", self.count(breach))?;
        }
        write!(formatter, " (entries {})", self.entries)
    }
}

/// All logs as one reader saw them.
pub(crate) type Logs = BTreeMap<RoomId, Log>;

/// Where a send stands in a log.
type Places = BTreeMap<(UserId, RoomId, Key), Seq>;

/// Judges histories against the log of somebody who may see all of it. `logs` were read after everything that
/// the histories hold; with `all_has_come`, clients must also hold everything that is in them.
pub(crate) fn judge(histories: &[&History], logs: &Logs, all_has_come: bool) -> Findings {
    let mut findings = Findings::default();
    let sent = all_sent(histories);
    let places = check_logs(logs, &sent, &mut findings);
    for history in histories {
        check_sends(history, &places, &mut findings);
        check_views(history, logs, all_has_come, &mut findings);
        for said in &history.contradictions {
            findings.add(Breach::Contradiction, || said.clone());
        }
    }
    for room in logs.keys() {
        check_real_time(*room, &sent, &places, &mut findings);
    }
    check_fresh(histories, &mut findings);
    findings
}

/// Whether another reader is told the same where both see something.
pub(crate) fn compare(one: &Logs, other: &Logs, findings: &mut Findings) {
    for (room, log) in one {
        let theirs = &other[room];
        let skipped = |seq: &Seq| {
            theirs
                .skips
                .iter()
                .any(|skip| skip.from <= *seq && *seq <= skip.to)
        };
        let mine = log.events.iter().filter(|(seq, _)| !skipped(seq));
        if !mine.eq(theirs.events.iter()) || log.head != theirs.head {
            findings.add(Breach::Unequal, || {
                format!("{room}: {} and {}", log.head, theirs.head)
            });
        }
    }
}

fn all_sent<'notes>(
    histories: &[&'notes History],
) -> BTreeMap<(UserId, RoomId, Key), &'notes Sent> {
    let of = |history: &&'notes History| {
        let user = history.user;
        let sent = history.sent.iter().filter(|sent| sent.began.is_some());
        sent.map(move |sent| ((user, sent.room, sent.key), sent))
            .collect::<Vec<_>>()
    };
    histories.iter().flat_map(of).collect()
}

/// Dense, each key once, nothing that nobody sent.
fn check_logs(
    logs: &Logs,
    sent: &BTreeMap<(UserId, RoomId, Key), &Sent>,
    findings: &mut Findings,
) -> Places {
    let mut places = Places::new();
    for (room, log) in logs {
        let mut messages = 0;
        let mut expected = Seq(1);
        for (seq, event) in &log.events {
            if *seq != expected {
                findings.add(Breach::Hole, || {
                    format!("{room}: {expected} is missing before {seq}")
                });
            }
            expected = seq.next();
            messages += u64::from(matches!(event.body, Body::Message(_)));
            if event.msg_no != messages {
                findings.add(Breach::Hole, || {
                    format!("{room} {seq}: msg_no {} not {messages}", event.msg_no)
                });
            }
            findings.entries += 1;
            let name = (event.from.0, *room, event.key);
            if let Some(first) = places.insert(name, *seq) {
                findings.add(Breach::Doubled, || {
                    format!("{room}: {} at {first} and {seq}", event.key)
                });
                places.insert(name, first);
            }
            if !is_known(event, sent.get(&name).copied()) {
                findings.add(Breach::Invented, || format!("{room} {seq}: {event:?}"));
            }
        }
        if expected != log.head.next() {
            findings.add(Breach::Hole, || {
                format!("{room}: ends before {expected}, head {}", log.head)
            });
        }
    }
    places
}

/// Rooms and memberships are the test's own doing, before any history began.
fn is_known(event: &Event, sent: Option<&Sent>) -> bool {
    match &event.body {
        Body::Message(body) => sent.is_some_and(|sent| body.text() == Some(&sent.text)),
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

fn check_sends(history: &History, places: &Places, findings: &mut Findings) {
    let mut newest: BTreeMap<RoomId, Seq> = BTreeMap::new();
    for sent in &history.sent {
        let place = places.get(&(history.user, sent.room, sent.key)).copied();
        match sent.fate {
            Fate::Acked { seq, .. } => {
                findings.acked += 1;
                if place != Some(seq) {
                    findings.add(Breach::Lost, || {
                        format!(
                            "{} {}: acked as {seq}, found {place:?}",
                            sent.room, sent.key
                        )
                    });
                }
            }
            Fate::Refused(code) => findings.add(Breach::Contradiction, || {
                format!("{}: refused with {code:?}", sent.key)
            }),
            Fate::Waiting => {}
        }
        if let Some(place) = place {
            let before = newest.insert(sent.room, place).unwrap_or(Seq(0));
            if before >= place {
                findings.add(Breach::SenderOrder, || {
                    format!("{}: {before} was sent before {place}", sent.room)
                });
            }
        }
    }
}

fn check_views(history: &History, logs: &Logs, all_has_come: bool, findings: &mut Findings) {
    for (room, view) in &history.rooms {
        let log = &logs[room];
        for (seq, seen) in &view.received {
            if log.events.get(seq).map(Seen::of) != Some(*seen) {
                findings.add(Breach::Ghost, || {
                    format!("{room} {seq}: {} was received", seen.key)
                });
            }
        }
        let lacking = missing(view);
        if !lacking.is_empty() {
            findings.add(Breach::Gap, || {
                format!("{room}: up to {} without {lacking:?}", view.cursor)
            });
        }
        if all_has_come && view.cursor != log.head {
            findings.add(Breach::Gap, || {
                format!("{room}: has {} of {}", view.cursor, log.head)
            });
        }
    }
}

/// Seqs that the view claims to have had, and has not.
fn missing(view: &RoomView) -> Vec<Seq> {
    let skipped = |seq: &Seq| {
        view.skips
            .iter()
            .any(|skip| skip.from <= *seq && *seq <= skip.to)
    };
    let had = (view.begins.0 + 1..=view.cursor.0).map(Seq);
    had.filter(|seq| !view.received.contains_key(seq) && !skipped(seq))
        .collect()
}

/// From the end of the log back: the earliest ack of what stands later must not lie before a send began.
fn check_real_time(
    room: RoomId,
    sent: &BTreeMap<(UserId, RoomId, Key), &Sent>,
    places: &Places,
    findings: &mut Findings,
) {
    let here = places.iter().filter(|((_, other, _), _)| *other == room);
    let mut by_seq: Vec<(Seq, &Sent)> = here
        .filter_map(|(name, seq)| Some((*seq, *sent.get(name)?)))
        .collect();
    by_seq.sort_by_key(|(seq, _)| std::cmp::Reverse(*seq));
    let mut earliest_ack: Option<(Moment, Seq)> = None;
    for (seq, sent) in by_seq {
        if let (Some((at, later)), Some(began)) = (earliest_ack, sent.began)
            && at < began
        {
            findings.add(Breach::RealTime, || {
                format!("{room}: {later} was acked before {seq} began")
            });
        }
        if let Fate::Acked { at, .. } = sent.fate {
            let ack = (at, seq);
            earliest_ack = Some(earliest_ack.map_or(ack, |earlier| earlier.min(ack)));
        }
    }
}

/// Whatever anybody knew to be acknowledged when a client asked, it had when it had caught up.
fn check_fresh(histories: &[&History], findings: &mut Findings) {
    let mut acks: BTreeMap<RoomId, BTreeMap<Moment, Seq>> = BTreeMap::new();
    for sent in histories.iter().flat_map(|history| &history.sent) {
        if let Fate::Acked { seq, at } = sent.fate {
            acks.entry(sent.room).or_default().insert(at, seq);
        }
    }
    for acks in acks.values_mut() {
        let mut highest = Seq(0);
        for seq in acks.values_mut() {
            highest = highest.max(*seq);
            *seq = highest;
        }
    }
    for caught_up in histories.iter().flat_map(|history| &history.caught_up) {
        for (room, cursor) in &caught_up.cursors {
            let known = acks
                .get(room)
                .and_then(|acks| acks.range(..caught_up.asked).next_back());
            if let Some((_, known)) = known.filter(|(_, known)| *known > cursor) {
                findings.add(Breach::Stale, || {
                    format!("{room}: caught up at {cursor}, {known} was acked")
                });
            }
        }
    }
}
