//! Tokens: the one of `hello`, and those that renew it on the live socket (contract 8).

use super::effect::{Effect, Identity};
use super::reply::{public_limits, refuse, send};
use super::{Phase, Session};
use crate::code::{CloseCode, ErrorCode};
use crate::ids::Tick;
use crate::rate::Rate;
use crate::wire::{Req, ServerFrame, VERSION};

impl Session {
    pub(super) fn renew(&mut self, req: Req, token: String, effects: &mut Vec<Effect>) {
        if self.renewing.is_some() {
            let text = "another `auth` is being verified";
            return send(effects, refuse(Some(req), ErrorCode::Busy, text));
        }
        self.renewing = Some(req);
        effects.push(Effect::Authenticate(token));
    }

    pub(super) fn authenticated(
        &mut self,
        result: Result<Identity, ErrorCode>,
        rate: Rate,
        now: Tick,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(req) = self.renewing.take() {
            return self.renewed(req, result, now, effects);
        }
        let Phase::Verifying(cursor) = &mut self.phase else {
            return;
        };
        let cursor = std::mem::take(cursor);
        let identity = match result {
            Ok(identity) => identity,
            Err(code) => {
                send(effects, refuse(None, code, code.meaning()));
                let close = match code {
                    ErrorCode::TokenExpired => CloseCode::TokenExpired,
                    code if code.retryable() => CloseCode::Overloaded,
                    _ => CloseCode::BadToken,
                };
                return self.close(close, effects);
            }
        };
        let user = identity.user.id;
        self.user = Some(user);
        self.expires = now.plus(identity.expires_in_ms);
        let now = identity.now;
        let welcome = ServerFrame::Welcome {
            v: VERSION,
            epoch: self.terms.epoch,
            user: identity.user,
            session: identity.session,
            features: Vec::new(),
            limits: public_limits(rate),
            now,
        };
        send(effects, welcome);
        self.begin_sync(user, cursor, effects);
    }

    fn renewed(
        &mut self,
        req: Req,
        result: Result<Identity, ErrorCode>,
        now: Tick,
        effects: &mut Vec<Effect>,
    ) {
        match result {
            Ok(identity) if Some(identity.user.id) == self.user => {
                self.expires = now.plus(identity.expires_in_ms);
                self.told_expiring = false;
                send(effects, ServerFrame::Ok { req });
            }
            Ok(_other) => {
                let text = "this token is another user's";
                send(effects, refuse(Some(req), ErrorCode::BadToken, text));
            }
            Err(code) => send(effects, refuse(Some(req), code, code.meaning())),
        }
    }
}
