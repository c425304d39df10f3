//! Who types in one room, as far as the server is told.
//!
//! Nothing here is stored or promised: a typist who does not repeat it has stopped. Frames name
//! all who type instead of saying what changed, so that a lost one is made good by the next. Who
//! may type, and whom it is told to, is not decided here. Lives while somebody looks at the room.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{Tick, UserId};
use crate::limits;
use crate::mutant::{self, Mutant};

#[derive(Debug, Clone, Copy)]
struct Typist {
    /// Has stopped then, unless they go on.
    until: Tick,
    /// From then on it is worth telling that they go on: receivers forget by themselves.
    again: Tick,
}

/// The typists of one room.
#[derive(Debug, Default)]
pub struct Typing {
    typists: BTreeMap<UserId, Typist>,
    /// Whom receivers believe to type.
    told: Vec<UserId>,
    changed: bool,
}

/// Typists as a frame names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Typists {
    /// By id.
    pub users: Vec<UserId>,
    /// How many type beside them.
    pub more: u64,
}

/// A change that is to be told.
#[derive(Debug)]
pub struct Telling {
    before: Vec<UserId>,
    now: Vec<UserId>,
    names_max: usize,
}

impl Typing {
    /// Somebody types, or goes on. One more than [`limits::TYPISTS_MAX`] is not told.
    pub fn on(&mut self, user: UserId, now: Tick) {
        let until = now.plus(limits::TYPING_MS);
        if let Some(typist) = self.typists.get_mut(&user) {
            typist.until = until;
            self.changed |= now >= typist.again;
        } else if self.typists.len() < limits::TYPISTS_MAX {
            let again = now;
            self.typists.insert(user, Typist { until, again });
            self.changed = true;
        }
    }

    /// Somebody has stopped: they said so, their message has come, or they are gone.
    pub fn off(&mut self, user: UserId) {
        self.changed |= self.typists.remove(&user).is_some();
    }

    /// Lets those stop whose time is over.
    pub fn expire(&mut self, now: Tick) {
        let before = self.typists.len();
        self.typists.retain(|_user, typist| typist.until > now);
        self.changed |= self.typists.len() < before;
    }

    /// When the next one stops.
    #[must_use]
    pub fn expires(&self) -> Option<Tick> {
        self.typists.values().map(|typist| typist.until).min()
    }

    /// Whether there is something to tell.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.changed
    }

    /// Takes what is to be told, with at most `names_max` names in a frame.
    pub fn tell(&mut self, now: Tick, names_max: usize) -> Telling {
        self.changed = false;
        for typist in self.typists.values_mut() {
            typist.again = now.plus(limits::TYPING_AGAIN_MS);
        }
        let typing: Vec<UserId> = self.typists.keys().copied().collect();
        let before = std::mem::replace(&mut self.told, typing.clone());
        Telling {
            before,
            now: typing,
            names_max,
        }
    }

    /// What somebody is told who has just begun to look, but for those who are `hidden` from them;
    /// nothing if nobody else types.
    #[must_use]
    pub fn shown_to(
        &self,
        user: UserId,
        hidden: Option<&BTreeSet<UserId>>,
        names_max: usize,
    ) -> Option<Typists> {
        let telling = Telling {
            before: Vec::new(),
            now: self.told.clone(),
            names_max,
        };
        telling.to(user, hidden)
    }
}

impl Telling {
    /// What everybody is told who is not [`Telling::apart`]; nothing if nobody types or typed.
    #[must_use]
    pub fn to_others(&self) -> Option<Typists> {
        self.without(|_user| false)
    }

    /// Those whom this is about: each is told of the others only.
    #[must_use]
    pub fn apart(&self) -> BTreeSet<UserId> {
        self.before.iter().chain(&self.now).copied().collect()
    }

    /// What `user` is told, of whom none are `hidden` from them; nothing if nobody is left.
    #[must_use]
    pub fn to(&self, user: UserId, hidden: Option<&BTreeSet<UserId>>) -> Option<Typists> {
        if mutant::active(Mutant::TypingToSender) {
            return self.to_others();
        }
        self.without(|other| *other == user || hidden.is_some_and(|hidden| hidden.contains(other)))
    }

