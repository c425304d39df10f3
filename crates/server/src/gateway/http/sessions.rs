//! `/api/v1/sessions`: one's own sessions, and ending them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::SessionId;
use serde_json::{Value, json};

use super::Answer;
use super::call::Asking;
use super::reply;
use crate::auth::{Accounts, Refused};

/// `GET /api/v1/sessions`
pub(super) async fn list(State(accounts): State<Arc<Accounts>>, asking: Asking) -> Answer {
    let identity = asking.identity(&accounts).await?;
    let rows = accounts.sessions(&identity).await?.into_iter();
    let rows = rows.map(|row| {
        let mut shown = json!({
            "id": row.id,
            "created": row.created_ms,
            "last_used": row.last_used_ms,
            "expires": row.expires_ms,
            "current": identity.session == Some(row.id),
        });
        if let Some(device) = row.device_name {
            shown["device"] = json!(device);
        }
        shown
    });
    let body = json!({ "sessions": rows.collect::<Vec<Value>>() });
    Ok(reply::json(StatusCode::OK, &body))
}

/// `DELETE /api/v1/sessions/{id}`
pub(super) async fn end(
    State(accounts): State<Arc<Accounts>>,
    Path(id): Path<String>,
    asking: Asking,
) -> Answer {
    let identity = asking.identity(&accounts).await?;
    // What is no id is nobody's session either.
    let id: Result<SessionId, _> = id.parse();
    let id = id.map_err(|_bad| Refused::new(ErrorCode::NotFound))?;
    accounts.end_session(&identity, id).await?;
    let response = reply::json(StatusCode::OK, &json!({}));
    Ok(if identity.session == Some(id) {
        reply::without_cookie(response, asking.peer.secure)
    } else {
        response
    })
}

/// `DELETE /api/v1/sessions`
pub(super) async fn end_others(State(accounts): State<Arc<Accounts>>, asking: Asking) -> Answer {
    let identity = asking.identity(&accounts).await?;
    let ended = accounts.end_other_sessions(&identity).await?;
    Ok(reply::json(StatusCode::OK, &json!({ "ended": ended })))
}
