//! Rooms, made over the protocol before a measurement, by the first of their members.
//!
//! The members are let in while they are away: a room of ten thousand would otherwise tell each of
//! them of each of them. They have to have signed in once before.

use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context as _, bail};
use chinwag_core::ids::RoomId;
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{ClientFrame, ServerFrame};

use crate::client::Client;
use crate::issuer::Issuer;

/// Commands under way at the same time: fewer than the server's limit (`in_flight`, 64).
const IN_FLIGHT: usize = 60;
/// Rooms made at the same time: the server commits them together.
const AT_ONCE: usize = 8;

/// Where rooms are made, and who vouches for their members.
pub(crate) struct Place<'a> {
    pub(crate) address: SocketAddr,
    pub(crate) path: &'a str,
    pub(crate) issuer: &'a Issuer,
}

impl Place<'_> {
    /// Makes one room for each group of users.
    ///
    /// # Errors
    /// The server refuses something.
    pub(crate) fn rooms(&self, groups: &[Range<usize>]) -> anyhow::Result<Vec<RoomId>> {
        let next = AtomicUsize::new(0);
        let work = || -> anyhow::Result<Vec<(usize, RoomId)>> {
            let mut made = Vec::new();
            loop {
                let at = next.fetch_add(1, Ordering::Relaxed);
                let Some(group) = groups.get(at) else {
                    return Ok(made);
                };
                let room = self.room(group.clone());
                made.push((at, room.with_context(|| format!("making room {at}"))?));
            }
        };
        let made = thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE).map(|_worker| scope.spawn(work)).collect();
            let mut made = Vec::with_capacity(groups.len());
            for worker in workers {
                // A panic there is a mistake of this program; it goes on here.
                let part = worker.join();
                made.extend(part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
            }
            anyhow::Ok(made)
        });
        let mut made = made?;
        made.sort_by_key(|(at, _room)| *at);
        Ok(made.into_iter().map(|(_at, room)| room).collect())
    }

    fn room(&self, mut members: Range<usize>) -> anyhow::Result<RoomId> {
        let owner = members.next().context("a room has a member")?;
        let token = self.issuer.token(owner)?;
        let mut owner = Client::sign_in(self.address, self.path, token)?;
        let create = ClientFrame::Create {
            req: owner.next_req(),
            key: owner.keys.next(),
            kind: RoomKind::Group,
            name: format!("room of users {members:?}"),
            history: None,
        };
        owner.send(&create)?;
        let room = answered(&mut owner)?;
        let mut waiting = 0;
        for member in members {
            let add = ClientFrame::Add {
                req: owner.next_req(),
                key: owner.keys.next(),
                room,
                user: self.issuer.user(member),
            };
            owner.send(&add)?;
            waiting += 1;
            if waiting == IN_FLIGHT {
                answered(&mut owner)?;
                waiting -= 1;
            }
        }
        for _answer in 0..waiting {
            answered(&mut owner)?;
        }
        Ok(room)
    }
}

/// Waits for the next ack.
fn answered(client: &mut Client) -> anyhow::Result<RoomId> {
    loop {
        match client.next()? {
            ServerFrame::Ack { room, .. } => return Ok(room),
            ServerFrame::Error { code, message, .. } => bail!("{code:?}: {message}"),
            ServerFrame::Behind {} => bail!("the load generator is too slow to make rooms"),
            _ => {}
        }
    }
}
