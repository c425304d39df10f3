//! The opening handshake (RFC 6455, section 4.2): an HTTP request in, a [`WebSocket`] out.
//!
//! It knows nothing of accounts: whether the peer may stay is decided by its first frame. The only
//! extension that is negotiated is permessage-deflate; the rules of its offers are `ws`'s.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{
    CONNECTION, CONTENT_LENGTH, COOKIE, HOST, ORIGIN, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION,
    TRANSFER_ENCODING, UPGRADE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hyper_util::rt::TokioIo;
use sha1::{Digest as _, Sha1};

use super::budget::Permit;
use super::network::ClientAddress;
use super::stream::Stream;
use super::ws::{Agreed, Deflate, SocketLimits, WebSocket, choose_offer};

/// The JSON protocol.
pub const SUBPROTOCOL_JSON: &str = "chinwag.v1.json";
/// The binary form of the same protocol.
pub const SUBPROTOCOL_BINARY: &str = "chinwag.v1.bin";

/// What the accept key is made with (RFC 6455, section 1.3).
const ACCEPT_GUID: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const VERSION: &str = "13";
const KEY_BYTES: usize = 16;

/// What an upgrade accepts.
#[derive(Debug, Clone)]
pub struct UpgradeOptions {
    /// Origins as browsers write them (`https://chat.example`, with the port unless it is the
    /// default one), compared exactly. Asked only when the request carries an ambient credential.
    pub allowed_origins: Vec<String>,
    /// Treat every request as if it carried one: for a proxy that signs people in.
    pub always_check_origin: bool,
    /// Subprotocols spoken, best first. A client that offers none is told none, and speaks JSON;
    /// one that offers only others is refused.
    pub subprotocols: Vec<&'static str>,
    /// What compresses for clients that offer permessage-deflate; without it, the offer is passed
    /// over.
    pub deflate: Option<Arc<Deflate>>,
    /// Limits of the socket.
    pub limits: SocketLimits,
}

impl Default for UpgradeOptions {
    fn default() -> Self {
        Self {
            allowed_origins: Vec::new(),
            always_check_origin: false,
            subprotocols: vec![SUBPROTOCOL_BINARY, SUBPROTOCOL_JSON],
            deflate: None,
            limits: SocketLimits::STANDARD,
        }
    }
}

/// Why a request is not upgraded; it is its own HTTP answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum UpgradeRefused {
    /// 405.
    #[error("a WebSocket is opened by GET")]
    Method,
    /// 400: not HTTP/1.1, no single `Host`, or a body, whose bytes could be taken for frames.
    #[error("a WebSocket is opened by an HTTP/1.1 request with one Host and no body")]
    Request,
    /// 426.
    #[error("this address speaks WebSocket: send `Connection: Upgrade` and `Upgrade: websocket`")]
    NotAnUpgrade,
    /// 426.
    #[error("`Sec-WebSocket-Version` must be 13")]
    Version,
    /// 400.
    #[error("`Sec-WebSocket-Key` must be 16 bytes in base64")]
    Key,
    /// 403.
    #[error(
        "this origin may not use the cookies of this server: an operator can add it to the allowed origins"
    )]
    Origin,
    /// 400.
    #[error("none of the offered subprotocols is spoken here")]
    Subprotocol,
    /// 500: a mistake in how the route is mounted.
    #[error("this request did not come through the gateway's accept loop")]
    NotFromGateway,
}

impl IntoResponse for UpgradeRefused {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Request | Self::Key | Self::Subprotocol => StatusCode::BAD_REQUEST,
            Self::NotAnUpgrade | Self::Version => StatusCode::UPGRADE_REQUIRED,
            Self::Origin => StatusCode::FORBIDDEN,
            Self::NotFromGateway => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut response = (status, format!("{self}\n")).into_response();
        let headers = response.headers_mut();
        match self {
            Self::NotAnUpgrade | Self::Version => {
                headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static(VERSION));
                // RFC 9110, section 15.5.22: a 426 names the protocol.
                headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
                headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
            }
            Self::Method => {
                headers.insert(axum::http::header::ALLOW, HeaderValue::from_static("GET"));
            }
            Self::Request | Self::Key | Self::Subprotocol | Self::Origin | Self::NotFromGateway => {
            }
        }
        response
    }
}

