//! Who is online, for somebody who asks instead of looking: answered by the same sets and rules.

use super::Watching;
use crate::ids::{RoomId, UserId};
use crate::limits;
use crate::live::Live;
use crate::wire::Person;

impl Watching {
    /// The people after `after` who are online in a room, by id, and whether there are more; nobody
    /// for one who hides.
    #[must_use]
    pub fn online(
        &self,
        asking: UserId,
        room: RoomId,
        after: Option<UserId>,
        live: &Live,
    ) -> (Vec<Person>, bool) {
        let hidden = |user: &UserId| self.walls.is_between(asking, *user);
        if self.hides(asking) || !live.is_in(asking, room) {
            return (Vec::new(), false);
        }
        let mut page: Vec<UserId> = match self.rooms.get(&room) {
            Some(looked) => {
                let online = looked.online_after(after);
                let shown = online.filter(|user| !hidden(user));
                shown.take(limits::PAGE_MAX + 1).collect()
            }
            None => {
                let online = self.online_in(room, live).into_iter();
                let shown = online.filter(|user| !hidden(user));
                let later = shown.filter(|user| after.is_none_or(|after| *user > after));
                later.take(limits::PAGE_MAX + 1).collect()
            }
        };
        let more = page.len() > limits::PAGE_MAX;
        page.truncate(limits::PAGE_MAX);
        let people = page.into_iter().map(|user| Person {
            user,
            online: true,
            last_seen: None,
        });
        (people.collect(), more)
    }

    /// Says of each of `people` whether they are online, as far as `asking` may know.
    pub fn mark_online(&self, asking: UserId, people: &mut [Person], live: &Live) {
        let sees = !self.hides(asking);
        for person in people {
            let is_shown = sees && !self.walls.is_between(asking, person.user);
            person.online = is_shown && self.shows_online(person.user, live);
        }
    }
}
