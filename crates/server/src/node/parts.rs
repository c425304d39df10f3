//! What the configuration means to single parts of a node. Only translated, nothing is decided.

use std::sync::Arc;

use chinwag_core::rate::Rate;

use crate::auth;
use crate::config::{self, Config};
use crate::gateway::budget::ConnectionLimits;
use crate::gateway::tls::{self, TlsError};

pub(super) fn rate(config: &Config) -> Rate {
    Rate {
        thousandths_per_second: thousandths(config.limits.rate_per_second),
        burst: u32::try_from(config.limits.rate_burst.get()).unwrap_or(u32::MAX),
    }
}

/// What all who share an address may do in a while.
pub(super) fn address_rate(config: &Config) -> Rate {
    let usual = rate(config).of_address();
    let limits = &config.limits;
    let chosen = limits.address_rate_per_second.map(thousandths);
    let burst = limits.address_rate_burst.map(|burst| burst.get());
    Rate {
        thousandths_per_second: chosen.unwrap_or(usual.thousandths_per_second),
        burst: burst.map_or(usual.burst, |burst| {
            u32::try_from(burst).unwrap_or(u32::MAX)
        }),
    }
}

fn thousandths(rate: config::Rate) -> u32 {
    ((rate.per_second() * 1_000.0).ceil() as u32).max(1)
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

pub(super) fn tls(config: &Config) -> Result<Option<Arc<rustls::ServerConfig>>, TlsError> {
    match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => tls::server_config(certificate, key).map(Some),
        _ => Ok(None),
    }
}
