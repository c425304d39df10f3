//! ejabberd as the distribution packages it: group chats with an archive, over WebSocket.
//!
//! Configured here for what is compared and nothing else, with its database in a directory of the
//! run, without a node name (and so without the port mapper of Erlang), on loopback. It is not
//! installed by us: that takes an administrator.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tempfile::TempDir;

use super::process::Program;
use crate::processors::Split;

/// The libraries of Debian's package lie in a directory with its version in here.
const LIBRARIES: &[&str] = &[
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib",
];

/// Where ejabberd is installed.
pub(crate) struct Installed {
    libraries: PathBuf,
    /// As its directory says it.
    pub(crate) version: String,
}

/// Looks for it.
///
/// # Errors
/// It is not there.
pub(crate) fn find() -> anyhow::Result<Installed> {
    for directory in LIBRARIES {
        let Ok(entries) = std::fs::read_dir(directory) else {
            continue;
        };
        let mut versions: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|entry| entry.path().join("ebin/ejabberd.app").exists())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter_map(|name| name.strip_prefix("ejabberd-").map(str::to_owned))
            .collect();
        versions.sort();
        if let Some(version) = versions.pop() {
            return Ok(Installed {
                libraries: directory.into(),
                version,
            });
        }
    }
    anyhow::bail!("ejabberd is not installed: `apt-get install ejabberd` does that on Debian")
}

/// Starts it with these users' secret.
///
/// # Errors
/// It does not start.
pub(crate) fn start(
    installed: &Installed,
    directory: TempDir,
    secret: &[u8],
    split: Option<Split>,
) -> anyhow::Result<Program> {
    // It cannot choose a port by itself; whoever takes this one meanwhile makes the start fail.
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
        .local_addr()?
        .port();
    let home = directory.path().canonicalize()?;
    std::fs::create_dir(home.join("database"))?;
    let key = format!(
        r#"{{"kty":"oct","k":"{}"}}"#,
        URL_SAFE_NO_PAD.encode(secret)
    );
    std::fs::write(home.join("key.json"), key)?;
    std::fs::write(home.join("ejabberd.yml"), configuration(&home, port)?)?;
    let mut command = Command::new("erl");
    command
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("HOME", &home)
        .env("ERL_LIBS", &installed.libraries)
        .env("EJABBERD_CONFIG_PATH", home.join("ejabberd.yml"))
        .env("EJABBERD_LOG_PATH", home.join("ejabberd.log"))
        .env("ERL_CRASH_DUMP", home.join("crash.dump"))
        .current_dir(&home)
        .args([
            "+K", "true", "+P", "250000", "+Q", "65536", "+Bd", "-noinput",
        ])
        .args(["-mnesia", "dir", &format!("{:?}", home.join("database"))])
        .args(["-s", "ejabberd"]);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    Program::start(command, directory, split, Some(address)).context("ejabberd")
}

/// Everything that is compared, and nothing that takes time besides.
fn configuration(home: &Path, port: u16) -> anyhow::Result<String> {
    let key = home.join("key.json");
    let key = key.to_str().context("a path that is no text")?;
    ensure!(!key.contains('"'), "a path with a quotation mark");
    Ok(format!(
        r#"hosts: ["localhost"]
loglevel: error
listen:
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_http
    backlog: 4096
    request_handlers: {{"/xmpp-websocket": ejabberd_http_ws}}
auth_method: jwt
jwt_key: "{key}"
disable_sasl_mechanisms: ["digest-md5", "X-OAUTH2", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]
default_db: mnesia
websocket_ping_interval: 3600
websocket_timeout: 3600
modules:
  mod_mam: {{default: always}}
  mod_muc:
    access: all
    access_create: all
    access_persistent: all
    history_size: 0
    max_users: 20000
    default_room_options:
      mam: true
      persistent: true
      max_users: 20000
      anonymous: false
      presence_broadcast: []
"#
    ))
}
