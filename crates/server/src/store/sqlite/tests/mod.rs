//! What only a file can suffer: damage, other programs, full disks, commits that lie, kills
//! while it is migrated. What all stores promise is in `store/contract`.

mod opening;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::event::{Body, DamagedBody};
use chinwag_core::ids::{Key, Millis, RoomId, Seq, UserId};
use chinwag_core::read;
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Profile;
use tempfile::TempDir;

use super::faults::Seams;
use super::migrate::MIGRATIONS;
use super::{SqliteStore, files, position};
use crate::store::{Store, StoreError, read as read_one};

const USER: UserId = UserId([1; 16]);

fn item(key: u8, command: Command) -> Submission {
    Submission {
        from: USER,
        key: Key([key; 16]),
        command,
    }
}

fn create() -> Submission {
    let name = "tea";
    item(1, Command::open(RoomKind::Group, name))
}

fn room() -> RoomId {
    create().room()
}

fn send(key: u8, text: &str) -> Submission {
    item(key, Command::say(room(), text))
}

async fn one(store: &SqliteStore, item: Submission) -> Result<Outcome, StoreError> {
    let done = store.append(vec![item], Millis(5)).await?;
    Ok(done.outcomes[0])
}

/// A new store with one person, one room and these messages.
async fn filled(dir: &Path, seams: Seams, texts: &[&str]) -> SqliteStore {
    let store = SqliteStore::open_with(dir, Arc::new(seams), MIGRATIONS).expect("a new store");
    let profile = Profile {
        id: USER,
        name: "Ada".into(),
        version: 1,
        display_name: None,
        avatar: None,
    };
    store.put_profile(profile).await.expect("stored");
    one(&store, create()).await.expect("stored");
    for (key, text) in (2..).zip(texts) {
        one(&store, send(key, text)).await.expect("stored");
    }
    store
}

fn directory() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

#[tokio::test]
async fn a_flipped_byte_in_a_body_is_told_and_breaks_nothing_else() {
    let dir = directory();
    let texts = ["first", "a very special marker", "third"];
    drop(filled(dir.path(), Seams::default(), &texts).await);
    let file = files::database(dir.path());
    let mut bytes = fs::read(&file).expect("the file");
    let at = bytes.windows(8).position(|window| window == b"special ");
    bytes[at.expect("the text is in the file")] ^= 1;
    fs::write(&file, bytes).expect("written");
    let store = SqliteStore::open(dir.path()).expect("opens nevertheless");
    let after = read_one(&store, |view| {
        read::after(view, USER, room(), Seq(0), None, 50)
    });
    let Ok(read::After::Events(stretch)) = after.await.expect("read") else {
        panic!("no events");
    };
    assert_eq!((stretch.to, stretch.items.len()), (Seq(4), 4));
    let history = read_one(&store, |view| read::history(view, USER, room(), None, 50));
    let history = history.await.expect("read").expect("a member");
    let damaged = &history.messages[2].event;
    assert_eq!(damaged.body, Body::Damaged(DamagedBody {}));
    assert_eq!(
        (damaged.seq, damaged.key, damaged.from.0),
        (Seq(3), Key([3; 16]), USER)
    );
    assert!(history.messages[3].event.body.is_message());
    // Its key still tells a replay, and the log goes on.
    let replayed = one(&store, send(3, texts[1])).await.expect("looked up");
    assert!(matches!(replayed, Outcome::Replayed(ack) if ack.seq == Seq(3)));
    one(&store, send(9, "fourth")).await.expect("stored");
}

