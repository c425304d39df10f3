//! Golden frames: `protocol/vectors/{client,server}.json`, and the same frames in the binary form,
//! as hexadecimal digits, in `{client,server}.bin.json`; read by Rust and TypeScript alike.
//!
//! One example of each frame and of each event kind, as it stands on the wire. A change of these
//! files is a change of the protocol: the test that rewrites them fails first.

mod client;
mod messages;
mod people;
mod rooms;
mod server;
#[path = "../support/write.rs"]
mod write;

use bytes::Bytes;
use chinwag_core::codec::{self, binary};
use chinwag_core::ids::{InviteToken, Key, RoomId, UserId};
use chinwag_core::wire::ServerFrame;
use serde::Serialize;
use serde_json::{Value, json};

const ROOM: RoomId = RoomId(*b"a room of people");
const ANN: UserId = UserId(*b"ann, who writes.");
const BOB: UserId = UserId(*b"bob, who reads..");
const TOKEN: InviteToken = InviteToken(*b"a token, secret.");
const KEY: Key = Key(*b"one key, once...");
const TEXT: &str = "Grüße, 世界 \u{202e}\u{1f469}\u{200d}\u{1f680} \"quoted\" \\ <b>\n\t\u{7f}";

fn golden<F: Serialize>(path: &str, frames: &[(&'static str, F)]) {
    let entry = |(name, frame): &(&'static str, F)| {
        let frame: Value = serde_json::from_slice(&codec::encode(frame)).expect("what we encoded");
        json!({ "name": name, "frame": frame })
    };
    let all: Vec<Value> = frames.iter().map(entry).collect();
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    write::generate(path, &(text + "\n"));
}

fn golden_binary<'frame>(path: &str, frames: impl Iterator<Item = (&'frame &'static str, Bytes)>) {
    let all: Vec<Value> = frames
        .map(|(name, bytes)| {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "name": name, "hex": digits })
        })
        .collect();
    let text = serde_json::to_string_pretty(&all).expect("JSON");
    write::generate(path, &(text + "\n"));
}

#[test]
fn binary_frames() {
    let (client, server) = (client::frames(), server::frames());
    let encoded = client
        .iter()
        .map(|(name, frame)| (name, binary::encode_client(frame)));
    golden_binary("protocol/vectors/client.bin.json", encoded.clone());
    for ((name, bytes), (_name, frame)) in encoded.zip(&client) {
        assert_eq!(binary::decode(&bytes).as_ref(), Ok(frame), "{name}");
    }
    let encoded = server
        .iter()
        .map(|(name, frame)| (name, binary::encode(frame)));
    golden_binary("protocol/vectors/server.bin.json", encoded.clone());
    for ((name, bytes), (_name, frame)) in encoded.zip(&server) {
        assert_eq!(binary::decode_server(&bytes).as_ref(), Ok(frame), "{name}");
    }
}

#[test]
fn client_frames() {
    let frames = client::frames();
    golden("protocol/vectors/client.json", &frames);
    for (name, frame) in frames {
        let bytes = codec::encode(&frame);
        let text = std::str::from_utf8(&bytes).expect("JSON is UTF-8");
        assert_eq!(codec::decode(text).as_ref(), Ok(&frame), "{name}");
    }
}

#[test]
fn server_frames() {
    let frames = server::frames();
    golden("protocol/vectors/server.json", &frames);
    for (name, frame) in frames {
        let bytes = codec::encode(&frame);
        let text = std::str::from_utf8(&bytes).expect("JSON is UTF-8");
        assert_eq!(codec::decode_server(text).expect(name), frame, "{name}");
        if let ServerFrame::Event(event) = &frame {
            assert_eq!(
                codec::encode_event(event),
                bytes,
                "{name}: both ways encode alike"
            );
        }
    }
}
