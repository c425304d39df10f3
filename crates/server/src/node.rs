//! A node from start to stop: opens the store, joins the parts, serves, and drains.
//!
//! The only place that starts long-lived tasks. Stopping follows contract 8; a store whose writer
//! has ended stops the node with an error, so that a restart recovers (contract 2).

use std::net::TcpListener;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chinwag_core::ids::{Epoch, Position};
use chinwag_core::rate::Rate;
use chinwag_core::session::Terms;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{self, Accounts};
use crate::clock::{self, Clock};
use crate::commit::Commit;
use crate::config::{self, Config};
use crate::console::{self, Started};
use crate::gateway::accept::{self, AcceptOptions, ConnectionDeadlines, Lifetime};
use crate::gateway::budget::{Budget, ConnectionLimits};
use crate::gateway::connections::Connections;
use crate::gateway::driver::Services;
use crate::gateway::network::Network;
use crate::gateway::tls;
use crate::hub::Hub;
use crate::routes::{self, Readiness};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::accounts::SqliteAccounts;
use crate::store::{self, Store};

/// Shards of a node. One until a measurement asks for more.
const SHARDS: usize = 1;
/// Between "not ready" and refusing commands: load balancers look about once a second.
const UNREADY: Duration = Duration::from_secs(1);
/// For the last tasks after the sockets were closed.
const LAST_TASKS: Duration = Duration::from_secs(3);
/// How long reads are answered after the writer has ended.
const READS_AFTER_END: Duration = Duration::from_secs(5);
/// The reconnect hint of a single node: it is back in a moment.
const BACK_IN_MS: u64 = 500;
/// Over so much more the clients spread.
const SPREAD_MS: u64 = 2_000;

/// Runs a node until it is told to stop.
///
/// # Errors
/// What kept it from starting, or that the store's writer has ended.
pub fn run(config: Config, listener: TcpListener) -> anyhow::Result<ExitCode> {
    let store = SqliteStore::open(&config.data)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(serve(config, listener, Arc::new(store)));
    // Reads that hang must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(
    config: Config,
    listener: TcpListener,
    sqlite: Arc<SqliteStore>,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let listener = accept::adopt(listener)?;
    let tls = match (&config.tls.certificate, &config.tls.key) {
        (Some(certificate), Some(key)) => Some(tls::server_config(certificate, key)?),
        _ => None,
    };
    let is_tls = tls.is_some();
    tls::install_provider();

    let store: Arc<dyn Store> = sqlite.clone();
    let (epoch, position) = beginning(&*store).await?;
    let accounts_store = Arc::new(SqliteAccounts(sqlite));
    let wall = Arc::new(|| clock::wall().0);
    let accounts = Arc::new(Accounts::start(settings(&config)?, accounts_store, wall).await?);

    let (clock, tasks) = (Clock::begin(), TaskTracker::new());
    let hub = Hub::start(SHARDS, &store, position, clock, &tasks);
    let commit = Commit::start(&store, &hub, clock, &tasks);
    let terms = Terms {
        epoch,
        rate: rate(&config),
    };
    let per_user = usize::try_from(config.limits.connections_per_user.get())?;
    let connections = Connections::new(terms, per_user);
    let services = Services {
        store: store.clone(),
        accounts: accounts.clone(),
        commit: commit.clone(),
        hub,
        connections: connections.clone(),
        clock,
        tasks: tasks.clone(),
    };

    let stop = CancellationToken::new();
    watch_revocations(&accounts, &connections, clock, &stop, &tasks);
    let readiness = Readiness::default();
    let options = AcceptOptions {
        router: routes::routes(services, origins(&config), readiness.clone()),
        tls,
        deadlines: ConnectionDeadlines::default(),
        budget: Budget::new(connection_limits(&config)?),
        trusted_proxies: proxies(&config)?,
        lifetime: Lifetime {
            stop: stop.clone(),
            tasks: tasks.clone(),
        },
    };
    tasks.spawn(accept::accept(listener, options));
    readiness.set(true);

    let link = administrator_link(&accounts, address, is_tls).await?;
    console::started(&Started {
        address,
        is_tls,
        data: &config.data,
        administrator_link: link.as_deref(),
    });

    let ended = tokio::select! {
        reason = store.ended() => Some(reason),
        result = told_to_stop() => {
            result?;
            None
        }
    };
    readiness.set(false);
    if let Some(reason) = ended {
        tracing::error!(
            reason,
            "the store takes no writes any more; stopping in 5 s"
        );
        sleep(READS_AFTER_END).await;
        connections.restart(clock.tick());
        stop.cancel();
        tasks.close();
        // Whoever has not gone by then is cut off.
        let _late = timeout(LAST_TASKS, tasks.wait()).await;
        anyhow::bail!("the store's writer has ended: {reason}; start the server again");
    }
    let drain = Duration::from_secs(config.drain_seconds.get());
    stop_gently(&connections, &commit, clock, &stop, drain).await;
    drop(commit);
    tasks.close();
    if timeout(LAST_TASKS, tasks.wait()).await.is_err() {
        tracing::warn!(tasks = tasks.len(), "some tasks did not end in time");
    }
    Ok(())
}

