//! The rows: what is measured, of whom, and what is wanted of Chinwag.

use std::ops::Range;

use super::contender::Contender;
use super::figures::Figure;
use super::verdict::{Bound, Target};

/// Rooms of equally many members, each user in one of them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    /// How many rooms.
    pub(crate) rooms: usize,
    /// Members of each.
    pub(crate) members: usize,
}

impl Shape {
    /// How many people that are.
    pub(crate) fn users(self) -> usize {
        self.rooms * self.members
    }

    /// The users of each room.
    pub(crate) fn ranges(self) -> Vec<Range<usize>> {
        let room = |room: usize| room * self.members..(room + 1) * self.members;
        (0..self.rooms).map(room).collect()
    }
}

/// What is done with these people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Play {
    /// Each sender keeps so many messages unanswered.
    Window(usize),
    /// One message under way in all.
    OneInAll,
    /// An open loop at half of what somebody took at most.
    HalfRate,
    /// Nothing: what a connection takes.
    Idle,
    /// They sign in.
    Connects,
    /// All are cut off at once, and come back.
    Storm,
    /// One in a hundred stops reading.
    Readers,
}

/// A row of the comparison.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What is measured.
    what: &'static str,
    pub(crate) play: Play,
    pub(crate) shape: Shape,
    pub(crate) senders: usize,
    pub(crate) contenders: Vec<Contender>,
    pub(crate) targets: Vec<Target>,
    /// Whose maximum the rate of an open loop is derived from.
    pub(crate) rate_from: Option<Contender>,
}

/// Messages of one sender under way at saturation.
const WINDOW: usize = 16;

impl Row {
    /// The same people at saturation.
    pub(crate) fn saturated(&self) -> Self {
        Self {
            play: Play::Window(WINDOW),
            ..self.clone()
        }
    }

    /// What a reader has to know.
    pub(crate) fn note(&self) -> String {
        let Shape { rooms, members } = self.shape;
        format!(
            "{}: {}; {} people in {rooms} {} of {members}",
            self.name,
            self.what,
            self.shape.users(),
            if rooms == 1 { "room" } else { "rooms" },
        )
    }
}

/// The names of all rows.
pub(crate) fn names() -> Vec<&'static str> {
    all(false).iter().map(|row| row.name).collect()
}

/// All rows; `quick` ones have fewer people where it is people that take time.
pub(crate) fn all(quick: bool) -> Vec<Row> {
    let people = |many: usize| if quick { many / 5 } else { many };
    let mut rows = room_of_a_thousand();
    rows.extend(durable());
    rows.extend(connections(&people));
    rows.push(Row {
        name: "readers",
        what: "one in a hundred stops reading; p99 of the others' deliveries with them, to that \
               without; 60 messages of 8,000 bytes a second",
        play: Play::Readers,
        shape: Shape {
            rooms: 1,
            members: 1_000,
        },
        senders: 10,
        contenders: vec![Contender::Chinwag],
        targets: vec![plain(Figure::P99Growth, Bound::AtMost(1.5))],
        rate_from: None,
    });
    rows
}

fn room_of_a_thousand() -> Vec<Row> {
    use Contender::{Chinwag, Ejabberd, FloorCoalesced, FloorEach, SocketIo, Ws};
    let shape = Shape {
        rooms: 1,
        members: 1_000,
    };
    let row = Row {
        name: "fanout",
        what: "10 senders, each with 16 messages under way",
        play: Play::Window(WINDOW),
        shape,
        senders: 10,
        contenders: vec![Chinwag, SocketIo, Ws, Ejabberd, FloorCoalesced],
        targets: vec![
            beside(Figure::DeliveriesPerSecond, SocketIo, Bound::AtLeast(10.0)),
            beside(Figure::DeliveriesPerSecond, Ejabberd, Bound::AtLeast(50.0)),
            beside(
                Figure::DeliveriesPerSecond,
                FloorCoalesced,
                Bound::AtLeast(0.4),
            ),
        ],
        rate_from: None,
    };
    vec![
        row.clone(),
        Row {
            name: "fanout-one",
            what: "one message under way, the next when everybody has it",
            play: Play::OneInAll,
            contenders: vec![Chinwag, FloorEach, SocketIo],
            targets: vec![
                beside(Figure::CpuUs, FloorEach, Bound::AtMost(1.3)),
                plain(Figure::UserUs, Bound::AtMost(0.8)),
                beside(Figure::DeliveriesPerSecond, SocketIo, Bound::AtLeast(2.0)),
            ],
            ..row.clone()
        },
        Row {
            name: "latency",
            what: "10 senders at half of the rate that Socket.IO takes at most, an open loop",
            play: Play::HalfRate,
            contenders: vec![Chinwag, SocketIo, FloorEach],
            targets: vec![
                beside(Figure::DeliveryP99Ms, SocketIo, Bound::AtMost(0.5)),
                beside(Figure::DeliveryP99Ms, FloorEach, Bound::AtMost(1.3)),
            ],
            rate_from: Some(SocketIo),
            ..row
        },
    ]
}