#[tokio::test]
async fn each_damaged_field_of_a_row_is_noticed() {
    let dir = directory();
    let store = filled(dir.path(), Seams::default(), &["text"]).await;
    let changes = [
        "body = x''",
        "body = x'7b22'",
        "kind = 4",
        "kind = 77",
        "ts = 6",
        "msg_no = 9",
        "v = 2",
        "sender = 77",
        "sender_version = 3",
        "hash = 1",
        "target = 1",
        "sum = 0",
        "key = x'00'",
    ];
    for change in changes {
        let damaged = store.write(move |db| {
            db.execute_batch("SAVEPOINT undo")?;
            db.execute(&format!("UPDATE events SET {change} WHERE seq = 2"), [])?;
            let sql = format!(
                "SELECT {} FROM events AS e LEFT JOIN users AS u ON u.id = e.sender WHERE seq = 2",
                super::rows::EVENT_COLUMNS
            );
            let event = db.query_row(&sql, [], |row| super::rows::event(row, room()));
            db.execute_batch("ROLLBACK TO undo; RELEASE undo")?;
            event
        });
        let event = damaged.await.expect("read");
        assert_eq!(event.body, Body::Damaged(DamagedBody {}), "{change}");
        assert_eq!(event.seq, Seq(2), "{change}");
    }
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_by_itself() {
    let dir = directory();
    let seams = |free| Seams {
        free_bytes: Some(AtomicU64::new(free)),
        ..Seams::default()
    };
    let Err(error) = SqliteStore::open_with(dir.path(), Arc::new(seams(1_000)), MIGRATIONS) else {
        panic!("made on a full disk");
    };
    assert!(error.to_string().contains("make room"), "{error}");
    drop(filled(dir.path(), seams(1 << 40), &["text"]).await);
    let seams = Arc::new(seams(1_000));
    let store = SqliteStore::open_with(dir.path(), Arc::clone(&seams), MIGRATIONS).expect("opens");
    assert_eq!(one(&store, send(7, "no room")).await, Err(StoreError::Full));
    assert_eq!(
        store.mark(Vec::new(), Millis(0)).await,
        Err(StoreError::Full)
    );
    assert_eq!(store.write(|_db| Ok(())).await, Err(StoreError::Full));
    let heads = read_one(&store, |view| view.heads(USER)).await;
    assert_eq!(heads, Ok(vec![(room(), Seq(2))]));
    if let Some(free) = &seams.free_bytes {
        free.store(1 << 40, Ordering::SeqCst);
    }
    // The disk is asked at most every so often; until then the refusal stands.
    let outcome = loop {
        match one(&store, send(7, "no room")).await {
            Err(StoreError::Full) => tokio::task::yield_now().await,
            other => break other,
        }
    };
    assert!(
        matches!(outcome, Ok(Outcome::Done(ack)) if ack.seq == Seq(3)),
        "{outcome:?}"
    );
}

#[tokio::test]
async fn a_commit_that_lies_ends_the_writer_and_a_retry_finds_the_truth() {
    for happened in [true, false] {
        let dir = directory();
        let seams = Arc::new(Seams::default());
        let store = filled(dir.path(), Seams::default(), &[]).await;
        drop(store);
        let store = SqliteStore::open_with(dir.path(), Arc::clone(&seams), MIGRATIONS);
        let store = store.expect("the same store");
        let fail = if happened {
            &seams.fail_after_commit
        } else {
            &seams.fail_before_commit
        };
        fail.store(true, Ordering::SeqCst);
        let outcome = one(&store, send(2, "text")).await;
        assert!(
            matches!(outcome, Err(StoreError::Unknown(_))),
            "{outcome:?}"
        );
        let reason = store.ended().await;
        assert!(reason.contains("commit"), "{reason}");
        // Nothing more is accepted, whatever it is; reads go on.
        let later = one(&store, send(3, "later")).await;
        assert!(matches!(later, Err(StoreError::Closed(_))), "{later:?}");
        assert!(matches!(
            store.mark(Vec::new(), Millis(0)).await,
            Err(StoreError::Closed(_))
        ));
        assert!(matches!(
            store.write(|_db| Ok(())).await,
            Err(StoreError::Closed(_))
        ));
        let expected = if happened { Seq(2) } else { Seq(1) };
        assert_eq!(
            read_one(&store, |view| view.heads(USER)).await,
            Ok(vec![(room(), expected)])
        );
        drop(store);
        let store = SqliteStore::open(dir.path()).expect("a restart recovers");
        let outcome = one(&store, send(2, "text"))
            .await
            .expect("looked up or stored");
        match (happened, outcome) {
            (true, Outcome::Replayed(ack)) | (false, Outcome::Done(ack)) => {
                assert_eq!(ack.seq, Seq(2));
            }
            (_, other) => panic!("happened: {happened}, answered {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_retry_that_begins_before_the_commit_gets_the_same_answer() {
    let dir = directory();
    let store = filled(dir.path(), Seams::default(), &[]).await;
    // The first caller gives up while its command is in the queue; the command goes on.
    let (held, release) = std::sync::mpsc::sync_channel::<()>(1);
    let blocker = store.write(move |_db| {
        release.recv().expect("released");
        Ok(())
    });
    let mut first = store.append(vec![send(2, "text")], Millis(5));
    let mut retry = store.append(vec![send(2, "text")], Millis(9));
    let mut blocker = std::pin::pin!(blocker);
    let poll_all = std::future::poll_fn(|context| {
        use std::future::Future;
        assert!(blocker.as_mut().poll(context).is_pending());
        assert!(first.as_mut().poll(context).is_pending());
        assert!(retry.as_mut().poll(context).is_pending());
        std::task::Poll::Ready(())
    });
    poll_all.await;
    drop(first);
    held.send(()).expect("the writer waits");
    blocker.await.expect("stored");
    let answered = retry.await.expect("stored");
    assert!(matches!(answered.outcomes[0], Outcome::Replayed(ack) if ack.seq == Seq(2)));
    assert_eq!(
        read_one(&store, |view| view.heads(USER)).await,
        Ok(vec![(room(), Seq(2))])
    );
}

#[tokio::test]
async fn an_account_write_is_durable_alone_and_knows_its_position() {
    let dir = directory();
    let store = filled(dir.path(), Seams::default(), &[]).await;
    let before = store.read_with(position).await.expect("read");
    let during = store.write(|db| {
        db.execute("UPDATE users SET name = 'Eve'", [])?;
        position(db)
    });
    let during = during.await.expect("stored");
    assert_eq!(during.0, before.0 + 1);
    let failed = store.write(|db| {
        db.execute("UPDATE users SET name = 'Mallory'", [])?;
        db.execute(
            "INSERT INTO users (public, name) SELECT public, name FROM users",
            [],
        )
    });
    assert!(matches!(failed.await, Err(StoreError::Read(_))));
    drop(store);
    let store = SqliteStore::open(dir.path()).expect("the same store");
    let name = store.read_with(|db| db.query_row("SELECT name FROM users", [], |row| row.get(0)));
    assert_eq!(name.await, Ok("Eve".to_owned()));
    let written = store
        .read_with(|db| db.execute("DELETE FROM users", []))
        .await;
    assert!(written.is_err(), "readers do not write");
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_given_up() {
    let dir = directory();
    let store = SqliteStore::open(dir.path()).expect("a new store");
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let answer = store.read_with(move |db| db.query_row(endless, [], |row| row.get::<_, i64>(0)));
    assert!(matches!(answer.await, Err(StoreError::Read(_))));
    // The thread is there for the next one.
    for _ in 0..super::READERS * 2 {
        store.read_with(position).await.expect("read");
    }
}

/// While the writer never paused nothing reset the WAL: it grew to 256 MiB, and each page of it was new.
#[tokio::test]
async fn the_wal_begins_anew_under_load() {
    // Far more than makes a checkpoint due, and less than what the writer cuts off by itself.
    const BATCHES: u64 = 190;
    const BATCH: u64 = 16;
    let dir = directory();
    let store = filled(dir.path(), Seams::default(), &[]).await;
    let text = "x".repeat(60_000);
    let (mut longest, mut restarts) = (0, 0);
    for batch in 1..=BATCHES {
        let items = (0..BATCH).map(|number| Submission {
            from: USER,
            key: Key(u128::from(batch * BATCH + number + 1000).to_be_bytes()),
            command: Command::say(room(), &text),
        });
        let done = store.append(items.collect(), Millis(5)).await;
        assert!(matches!(
            done.expect("stored").outcomes[0],
            Outcome::Done(_)
        ));
        let length = files::wal_bytes(dir.path());
        // The file keeps its length when it begins anew, up to what is kept of it.
        restarts += u64::from(length <= longest);
        longest = longest.max(length);
        if restarts >= 3 {
            return;
        }
    }
    panic!("{BATCHES} batches, and the WAL has {longest} bytes");
}
