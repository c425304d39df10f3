//! The people of one room, signed in and in it.
//!
//! Only the way there: what they do then is a scenario's. A member lives as long as its socket.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use chinwag_core::ids::{RoomId, Seq, UserId};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::{ClientFrame, Cursor, ServerFrame, VERSION};
use tokio::sync::Semaphore;

use crate::client::{Keys, Socket};
use crate::issuer::Issuer;

/// Where the sockets go, and how many people may sign in at the same time.
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    pub(crate) path: String,
    pub(crate) issuer: Issuer,
    pub(crate) at_once: Semaphore,
}

/// Somebody who is signed in.
pub(crate) struct Member {
    pub(crate) socket: Socket,
    pub(crate) keys: Keys,
    user: UserId,
    req: u64,
}

/// A room with its members, the creator first.
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) members: Vec<Member>,
}

impl Member {
    /// Signs in the user with this number, up to `caught_up`.
    async fn sign_in(door: &Door, user: usize) -> anyhow::Result<Self> {
        let token = door.issuer.token(user)?;
        let _turn = door.at_once.acquire().await?;
        let mut socket = Socket::open(door.address, &door.path).await?;
        let hello = ClientFrame::Hello {
            v: VERSION,
            token,
            device: None,
            cursor: Cursor::default(),
            low_bandwidth: false,
        };
        socket.send(&hello).await?;
        let mut user = None;
        loop {
            match socket.next_frame().await? {
                ServerFrame::Welcome { user: profile, .. } => user = Some(profile.id),
                ServerFrame::Error { code, message, .. } => bail!("{code:?}: {message}"),
                ServerFrame::CaughtUp { .. } => break,
                _ => {}
            }
        }
        Ok(Self {
            socket,
            keys: Keys::new()?,
            user: user.context("no welcome")?,
            req: 0,
        })
    }

    /// A number for the next command.
    pub(crate) fn next_req(&mut self) -> u64 {
        self.req += 1;
        self.req
    }

    /// Sends a command and waits for its ack.
    async fn command(
        &mut self,
        frame: impl FnOnce(u64, &mut Keys) -> ClientFrame,
    ) -> anyhow::Result<(RoomId, Seq)> {
        let wanted = self.next_req();
        let frame = frame(wanted, &mut self.keys);
        self.socket.send(&frame).await?;
        loop {
            match self.socket.next_frame().await? {
                ServerFrame::Ack { req, room, seq, .. } if req == wanted => return Ok((room, seq)),
                ServerFrame::Error { code, message, .. } => bail!("{code:?}: {message}"),
                _ => {}
            }
        }
    }

    /// Waits until the event at `last` has come, so that a count can begin.
    async fn reach(&mut self, last: Seq) -> anyhow::Result<()> {
        loop {
            if let ServerFrame::Event(event) = self.socket.next_frame().await?
                && event.seq >= last
            {
                return Ok(());
            }
        }
    }
}

impl Room {
    /// Signs in users `first..first + members` and brings them together in a room.
    ///
    /// # Errors
    /// The server refuses something.
    pub(crate) async fn gather(
        door: Arc<Door>,
        first: usize,
        members: usize,
    ) -> anyhow::Result<Self> {
        let mut people = Vec::with_capacity(members);
        for user in first..first + members {
            people.push(Member::sign_in(&door, user).await.context("signing in")?);
        }
        let users: Vec<UserId> = people.iter().skip(1).map(|member| member.user).collect();
        let creator = people.first_mut().context("a room has a member")?;
        let (id, mut last) = creator
            .command(|req, keys| ClientFrame::Create {
                req,
                key: keys.next(),
                kind: RoomKind::Group,
                name: format!("room of user {first}"),
            })
            .await
            .context("creating a room")?;
        for user in users {
            let add = |req, keys: &mut Keys| ClientFrame::Add {
                req,
                key: keys.next(),
                room: id,
                user,
            };
            let (_, seq) = creator.command(add).await.context("adding a member")?;
            last = seq;
        }
        for member in &mut people {
            member.reach(last).await?;
        }
        Ok(Self {
            id,
            members: people,
        })
    }
}
