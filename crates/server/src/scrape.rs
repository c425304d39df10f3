//! The scrape: one page with everything that a node knows about itself, on a listener of its own.
//!
//! Off unless the setting `metrics` names an address; whoever reaches that address may read (ADR 8).
//! Counting is `metrics`' and of the parts themselves; here they are only asked. Lifetime: that of
//! the node.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;
use chinwag_core::code::ErrorCode;
use chinwag_core::ids::Millis;
use tokio::task::yield_now;

use crate::clock;
use crate::gateway::budget::{Budget, ConnectionLimits};
use crate::gateway::connections::Connections;
use crate::gateway::driver::Services;
use crate::gateway::http::Failure;
use crate::gateway::ws::DeflateFigures;
use crate::metrics::cells::Label as _;
use crate::metrics::text::{CONTENT_TYPE as EXPOSITION, Page};
use crate::metrics::{Cap, Direction, LookUp, Stage, table};
use crate::startup;
use crate::store::recent::Recent;

/// Connections to the listener of metrics. Beyond: closed at once. A scraper needs one.
const SCRAPERS_MAX: usize = 16;
/// Outboxes that are looked at before others have their turn.
const OUTBOXES_AT_ONCE: usize = 1_024;

/// Who knows what.
#[derive(Clone)]
pub struct Sources {
    services: Services,
    recent: Arc<Recent>,
    budget: Arc<Budget>,
    started: Millis,
}

impl Sources {
    /// Everything that a node which starts now can be asked.
    #[must_use]
    pub fn new(services: &Services, recent: &Arc<Recent>, budget: &Arc<Budget>) -> Self {
        Self {
            services: services.clone(),
            recent: recent.clone(),
            budget: budget.clone(),
            started: clock::wall(),
        }
    }
}

/// The caps of the listener of metrics.
#[must_use]
pub fn limits() -> ConnectionLimits {
    ConnectionLimits {
        connections_max: SCRAPERS_MAX,
        unauthenticated_max: SCRAPERS_MAX,
        per_address_max: SCRAPERS_MAX,
    }
}

/// `GET /metrics`, and nothing else.
pub fn router(sources: Sources) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_path)
        .with_state(sources)
}

async fn metrics(State(sources): State<Sources>) -> impl IntoResponse {
    ([(CONTENT_TYPE, EXPOSITION)], page(&sources).await)
}

async fn unknown_path() -> Failure {
    let message = "this listener has only /metrics";
    Failure::with(StatusCode::NOT_FOUND, ErrorCode::NotFound, message)
}

async fn wrong_method() -> Failure {
    let message = "metrics are read by GET";
    let status = StatusCode::METHOD_NOT_ALLOWED;
    Failure::with(status, ErrorCode::UnknownCommand, message)
}

async fn page(sources: &Sources) -> String {
    let mut page = Page::default();
    process(&mut page, sources);
    connections(&mut page, sources);
    traffic(&mut page, sources);
    commits(&mut page, sources);
    recent(&mut page, sources);
    let connections = &sources.services.connections;
    page.one(&table::OUTBOX_BYTES, outbox_bytes(connections).await);
    let hashes = sources.services.accounts.passwords().computed();
    page.one(&table::PASSWORD_HASHES, hashes);
    page.into_text()
}

fn process(page: &mut Page, sources: &Sources) {
    let version = [env!("CARGO_PKG_VERSION").into()];
    page.several(&table::BUILD_INFO, [(version, 1)]);
    page.one(&table::START_TIME, sources.started.0 as f64 / 1_000.0);
    page.one_if_any(&table::RESIDENT_MEMORY, resident_bytes());
    page.one_if_any(&table::MAX_FDS, startup::file_limit().soft);
}

