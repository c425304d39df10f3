//! Folding: the state of a message out of the events about it (contract 5).
//!
//! State = { body by its highest editing seq, redacted seq, reactions (user, emoji) by highest
//! seq }. Applying an event is idempotent and commutative per target, so the order in which
//! pages, syncs and live events arrive does not matter.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::{Body, Content, Event};
use crate::ids::{Seq, UserId};
use crate::mutant::{self, Mutant};

/// An event of the timeline with what later events made of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Folded {
    /// The event, its text being the current one; empty once redacted.
    #[serde(flatten)]
    pub event: Event,
    /// The edit that the text comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub edited: Option<Seq>,
    /// The redaction that emptied it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub redacted: Option<Seq>,
    /// Reactions that stand, by emoji and user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<(String, UserId)>>"))]
    pub reactions: Vec<(String, UserId)>,
    /// Whether the reader has hidden it from themselves: it is not to be shown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(test, ts(optional, as = "Option<bool>"))]
    pub hidden: bool,
}

/// Whether an event has a line of its own in a timeline; the others change one.
#[must_use]
pub fn has_line(body: &Body) -> bool {
    match body {
        Body::Room(_)
        | Body::Member(_)
        | Body::Message(_)
        | Body::Settings(_)
        | Body::Role(_)
        | Body::Damaged(_) => true,
        Body::Edit(_) | Body::Redact(_) | Body::Reaction(_) | Body::Pin(_) => false,
    }
}

/// Empties in `events` what `redaction` names: the text, and that of the edits before it. Nothing
/// returns either again, so nothing that keeps events may keep them (contract 1). Anything but a
/// redaction empties nothing.
pub fn empty<'a>(events: impl IntoIterator<Item = &'a mut Event>, redaction: &Event) {
    let (Body::Redact(_), Some(target)) = (&redaction.body, redaction.target) else {
        return;
    };
    if mutant::active(Mutant::RedactionKeepsText) {
        return;
    }
    for event in events {
        let named = match &event.body {
            Body::Message(_) => event.seq == target,
            Body::Edit(_) => event.target == Some(target) && event.seq < redaction.seq,
            _ => false,
        };
        if let (true, Body::Message(content) | Body::Edit(content)) = (named, &mut event.body) {
            *content = Content::emptied();
            event.reply_to = None;
            event.mentions = Vec::new();
        }
    }
}

/// A message being folded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folding {
    event: Event,
    edit: Option<(Seq, Content)>,
    redacted: Option<Seq>,
    reactions: BTreeMap<(String, UserId), (Seq, bool)>,
}

impl Folding {
    /// Begins with the event itself.
    #[must_use]
    pub fn new(event: Event) -> Self {
        Self {
            event,
            edit: None,
            redacted: None,
            reactions: BTreeMap::new(),
        }
    }

    /// Takes in an event about this one; others are ignored.
    pub fn apply(&mut self, event: &Event) {
        if event.room != self.event.room || event.target != Some(self.event.seq) {
            return;
        }
        match &event.body {
            Body::Edit(text) => {
                if self
                    .edit
                    .as_ref()
                    .is_none_or(|(seq, _text)| *seq < event.seq)
                {
                    self.edit = Some((event.seq, text.clone()));
                }
            }
            // The first redaction counts: a second one finds nothing to empty.
            Body::Redact(_) => {
                self.redacted = Some(self.redacted.map_or(event.seq, |seq| seq.min(event.seq)));
            }
            Body::Reaction(reaction) => {
                let slot = (reaction.emoji.clone(), event.from.0);
                let entry = self.reactions.entry(slot).or_insert((Seq::ZERO, false));
                if entry.0 < event.seq {
                    *entry = (event.seq, reaction.on);
                }
            }
            Body::Room(_)
            | Body::Member(_)
            | Body::Message(_)
            | Body::Settings(_)
            | Body::Role(_)
            | Body::Pin(_)
            | Body::Damaged(_) => {}
        }
    }

