//! What time does to a session: deadlines, heartbeats, and tokens that end.

use super::effect::Effect;
use super::reply::send;
use super::{Phase, Session};
use crate::code::CloseCode;
use crate::ids::Tick;
use crate::limits;
use crate::wire::ServerFrame;

impl Session {
    /// When [`Input::Time`] has something to do next.
    #[must_use]
    pub fn due(&self) -> Tick {
        let dead = self.heard.plus(limits::DEAD_MS);
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
        dead.min(self.next_ping).min(token).min(phase)
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
        if late(self.heard, limits::DEAD_MS) {
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
            self.next_ping = now.plus(limits::HEARTBEAT_MS);
            effects.push(Effect::Ping);
        }
    }
}
