//! What a company does in a day, pressed into the length of a run: who does what, drawn by dice
//! that fall alike in every run.
//!
//! Pure: it knows neither sockets nor clocks.

use std::ops::Range;

/// Sizes of the rooms that everybody is in one of; the last room is everybody's.
pub(super) const SIZES: [usize; 3] = [2, 10, 100];
/// Kinds of rooms: those of [`SIZES`], and the one of all.
pub(super) const KINDS: usize = SIZES.len() + 1;

/// Of a hundred messages to smaller rooms, how many go to which kind.
const SHARES: [u64; SIZES.len()] = [50, 35, 15];

/// Numbers that look random (xorshift64*, Vigna 2016), the same in every run.
pub(super) struct Dice(u64);

impl Dice {
    /// The same ones for the same seed.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    /// A number below `limit`, which is not 0.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        // The lower bits of the product are weak.
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

/// Who is in which room. Rooms are numbered kind by kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Company {
    people: usize,
}

impl Company {
    /// At least so many people, all rooms full.
    pub(super) fn of(people: usize) -> Self {
        Self {
            people: people.next_multiple_of(SIZES[SIZES.len() - 1]),
        }
    }

    pub(super) fn people(self) -> usize {
        self.people
    }

    /// How many members a room of this kind has.
    pub(super) fn size(self, kind: usize) -> usize {
        SIZES.get(kind).copied().unwrap_or(self.people)
    }

    /// The members of each room.
    pub(super) fn groups(self) -> Vec<Range<usize>> {
        let of_kind = |kind| {
            let size = self.size(kind);
            (0..self.people / size).map(move |room| room * size..(room + 1) * size)
        };
        (0..KINDS).flat_map(of_kind).collect()
    }

    /// The room of this kind that this user is in.
    pub(super) fn room(self, user: usize, kind: usize) -> usize {
        let before: usize = (0..kind).map(|kind| self.people / self.size(kind)).sum();
        before + user / self.size(kind)
    }
}

/// What somebody does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Sends a message to their room of this kind.
    Say(usize),
    /// Marks that room as read.
    Read(usize),
    /// Opens that room: its newest page.
    Look(usize),
    /// Loses the connection, and comes back.
    Leave,
}

/// How often people do what, on the whole day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Day {
    /// Of one person, to smaller rooms.
    pub(super) messages: u64,
    /// Of one person.
    pub(super) reads: u64,
    /// Of one person.
    pub(super) looks: u64,
    /// Of one person.
    pub(super) leaves: u64,
    /// Of all people, to the room of all.
    pub(super) announcements: u64,
}

impl Day {
    /// All actions of so many people.
    pub(super) fn actions(self, people: usize) -> u64 {
        (self.messages + self.reads + self.looks + self.leaves) * people as u64 + self.announcements
    }

    /// Draws the next action.
    pub(super) fn draw(self, people: usize, dice: &mut Dice) -> Action {
        let mut drawn = dice.below(self.actions(people));
        if drawn < self.announcements {
            return Action::Say(KINDS - 1);
        }
        drawn = (drawn - self.announcements) / people as u64;
        let small = small_room(dice);
        if drawn < self.messages {
            Action::Say(small)
        } else if drawn < self.messages + self.reads {
            // Everybody also reads what is said to all.
            Action::Read(if dice.below(10) == 0 {
                KINDS - 1
            } else {
                small
            })
        } else if drawn < self.messages + self.reads + self.looks {
            Action::Look(if dice.below(10) == 0 {
                KINDS - 1
            } else {
                small
            })
        } else {
            Action::Leave
        }
    }
}

fn small_room(dice: &mut Dice) -> usize {
    let mut drawn = dice.below(SHARES.iter().sum());
    for (kind, share) in SHARES.iter().enumerate() {
        if drawn < *share {
            return kind;
        }
        drawn -= share;
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Day = Day {
        messages: 20,
        reads: 40,
        looks: 5,
        leaves: 4,
        announcements: 120,
    };

    #[test]
    fn everybody_is_in_a_room_of_each_kind() {
        let company = Company::of(150);
        assert_eq!(company.people(), 200);
        let groups = company.groups();
        assert_eq!(groups.len(), 100 + 20 + 2 + 1);
        for user in [0, 1, 99, 100, 199] {
            for kind in 0..KINDS {
                let group = &groups[company.room(user, kind)];
                assert!(group.contains(&user), "{user} {kind}");
                assert_eq!(group.len(), company.size(kind));
            }
        }
    }

    #[test]
    fn actions_are_drawn_as_often_as_they_happen() {
        let (people, mut dice) = (100, Dice::new(7));
        let mut counts = [0_u64; 4];
        let days = 20;
        for _draw in 0..days * DAY.actions(people) {
            counts[match DAY.draw(people, &mut dice) {
                Action::Say(kind) => usize::from(kind == KINDS - 1),
                Action::Read(_) => 2,
                Action::Look(_) | Action::Leave => 3,
            }] += 1;
        }
        for (count, of_a_day) in counts.into_iter().zip([2_000, 120, 4_000, 900]) {
            let share = count as f64 / (days * of_a_day) as f64;
            assert!((0.93..1.07).contains(&share), "{counts:?}");
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_day() {
        let draw = |seed| {
            let mut dice = Dice::new(seed);
            (0..50)
                .map(|_| DAY.draw(1_000, &mut dice))
                .collect::<Vec<_>>()
        };
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(5));
    }
}