/// Contract 8: not ready, then no new commands, then everything decided goes out, then 1012.
async fn stop_gently(
    connections: &Connections,
    commit: &Commit,
    clock: Clock,
    stop: &CancellationToken,
    drain: Duration,
) {
    let (sockets, users) = connections.counts();
    tracing::info!(sockets, users, "stopping");
    if sockets > 0 {
        sleep(UNREADY).await;
    }
    stop.cancel();
    connections.drain(BACK_IN_MS, SPREAD_MS, clock.tick());
    let end = Instant::now() + drain;
    while Instant::now() < end && !(commit.is_idle() && connections.are_drained()) {
        sleep(Duration::from_millis(20)).await;
    }
    connections.restart(clock.tick());
}

async fn told_to_stop() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

async fn beginning(store: &dyn Store) -> anyhow::Result<(Epoch, Position)> {
    Ok(store::read(store, |view| Ok((view.epoch()?, view.position()?))).await?)
}

/// Ends live connections when their sessions end, here or on another node.
fn watch_revocations(
    accounts: &Arc<Accounts>,
    connections: &Arc<Connections>,
    clock: Clock,
    stop: &CancellationToken,
    tasks: &TaskTracker,
) {
    let (polled, stopped) = (accounts.clone(), stop.clone());
    tasks.spawn(async move {
        tokio::select! {
            () = polled.poll_loop() => {}
            () = stopped.cancelled() => {}
        }
    });
    let mut notices = accounts.subscribe();
    let (accounts, connections, stopped) = (accounts.clone(), connections.clone(), stop.clone());
    tasks.spawn(async move {
        loop {
            let notice = tokio::select! {
                notice = notices.next() => notice,
                () = stopped.cancelled() => None,
            };
            let Some(notice) = notice else { return };
            connections.revoke(notice, accounts.revocations(), clock.tick());
        }
    });
}

async fn administrator_link(
    accounts: &Accounts,
    address: std::net::SocketAddr,
    is_tls: bool,
) -> anyhow::Result<Option<String>> {
    let token = accounts.setup_token().await?;
    let page = console::page_address(address, is_tls);
    Ok(token.map(|token| format!("{page}/#setup={}", token.expose())))
}

fn rate(config: &Config) -> Rate {
    let thousandths = (config.limits.rate_per_second.per_second() * 1_000.0).ceil();
    Rate {
        thousandths_per_second: (thousandths as u32).max(1),
        burst: u32::try_from(config.limits.rate_burst.get()).unwrap_or(u32::MAX),
    }
}

fn connection_limits(config: &Config) -> anyhow::Result<ConnectionLimits> {
    Ok(ConnectionLimits {
        unauthenticated_max: usize::try_from(config.limits.unauthenticated_connections.get())?,
        per_address_max: usize::try_from(config.limits.connections_per_address.get())?,
        ..ConnectionLimits::default()
    })
}

fn origins(config: &Config) -> Vec<String> {
    config
        .allowed_origins
        .iter()
        .map(|origin| origin.as_str().to_owned())
        .collect()
}

fn proxies(config: &Config) -> anyhow::Result<Vec<Network>> {
    let ranges = config.trusted_proxies.iter();
    Ok(ranges
        .map(|range| range.to_string().parse())
        .collect::<Result<_, _>>()?)
}

fn issuer(issuer: &config::Issuer) -> anyhow::Result<auth::IssuerSettings> {
    let algorithms = issuer
        .algorithms
        .iter()
        .map(|algorithm| algorithm.word().parse());
    Ok(auth::IssuerSettings {
        issuer: issuer.issuer.clone(),
        audience: issuer.audience.clone(),
        keys: match &issuer.keys {
            config::IssuerKeys::SecretFile(file) => auth::IssuerKeys::SecretFile(file.clone()),
            config::IssuerKeys::JwksFile(file) => auth::IssuerKeys::JwksFile(file.clone()),
            config::IssuerKeys::JwksUrl(url) => auth::IssuerKeys::JwksUrl(url.clone()),
        },
        algorithms: algorithms.collect::<Result<_, _>>()?,
    })
}

fn settings(config: &Config) -> anyhow::Result<auth::Settings> {
    const MINUTE_MS: i64 = 60_000;
    const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX / DAY_MS);
    let issuers: anyhow::Result<Vec<_>> = config.auth.issuers.iter().map(issuer).collect();
    Ok(auth::Settings {
        registration: match config.registration() {
            config::Registration::Open => auth::Registration::Open,
            config::Registration::Invite => auth::Registration::Invite,
            config::Registration::Closed => auth::Registration::Closed,
        },
        access_token_ms: number(config.auth.access_token_minutes.get()) * MINUTE_MS,
        refresh_token_ms: number(config.auth.refresh_token_days.get()) * DAY_MS,
        issuers: issuers?,
        allowed_origins: origins(config),
        ..auth::Settings::default()
    })
}
