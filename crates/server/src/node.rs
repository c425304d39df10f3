//! A node from start to stop: opens the store, joins the parts, serves, and drains.
//!
//! The only place that starts long-lived tasks. Stopping follows contract 8; a store whose writer
//! has ended stops the node with an error, so that a restart recovers (contract 2).

mod parts;

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use chinwag_core::ids::{Epoch, Position, UserId};
use chinwag_core::limits;
use chinwag_core::rate::Rate;
use chinwag_core::session::Terms;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{Duration, Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{Accounts, StartError};
use crate::avatars;
use crate::clock::{self, Clock};
use crate::commit::Commit;
use crate::config::Config;
use crate::console::{self, Started};
use crate::deeds::Deeds;
use crate::eraser::Eraser;
use crate::gateway::accept::{self, AcceptOptions, ConnectionDeadlines, Lifetime};
use crate::gateway::budget::Budget;
use crate::gateway::connections::Connections;
use crate::gateway::driver::Services;
use crate::gateway::tls;
use crate::gateway::ws::Deflate;
use crate::hub::Hub;
use crate::metrics::Metrics;
use crate::presence::Presence;
use crate::routes::{self, Readiness};
use crate::scrape::{self, Sources};
use crate::startup;
use crate::store::avatars::AvatarStore;
use crate::store::recent::{Recent, RecentFirst};
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::accounts::SqliteAccounts;
use crate::store::{self, Store, StoreError};

/// Shards of a node. One until a measurement asks for more. Then who is online has to be told from
/// shard to shard, as from node to node: `core::presence` says how.
const SHARDS: usize = 1;
const _: () = assert!(SHARDS == 1, "shards know nothing of each other's users");
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

/// Opens the store of a node.
///
/// # Errors
/// Why it cannot be had, and what to do.
pub fn open(config: &Config) -> anyhow::Result<SqliteStore> {
    // In full, so that a complaint names a directory that can be found.
    let data = std::path::absolute(&config.data).context("cannot find the working directory")?;
    Ok(SqliteStore::open(&data)?)
}

/// Runs a node until it is told to stop.
///
/// # Errors
/// What kept it from starting, or that the store's writer has ended.
pub fn run(config: &Config, listener: TcpListener, store: SqliteStore) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new().context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        let told = told_to_stop()?;
        let node = start(config, listener, store).await?;
        let link = node.administrator_link().await;
        let link = link.map_err(|error| store_error(config, &error))?;
        console::started(&Started {
            address: node.address,
            is_tls: node.is_tls,
            metrics: node.metrics_address,
            data: &config.data,
            administrator_link: link.as_deref(),
        });
        node.serve_until(told).await
    });
    // Reads that hang must not keep the process alive.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result.map(|()| ExitCode::SUCCESS)
}

/// A node that serves. Dropped without [`Running::serve_until`] or [`Running::stop`], it leaves
/// its tasks to the end of the runtime.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Whether by HTTPS.
    pub is_tls: bool,
    /// Where its metrics are read, if anywhere.
    pub metrics_address: Option<SocketAddr>,
    services: Services,
    recent: Arc<Recent>,
    readiness: Readiness,
    stop: CancellationToken,
    drain: Duration,
}

