//! What the configuration means to single parts of a node. Only translated, nothing is decided.

use chinwag_core::rate::Rate;

use crate::auth;
use crate::config::Config;
use crate::gateway::budget::ConnectionLimits;

pub(super) fn rate(config: &Config) -> Rate {
    let thousandths = (config.limits.rate_per_second.per_second() * 1_000.0).ceil();
    Rate {
        thousandths_per_second: (thousandths as u32).max(1),
        burst: u32::try_from(config.limits.rate_burst.get()).unwrap_or(u32::MAX),
    }
}

pub(super) fn connection_limits(config: &Config) -> anyhow::Result<ConnectionLimits> {
    Ok(ConnectionLimits {
        unauthenticated_max: usize::try_from(config.limits.unauthenticated_connections.get())?,
        per_address_max: usize::try_from(config.limits.connections_per_address.get())?,
        ..ConnectionLimits::default()
    })
}

pub(super) fn origins(config: &Config) -> Vec<String> {
    config
        .allowed_origins
        .iter()
        .map(|origin| origin.as_str().to_owned())
        .collect()
}

pub(super) fn settings(config: &Config) -> auth::Settings {
    const MINUTE_MS: i64 = 60_000;
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX / DAY_MS);
    auth::Settings {
        registration: config.registration(),
        access_token_ms: number(config.auth.access_token_minutes.get()) * MINUTE_MS,
        refresh_token_ms: number(config.auth.refresh_token_days.get()) * DAY_MS,
        issuers: config.auth.issuers.clone(),
        allowed_origins: origins(config),
        ..auth::Settings::default()
    }
}
