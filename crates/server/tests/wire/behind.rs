//! A slow reader is told, catches up by its cursor on the same socket, and misses nothing.

use chinwag_core::ids::RoomId;
use serde_json::{Value, json};

use crate::support::{Client, Node, Person};

/// 5 MB: more than the outbox and all that the system keeps on its way to a reader with a small
/// buffer, and little enough to be caught up with at once.
const PUSHED: usize = 300;

/// Sends so much that a reader who does not read falls behind.
pub(crate) async fn push(sender: &mut Client, room: RoomId) {
    let text = "x".repeat(16 * 1024);
    let mut reqs = Vec::new();
    for _ in 0..PUSHED {
        let key = sender.key();
        reqs.push(
            sender
                .tell("send", json!({"key": key, "room": room, "text": text}))
                .await,
        );
        if reqs.len() == 32 {
            for req in reqs.drain(..) {
                assert_eq!(sender.reply(req).await["type"], "ack");
            }
            sender.passed.clear();
        }
    }
    for req in reqs {
        sender.reply(req).await;
    }
    sender.passed.clear();
}

/// What a client knows: the seq up to which it has everything, and the position.
struct Cursor {
    room: RoomId,
    seq: u64,
    position: Value,
}

impl Cursor {
    /// Takes a frame in as a client must: the next seq, or a stretch that begins there.
    fn apply(&mut self, frame: &Value) {
        match frame["type"].as_str().unwrap() {
            "event" => {
                assert_eq!(frame["seq"], self.seq + 1, "no hole and no repetition");
                self.seq += 1;
            }
            "events" => {
                assert_eq!(
                    (&frame["room"], &frame["from"]),
                    (&json!(self.room), &json!(self.seq + 1))
                );
                self.seq = frame["to"].as_u64().unwrap();
            }
            "caught_up" => self.position = frame["position"].clone(),
            _ => {}
        }
    }

    /// Reads up to a frame of `kind`.
    async fn until(&mut self, client: &mut Client, kind: &str) {
        loop {
            let frame = client.next().await;
            self.apply(&frame);
            if frame["type"] == kind {
                return;
            }
        }
    }

    async fn sync(&mut self, client: &mut Client) {
        let cursor = json!({"position": self.position, "open": [[self.room, self.seq]]});
        let req = client.tell("sync", cursor).await;
        let ok = client.reply(req).await;
        assert_eq!(ok["type"], "ok", "{ok}");
        self.until(client, "caught_up").await;
    }
}

async fn setting() -> (Node, Client, Client, Cursor) {
    let node = Node::start().await;
    let (ann, bob) = (Person::new("Ann"), Person::new("Bob"));
    let mut sender = node.enter(&ann).await;
    let mut reader = Client::open(node.address, Some(4_096)).await;
    reader.hello(&bob.token, json!({})).await;
    let synced = reader.until("caught_up").await;
    let room = sender.create("public").await;
    assert_eq!(reader.write("join", json!({"room": room})).await["seq"], 2);
    reader.event(room, 2).await;
    let position = synced.last().unwrap()["position"].clone();
    let cursor = Cursor {
        room,
        seq: 2,
        position,
    };
    (node, sender, reader, cursor)
}

#[tokio::test]
async fn who_fell_behind_catches_up_on_the_same_socket_without_a_hole() {
    let (node, mut sender, mut reader, mut cursor) = setting().await;
    push(&mut sender, cursor.room).await;
    cursor.until(&mut reader, "behind").await;
    assert!(cursor.seq < 2 + PUSHED as u64, "something was dropped");
    // Only replies until `sync` is said.
    sender.send(cursor.room, "while behind").await;
    assert_eq!(reader.so_far().await, Vec::<Value>::new());
    cursor.sync(&mut reader).await;
    assert_eq!(cursor.seq, 3 + PUSHED as u64);
    // And live again.
    sender.send(cursor.room, "the next").await;
    cursor.until(&mut reader, "event").await;
    assert_eq!(cursor.seq, 4 + PUSHED as u64);
    node.stop().await;
}

#[tokio::test]
async fn the_third_time_in_a_minute_closes() {
    let (node, mut sender, mut reader, mut cursor) = setting().await;
    for _ in 0..2 {
        push(&mut sender, cursor.room).await;
        cursor.until(&mut reader, "behind").await;
        cursor.sync(&mut reader).await;
    }
    push(&mut sender, cursor.room).await;
    let (code, frames) = reader.closed().await;
    assert_eq!(code, 4102);
    frames.iter().for_each(|frame| cursor.apply(frame));
    assert_eq!(frames.last().unwrap()["type"], "behind");
    node.settle(1, 1).await;
    node.stop().await;
}

/// More than an outbox holds, committed together, used to put everybody in the room behind,
/// because it was queued in one go; now the socket is tried before.
#[tokio::test]
async fn much_at_once_is_not_the_fault_of_a_reader_that_takes_it() {
    const MESSAGES: u64 = 24;
    let node = Node::start().await;
    let mut sender = node.enter(&Person::new("Ann")).await;
    let mut reader = node.enter(&Person::new("Bob")).await;
    let room = sender.create("public").await;
    assert_eq!(reader.write("join", json!({"room": room})).await["seq"], 2);
    let text = "x".repeat(16 * 1024);
    for _ in 0..MESSAGES {
        let key = sender.key();
        let send = json!({"key": key, "room": room, "text": text});
        sender.tell("send", send).await;
    }
    for client in [&mut reader, &mut sender] {
        let mut seq = 2;
        while seq < 2 + MESSAGES {
            let frame = client.next().await;
            assert_ne!(frame["type"], "behind");
            if frame["type"] == "event" && frame["seq"] == seq + 1 {
                seq += 1;
            }
        }
    }
    node.stop().await;
}
