//! The program is killed while it goes through the rooms of an erased account, and goes on.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use serde_json::json;

use crate::process::{PROGRAM, Server, enter, place, serve};
use crate::support::{BOUND, Client, Person, bounded};

const ROOMS: usize = 250;
const MESSAGES: usize = 12;

fn start(place: &Path) -> Server {
    let mut command = Command::new(PROGRAM);
    serve(&mut command, &place.join("data"));
    command.args(["--set", "limits.rate_per_second=10000"]);
    command.args(["--set", "limits.rate_burst=10000"]);
    Server::start(&mut command)
}

/// Commands under keys of their own, some at a time; all are done.
async fn all_done(
    client: &mut Client,
    commands: Vec<(&str, serde_json::Value)>,
) -> Vec<serde_json::Value> {
    let mut acks = Vec::new();
    for some in commands.chunks(50) {
        let mut reqs = Vec::new();
        for (command, fields) in some {
            let mut fields = fields.clone();
            fields["key"] = json!(client.key());
            reqs.push(client.tell(command, fields).await);
        }
        for req in reqs {
            let ack = client.reply(req).await;
            assert_eq!(ack["type"], "ack", "{ack}");
            acks.push(ack);
        }
        client.passed.clear();
    }
    acks
}

/// A number out of the database of a program that does not run.
fn count(place: &Path, sql: &str) -> i64 {
    let file = place.join("data/chinwag.db");
    let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

const OPEN: &str = "SELECT count(*) FROM erasures WHERE stage < 2";

#[tokio::test]
async fn an_erasure_survives_kills_and_doubles_nothing() {
    let place = place();
    let mut server = start(place.path());
    let ann = Person::new("Ann");
    let mut client = enter(server.address, &ann).await;
    let create = ("create", json!({"kind": "group", "name": "Kitchen"}));
    let made = all_done(&mut client, vec![create; ROOMS]).await;
    let mut said = Vec::new();
    for number in 0..MESSAGES {
        let text = number.to_string();
        let say = |ack: &serde_json::Value| ("send", json!({"room": ack["room"], "text": text}));
        said.extend(made.iter().map(say));
    }
    all_done(&mut client, said).await;
    let body = json!({"messages": "redact", "confirm": ann.id}).to_string();
    let request = format!(
        "DELETE /api/v1/account HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Authorization: Bearer {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        server.address,
        ann.token,
        body.len()
    );
    let (status, answer) = crate::support::http(server.address, &request).await;
    assert_eq!(status, 202, "{answer}");
    let (mut kills, mut in_the_middle) = (0, 0);
    // As long as there is something to interrupt, each time a little later.
    while kills < 20 {
        drop(server);
        kills += 1;
        let open = count(place.path(), OPEN);
        let gone = "SELECT count(*) FROM members WHERE state = 1";
        in_the_middle += i64::from(open > 0 && count(place.path(), gone) > 0);
        server = start(place.path());
        if open == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(4 * kills)).await;
    }
    assert!(
        in_the_middle > 0,
        "no kill of {kills} hit the job in its middle"
    );
    // The token is of no use to anybody, whatever process answers.
    let mut late = Client::open(server.address, None).await;
    late.hello(&ann.token, json!({})).await;
    assert_eq!(late.closed().await.0, 4202);
    let file = place.path().join("data/chinwag.db");
    let done = async {
        loop {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
            let db = Connection::open_with_flags(&file, flags).unwrap();
            let open: i64 = db.query_row(OPEN, [], |row| row.get(0)).unwrap();
            if open == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    bounded("the job ends", done).await;
    server.terminate();
    assert_eq!(server.exit(BOUND), Some(0));
    let (rooms, messages) = (ROOMS as i64, (ROOMS * MESSAGES) as i64);
    for (sql, expected) in [
        // 2: member, 3: message, 5: redact.
        ("SELECT count(*) FROM events WHERE kind = 2", rooms),
        (
            "SELECT count(DISTINCT room) FROM events WHERE kind = 2",
            rooms,
        ),
        ("SELECT count(*) FROM events WHERE kind = 5", messages),
        (
            "SELECT count(*) FROM (SELECT DISTINCT room, target FROM events WHERE kind = 5)",
            messages,
        ),
        (
            "SELECT count(*) FROM events WHERE kind = 3 AND length(body) > 0",
            0,
        ),
        (
            "SELECT count(*) FROM events",
            rooms + messages + rooms + messages,
        ),
        (
            "SELECT count(*) FROM rooms AS r WHERE r.head <> \
          (SELECT count(*) FROM events AS e WHERE e.room = r.id)",
            0,
        ),
        ("SELECT count(*) FROM members WHERE state <> 1", 0),
        (
            "SELECT count(*) FROM erasures WHERE stage = 2 AND finished >= asked",
            1,
        ),
        (
            "SELECT count(*) FROM users WHERE name = '' AND issuer IS NULL",
            1,
        ),
        ("SELECT count(*) FROM sessions", 0),
    ] {
        assert_eq!(count(place.path(), sql), expected, "{sql}");
    }
}
