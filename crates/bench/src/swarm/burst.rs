//! So many messages from each sender, as fast as they are answered: what others will have missed.
//!
//! Not a measurement: nothing is timed, and who receives it is the caller's to check.

use anyhow::{bail, ensure};

use super::stamp::{now_ns, stamped};
use super::{Note, Swarm};
use crate::dialect::Dialect;

/// Without any answer for so long, none will come.
const STUCK_NS: u64 = 30_000_000_000;
/// Messages that each sender keeps unanswered.
const WINDOW: u64 = 16;

/// Sends `each` messages from every sender (user and room), and waits for all answers.
///
/// # Errors
/// A message is refused, a connection ends, or the answers do not come.
pub(crate) fn send_all<D: Dialect>(
    swarm: &mut Swarm<D>,
    senders: &[(usize, usize)],
    each: u64,
    text_bytes: usize,
) -> anyhow::Result<()> {
    let mut sent = vec![0_u64; senders.len()];
    let mut sender_of = vec![None; swarm.users()];
    for (sender, (user, _room)) in senders.iter().enumerate() {
        sender_of[*user] = Some(sender);
    }
    let mut say = |swarm: &mut Swarm<D>, sender: usize| {
        if sent[sender] == each {
            return Ok(());
        }
        sent[sender] += 1;
        let (user, room) = senders[sender];
        let text = stamped(now_ns(), text_bytes);
        swarm.say_message(user, room, sent[sender], &text)
    };
    for sender in (0..WINDOW).flat_map(|_| 0..senders.len()) {
        say(swarm, sender)?;
    }
    let mut owed = each * senders.len() as u64;
    let mut notes = Vec::new();
    let mut give_up = now_ns() + STUCK_NS;
    while owed > 0 {
        swarm.turn(give_up)?;
        swarm.take_notes(&mut notes);
        for note in notes.drain(..) {
            match note {
                Note::Done { user, .. } => {
                    let Some(sender) = sender_of[user] else {
                        bail!("an answer to user {user}, who asked for nothing");
                    };
                    owed -= 1;
                    give_up = now_ns() + STUCK_NS;
                    say(swarm, sender)?;
                }
                Note::Closed { user, why } | Note::Refused { user, why } => {
                    bail!("user {user}: {why}")
                }
                Note::Ready { .. } => {}
            }
        }
        ensure!(now_ns() < give_up, "{owed} messages were never answered");
    }
    Ok(())
}