/// Why there is no socket although the upgrade was accepted.
#[derive(Debug, thiserror::Error)]
pub enum UpgradeLost {
    /// The client went away before it had the answer.
    #[error("the client left during the upgrade: {0}")]
    Client(#[source] hyper::Error),
    /// A mistake in how the route is mounted.
    #[error("the connection is not one of the gateway's accept loop")]
    NotFromGateway,
}

/// Checks the handshake. Returns the 101, to be answered at once, and a future that is the socket
/// after the 101 has been written: spawn it, it cannot end before the answer is returned. Bytes
/// that came glued to the request are the socket's first.
///
/// # Errors
/// The HTTP answer that says what is wrong.
pub fn upgrade(
    mut request: Request<Body>,
    options: &UpgradeOptions,
) -> Result<
    (
        Response,
        impl Future<Output = Result<WebSocket, UpgradeLost>> + Send + use<>,
    ),
    UpgradeRefused,
> {
    let key = check_request(&request)?;
    check_origin(request.headers(), options)?;
    let subprotocol = choose_subprotocol(request.headers(), &options.subprotocols)?;
    let (extension, deflate) =
        choose_extension(request.headers(), options.deflate.as_ref()).unzip();
    let response = switching_protocols(&key, subprotocol, extension);
    let agreed = Agreed {
        subprotocol,
        deflate,
    };

    let extensions = request.extensions();
    let (Some(permit), Some(&address)) = (
        extensions.get::<Permit>().cloned(),
        extensions.get::<ClientAddress>(),
    ) else {
        return Err(UpgradeRefused::NotFromGateway);
    };
    let limits = options.limits;
    let upgrading = hyper::upgrade::on(&mut request);
    let socket = async move {
        let upgraded = upgrading.await.map_err(UpgradeLost::Client)?;
        let parts = upgraded
            .downcast::<TokioIo<Stream>>()
            .map_err(|_| UpgradeLost::NotFromGateway)?;
        let stream = parts.io.into_inner();
        Ok(WebSocket::new(
            stream,
            &parts.read_buf,
            limits,
            permit,
            address,
            agreed,
        ))
    };
    Ok((response, socket))
}

fn switching_protocols(
    key: &HeaderValue,
    subprotocol: Option<&'static str>,
    extension: Option<&'static str>,
) -> Response {
    let digest = Sha1::new()
        .chain_update(key.as_bytes())
        .chain_update(ACCEPT_GUID)
        .finalize();
    let accept = HeaderValue::try_from(BASE64.encode(digest)).expect("base64 is a header value");
    let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(name) = subprotocol {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(name));
    }
    if let Some(answer) = extension {
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(answer));
    }
    response
}

/// All that does not depend on options; returns the key.
fn check_request(request: &Request<Body>) -> Result<HeaderValue, UpgradeRefused> {
    let headers = request.headers();
    if request.method() != Method::GET {
        return Err(UpgradeRefused::Method);
    }
    let has_body = headers.contains_key(TRANSFER_ENCODING)
        || only(headers, &CONTENT_LENGTH)
            .map_or(headers.contains_key(CONTENT_LENGTH), |length| length != "0");
    if request.version() != Version::HTTP_11 || only(headers, &HOST).is_none() || has_body {
        return Err(UpgradeRefused::Request);
    }
    if !has_token(headers, &CONNECTION, "upgrade") || !has_token(headers, &UPGRADE, "websocket") {
        return Err(UpgradeRefused::NotAnUpgrade);
    }
    if only(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != VERSION) {
        return Err(UpgradeRefused::Version);
    }
    let key = only(headers, &SEC_WEBSOCKET_KEY).ok_or(UpgradeRefused::Key)?;
    match BASE64.decode(key.as_bytes()) {
        Ok(bytes) if bytes.len() == KEY_BYTES => Ok(key.clone()),
        Ok(_) | Err(_) => Err(UpgradeRefused::Key),
    }
}

/// A cookie is sent by the browser whoever's page asks, so then the page must be one of ours: an
/// allowed origin, or one that the request itself goes to. A token in the first frame is sent by
/// nobody but the page that holds it.
fn check_origin(headers: &HeaderMap, options: &UpgradeOptions) -> Result<(), UpgradeRefused> {
    if !options.always_check_origin && !headers.contains_key(COOKIE) {
        return Ok(());
    }
    match only(headers, &ORIGIN) {
        Some(origin)
            if is_own(origin, headers)
                || options
                    .allowed_origins
                    .iter()
                    .any(|allowed| origin == allowed.as_str()) =>
        {
            Ok(())
        }
        Some(_) | None => Err(UpgradeRefused::Origin),
    }
}

/// Whether a page of `origin` came from where the request goes: same host and port. Either scheme
/// will do, since TLS may end at a proxy; no browser lets a page choose its `Host`.
fn is_own(origin: &HeaderValue, headers: &HeaderMap) -> bool {
    let (Ok(origin), Some(Ok(host))) = (
        origin.to_str(),
        only(headers, &HOST).map(HeaderValue::to_str),
    ) else {
        return false;
    };
    let Some((scheme, place)) = origin.split_once("://") else {
        return false;
    };
    // The scheme's own port is left out by browsers, and may be written by proxies.
    let usual = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let host = host.strip_suffix(usual).unwrap_or(host);
    !place.is_empty() && place.eq_ignore_ascii_case(host)
}

/// The first of `spoken` that the client offers; `None` if it offers nothing.
fn choose_subprotocol(
    headers: &HeaderMap,
    spoken: &[&'static str],
) -> Result<Option<&'static str>, UpgradeRefused> {
    if !headers.contains_key(SEC_WEBSOCKET_PROTOCOL) {
        return Ok(None);
    }
    let offered =
        |name: &&&str| tokens(headers, &SEC_WEBSOCKET_PROTOCOL).any(|token| token == **name);
    spoken
        .iter()
        .find(offered)
        .map(|name| Some(*name))
        .ok_or(UpgradeRefused::Subprotocol)
}

/// The answer to what the client offers, with what does it.
fn choose_extension(
    headers: &HeaderMap,
    deflate: Option<&Arc<Deflate>>,
) -> Option<(&'static str, Arc<Deflate>)> {
    let deflate = deflate?;
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter();
    let answer = choose_offer(values.filter_map(|value| value.to_str().ok()))?;
    Some((answer, deflate.clone()))
}

/// The value of a header that stands there exactly once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// The members of a comma-separated header. A value with bytes outside ASCII has none.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let values = headers.get_all(name).iter();
    values
        .flat_map(|value| value.to_str().unwrap_or_default().split(','))
        .map(str::trim)
}

fn has_token(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    tokens(headers, name).any(|token| token.eq_ignore_ascii_case(wanted))
}
