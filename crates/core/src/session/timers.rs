//! What time does to a session: deadlines, heartbeats, tokens that end, and the window in which
//! frames to a client of low bandwidth wait for others.

use super::effect::Effect;
use super::reply::send;
use super::{Phase, Session};
use crate::code::CloseCode;
use crate::ids::Tick;
use crate::limits;
use crate::wire::ServerFrame;

/// Frames to a client of low bandwidth leave together (mission E4). The first one that waits
/// opens the window; at its end all that waits by then leaves, replies as well as events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Window {
    closes: Option<Tick>,
}

impl Session {
    /// Whether the client asked for few and large messages.
    #[must_use]
    pub fn is_low_bandwidth(&self) -> bool {
        self.window.is_some()
    }

    /// Whether the `waiting_bytes` in the outbox stay there for now. The session is due when they
    /// no longer do.
    pub fn holds(&mut self, waiting_bytes: usize, now: Tick) -> bool {
        let is_closed = self.is_closed();
        let Some(window) = &mut self.window else {
            return false;
        };
        let closes = window.closes.unwrap_or(now.plus(limits::BATCH_WINDOW_MS));
        let holds =
            !is_closed && (1..limits::BATCH_BYTES_MAX).contains(&waiting_bytes) && now < closes;
        window.closes = holds.then_some(closes);
        holds
    }

    /// When what is held leaves, if something is.
    #[must_use]
    pub fn held_until(&self) -> Option<Tick> {
        self.window?.closes
    }

    /// Between two pings, and from the last sign of life to the end, in ms.
    fn pulse(&self) -> (u64, u64) {
        if self.is_low_bandwidth() {
            let dead_ms = limits::LOW_BANDWIDTH_DEAD_MS;
            (limits::LOW_BANDWIDTH_HEARTBEAT_MS, dead_ms)
        } else {
            (limits::HEARTBEAT_MS, limits::DEAD_MS)
        }
    }

    /// What a client of low bandwidth asks for in `hello`.
    pub(super) fn spare_bandwidth(&mut self, now: Tick) {
        self.window = Some(Window::default());
        self.next_ping = now.plus(limits::LOW_BANDWIDTH_HEARTBEAT_MS);
    }

    /// When [`Input::Time`] has something to do next.
    #[must_use]
    pub fn due(&self) -> Tick {
        let dead = self.heard.plus(self.pulse().1);
        let held = self.held_until().unwrap_or(Tick(u64::MAX));
        let notice = Tick(self.expires.0.saturating_sub(limits::TOKEN_NOTICE_MS));
        let token = if self.told_expiring {
            self.expires
        } else {
            notice
        };
        let phase = match &self.phase {
            Phase::Hello | Phase::Verifying(_) => self.begun.plus(limits::HELLO_DEADLINE_MS),
            Phase::Behind(since) => since.plus(limits::BEHIND_SYNC_MS),
            Phase::Syncing | Phase::Live | Phase::Closed => Tick(u64::MAX),
        };
        dead.min(self.next_ping).min(token).min(phase).min(held)
    }

    pub(super) fn time(&mut self, now: Tick, effects: &mut Vec<Effect>) {
        let late = |since: Tick, ms: u64| now >= since.plus(ms);
        match &self.phase {
            Phase::Hello | Phase::Verifying(_) if late(self.begun, limits::HELLO_DEADLINE_MS) => {
                return self.close(CloseCode::HelloLate, effects);
            }
            Phase::Behind(since) if late(*since, limits::BEHIND_SYNC_MS) => {
                return self.close(CloseCode::Behind, effects);
            }
            _ => {}
        }
        let (heartbeat_ms, dead_ms) = self.pulse();
        if late(self.heard, dead_ms) {
            return self.close(CloseCode::Silent, effects);
        }
        if now >= self.expires {
            return self.close(CloseCode::TokenExpired, effects);
        }
        if !self.told_expiring && now.plus(limits::TOKEN_NOTICE_MS) >= self.expires {
            self.told_expiring = true;
            send(
                effects,
                ServerFrame::TokenExpiring {
                    in_ms: self.expires.since(now),
                },
            );
        }
        if now >= self.next_ping {
            self.next_ping = now.plus(heartbeat_ms);
            effects.push(Effect::Ping);
        }
    }
}