    fn without(&self, unsaid: impl Fn(&UserId) -> bool) -> Option<Typists> {
        let others = |all: &[UserId]| -> Vec<UserId> {
            let others = all.iter().filter(|other| !unsaid(other));
            others.copied().collect()
        };
        let mut users = others(&self.now);
        if users.is_empty() && others(&self.before).is_empty() {
            return None;
        }
        let more = users.len().saturating_sub(self.names_max) as u64;
        users.truncate(self.names_max);
        Some(Typists { users, more })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(number: u8) -> UserId {
        UserId([number; 16])
    }

    fn named(typists: Option<Typists>) -> String {
        typists.map_or_else(
            || "nothing".to_owned(),
            |typists| {
                let names = typists.users.iter().map(|user| user.0[0].to_string());
                let names: Vec<String> = names.collect();
                format!("[{}]+{}", names.join(" "), typists.more)
            },
        )
    }

    #[test]
    fn a_typist_is_told_to_others_goes_on_and_stops() {
        let mut typing = Typing::default();
        typing.on(user(1), Tick(0));
        let telling = typing.tell(Tick(0), 8);
        assert_eq!(named(telling.to_others()), "[1]+0");
        assert_eq!(named(telling.to(user(1), None)), "nothing");
        typing.on(user(1), Tick(1_000));
        assert!(!typing.is_changed(), "told a moment ago");
        typing.on(user(1), Tick(3_000));
        assert!(typing.is_changed(), "receivers are to hear again");
        assert_eq!(named(typing.tell(Tick(3_000), 8).to_others()), "[1]+0");
        assert_eq!(typing.expires(), Some(Tick(9_000)));
        typing.expire(Tick(8_999));
        assert!(!typing.is_changed());
        typing.expire(Tick(9_000));
        assert_eq!(named(typing.tell(Tick(9_000), 8).to_others()), "[]+0");
        assert_eq!(named(typing.tell(Tick(9_000), 8).to_others()), "nothing");
    }

    #[test]
    fn each_typist_hears_of_the_others() {
        let mut typing = Typing::default();
        for number in 1..=5 {
            typing.on(user(number), Tick(0));
        }
        let telling = typing.tell(Tick(0), 3);
        assert_eq!(named(telling.to_others()), "[1 2 3]+2");
        assert_eq!(named(telling.to(user(2), None)), "[1 3 4]+1");
        assert_eq!(named(typing.shown_to(user(5), None, 3)), "[1 2 3]+1");
        for number in 2..=5 {
            typing.off(user(number));
        }
        let telling = typing.tell(Tick(10), 3);
        assert_eq!(
            named(telling.to(user(1), None)),
            "[]+0",
            "the others have stopped"
        );
        assert_eq!(named(telling.to(user(4), None)), "[1]+0");
        assert_eq!(telling.apart().len(), 5);
    }

    #[test]
    fn typists_are_bounded() {
        let mut typing = Typing::default();
        for number in 0..=u8::MAX {
            typing.on(user(number), Tick(0));
        }
        let telling = typing.tell(Tick(0), usize::MAX);
        let users = telling.to_others().map(|typists| typists.users.len());
        assert_eq!(users, Some(limits::TYPISTS_MAX));
    }

    proptest! {
        /// Whatever happens: nobody is told of themselves, and nobody is told to type later than
        /// their time after they last said so.
        #[test]
        fn nobody_hears_of_themselves_or_of_the_past(
            steps in prop::collection::vec((0u8..5, 0u8..4, 0u64..4_000), 1..60),
        ) {
            let (mut typing, mut now) = (Typing::default(), Tick(0));
            let mut said: BTreeMap<UserId, Tick> = BTreeMap::new();
            for (who, what, later) in steps {
                now = now.plus(later);
                typing.expire(now);
                match what {
                    0 => typing.off(user(who)),
                    _ => {
                        typing.on(user(who), now);
                        said.insert(user(who), now);
                    }
                }
                let telling = typing.tell(now, 3);
                for receiver in (0..5).map(user) {
                    let told = telling.to(receiver, None).map_or_else(Vec::new, |told| told.users);
                    prop_assert!(!told.contains(&receiver));
                    for typist in told {
                        let fresh = now.since(said[&typist]) < limits::TYPING_MS;
                        prop_assert!(fresh, "{typist} at {now:?}");
                    }
                }
            }
        }
    }
}