    /// The state so far.
    #[must_use]
    pub fn finish(&self) -> Folded {
        let mut event = self.event.clone();
        let mut edited = None;
        if let (Some((seq, text)), Body::Message(_)) = (&self.edit, &event.body) {
            edited = Some(*seq);
            event.body = Body::Message(text.clone());
        }
        let mut reactions = Vec::new();
        if self.redacted.is_some() {
            // Nothing returns a redacted text again, nor what people thought of it.
            if let Body::Message(_) = event.body {
                event.body = Body::Message(Content::emptied());
                event.reply_to = None;
                event.mentions = Vec::new();
            }
            edited = None;
        } else {
            let standing = self.reactions.iter().filter(|(_slot, (_seq, on))| *on);
            reactions.extend(standing.map(|(slot, _state)| slot.clone()));
        }
        Folded {
            event,
            edited,
            redacted: self.redacted,
            reactions,
            hidden: false,
        }
    }
}

/// Folds a page: `lines` are the events of the timeline, `about` everything that targets them.
#[must_use]
pub fn fold(lines: Vec<Event>, about: &[Event]) -> Vec<Folded> {
    let mut page: BTreeMap<Seq, Folding> = lines
        .into_iter()
        .map(|event| (event.seq, Folding::new(event)))
        .collect();
    for event in about {
        if let Some(folding) = event.target.and_then(|seq| page.get_mut(&seq)) {
            folding.apply(event);
        }
    }
    page.values().map(Folding::finish).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Author, ReactionBody, RedactBody};
    use crate::ids::{Key, Millis, RoomId};

    fn event(seq: u64, target: Option<u64>, from: u8, body: Body) -> Event {
        Event {
            room: RoomId([1; 16]),
            seq: Seq(seq),
            msg_no: 1,
            v: 1,
            from: Author(UserId([from; 16]), 1),
            key: Key([seq as u8; 16]),
            ts: Millis(0),
            target: target.map(Seq),
            reply_to: None,
            mentions: Vec::new(),
            body,
        }
    }

    fn text(text: &str) -> Content {
        text.into()
    }

    fn about() -> impl Strategy<Value = Event> {
        let body = prop_oneof![
            4 => "[a-c]".prop_map(|word| Body::Edit(text(&word))),
            1 => Just(Body::Redact(RedactBody {})),
            4 => ("[xy]", any::<bool>())
                .prop_map(|(emoji, on)| Body::Reaction(ReactionBody { emoji, on })),
        ];
        (2u64..30, 1u8..4, body).prop_map(|(seq, from, body)| event(seq, Some(1), from, body))
    }

    proptest! {
        /// Any order and any repetition of the same events ends in the same state.
        #[test]
        fn folding_commutes_and_repeats(mut events in prop::collection::vec(about(), 0..12)) {
            // One event a seq: a log has no two.
            events.sort_by_key(|event| event.seq);
            events.dedup_by_key(|event| event.seq);
            let message = event(1, None, 9, Body::Message(text("first")));
            let mut forward = Folding::new(message.clone());
            events.iter().for_each(|event| forward.apply(event));
            let mut backward = Folding::new(message);
            events.iter().rev().for_each(|event| backward.apply(event));
            events.iter().for_each(|event| backward.apply(event));
            prop_assert_eq!(forward.finish(), backward.finish());
        }
    }

    #[test]
    fn the_highest_edit_wins_and_a_redaction_empties() {
        let lines = vec![event(1, None, 1, Body::Message(text("one")))];
        let edits = [
            event(4, Some(1), 1, Body::Edit(text("four"))),
            event(3, Some(1), 1, Body::Edit(text("three"))),
            event(5, Some(2), 1, Body::Edit(text("another message's"))),
        ];
        let folded = fold(lines.clone(), &edits);
        assert_eq!(folded[0].event.body, Body::Message(text("four")));
        assert_eq!(folded[0].edited, Some(Seq(4)));
        let gone = fold(
            lines,
            &[
                edits[0].clone(),
                event(6, Some(1), 2, Body::Redact(RedactBody {})),
            ],
        );
        assert_eq!(gone[0].event.body, Body::Message(text("")));
        assert_eq!((gone[0].edited, gone[0].redacted), (None, Some(Seq(6))));
    }

    #[test]
    fn a_reaction_taken_off_does_not_stand() {
        let lines = vec![event(1, None, 1, Body::Message(text("one")))];
        let on = |seq, on| {
            event(
                seq,
                Some(1),
                2,
                Body::Reaction(ReactionBody {
                    emoji: "x".into(),
                    on,
                }),
            )
        };
        assert_eq!(fold(lines.clone(), &[on(2, true)])[0].reactions.len(), 1);
        assert_eq!(
            fold(lines, &[on(3, false), on(2, true)])[0].reactions.len(),
            0
        );
    }
}
