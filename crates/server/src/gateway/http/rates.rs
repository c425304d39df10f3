//! `/api/v1/users/{id}/rate`: how much one person may send, set by administrators of the server.

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chinwag_core::code::ErrorCode;
use chinwag_core::deed::Deed;
use chinwag_core::ids::UserId;
use chinwag_core::invite::InviteHash;
use chinwag_core::limits;
use chinwag_core::rate::Rate;
use serde_json::json;

use super::Answer;
use super::call::{Asking, Call};
use super::reply;
use crate::auth::{Accounts, Identity, Refused};
use crate::clock::{self, Clock};
use crate::gateway::connections::Connections;
use crate::store::{Store, StoreError};

/// What stores rates, and whom they hold for.
#[derive(Clone)]
pub struct Rating {
    /// Where they are kept.
    pub store: Arc<dyn Store>,
    /// Who is here.
    pub connections: Arc<Connections>,
    /// Timers.
    pub clock: Clock,
}

/// `PUT /api/v1/users/{id}/rate`
pub(super) async fn set(
    State(accounts): State<Arc<Accounts>>,
    Extension(rating): Extension<Rating>,
    Path(id): Path<String>,
    call: Call,
) -> Answer {
    let by = call.identity(&accounts).await?;
    let user = administered(&by, &id)?;
    let field = |name, largest| {
        let number = call.number(name).filter(|number| *number <= largest);
        number.ok_or_else(|| Refused::field(ErrorCode::BadField, name))
    };
    let largest = f64::from(limits::RATE_SET_MAX);
    let (per_second, burst) = (
        field("messages_per_second", largest)?,
        field("burst", largest)?,
    );
    let thousandths = (per_second * 1_000.0).ceil();
    if thousandths < 1.0 {
        return Err(Refused::field(ErrorCode::BadField, "messages_per_second").into());
    }
    if burst < 1.0 || burst.fract() != 0.0 {
        return Err(Refused::field(ErrorCode::BadField, "burst").into());
    }
    let rate = Rate {
        thousandths_per_second: thousandths as u32,
        burst: burst as u32,
    };
    rating.rate(&by, user, Some(rate)).await?;
    let body = json!({"user": user, "messages_per_second": per_second, "burst": rate.burst});
    Ok(reply::json(StatusCode::OK, &body))
}

/// `DELETE /api/v1/users/{id}/rate`
pub(super) async fn reset(
    State(accounts): State<Arc<Accounts>>,
    Extension(rating): Extension<Rating>,
    Path(id): Path<String>,
    asking: Asking,
) -> Answer {
    let by = asking.identity(&accounts).await?;
    let user = administered(&by, &id)?;
    rating.rate(&by, user, None).await?;
    Ok(reply::json(StatusCode::OK, &json!({})))
}

/// The user whom a path names, for administrators. Others are not told whether there is one.
fn administered(by: &Identity, id: &str) -> Result<UserId, Refused> {
    if !by.administrator {
        return Err(Refused::new(ErrorCode::Forbidden));
    }
    // What is no id is nobody's.
    id.parse().map_err(|_bad| Refused::new(ErrorCode::NotFound))
}

impl Rating {
    async fn rate(&self, by: &Identity, user: UserId, rate: Option<Rate>) -> Result<(), Refused> {
        let deed = Deed::Rate { user, rate };
        // No token is drawn for it.
        let drawn = InviteHash([0; 32]);
        let done = self
            .store
            .perform(by.user.id, deed, drawn, clock::wall())
            .await;
        match done {
            Ok(Ok(_change)) => {}
            Ok(Err(code)) => return Err(Refused::new(code)),
            Err(StoreError::Full) => return Err(Refused::new(ErrorCode::StorageFull)),
            Err(error) => {
                tracing::warn!(%error, "a rate is not stored");
                return Err(Refused::new(ErrorCode::Unavailable));
            }
        }
        self.connections.set_rate(user, rate, self.clock.tick());
        tracing::info!(%user, by = %by.user.id, ?rate, "a rate was set");
        Ok(())
    }
}