fn durable() -> Vec<Row> {
    use Contender::{Chinwag, FloorDurable, SocketIo, Store};
    let row = Row {
        name: "durable",
        what: "100 senders, each waiting for its ack, every member online",
        play: Play::Window(1),
        shape: Shape {
            rooms: 100,
            members: 10,
        },
        senders: 100,
        contenders: vec![Chinwag, FloorDurable, SocketIo],
        targets: vec![
            beside(Figure::AcksPerSecond, FloorDurable, Bound::AtLeast(0.7)),
            beside(Figure::AcksPerSecond, SocketIo, Bound::AtLeast(4.0)),
            beside(Figure::AckP99Ms, SocketIo, Bound::AtMost(1.0 / 3.0)),
        ],
        rate_from: None,
    };
    let alone = |name, rooms| Row {
        name,
        what: "each sender alone in a room and waiting for its ack: nobody else listens",
        shape: Shape { rooms, members: 1 },
        senders: rooms,
        contenders: vec![Chinwag, Store],
        targets: vec![
            beside(Figure::AcksPerSecond, Store, Bound::AtLeast(0.6)),
            beside(Figure::AckP99Ms, Store, Bound::AtMost(3.0)),
        ],
        ..row.clone()
    };
    vec![
        row.clone(),
        alone("unheard-100", 100),
        alone("unheard-1000", 1_000),
    ]
}

fn connections(people: &dyn Fn(usize) -> usize) -> Vec<Row> {
    use Contender::{Chinwag, Ejabberd, SocketIo, Ws};
    let row = |name, what, play, users: usize, contenders, targets| Row {
        name,
        what,
        play,
        shape: Shape {
            rooms: people(users) / 10,
            members: 10,
        },
        senders: 0,
        contenders,
        targets,
        rate_from: None,
    };
    vec![
        row(
            "idle",
            "memory that each further connection takes once a fifth of them is there; signed in \
             (but for bare ws), in one room",
            Play::Idle,
            5_000,
            vec![Chinwag, Ws, SocketIo],
            vec![plain(Figure::KibPerConnection, Bound::AtMost(5.0))],
        ),
        row(
            "connects",
            "people who were there before sign in, 256 at a time",
            Play::Connects,
            5_000,
            vec![Chinwag, SocketIo, Ejabberd],
            vec![beside(
                Figure::ConnectsPerSecond,
                SocketIo,
                Bound::AtLeast(10.0),
            )],
        ),
        row(
            "storm",
            "all are cut off at once and come back at once, with nothing missed meanwhile",
            Play::Storm,
            10_000,
            vec![Chinwag, SocketIo],
            vec![
                plain(Figure::BackSeconds, Bound::AtMost(2.5)),
                beside(Figure::UsPerClient, SocketIo, Bound::AtMost(0.2)),
            ],
        ),
    ]
}

fn plain(figure: Figure, bound: Bound) -> Target {
    Target {
        figure,
        against: None,
        bound,
    }
}

fn beside(figure: Figure, other: Contender, bound: Bound) -> Target {
    Target {
        figure,
        against: Some(other),
        bound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_measures_what_its_targets_name() {
        for row in all(false).iter().chain(&all(true)) {
            assert_eq!(
                row.contenders.first(),
                Some(&Contender::Chinwag),
                "{}",
                row.name
            );
            for target in &row.targets {
                let measured = target
                    .against
                    .is_none_or(|other| row.contenders.contains(&other));
                assert!(measured, "{}", row.name);
            }
            assert!(row.senders <= row.shape.users(), "{}", row.name);
        }
    }

    #[test]
    fn names_are_unique() {
        let mut names = names();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