fn connections(page: &mut Page, sources: &Sources) {
    let metrics = &sources.services.metrics;
    let (open, users) = sources.services.connections.counts();
    page.one(&table::ERASURES, sources.services.eraser.waiting());
    page.one(&table::CONNECTIONS, open);
    page.one(&table::USERS, users);
    page.family(&table::CONNECTION_OPENS, &metrics.opens);
    let by_us = metrics
        .closed
        .each()
        .map(|(code, count)| ("server", code.text(), count));
    let by_them = metrics
        .left
        .each()
        .map(|(said, count)| ("client", said.text(), count));
    let abnormal = [
        ("server", "1006".into(), metrics.stuck.get()),
        ("nobody", "1006".into(), metrics.lost.get()),
    ];
    let closes = by_us.chain(by_them).chain(abnormal);
    let closes = closes.map(|(by, code, count)| ([by.into(), code], count));
    page.several(&table::CONNECTION_CLOSES, closes);
    page.histogram(&table::CONNECTION_SECONDS, &metrics.connection_seconds);
    page.family(&table::RESUMES, &metrics.resumes);
    page.family(&table::CURSOR_MISMATCH, &metrics.cursor_mismatch);
    page.one(&table::BEHIND, metrics.behind.get());
    let budget = sources.budget.figures();
    page.one(&table::TCP_CONNECTIONS, budget.connections);
    page.one(&table::TCP_UNAUTHENTICATED, budget.unauthenticated);
    let refused = Cap::ALL.iter().map(|cap| {
        let count = match cap {
            Cap::Total => budget.refused_total,
            Cap::Unauthenticated => budget.refused_unauthenticated,
            Cap::Address => budget.refused_address,
        };
        ([cap.text()], count)
    });
    page.several(&table::TCP_REFUSED, refused);
}

fn traffic(page: &mut Page, sources: &Sources) {
    let metrics = &sources.services.metrics;
    page.one(&table::FRAMES_RECEIVED, metrics.frames_received.get());
    page.family(&table::FRAMES_BYTES, &metrics.frames_bytes);
    let deflate = sources.services.deflate.as_ref();
    let DeflateFigures {
        before_bytes,
        after_bytes,
        received_bytes,
        inflated_bytes,
    } = deflate.map(|deflate| deflate.figures()).unwrap_or_default();
    let compressed = [
        (Direction::In, Stage::Raw, inflated_bytes),
        (Direction::In, Stage::Wire, received_bytes),
        (Direction::Out, Stage::Raw, before_bytes),
        (Direction::Out, Stage::Wire, after_bytes),
    ];
    let compressed =
        compressed.map(|(direction, stage, bytes)| ([direction.text(), stage.text()], bytes));
    page.several(&table::COMPRESSION_BYTES, compressed);
    page.one(&table::WRITES, metrics.writes.get());
    page.one(&table::DELIVERIES, metrics.deliveries.get());
}

fn commits(page: &mut Page, sources: &Sources) {
    let Services {
        metrics,
        commit,
        hub,
        ..
    } = &sources.services;
    page.family(&table::EVENTS_COMMITTED, &metrics.events_committed);
    page.one(&table::REPLAYS, metrics.replays.get());
    page.histogram(&table::COMMIT_SECONDS, &metrics.commit_seconds);
    page.histogram(&table::COMMIT_BATCH_ITEMS, &metrics.commit_batch_items);
    page.family(&table::COMMIT_FAILURES, &metrics.commit_failures);
    page.one(&table::COMMIT_QUEUE, commit.waiting());
    page.histogram(&table::ACK_SECONDS, &metrics.ack_seconds);
    page.histogram(&table::DELIVERY_SECONDS, &metrics.delivery_seconds);
    page.one(&table::SHARD_QUEUE, hub.waiting());
    page.family(&table::ERRORS, &metrics.errors);
    page.family(&table::RATE_LIMITED, &metrics.rate_limited);
}

fn recent(page: &mut Page, sources: &Sources) {
    let figures = sources.recent.figures();
    let lookups = LookUp::ALL.iter().map(|fared| {
        let count = match fared {
            LookUp::Hit => figures.hits,
            LookUp::Miss => figures.misses,
            LookUp::Older => figures.older,
        };
        ([fared.text()], count)
    });
    page.several(&table::RECENT_LOOKUPS, lookups);
    page.one(&table::RECENT_LOADS, figures.loads);
    page.one(&table::RECENT_EVICTIONS, figures.evictions);
    page.one(&table::RECENT_ROOMS, figures.rooms);
    page.one(&table::RECENT_BYTES, figures.bytes);
}

/// Asks one connection after the other, so that nobody has to count while delivering.
async fn outbox_bytes(connections: &Connections) -> usize {
    let mut sum = 0;
    for some in connections.every().chunks(OUTBOXES_AT_ONCE) {
        sum += some.iter().map(|one| one.waiting_bytes()).sum::<usize>();
        yield_now().await;
    }
    sum
}

/// What Linux says of this process, in bytes.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1_024)
}
