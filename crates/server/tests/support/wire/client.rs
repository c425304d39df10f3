//! One WebSocket, raw: frames written and read byte by byte, JSON taken apart by hand.

use std::collections::VecDeque;
use std::net::SocketAddr;

use chinwag_core::codec::binary;
use chinwag_core::ids::{Key, RoomId};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use super::bounded;

pub(crate) const TEXT: u8 = 0x1;
pub(crate) const BINARY: u8 = 0x2;
pub(crate) const PING: u8 = 0x9;
const PONG: u8 = 0xa;
const FIN: u8 = 0x80;
const CLOSE: u8 = 0x8;
/// What came in one WebSocket frame.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Seen {
    Frame(Value),
    Pong(Vec<u8>),
    Ping,
    Close(u16, String),
    /// The stream ended.
    End,
}

/// A WebSocket, and what came on it that nobody has looked at yet.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
    next_req: u64,
    next_key: u64,
    /// Makes keys of different clients differ.
    number: u64,
    /// Frames that a wait for another one passed over.
    pub(crate) passed: VecDeque<Value>,
}

impl Client {
    /// An upgraded socket; `receive_bytes` makes the system's buffer small.
    pub(crate) async fn open(address: SocketAddr, receive_bytes: Option<u32>) -> Self {
        let request = upgrade_request(address, "");
        Self::open_with(address, receive_bytes, request.as_bytes()).await
    }

    /// The same by a `request` of the caller's, with whatever follows it.
    pub(crate) async fn open_with(
        address: SocketAddr,
        receive_bytes: Option<u32>,
        request: &[u8],
    ) -> Self {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let socket = TcpSocket::new_v4().expect("a socket");
        if let Some(bytes) = receive_bytes {
            socket.set_recv_buffer_size(bytes).expect("a small buffer");
        }
        let stream = bounded("connect", socket.connect(address)).await;
        let stream = stream.expect("connect");
        stream.set_nodelay(true).expect("nodelay");
        let mut client = Self {
            stream,
            read: Vec::new(),
            next_req: 1,
            next_key: 1,
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            passed: VecDeque::new(),
        };
        client.raw(request).await;
        let head = client.head().await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        client
    }

