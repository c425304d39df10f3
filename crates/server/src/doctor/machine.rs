//! What the system grants: file handles, the port, and the database that was built in.

use std::net::TcpListener;

use super::Finding;
use crate::config::ListenAddress;
use crate::startup::{FILES_MIN, FileLimit, bind_advice};

/// Handles that are not connections: database, listener, log, files on their way.
const FILES_OWN: u64 = 64;
/// Handles below which a busy evening ends in refused connections.
const FILES_WARN: u64 = 4_096;
/// The first SQLite without a fault that can damage the write-ahead log.
const SQLITE_MIN: i32 = 3_051_003;

/// The file limit, in connections. The server raises the soft limit to the hard one by itself.
pub(super) fn file_limit(limit: FileLimit) -> Finding {
    let shown = |limit: Option<u64>| {
        limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
    };
    let remedy = "raise it: `ulimit -Hn 1048576` as root, or LimitNOFILE=1048576 in the service";
    let Some(hard) = limit.hard else {
        return Finding::ok(
            "file limit",
            format!(
                "soft {}, hard unlimited: as many connections as memory holds",
                shown(limit.soft)
            ),
        );
    };
    let connections = hard.saturating_sub(FILES_OWN);
    let found = format!(
        "soft {}, hard {hard}: about {connections} connections",
        shown(limit.soft)
    );
    if hard < FILES_MIN {
        Finding::fail("file limit", found, remedy)
    } else if hard < FILES_WARN {
        Finding::warn("file limit", found, remedy)
    } else {
        Finding::ok("file limit", found)
    }
}

/// Whether the port can be bound. `option` chooses another.
pub(super) fn port(check: &'static str, listen: ListenAddress, option: &str) -> Finding {
    let address = listen.socket_address();
    match TcpListener::bind(address) {
        Ok(_) => Finding::ok(check, format!("{address} is free")),
        // The server itself may be the one that holds it: then all is well.
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => Finding::warn(
            check,
            format!("{address} is taken; well if Chinwag itself is running"),
            bind_advice(address, &error, option),
        ),
        Err(error) => Finding::fail(
            check,
            format!("{address} cannot be bound"),
            bind_advice(address, &error, option),
        ),
    }
}

/// The database that was built in.
pub(super) fn sqlite_built_in() -> Finding {
    sqlite(rusqlite::version_number(), rusqlite::version())
}

/// Whether the database is one that keeps what it was given.
fn sqlite(number: i32, version: &str) -> Finding {
    if number < SQLITE_MIN {
        let remedy =
            "versions before 3.51.3 can damage the write-ahead log: build with the bundled SQLite";
        Finding::fail("SQLite", format!("{version} is too old"), remedy)
    } else {
        Finding::ok("SQLite", format!("{version}, built in"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn the_file_limit_is_told_in_connections() {
        let limit = |hard| FileLimit {
            soft: Some(1024),
            hard,
        };
        for (hard, expected, words) in [
            (Some(32), Verdict::Fail, "about 0 connections"),
            (Some(1_024), Verdict::Warn, "about 960 connections"),
            (Some(65_536), Verdict::Ok, "about 65472 connections"),
            (None, Verdict::Ok, "as many"),
        ] {
            let found = file_limit(limit(hard));
            assert_eq!(found.verdict, expected, "{found:?}");
            assert!(found.found.contains(words), "{found:?}");
        }
    }

    #[test]
    fn a_taken_port_is_a_warning_with_a_way_to_find_who_has_it() {
        let holder = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = holder.local_addr().unwrap();
        let found = port("port", address.into(), "--listen");
        assert_eq!(found.verdict, Verdict::Warn);
        assert!(
            found
                .remedy
                .contains(&format!("sport = :{}", address.port())),
            "{found:?}"
        );
        drop(holder);
        let elsewhere = "192.0.2.1:80".parse().unwrap();
        let found = port("metrics port", elsewhere, "--metrics");
        assert_eq!(
            (found.check, found.verdict),
            ("metrics port", Verdict::Fail)
        );
    }

    #[test]
    fn an_old_database_is_refused() {
        assert_eq!(sqlite(3_051_002, "3.51.2").verdict, Verdict::Fail);
        assert_eq!(sqlite(3_051_003, "3.51.3").verdict, Verdict::Ok);
        let ours = rusqlite::version_number();
        assert_eq!(
            sqlite(ours, rusqlite::version()).verdict,
            Verdict::Ok,
            "the one that is built in"
        );
    }
}
