//! Measures the embedded store alone: durable messages per second from waiting senders, each
//! sending its next message when the last one is acknowledged, to rooms drawn at random.
//!
//! `cargo run --release -p chinwag-server --example store_speed -- [senders] [seconds] [dir]`

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail};
use chinwag_core::batch::{Command, Outcome, Submission};
use chinwag_core::ids::{Key, Millis, RoomId, UserId};
use chinwag_core::room::RoomKind;
use chinwag_core::wire::Profile;
use chinwag_server::store::Store;
use chinwag_server::store::sqlite::SqliteStore;

const ROOMS: u64 = 1_000;
const BODY_BYTES: usize = 100;

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Millis(since.map_or(0, |since| since.as_millis() as i64))
}

/// A key that rises with time, as those of the SDK do.
fn key(random: u64) -> Key {
    let time = (now().0 as u128) << 80;
    Key((time | u128::from(random)).to_be_bytes())
}

fn next(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

async fn rooms(store: &SqliteStore, user: UserId) -> Result<Vec<RoomId>> {
    let profile = Profile {
        id: user,
        name: "sender".into(),
        version: 1,
        display_name: None,
        avatar: None,
    };
    store.put_profile(profile).await?;
    let mut made = Vec::new();
    for number in 1..=ROOMS {
        let item = Submission {
            from: user,
            key: Key(u128::from(number).to_be_bytes()),
            command: Command::open(RoomKind::Public, format!("room {number}")),
        };
        made.push(item.room());
        store.append(vec![item], now()).await?;
    }
    Ok(made)
}

async fn sender(
    store: Arc<SqliteStore>,
    user: UserId,
    rooms: Arc<Vec<RoomId>>,
    number: u64,
    until: Instant,
) -> Result<Vec<u64>> {
    let mut random = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut waits_us = Vec::new();
    while Instant::now() < until {
        let item = Submission {
            from: user,
            key: key(next(&mut random)),
            command: Command::say(
                rooms[(next(&mut random) % ROOMS) as usize],
                "x".repeat(BODY_BYTES),
            ),
        };
        let began = Instant::now();
        let done = store.append(vec![item], now()).await?;
        if !matches!(done.outcomes[..], [Outcome::Done(_)]) {
            bail!("not stored: {:?}", done.outcomes);
        }
        waits_us.push(began.elapsed().as_micros() as u64);
    }
    Ok(waits_us)
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let senders: u64 = arguments.next().map_or(Ok(100), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(10), |text| text.parse())?;
    let dir = arguments.next().map_or_else(
        || std::env::temp_dir().join(format!("store-speed-{}", std::process::id())),
        PathBuf::from,
    );
    let store = Arc::new(SqliteStore::open(&dir).context("opening")?);
    let user = UserId([7; 16]);
    let rooms = Arc::new(rooms(&store, user).await?);
    let began = Instant::now();
    let until = began + Duration::from_secs(seconds);
    let mut tasks = tokio::task::JoinSet::new();
    for number in 1..=senders {
        let (store, rooms) = (Arc::clone(&store), Arc::clone(&rooms));
        tasks.spawn(sender(store, user, rooms, number, until));
    }
    let mut waits_us = Vec::new();
    while let Some(waited) = tasks.join_next().await {
        waits_us.extend(waited??);
    }
    let spent = began.elapsed().as_secs_f64();
    waits_us.sort_unstable();
    let at = |share: f64| waits_us[((waits_us.len() - 1) as f64 * share) as usize];
    report(&format!(
        "{senders} senders, {spent:.1} s: {:.0} durable messages/s; ack p50 {} us, p99 {} us, \
         max {} us; {}",
        waits_us.len() as f64 / spent,
        at(0.5),
        at(0.99),
        at(1.0),
        dir.display()
    ));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "its output is its purpose")]
fn report(line: &str) {
    println!("{line}");
}