    async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                let head: Vec<u8> = self.read.drain(..end + 4).collect();
                return String::from_utf8(head).expect("a head in ASCII");
            }
            assert!(self.more().await, "the stream ended within a head");
        }
    }

    /// Bytes as they are.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        let sent = bounded("sent", self.stream.write_all(bytes)).await;
        sent.expect("the peer takes bytes");
    }

    /// One masked frame.
    pub(crate) async fn frame(&mut self, opcode: u8, payload: &[u8]) {
        let bytes = masked(FIN | opcode, payload);
        self.raw(&bytes).await;
    }

    /// A text as it is.
    pub(crate) async fn text(&mut self, text: &str) {
        self.frame(TEXT, text.as_bytes()).await;
    }

    pub(crate) async fn say(&mut self, frame: &Value) {
        self.text(&frame.to_string()).await;
    }

    pub(crate) async fn hello(&mut self, token: &str, cursor: Value) {
        let mut hello = json!({"type": "hello", "v": 1, "token": token});
        merge(&mut hello, cursor);
        self.say(&hello).await;
    }

    pub(crate) fn req(&mut self) -> u64 {
        self.next_req += 1;
        self.next_req - 1
    }

    /// A key that nobody has used.
    pub(crate) fn key(&mut self) -> Key {
        self.next_key += 1;
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.number.to_be_bytes());
        bytes[8..].copy_from_slice(&self.next_key.to_be_bytes());
        Key(bytes)
    }

    /// Says `fields` as `kind` with a new `req`, and returns the reply; what comes before it is
    /// kept in `passed`.
    pub(crate) async fn ask(&mut self, kind: &str, fields: Value) -> Value {
        let req = self.tell(kind, fields).await;
        self.reply(req).await
    }

    /// Says it, and waits for nothing.
    pub(crate) async fn tell(&mut self, kind: &str, fields: Value) -> u64 {
        let req = self.req();
        let mut frame = json!({"type": kind, "req": req});
        merge(&mut frame, fields);
        self.say(&frame).await;
        req
    }

    /// A writing command under a new key.
    pub(crate) async fn write(&mut self, kind: &str, mut fields: Value) -> Value {
        fields["key"] = json!(self.key());
        self.ask(kind, fields).await
    }

    /// Sends the numbers below `count` to a room without waiting; what to wait for.
    pub(crate) async fn tell_numbers(&mut self, room: RoomId, count: u32) -> Vec<u64> {
        let mut reqs = Vec::new();
        for number in 0..count {
            let (key, text) = (self.key(), number.to_string());
            let fields = json!({"key": key, "room": room, "text": text});
            reqs.push(self.tell("send", fields).await);
        }
        reqs
    }

    /// A message; its seq.
    pub(crate) async fn send(&mut self, room: RoomId, text: &str) -> u64 {
        let ack = self
            .write("send", json!({"room": room, "text": text}))
            .await;
        assert_eq!(ack["type"], "ack", "{ack}");
        ack["seq"].as_u64().expect("an ack has a seq")
    }

    /// A new room.
    pub(crate) async fn create(&mut self, kind: &str) -> RoomId {
        let ack = self
            .write("create", json!({"kind": kind, "name": "Kitchen"}))
            .await;
        assert_eq!(ack["type"], "ack", "{ack}");
        room_of(&ack)
    }

    /// The reply to `req`.
    pub(crate) async fn reply(&mut self, req: u64) -> Value {
        if let Some(at) = self.passed.iter().position(|frame| frame["req"] == req) {
            return self.passed.remove(at).expect("it was found there");
        }
        loop {
            let frame = self.fresh().await;
            if frame["req"] == req {
                return frame;
            }
            self.passed.push_back(frame);
        }
    }

    /// The next frame, passed over or new.
    pub(crate) async fn next(&mut self) -> Value {
        match self.passed.pop_front() {
            Some(frame) => frame,
            None => self.fresh().await,
        }
    }

    async fn fresh(&mut self) -> Value {
        loop {
            match self.seen().await {
                Seen::Frame(frame) => return frame,
                Seen::Ping => {}
                other => panic!("a frame is expected, not {other:?}"),
            }
        }
    }

    /// The next frame, which is one of `kind`.
    pub(crate) async fn expect(&mut self, kind: &str) -> Value {
        let frame = self.next().await;
        assert_eq!(frame["type"], kind, "{frame}");
        frame
    }

    /// Everything up to and with the next frame of `kind`.
    pub(crate) async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let frame = self.next().await;
            let last = frame["type"] == kind;
            all.push(frame);
            if last {
                return all;
            }
        }
    }

    /// The event of `room` at `seq`; what comes before it is passed by.
    pub(crate) async fn event(&mut self, room: RoomId, seq: u64) -> Value {
        loop {
            let frame = self.next().await;
            if frame["type"] == "event" && frame["room"] == json!(room) {
                assert!(frame["seq"].as_u64() <= Some(seq), "{frame}");
                if frame["seq"] == seq {
                    return frame;
                }
            }
        }
    }

    /// Everything that has been said by now: a `ping` comes back behind it.
    pub(crate) async fn so_far(&mut self) -> Vec<Value> {
        let req = self.tell("ping", json!({})).await;
        let mut all = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "pong" && frame["req"] == req {
                return all;
            }
            all.push(frame);
        }
    }

    /// Reads up to the close frame; its code, and the frames before it.
    pub(crate) async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut frames: Vec<Value> = self.passed.drain(..).collect();
        loop {
            match self.seen().await {
                Seen::Frame(frame) => frames.push(frame),
                Seen::Ping | Seen::Pong(_) => {}
                Seen::Close(code, _reason) => return (code, frames),
                Seen::End => panic!("it ended without a close frame, after {frames:?}"),
            }
        }
    }

    /// The next frame of the socket, whatever it is.
    pub(crate) async fn seen(&mut self) -> Seen {
        bounded("a frame", self.frame_in()).await
    }

    async fn frame_in(&mut self) -> Seen {
        loop {
            if let Some((opcode, payload)) = take_frame(&mut self.read) {
                match opcode {
                    TEXT => {
                        let frame = serde_json::from_slice(&payload).expect("JSON from the server");
                        return Seen::Frame(frame);
                    }
                    BINARY => {
                        let frame = binary::decode_server(&payload).expect("the binary form");
                        return Seen::Frame(json!(frame));
                    }
                    PONG => return Seen::Pong(payload),
                    PING => {
                        let pong = masked(FIN | PONG, &payload);
                        self.raw(&pong).await;
                        return Seen::Ping;
                    }
                    CLOSE => {
                        let code = u16::from_be_bytes([payload[0], payload[1]]);
                        let reason = String::from_utf8_lossy(&payload[2..]).into_owned();
                        return Seen::Close(code, reason);
                    }
                    other => panic!("opcode {other} from the server"),
                }
            }
            if !self.more().await {
                return Seen::End;
            }
        }
    }

    async fn more(&mut self) -> bool {
        let mut bytes = [0; 16 * 1024];
        match self.stream.read(&mut bytes).await {
            Ok(0) | Err(_) => false,
            Ok(count) => {
                self.read.extend_from_slice(&bytes[..count]);
                true
            }
        }
    }
}

