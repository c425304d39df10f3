//! One accepted connection: TLS, HTTP/1.1, its deadlines, and what each request is told about it.
//!
//! What is answered is the router's business. It lives until the client leaves, a deadline passes,
//! or the stream is handed over by an upgrade.

use std::convert::Infallible;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use chinwag_core::code::ErrorCode;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_rustls::TlsAcceptor;
use tower::Service;

use super::accept::AcceptOptions;
use super::budget::{AddressSlot, ConnectionSlot, Permit, Refused};
use super::http::{Failure, Peer};
use super::network::{AddressKey, ClientAddress, client_address, is_forwarded_https, is_trusted};
use super::stream::Stream;

/// Request line and headers, in bytes. Beyond: 431.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header fields of a request. Beyond: 431.
const HEAD_FIELDS_MAX: usize = 100;
/// Bytes of a body that are buffered between the socket and its handler.
const BODY_BUFFER_BYTES: usize = 64 * 1024;

/// What the task of a connection and its requests share.
pub(super) struct Connection {
    options: Arc<AcceptOptions>,
    peer: IpAddr,
    slot: Arc<ConnectionSlot>,
    /// `None` if the peer is a trusted proxy: its clients are counted per request.
    address: Option<Arc<AddressSlot>>,
    /// Whether a whole request head has come.
    asked: AtomicBool,
}

impl Connection {
    /// An accepted connection with its places in the budget; no `address` if the peer is a proxy.
    pub(super) fn new(
        options: Arc<AcceptOptions>,
        peer: IpAddr,
        slot: Arc<ConnectionSlot>,
        address: Option<Arc<AddressSlot>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            options,
            peer,
            slot,
            address,
            asked: AtomicBool::new(false),
        })
    }

    /// Serves requests until the connection ends, is upgraded, or a deadline passes.
    pub(super) async fn serve(self: Arc<Self>, stream: TcpStream) {
        let accepted = Instant::now();
        let head_by = accepted + self.options.deadlines.head;
        if let Err(error) = stream.set_nodelay(true) {
            // It has gone already; reading will say so.
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let stream = match &self.options.tls {
            None => Stream::Plain(stream),
            Some(config) => tokio::select! {
                () = self.options.lifetime.stop.cancelled() => return,
                stream = handshake(config, stream, head_by) => match stream {
                    Some(stream) => stream,
                    None => return,
                },
            },
        };
        let requests = Arc::clone(&self);
        let service = service_fn(move |request| answer(Arc::clone(&requests), request));
        let http = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.options.deadlines.head)
            .max_header_size(HEAD_BYTES_MAX)
            .max_headers(HEAD_FIELDS_MAX)
            .max_buf_size(BODY_BUFFER_BYTES)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        supervise(&self, accepted, pin!(http)).await;
    }

    /// The places of a request: those of its connection, and behind a proxy one of its own.
    fn permit(&self, client: IpAddr) -> Result<Permit, Refused> {
        let options = &self.options;
        let address = match &self.address {
            Some(slot) => Some(Arc::clone(slot)),
            // The proxy's own requests, such as health checks, are not counted.
            None if is_trusted(client, &options.trusted_proxies) => None,
            None => Some(options.budget.admit_address(AddressKey::of(client))?),
        };
        Ok(Permit::new(Arc::clone(&self.slot), address))
    }
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
                Awaiting::Authentication => {
                    let slot = &connection.slot;
                    let over = slot.until().is_some_and(|until| until <= Instant::now());
                    !slot.is_authenticated() || over
                }
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
            deadline = connection.slot.until();
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
    S: hyper::service::HttpService<Incoming, ResBody = Body>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    fn poll_connection(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<hyper::Result<()>> {
        self.poll(context)
    }

    fn finish(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

/// The answer to one connection too many of an address behind a proxy: under `/api` with a code,
/// like every other failure there.
fn too_many(path: &str) -> Response {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let message = "too many connections from this address: close some, or come back later";
    if path.starts_with("/api/") {
        Failure::with(status, ErrorCode::RateLimited, message).into_response()
    } else {
        (status, format!("{message}\n")).into_response()
    }
}

/// One request: says who asks, and lets the router answer.
async fn answer(
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    connection.asked.store(true, Ordering::Release);
    let mut request = request.map(Body::new);
    let client = client_address(
        connection.peer,
        request.headers(),
        &connection.options.trusted_proxies,
    );
    let permit = match connection.permit(client) {
        Ok(permit) => permit,
        Err(refused) => {
            tracing::debug!(%client, %refused, "request refused");
            return Ok(too_many(request.uri().path()));
        }
    };
    let secure = connection.options.tls.is_some()
        || is_forwarded_https(
            connection.peer,
            request.headers(),
            &connection.options.trusted_proxies,
        );
    let extensions = request.extensions_mut();
    extensions.insert(ClientAddress(client));
    extensions.insert(Peer {
        address: client,
        secure,
    });
    extensions.insert(permit);
    extensions.insert(connection.options.lifetime.clone());
    // A router is always ready, and its copies share everything.
    connection.options.router.clone().call(request).await
}