/// Opens for business: returns once connections are accepted.
///
/// # Errors
/// What kept it from starting.
pub async fn start(
    config: &Config,
    listener: TcpListener,
    sqlite: SqliteStore,
) -> anyhow::Result<Running> {
    let sqlite = Arc::new(sqlite);
    let address = listener.local_addr()?;
    let listener = accept::adopt(listener)?;
    let metrics = config.metrics.map(startup::bind_metrics).transpose()?;
    let tls = parts::tls(config)?;
    let is_tls = tls.is_some();
    tls::install_provider();

    let store = RecentFirst::new(sqlite.clone(), limits::RECENT_BYTES_MAX);
    let recent = store.recent();
    let store: Arc<dyn Store> = Arc::new(store);
    let (epoch, position) = beginning(&*store).await?;
    let avatars: Arc<dyn AvatarStore> = sqlite.clone();
    let accounts_store = Arc::new(SqliteAccounts::new(sqlite));
    let wall = Arc::new(|| clock::wall().0);
    let accounts = Accounts::start(parts::settings(config), accounts_store, wall).await;
    let accounts = Arc::new(accounts.map_err(|error| match error {
        StartError::Issuer(broken) => broken.into(),
        StartError::Store(error) => store_error(config, &error),
    })?);
    let rates = store::read(&*store, |view| view.rates()).await?;
    let rates = rates.into_iter().collect();
    let services = join(config, &store, &accounts, avatars, rates, (epoch, position))?;

    let stop = CancellationToken::new();
    watch_revocations(&services, &stop);
    avatars::start(&services.avatars, &services.tasks, &stop);
    let readiness = Readiness::default();
    let budget = Budget::new(parts::connection_limits(config)?);
    let sources = Sources::new(&services, &recent, &budget);
    let options = AcceptOptions {
        router: routes::routes(services.clone(), parts::origins(config), readiness.clone()),
        tls,
        deadlines: ConnectionDeadlines::default(),
        budget,
        trusted_proxies: config.trusted_proxies.clone(),
        lifetime: Lifetime {
            stop: stop.clone(),
            tasks: services.tasks.clone(),
        },
    };
    let metrics_address = serve_metrics(metrics, sources, &options)?;
    services.tasks.spawn(accept::accept(listener, options));
    readiness.set(true);
    let drain = Duration::from_secs(config.drain_seconds.get());
    Ok(Running {
        address,
        is_tls,
        metrics_address,
        services,
        recent,
        readiness,
        stop,
        drain,
    })
}

impl Running {
    /// How many connections and users there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        self.services.connections.counts()
    }

    /// The address under which the first administrator is made; none once there is one.
    ///
    /// # Errors
    /// The store does not answer.
    pub async fn administrator_link(&self) -> Result<Option<String>, StoreError> {
        let token = self.services.accounts.setup_token().await?;
        let page = console::page_address(self.address, self.is_tls);
        Ok(token.map(|token| format!("{page}/#setup={}", token.expose())))
    }

    /// Serves until `told` says stop, or until the store's writer has ended.
    ///
    /// # Errors
    /// The writer has ended, or `told` failed.
    pub async fn serve_until(
        self,
        told: impl Future<Output = anyhow::Result<()>>,
    ) -> anyhow::Result<()> {
        let ended = tokio::select! {
            reason = self.services.store.ended() => Some(reason),
            result = told => {
                result?;
                None
            }
        };
        match ended {
            None => {
                self.stop().await;
                Ok(())
            }
            Some(reason) => {
                self.readiness.set(false);
                tracing::error!(
                    reason,
                    "the store takes no writes any more; stopping in 5 s"
                );
                sleep(READS_AFTER_END).await;
                self.services
                    .connections
                    .restart(self.services.clock.tick());
                self.stop.cancel();
                self.end().await;
                anyhow::bail!("the store's writer has ended: {reason}; start the server again")
            }
        }
    }

    /// Stops gently: contract 8.
    pub async fn stop(self) {
        self.readiness.set(false);
        let Services {
            connections,
            commit,
            clock,
            ..
        } = &self.services;
        stop_gently(connections, commit, *clock, &self.stop, self.drain).await;
        self.end().await;
    }

    /// Lets go of everything that tasks wait for, and waits for them.
    async fn end(self) {
        let tasks = self.services.tasks.clone();
        tracing::debug!(figures = ?self.recent.figures(), "recent events, over this life");
        drop(self);
        tasks.close();
        // Whoever has not gone by then is cut off.
        if timeout(LAST_TASKS, tasks.wait()).await.is_err() {
            tracing::warn!(tasks = tasks.len(), "some tasks did not end in time");
        }
    }
}

