//! The accept loop: from a listening socket to connections that may be served.
//!
//! It knows nothing of what is served. The loop lives until its token is cancelled; each connection
//! is a task of the tracker it was given, see `connection`.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use rustls::ServerConfig;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::budget::Budget;
use super::connection::Connection;
use super::network::{AddressKey, is_trusted};
use crate::network::Network;

/// Connections that the system completes before we accept them: a whole office reconnecting at once.
/// The system cuts it to its own maximum (`net.core.somaxconn`).
pub const BACKLOG: i32 = 4_096;
/// First and longest pause after accepting failed for lack of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Deadlines of a connection, wall-clock: activity does not prolong them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionDeadlines {
    /// From accepting, TLS handshake included, to a whole request head; and again from the end of
    /// each answer to the next head, so it also ends idle connections. Beyond: closed.
    pub head: Duration,
    /// From accepting to `Permit::authenticated` or an upgrade. Beyond: the running request may
    /// finish, see `finish`.
    pub unauthenticated: Duration,
    /// For running requests when the server stops or `unauthenticated` is over. Beyond: dropped.
    pub finish: Duration,
}

impl Default for ConnectionDeadlines {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            unauthenticated: Duration::from_secs(60),
            finish: Duration::from_secs(5),
        }
    }
}

/// What [`accept`] serves, and within which bounds.
#[derive(Debug, Clone)]
pub struct AcceptOptions {
    /// What answers. Its requests carry [`ClientAddress`](super::network::ClientAddress), [`Permit`](super::budget::Permit) and [`Lifetime`] as extensions.
    pub router: Router,
    /// TLS on every connection, or none. Its ALPN, if set, must offer only `http/1.1`.
    pub tls: Option<Arc<ServerConfig>>,
    /// How long a connection may take.
    pub deadlines: ConnectionDeadlines,
    /// How many there may be.
    pub budget: Arc<Budget>,
    /// Peers whose `X-Forwarded-For` is believed. They have no per-address cap themselves.
    pub trusted_proxies: Vec<Network>,
    /// When to stop and where tasks run.
    pub lifetime: Lifetime,
}

/// When the gateway's tasks end, and who waits for them.
#[derive(Debug, Clone)]
pub struct Lifetime {
    /// Cancelled: accept nothing more and finish what runs.
    pub stop: CancellationToken,
    /// Every task of the gateway, upgraded sockets too.
    pub tasks: TaskTracker,
}

/// Opens a listening socket with [`BACKLOG`]. Port 0 lets the system choose. Must run inside a
/// tokio runtime.
///
/// # Errors
/// As the system says; most often the port is taken.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for connections of the last run to be forgotten.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Takes over a socket that was bound before the runtime began, with [`BACKLOG`].
///
/// # Errors
/// As the system says.
pub fn adopt(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    // Listening again only makes the queue longer.
    SockRef::from(&listener).listen(BACKLOG)?;
    TcpListener::from_std(listener)
}

/// Accepts until `options.lifetime.stop` is cancelled. Connections go on as tasks and finish by
/// themselves within [`ConnectionDeadlines::finish`]; wait for the tracker to see the last one go.
pub async fn accept(listener: TcpListener, options: AcceptOptions) {
    accept_from(listener, options).await;
}

/// Where connections come from: the system, or a test that has them fail.
trait Incoming: Send {
    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>>;
}

impl Incoming for TcpListener {
    fn poll_incoming(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        self.poll_accept(context)
    }
}

