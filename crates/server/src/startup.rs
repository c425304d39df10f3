//! What must be true before a node can start: a bound port, enough file handles, a directory to
//! write into.
//!
//! Each failure says what, where, and what to do. Nothing here outlives the start.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use anyhow::{Context, bail};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Protocol, Socket, Type};

use crate::auth;
use crate::config::{Config, IssuerKeys, ListenAddress};
use crate::gateway::tls;

/// How many ports after the usual one are tried when nobody chose one.
const PORTS_TRIED_MAX: u16 = 20;
/// Connections that the system keeps until they are accepted; the system's own maximum may be
/// lower.
const BACKLOG: i32 = 4_096;
/// File handles below which the server refuses to start: database, log, listener and a handful of
/// people.
pub const FILES_MIN: u64 = 64;

/// Binds the address. When nobody chose it and it is taken, the next free port is taken instead.
///
/// # Errors
/// The port is taken, reserved for the administrator, or not an address of this machine.
pub fn bind(address: ListenAddress, is_chosen: bool) -> anyhow::Result<TcpListener> {
    let wanted = address.socket_address();
    let error = match listen(wanted) {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    if error.kind() == io::ErrorKind::AddrInUse && !is_chosen {
        for port in (1..=PORTS_TRIED_MAX).filter_map(|step| wanted.port().checked_add(step)) {
            if let Ok(listener) = listen(SocketAddr::new(wanted.ip(), port)) {
                return Ok(listener);
            }
        }
        let last = wanted.port().saturating_add(PORTS_TRIED_MAX);
        bail!(
            "the ports {} to {last} on {} are all taken. Choose one with --listen {}:PORT",
            wanted.port(),
            wanted.ip(),
            wanted.ip()
        );
    }
    let advice = bind_advice(wanted, &error, "--listen");
    bail!("cannot listen on {wanted}: {advice}")
}

/// Binds the address where metrics are read. Whoever collects them looks there and nowhere else,
/// so no other is tried.
///
/// # Errors
/// As for [`bind`].
pub fn bind_metrics(address: ListenAddress) -> anyhow::Result<TcpListener> {
    let wanted = address.socket_address();
    listen(wanted).map_err(|error| {
        let advice = bind_advice(wanted, &error, "--metrics");
        anyhow::anyhow!("cannot listen on {wanted} for metrics: {advice}")
    })
}

/// Why an address cannot be bound, and what to do: `option` chooses another.
pub(crate) fn bind_advice(address: SocketAddr, error: &io::Error, option: &str) -> String {
    let port = address.port();
    match error.kind() {
        io::ErrorKind::AddrInUse => format!(
            "port {port} is taken by another process. Find it with `ss -ltnp 'sport = :{port}'` (or `lsof -i :{port}`), or choose another port with {option}"
        ),
        io::ErrorKind::PermissionDenied => format!(
            "this user may not use port {port}. Choose one from 1024 on with {option} and put a proxy in front, or grant CAP_NET_BIND_SERVICE"
        ),
        io::ErrorKind::AddrNotAvailable => {
            "this machine has no such address. `ip addr` lists those it has; 0.0.0.0 means all of them".to_owned()
        }
        _ => format!("{error}. Choose another address with {option}"),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restarted server must not wait for its own old connections to be forgotten.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// How many files, sockets included, the process may hold open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileLimit {
    /// What is in force; `None` is no limit.
    pub soft: Option<u64>,
    /// What the process may raise it to; `None` is no limit.
    pub hard: Option<u64>,
}

/// The limit of this process.
#[must_use]
pub fn file_limit() -> FileLimit {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    FileLimit {
        soft: current,
        hard: maximum,
    }
}

/// Raises the soft file limit to the hard one, and says so in the log. Where the system refuses,
/// the server goes on with what it has.
///
/// # Errors
/// The hard limit is too low for any server at all.
pub fn raise_file_limit() -> anyhow::Result<FileLimit> {
    let before = file_limit();
    let raised = setrlimit(
        Resource::Nofile,
        Rlimit {
            current: before.hard,
            maximum: before.hard,
        },
    );
    let now = file_limit();
    let count = |limit: Option<u64>| {
        limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
    };
    match raised {
        Ok(()) if now.soft == before.soft => {}
        Ok(()) => tracing::info!(
            before = count(before.soft),
            now = count(now.soft),
            "file limit"
        ),
        Err(error) => {
            tracing::warn!(%error, now = count(now.soft), "file limit could not be raised")
        }
    }
    if let Some(limit) = now.soft.filter(|&limit| limit < FILES_MIN) {
        bail!(
            "this process may open only {limit} files, and needs {FILES_MIN} at the least. Raise the limit: `ulimit -n 65536`, or LimitNOFILE=65536 in the service"
        );
    }
    Ok(now)
}

/// Creates the data directory where it is missing, and proves that it can be written: a full or
/// read-only disk is found here, by name, and not in the middle of the first message.
///
/// # Errors
/// The directory cannot be created or written.
pub fn prepare_data(data: &Path) -> anyhow::Result<()> {
    create_directory(data)
        .map_err(|error| data_error("create the data directory", data, &error))?;
    probe(data).map_err(|error| data_error("write into the data directory", data, &error))
}

/// Creates the directory with what is missing above it, for this user alone: it will hold keys and
/// messages.
fn create_directory(data: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(data)
}

/// Writes, syncs and removes a small file.
pub(crate) fn probe(data: &Path) -> io::Result<()> {
    use std::io::Write;
    let path = data.join(format!(".chinwag-probe-{}", std::process::id()));
    let mut file = std::fs::File::create(&path)?;
    let written = file.write_all(&[0x5a; 4096]).and_then(|()| file.sync_all());
    // What could not be written must not be left behind either; the first error is the one to tell.
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

/// What failed, where, why, and what to do.
pub(crate) fn data_error(doing: &str, data: &Path, error: &io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "The disk is full: free some space, or choose another directory with --data DIR"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "The file system is mounted read-only: remount it, or choose another directory with --data DIR"
        }
        io::ErrorKind::PermissionDenied => {
            "Make it writable for the user that runs the server, or choose another with --data DIR"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "A file stands where a directory should be: choose another with --data DIR"
        }
        _ => "Choose another directory with --data DIR",
    };
    let path = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    anyhow::anyhow!("cannot {doing} {}: {error}. {advice}", path.display())
}

/// Opens every file that the configuration names and looks whether it is what it should be, so
/// that a wrong one is found before anybody connects, and by `config check` too.
///
/// # Errors
/// The first file that cannot be read or used, with the setting that names it.
pub fn check_files(config: &Config) -> anyhow::Result<()> {
    let tls = [
        ("tls.certificate", &config.tls.certificate),
        ("tls.key", &config.tls.key),
    ];
    let tls = tls
        .into_iter()
        .filter_map(|(key, path)| Some((key, path.as_deref()?)));
    let issuers = config
        .auth
        .issuers
        .iter()
        .filter_map(|issuer| match &issuer.keys {
            IssuerKeys::SecretFile(path) | IssuerKeys::JwksFile(path) => {
                Some(("auth.issuers", path.as_path()))
            }
            IssuerKeys::JwksUrl(_) => None,
        });
    for (key, path) in tls.chain(issuers) {
        std::fs::read(path).map(drop).with_context(|| {
            format!(
                "cannot read {}, which `{key}` names. Check the path and its permissions",
                path.display()
            )
        })?;
    }
    if let (Some(certificate), Some(key)) = (&config.tls.certificate, &config.tls.key) {
        tls::server_config(certificate, key)?;
    }
    auth::check_issuers(&config.auth.issuers)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loopback(port: u16) -> ListenAddress {
        SocketAddr::from(([127, 0, 0, 1], port)).into()
    }

    #[test]
    fn a_taken_port_moves_on_only_when_nobody_chose_it() {
        let (taken, port) = loop {
            let listener = listen(loopback(0).socket_address()).unwrap();
            let port = listener.local_addr().unwrap().port();
            // Leaves room above: the test is about the next ports, not about the end of their
            // range.
            if port < u16::MAX - PORTS_TRIED_MAX {
                break (listener, port);
            }
        };
        let moved = bind(loopback(port), false)
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert!(
            moved > port && moved <= port + PORTS_TRIED_MAX,
            "{moved} follows {port}"
        );

        let message = bind(loopback(port), true).unwrap_err().to_string();
        for expected in [
            format!("127.0.0.1:{port}"),
            format!("sport = :{port}"),
            "--listen".to_owned(),
        ] {
            assert!(message.contains(&expected), "{expected} in {message}");
        }
        drop(taken);
    }

    #[test]
    fn an_address_of_another_machine_is_explained() {
        // From the range for documentation (RFC 5737): no machine has it.
        let message = bind("192.0.2.1:0".parse().unwrap(), true)
            .unwrap_err()
            .to_string();
        assert!(message.contains("no such address"), "{message}");
    }

    #[test]
    fn the_data_directory_is_created_and_left_empty() {
        let place = tempfile::tempdir().unwrap();
        let data = place.path().join("deep/data");
        prepare_data(&data).unwrap();
        assert_eq!(
            std::fs::read_dir(&data).unwrap().count(),
            0,
            "the probe is removed"
        );
        #[cfg(unix)]
        {
            let mode =
                std::os::unix::fs::PermissionsExt::mode(&data.metadata().unwrap().permissions());
            assert_eq!(mode & 0o077, 0, "nobody else may look inside");
        }
    }

    #[test]
    fn a_file_in_the_way_is_named() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("data");
        std::fs::write(&file, "not a directory").unwrap();
        let message = prepare_data(&file).unwrap_err().to_string();
        assert!(
            message.contains(file.to_str().unwrap()) && message.contains("--data DIR"),
            "{message}"
        );
    }

    #[test]
    fn each_sick_disk_has_its_own_remedy() {
        for (code, expected) in [
            (rustix::io::Errno::NOSPC, "free some space"),
            (rustix::io::Errno::ROFS, "remount it"),
            (rustix::io::Errno::ACCESS, "writable for the user"),
        ] {
            let error = io::Error::from_raw_os_error(code.raw_os_error());
            let message = data_error(
                "write into the data directory",
                Path::new("/srv/chat"),
                &error,
            )
            .to_string();
            assert!(
                message.contains("/srv/chat") && message.contains(expected),
                "{message}"
            );
        }
    }
}
