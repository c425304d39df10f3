//! The accept loop: from a listening socket to HTTP requests, with every limit that a stranger meets.
//!
//! It serves an axum router over HTTP/1.1 and knows nothing of what the router does. The loop lives
//! until its token is cancelled; each connection is a task of the tracker it was given, until the
//! connection ends or is upgraded.

use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming as RequestBody;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use super::budget::{AddressSlot, Budget, ConnectionSlot, Permit, Refused};
use super::network::{AddressKey, ClientAddress, Network, client_address, is_trusted};
use super::stream::Stream;

/// Connections that the system completes before we accept them: a whole office reconnecting at once.
/// The system cuts it to its own maximum (`net.core.somaxconn`).
pub const BACKLOG: i32 = 4_096;
/// Request line and headers, in bytes. Beyond: 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header fields of a request. Beyond: 431.
const HEAD_FIELDS_MAX: usize = 100;
/// Bytes of a body that are buffered between the socket and its handler.
const BODY_BUFFER_BYTES: usize = 64 * 1024;
/// First and longest pause after accepting failed for lack of something.
const ACCEPT_PAUSE: Duration = Duration::from_millis(10);
const ACCEPT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// Deadlines of a connection, wall-clock: activity does not prolong them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionDeadlines {
    /// From accepting, TLS handshake included, to a whole request head; and again from the end of
    /// each answer to the next head, so it also ends idle connections. Beyond: closed.
    pub head: Duration,
    /// From accepting to [`Permit::authenticated`] or an upgrade. Beyond: the running request may
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
    /// What answers. Its requests carry [`ClientAddress`], [`Permit`] and [`Lifetime`] as extensions.
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
            let connection = Connection {
                options: Arc::clone(options),
                peer,
                proxy,
                slot,
                address,
                asked: AtomicBool::new(false),
            };
            options
                .lifetime
                .tasks
                .spawn(serve(Arc::new(connection), stream));
        }
        Err(refused) => tracing::debug!(%peer, %refused, "connection refused"),
    }
}

/// What the task of a connection and its requests share.
struct Connection {
    options: Arc<AcceptOptions>,
    peer: IpAddr,
    proxy: bool,
    slot: Arc<ConnectionSlot>,
    address: Option<Arc<AddressSlot>>,
    /// Whether a whole request head has come.
    asked: AtomicBool,
}

async fn serve(connection: Arc<Connection>, stream: TcpStream) {
    let accepted = Instant::now();
    let head_by = accepted + connection.options.deadlines.head;
    if let Err(error) = stream.set_nodelay(true) {
        // It has gone already; reading will say so.
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let stream = match &connection.options.tls {
        None => Stream::Plain(stream),
        Some(config) => match handshake(config, stream, head_by).await {
            Some(stream) => stream,
            None => return,
        },
    };
    let requests = Arc::clone(&connection);
    let service = service_fn(move |request| answer(Arc::clone(&requests), request));
    let http = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(connection.options.deadlines.head)
        .max_header_size(HEAD_BYTES_MAX)
        .max_headers(HEAD_FIELDS_MAX)
        .max_buf_size(BODY_BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    supervise(&connection, accepted, pin!(http)).await;
}

async fn handshake(config: &Arc<ServerConfig>, stream: TcpStream, by: Instant) -> Option<Stream> {
    match timeout_at(by, TlsAcceptor::from(Arc::clone(config)).accept(stream)).await {
        Ok(Ok(stream)) => Some(Stream::Tls(Box::new(stream))),
        Ok(Err(error)) => {
            tracing::debug!(%error, "TLS handshake failed");
            None
        }
        Err(_elapsed) => {
            tracing::debug!("no TLS handshake in time");
            None
        }
    }
}

/// What the deadline of a connection means at the moment.
#[derive(Clone, Copy)]
enum Awaiting {
    /// The first request head.
    Head,
    /// Somebody who says who this is.
    Authentication,
    /// The end of the last request.
    Finish,
}

/// Drives an HTTP connection until it ends, is upgraded, or a deadline passes.
async fn supervise<C: HttpConnection>(
    connection: &Connection,
    accepted: Instant,
    mut http: Pin<&mut C>,
) {
    let deadlines = connection.options.deadlines;
    let stop = &connection.options.lifetime.stop;
    let mut awaiting = Awaiting::Head;
    let mut deadline = Some(accepted + deadlines.head);
    loop {
        let stopping = matches!(awaiting, Awaiting::Finish);
        let finish = tokio::select! {
            biased;
            ended = poll_fn(|context| http.as_mut().poll_connection(context)) => {
                if let Err(error) = ended {
                    tracing::debug!(%error, peer = %connection.peer, "HTTP connection ended");
                }
                return;
            }
            () = stop.cancelled(), if !stopping => true,
            () = sleep_until(deadline.unwrap_or(accepted)), if deadline.is_some() => match awaiting {
                Awaiting::Head if connection.asked.load(Ordering::Acquire) => false,
                // Not a whole head, or no end in sight.
                Awaiting::Head | Awaiting::Finish => return,
                Awaiting::Authentication => !connection.slot.is_authenticated(),
            },
        };
        if finish {
            awaiting = Awaiting::Finish;
            deadline = Some(Instant::now() + deadlines.finish);
            http.as_mut().finish();
        } else if matches!(awaiting, Awaiting::Head) {
            awaiting = Awaiting::Authentication;
            deadline = Some(accepted + deadlines.unauthenticated.max(deadlines.head));
        } else {
            deadline = None;
        }
    }
}

/// The two things that [`supervise`] does with hyper's connection, whose own type cannot be named.
trait HttpConnection {
    fn poll_connection(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<hyper::Result<()>>;
    fn finish(self: Pin<&mut Self>);
}

impl<S> HttpConnection for http1::UpgradeableConnection<TokioIo<Stream>, S>
where
    S: hyper::service::HttpService<RequestBody, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn poll_connection(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.poll(context)
    }

    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// One request: says who asks, and lets the router answer.
async fn answer(
    connection: Arc<Connection>,
    request: Request<RequestBody>,
) -> Result<Response, Infallible> {
    connection.asked.store(true, Ordering::Release);
    let mut request = request.map(Body::new);
    let client = client_address(
        connection.peer,
        request.headers(),
        &connection.options.trusted_proxies,
    );
    let permit = match permit(&connection, client) {
        Ok(permit) => permit,
        Err(refused) => {
            return Ok((StatusCode::TOO_MANY_REQUESTS, format!("{refused}\n")).into_response());
        }
    };
    let extensions = request.extensions_mut();
    extensions.insert(ClientAddress(client));
    extensions.insert(permit);
    extensions.insert(connection.options.lifetime.clone());
    // A router is always ready, and its copies share everything.
    connection.options.router.clone().call(request).await
}

fn permit(connection: &Connection, client: IpAddr) -> Result<Permit, Refused> {
    let address = match &connection.address {
        Some(slot) => Some(Arc::clone(slot)),
        // The proxy's own requests, such as health checks, are not counted.
        None if connection.proxy && is_trusted(client, &connection.options.trusted_proxies) => None,
        None => Some(
            connection
                .options
                .budget
                .admit_address(AddressKey::of(client))?,
        ),
    };
    Ok(Permit::new(Arc::clone(&connection.slot), address))
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use tokio::sync::mpsc;

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
