//! One WebSocket connection as plain frames, on an implementation that shares nothing with the server's.
//!
//! Not here: what to say and when (`client.rs`). A connection lives until it is lost or dropped.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use chinwag_core::event::Event;
use chinwag_core::ids::{RoomId, Seq};
use chinwag_core::limits;
use chinwag_core::wire::{ClientFrame, Cursor, Req, ServerFrame, Skip, VERSION};
use tungstenite::client::IntoClientRequest;
use tungstenite::http::HeaderValue;
use tungstenite::{Error, Message, WebSocket};

/// How long one look for a frame waits.
const READ_WAIT: Duration = Duration::from_millis(2);
/// A peer that takes nothing for so long is gone.
const WRITE_WAIT: Duration = Duration::from_secs(5);
/// Longer than any answer of a healthy server on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The connection is gone; with the code if there was a close frame.
#[derive(Debug)]
pub(crate) struct Lost(pub(crate) Option<u16>);

/// A connection of the subprotocol.
pub(crate) struct Socket {
    socket: WebSocket<TcpStream>,
    close_code: Option<u16>,
}

impl Socket {
    /// Connects and upgrades; the `hello` is the caller's.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, Lost> {
        let lost = |_error: std::io::Error| Lost(None);
        let stream = TcpStream::connect(address).map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        stream.set_write_timeout(Some(WRITE_WAIT)).map_err(lost)?;
        // The answer to the upgrade is read in one go; a server killed before closes the connection.
        stream.set_read_timeout(Some(PATIENCE)).map_err(lost)?;
        let url = format!("ws://{address}/ws");
        let mut request = url.into_client_request().expect("an address makes a URL");
        let subprotocol = HeaderValue::from_static("chinwag.v1.json");
        request
            .headers_mut()
            .insert("Sec-WebSocket-Protocol", subprotocol);
        let upgraded = tungstenite::client(request, stream);
        let (socket, _answer) = upgraded.map_err(|_error| Lost(None))?;
        socket
            .get_ref()
            .set_read_timeout(Some(READ_WAIT))
            .map_err(lost)?;
        Ok(Self {
            socket,
            close_code: None,
        })
    }

    pub(crate) fn say(&mut self, frame: &ClientFrame) -> Result<(), Lost> {
        let text = serde_json::to_string(frame).expect("a frame is plain data");
        self.socket
            .send(Message::text(text))
            .map_err(|_error| Lost(self.close_code))
    }

    /// The next frame, if one comes at once.
    pub(crate) fn hear(&mut self) -> Result<Option<ServerFrame>, Lost> {
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                let frame = serde_json::from_str(text.as_str());
                Ok(Some(frame.unwrap_or_else(|error| {
                    panic!("no frame of the protocol: {error}: {text}")
                })))
            }
            Ok(Message::Close(frame)) => {
                self.close_code = frame.map(|frame| frame.code.into());
                Ok(None)
            }
            Ok(Message::Ping(_) | Message::Pong(_)) => Ok(None),
            Ok(other) => panic!("the server speaks text only: {other:?}"),
            Err(Error::Io(error))
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) =>
            {
                Ok(None)
            }
            Err(_) => Err(Lost(self.close_code)),
        }
    }

    /// Says `hello` without a cursor and waits until the connection has caught up.
    pub(crate) fn hello(&mut self, token: &str) -> Result<(), Lost> {
        self.say(&hello(token, Cursor::default()))?;
        self.wait_for(|frame| matches!(frame, ServerFrame::CaughtUp { .. }))?;
        Ok(())
    }

    /// Says a command and waits for the reply to it.
    pub(crate) fn ask(&mut self, req: Req, command: &ClientFrame) -> Result<ServerFrame, Lost> {
        self.say(command)?;
        self.wait_for(|frame| req_of(frame) == Some(req))
    }

    fn wait_for(&mut self, wanted: impl Fn(&ServerFrame) -> bool) -> Result<ServerFrame, Lost> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(frame) = self.hear()?.filter(&wanted) {
                return Ok(frame);
            }
        }
        panic!("no answer in {PATIENCE:?}");
    }
}

/// The first frame of a connection.
pub(crate) fn hello(token: &str, cursor: Cursor) -> ClientFrame {
    ClientFrame::Hello {
        v: VERSION,
        token: token.to_owned(),
        device: None,
        cursor,
        low_bandwidth: false,
    }
}

/// Which request a frame answers, of those that these tests make.
fn req_of(frame: &ServerFrame) -> Option<Req> {
    match frame {
        ServerFrame::Ack { req, .. } | ServerFrame::Page { req, .. } => Some(*req),
        ServerFrame::Error { req, .. } => *req,
        _ => None,
    }
}

/// A room's log as one user may read it.
#[derive(Debug, Default)]
pub(crate) struct Log {
    pub(crate) events: BTreeMap<Seq, Event>,
    pub(crate) skips: Vec<Skip>,
    pub(crate) head: Seq,
}

/// Reads a whole log, page by page from its end.
pub(crate) fn read_log(socket: &mut Socket, room: RoomId) -> Result<Log, Lost> {
    let mut log = Log::default();
    let mut end = None;
    for req in 1.. {
        let history = ClientFrame::History {
            req,
            room,
            before: end,
            at_least: None,
            limit: Some(limits::PAGE_MAX as u64),
        };
        let answer = socket.ask(req, &history)?;
        let ServerFrame::Page {
            as_of,
            messages,
            skips,
            before,
            ..
        } = answer
        else {
            panic!("history was answered with {answer:?}");
        };
        log.head = log.head.max(as_of);
        log.skips.extend(skips);
        log.events.extend(
            messages
                .into_iter()
                .map(|line| (line.event.seq, line.event)),
        );
        end = before;
        if end.is_none() {
            break;
        }
    }
    Ok(log)
}