/// An opening handshake with more `headers`.
pub(crate) fn upgrade_request(address: SocketAddr, headers: &str) -> String {
    format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: chinwag.v1.json\r\n{headers}\r\n"
    )
}

/// One frame as a client sends it (RFC 6455, section 5.2), with a mask that is not zero.
pub(crate) fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let mut bytes = vec![first];
    match payload.len() {
        length @ 0..=125 => bytes.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            bytes.push(0x80 | 126);
            bytes.extend((length as u16).to_be_bytes());
        }
        length => {
            bytes.push(0x80 | 127);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    let masked = payload.iter().enumerate();
    bytes.extend(masked.map(|(at, byte)| byte ^ MASK[at % 4]));
    bytes
}

/// The first whole frame of `bytes`; the server neither masks nor fragments.
fn take_frame(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (head, length) = match second {
        126 => (
            4,
            u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)),
        ),
        127 => (10, u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?)),
        short => (2, u64::from(short)),
    };
    let whole = head + usize::try_from(length).ok()?;
    if bytes.len() < whole {
        return None;
    }
    let frame: Vec<u8> = bytes.drain(..whole).collect();
    assert!(first & FIN != 0, "the server does not fragment");
    Some((first & 0xf, frame[head..].to_vec()))
}

/// Puts the fields of `more` into `frame`.
pub(crate) fn merge(frame: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        panic!("fields are an object")
    };
    for (name, value) in more {
        frame[name] = value;
    }
}

/// The room that a frame names.
pub(crate) fn room_of(frame: &Value) -> RoomId {
    let text = frame["room"].as_str().expect("a room");
    text.parse().expect("a room's id")
}

/// Asserts that a frame is a refusal with this code, with words, and consistent with the
/// registry.
#[track_caller]
pub(crate) fn refused(frame: &Value, code: &str) {
    assert_eq!(frame["type"], "error", "{frame}");
    assert_eq!(frame["code"], code, "{frame}");
    let known = chinwag_core::code::ErrorCode::ALL
        .iter()
        .find(|known| known.text() == code)
        .unwrap_or_else(|| panic!("{code} is not in the registry"));
    assert_eq!(frame["retryable"], known.retryable(), "{frame}");
    let message = frame["message"].as_str().expect("words for a developer");
    assert!(!message.is_empty());
}
