//! What waits for a client of low bandwidth, over a raw socket, with time that is only said.

use std::sync::Arc;

use chinwag_core::ids::{Epoch, Millis, RoomId, Seq, Tick, UserId};
use chinwag_core::lanes::Lane;
use chinwag_core::live::ConnId;
use chinwag_core::rate::Rate;
use chinwag_core::session::{Identity, Input, Terms};
use chinwag_core::wire::{ClientFrame, Cursor, Profile, ServerFrame};

use super::writing::{pair, roomy};
use super::{Client, Seen, bounded};
use crate::gateway::dialect::Dialect;
use crate::gateway::outbox::{Connection, Pen};
use crate::gateway::ws::{self, Reader, WebSocket};

/// A connection that has been welcomed at 0, with nothing written yet.
async fn welcomed(low_bandwidth: bool) -> (super::Server, Client, Arc<Connection>, Reader) {
    let (server, client, socket) = pair(roomy()).await;
    let terms = Terms {
        epoch: Epoch([1; 16]),
        rate: Rate::default(),
    };
    let dialect = Dialect::of(&socket);
    let connection = Connection::new(ConnId(1), dialect, terms, Arc::default(), Tick(0));
    let WebSocket { reader, writer, .. } = socket;
    connection.attach(writer);
    let hello = ClientFrame::Hello {
        v: 1,
        token: "token".into(),
        device: None,
        cursor: Cursor::default(),
        low_bandwidth,
    };
    connection.step(Input::Frame(Ok(hello)), Tick(0));
    let identity = Identity {
        user: Profile {
            id: UserId([1; 16]),
            name: "Ann".into(),
            version: 1,
            display_name: None,
            avatar: None,
        },
        session: None,
        expires_in_ms: 600_000,
        now: Millis(0),
    };
    connection.step(Input::Authenticated(Ok(identity)), Tick(0));
    (server, client, connection, reader)
}

fn marker(read: u64) -> ServerFrame {
    ServerFrame::Marker {
        room: RoomId([1; 16]),
        delivered: Seq(read),
        read: Seq(read),
        unread: 0,
        mentions: 0,
    }
}

fn queue(connection: &Connection, lane: Lane, frame: &ServerFrame) {
    let frame = connection.dialect.encode(frame);
    assert!(connection.queue(lane, frame), "there is room");
}

/// Ends the connection and returns the texts that its client had got.
async fn texts(client: &mut Client, connection: &Connection, reader: Reader) -> Vec<String> {
    let writer = connection.detach().expect("a writer");
    let closing = ws::close(reader, writer, Some(ws::close_frame(1000, "")));
    let (heard, ()) = bounded("both sides", async {
        tokio::join!(
            async {
                let heard = client.frames().await;
                client.hang_up().await;
                heard
            },
            closing
        )
    })
    .await;
    let texts = heard.into_iter().filter_map(|seen| match seen {
        Seen::Text(text) => Some(text),
        _ => None,
    });
    texts.collect()
}

#[tokio::test]
async fn frames_leave_together_at_the_end_of_the_window() {
    let (server, mut client, connection, reader) = welcomed(true).await;
    let mut scratch = Pen::default();
    assert_eq!(connection.flush(&mut scratch, Tick(10)), 0, "held");
    queue(&connection, Lane::Receipt, &marker(1));
    let outlook = connection.look(&mut scratch, Tick(60));
    assert_eq!(outlook.due, Tick(110), "the first one opened the window");
    queue(&connection, Lane::Control, &ServerFrame::Ok { req: 7 });
    assert_eq!(connection.flush(&mut scratch, Tick(109)), 0, "held");
    assert!(connection.flush(&mut scratch, Tick(110)) > 0);
    queue(&connection, Lane::Receipt, &marker(2));
    assert_eq!(
        connection.flush(&mut scratch, Tick(115)),
        0,
        "the next window"
    );
    assert!(connection.flush(&mut scratch, Tick(215)) > 0);
    let texts = texts(&mut client, &connection, reader).await;
    assert_eq!(texts.len(), 2, "{texts:?}");
    let (list, single) = (&texts[0], &texts[1]);
    assert!(list.starts_with("[{\"type\":\"welcome\","), "{list}");
    assert!(
        list.contains("},{\"type\":\"ok\",\"req\":7},{\"type\":\"marker\","),
        "{list}"
    );
    assert!(list.ends_with("}]"), "{list}");
    assert!(single.starts_with("{\"type\":\"marker\","), "{single}");
    assert!(single.contains("\"read\":2"), "{single}");
    drop((client, connection));
    server.stop().await;
}

#[tokio::test]
async fn much_does_not_wait_and_other_clients_wait_for_nothing() {
    let (server, mut client, connection, reader) = welcomed(true).await;
    let mut scratch = Pen::default();
    let long = ServerFrame::Error {
        req: None,
        code: chinwag_core::code::ErrorCode::BadFrame,
        message: "x".repeat(70_000),
        field: None,
        retryable: false,
        retry_after_ms: None,
        seq: None,
    };
    queue(&connection, Lane::Control, &long);
    assert!(connection.flush(&mut scratch, Tick(1)) > 70_000);
    let heard = texts(&mut client, &connection, reader).await;
    assert_eq!(heard.len(), 2, "welcome, and what is too large for a list");
    drop((client, connection));
    server.stop().await;

    let (server, mut client, connection, reader) = welcomed(false).await;
    assert!(connection.flush(&mut scratch, Tick(0)) > 0);
    queue(&connection, Lane::Receipt, &marker(1));
    assert!(connection.flush(&mut scratch, Tick(0)) > 0);
    let heard = texts(&mut client, &connection, reader).await;
    assert!(heard.iter().all(|text| text.starts_with('{')), "{heard:?}");
    assert_eq!(heard.len(), 2);
    drop((client, connection));
    server.stop().await;
}