/// Why the store did not do what every start asks of it, where, and what to do.
fn store_error(config: &Config, error: &StoreError) -> anyhow::Error {
    let data = std::path::absolute(&config.data).unwrap_or_else(|_| config.data.clone());
    let remedy = match error {
        StoreError::Full => "Make room",
        StoreError::Closed(_) | StoreError::Unknown(_) | StoreError::Read(_) => {
            "Look at the disk and at who may read and write the files, and start it again"
        }
    };
    anyhow::anyhow!(
        "the data directory {} cannot be used: {error}. {remedy}, or choose another directory \
         with --data DIR",
        data.display()
    )
}

/// Lets metrics be read on a listener of their own: plain HTTP, with its own caps, so that a
/// crowd on the main listener keeps nobody from seeing it. Returns where.
fn serve_metrics(
    listener: Option<TcpListener>,
    sources: Sources,
    main: &AcceptOptions,
) -> anyhow::Result<Option<SocketAddr>> {
    let Some(listener) = listener else {
        return Ok(None);
    };
    let address = listener.local_addr()?;
    let options = AcceptOptions {
        router: scrape::router(sources),
        tls: None,
        deadlines: main.deadlines,
        budget: Budget::new(scrape::limits()),
        trusted_proxies: Vec::new(),
        lifetime: main.lifetime.clone(),
    };
    let tasks = &main.lifetime.tasks;
    tasks.spawn(accept::accept(accept::adopt(listener)?, options));
    Ok(Some(address))
}

/// Starts the parts that carry messages.
fn join(
    config: &Config,
    store: &Arc<dyn Store>,
    accounts: &Arc<Accounts>,
    avatars: Arc<dyn AvatarStore>,
    rates: BTreeMap<UserId, Rate>,
    (epoch, position): (Epoch, Position),
) -> anyhow::Result<Services> {
    let (clock, tasks) = (Clock::begin(), TaskTracker::new());
    let metrics = Arc::new(Metrics::default());
    let hub = Hub::start(SHARDS, store, position, clock, &metrics, &tasks);
    let terms = Terms {
        epoch,
        rate: parts::rate(config),
    };
    let per_user = usize::try_from(config.limits.connections_per_user.get())?;
    let address_rate = parts::address_rate(config);
    let connections = Connections::new(terms, address_rate, rates, per_user, metrics.clone());
    let commit = Commit::start(store, &hub, &connections, clock, &metrics, &tasks);
    Ok(Services {
        store: store.clone(),
        accounts: accounts.clone(),
        avatars,
        eraser: Eraser::start(store, commit.departures().clone(), &tasks),
        commit,
        presence: Presence::start(store, &hub, &connections, clock, &tasks),
        deeds: Deeds::start(store, clock, &tasks),
        hub,
        connections,
        deflate: config.compression.then(|| Arc::new(Deflate::default())),
        metrics,
        clock,
        tasks,
    })
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

/// Answers when the process is told to stop. The signals are heard from the call on, not from the
/// first poll: whoever stops a node while it starts shall see it end in order.
fn told_to_stop() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for Ctrl-C")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    })
}

async fn beginning(store: &dyn Store) -> anyhow::Result<(Epoch, Position)> {
    Ok(store::read(store, |view| Ok((view.epoch()?, view.position()?))).await?)
}

/// Ends live connections when their sessions end, here or on another node.
fn watch_revocations(services: &Services, stop: &CancellationToken) {
    let (accounts, connections) = (services.accounts.clone(), services.connections.clone());
    let (polled, stopped) = (accounts.clone(), stop.clone());
    services.tasks.spawn(async move {
        tokio::select! {
            () = polled.poll_loop() => {}
            () = stopped.cancelled() => {}
        }
    });
    let (mut notices, clock, stopped) = (accounts.subscribe(), services.clock, stop.clone());
    services.tasks.spawn(async move {
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