async fn accept_from(mut incoming: impl Incoming, options: AcceptOptions) {
    let options = Arc::new(options);
    let mut pause = ACCEPT_PAUSE;
    loop {
        let accepted = tokio::select! {
            biased;
            () = options.lifetime.stop.cancelled() => return,
            accepted = poll_fn(|context| incoming.poll_incoming(context)) => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                if pause > ACCEPT_PAUSE {
                    tracing::info!("accepting connections again");
                    pause = ACCEPT_PAUSE;
                }
                admit(&options, stream, peer.ip().to_canonical());
            }
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "a connection went away before it was accepted");
            }
            Err(error) => {
                // No file handles or no memory. The waiting connection stays in the backlog, so
                // without a pause this loop would spin until something is freed.
                if pause == ACCEPT_PAUSE {
                    tracing::error!(%error, "cannot accept connections; trying again until it works");
                }
                tokio::select! {
                    () = options.lifetime.stop.cancelled() => return,
                    () = sleep(pause) => {}
                }
                pause = (pause * 2).min(ACCEPT_PAUSE_MAX);
            }
        }
    }
}

fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted
    )
}

/// Takes the connection's places in the budget and starts its task, or closes it at once.
fn admit(options: &Arc<AcceptOptions>, stream: TcpStream, peer: IpAddr) {
    let proxy = is_trusted(peer, &options.trusted_proxies);
    let places = options.budget.admit().and_then(|slot| {
        // Behind a proxy there are many people: their addresses are known per request.
        let address = if proxy {
            None
        } else {
            Some(options.budget.admit_address(AddressKey::of(peer))?)
        };
        Ok((slot, address))
    });
    match places {
        Ok((slot, address)) => {
            let connection = Connection::new(Arc::clone(options), peer, slot, address);
            options.lifetime.tasks.spawn(connection.serve(stream));
        }
        Err(refused) => tracing::debug!(%peer, %refused, "connection refused"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::*;
    use crate::gateway::budget::ConnectionLimits;

    /// Fails as told, then waits for ever; reports each attempt.
    struct Failing {
        errors: VecDeque<io::Error>,
        attempts: mpsc::Sender<Instant>,
    }

    impl Incoming for Failing {
        fn poll_incoming(
            &mut self,
            _: &mut Context<'_>,
        ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
            self.attempts
                .try_send(Instant::now())
                .expect("room for every attempt");
            self.errors
                .pop_front()
                .map_or(Poll::Pending, |error| Poll::Ready(Err(error)))
        }
    }

    /// When each attempt to accept was made, the last being the one that waits.
    async fn attempts(errors: Vec<io::Error>) -> Vec<Instant> {
        let count = errors.len() + 1;
        let (attempts, mut made) = mpsc::channel(count);
        let lifetime = Lifetime {
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        };
        let options = AcceptOptions {
            router: Router::new(),
            tls: None,
            deadlines: ConnectionDeadlines::default(),
            budget: Budget::new(ConnectionLimits::default()),
            trusted_proxies: Vec::new(),
            lifetime: lifetime.clone(),
        };
        lifetime.tasks.spawn(accept_from(
            Failing {
                errors: errors.into(),
                attempts,
            },
            options,
        ));
        let mut times = Vec::new();
        while times.len() < count {
            times.push(made.recv().await.expect("the loop goes on"));
        }
        lifetime.stop.cancel();
        lifetime.tasks.close();
        lifetime.tasks.wait().await;
        times
    }

    /// Out of file handles, each attempt fails at once: without pauses the loop would spin.
    #[tokio::test]
    async fn running_out_of_handles_makes_longer_and_longer_pauses() {
        const EMFILE: i32 = 24;
        let errors = (0..4)
            .map(|_| io::Error::from_raw_os_error(EMFILE))
            .collect();
        let times = attempts(errors).await;
        let pauses: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        for (pause, least) in pauses.iter().zip([10, 20, 40, 80]) {
            assert!(*pause >= Duration::from_millis(least), "{pauses:?}");
        }
    }

    /// They are the peer's doing, and pausing for them would let one peer slow down all.
    #[tokio::test]
    async fn connections_that_went_away_make_no_pause() {
        let errors = (0..1_000)
            .map(|_| io::ErrorKind::ConnectionAborted.into())
            .collect();
        let times = attempts(errors).await;
        assert!(
            times[1_000] - times[0] < ACCEPT_PAUSE * 1_000,
            "a pause each"
        );
    }
}
