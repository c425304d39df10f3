//! Where a scenario is played: a server of our own or one that runs already, and what is watched.
//!
//! Options that all scenarios share, the limits of the machine, and the end of it all. Lives as
//! long as the run.

use std::net::{SocketAddr, ToSocketAddrs as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use clap::Args;

use crate::chinwag::Chinwag;
use crate::client::Client;
use crate::dialect::Dialect;
use crate::issuer::Issuer;
use crate::machine::{self, Machine, Watched};
use crate::processors::Split;
use crate::publish;
use crate::report::Report;
use crate::room::Place;
use crate::server::{self, Server};
use crate::swarm::{Cut, Swarm};
use crate::terminal::{print, progress};

/// Files besides the sockets, of the load generator and of the server.
const OTHER_FILES: u64 = 100;
/// Connections under way at the same time, where the way in is not what is measured.
pub(crate) const AT_ONCE: usize = 64;

/// What every scenario can be told.
#[derive(Args, Debug, Clone)]
pub(crate) struct Common {
    /// A server that runs already [default: start one]
    ///
    /// Such as ws://127.0.0.1:8080/ws. It must know the issuer `chinwag-bench` with the audience
    /// `chinwag` and HS256, and raise the limits that the first line of a run without --url shows.
    #[arg(
        long,
        value_name = "URL",
        requires = "secret_file",
        help_heading = "Server"
    )]
    url: Option<String>,
    /// With --url: the secret that the server knows this issuer by
    #[arg(long, value_name = "FILE", requires = "url", help_heading = "Server")]
    secret_file: Option<PathBuf>,
    /// Where the data directory is made [default: beside this program]
    ///
    /// Must be on the disk in question: one in memory has nothing to sync.
    #[arg(long, value_name = "DIR", help_heading = "Server")]
    directory: Option<PathBuf>,
    /// Let server and load generator share all processors
    ///
    /// Without it, and with two processors or more, the server gets one and the load generator
    /// another, so that neither takes the other's time.
    #[arg(long, help_heading = "Server")]
    no_pin: bool,
    /// Print JSON instead of a table
    #[arg(long, help_heading = "Result")]
    json: bool,
    /// Also put the result into this document, between the two marks of the scenario
    #[arg(long, value_name = "FILE", help_heading = "Result")]
    publish: Option<PathBuf>,
}

impl Common {
    /// Says early what would be in the way in the end.
    ///
    /// # Errors
    /// The report cannot be published.
    pub(crate) fn check(&self, scenario: &str) -> anyhow::Result<()> {
        match &self.publish {
            Some(document) => publish::check(document, scenario),
            None => Ok(()),
        }
    }
}

/// A server, the way to it, and its machine.
pub(crate) struct Ground {
    server: Option<Server>,
    pub(crate) address: SocketAddr,
    path: String,
    issuer: Issuer,
    split: Option<Split>,
    pub(crate) watched: Watched,
    pub(crate) machine: Machine,
    common: Common,
}

impl Ground {
    /// Finds or starts the server, for so many connections at the same time.
    ///
    /// # Errors
    /// A limit of the machine stands in the way, or the server does not start.
    pub(crate) fn prepare(common: &Common, connections: usize) -> anyhow::Result<Self> {
        check_files(connections, common.url.is_none())?;
        let machine = Machine::here();
        let split = if common.no_pin || common.url.is_some() {
            None
        } else {
            Split::of_this_machine()
        };
        if let Some(split) = split {
            split.take_ours()?;
        }
        let (server, address, path) = match &common.url {
            Some(url) => {
                let (address, path) = elsewhere(url)?;
                (None, address, path)
            }
            None => {
                let server = start(common, connections, split)?;
                let address = server.address;
                (Some(server), address, server::PATH.to_owned())
            }
        };
        let secret = match (&server, &common.secret_file) {
            (Some(server), _) => server.secret_file(),
            (None, Some(file)) => file.clone(),
            (None, None) => anyhow::bail!("--url needs --secret-file"),
        };
        Ok(Self {
            watched: Watched {
                server: server.as_ref().map(Server::process),
            },
            issuer: Issuer::from_file(&secret)?,
            server,
            address,
            path,
            split,
            machine,
            common: common.clone(),
        })
    }

    /// Directory on the server's disk, if that is ours.
    pub(crate) fn directory(&self) -> Option<&Path> {
        self.server.as_ref().map(Server::directory)
    }

    /// A swarm of people in rooms, all of them away again.
    ///
    /// # Errors
    /// The server refuses something.
    pub(crate) fn people(
        &self,
        users: usize,
        rooms: &[Range<usize>],
    ) -> anyhow::Result<Swarm<Chinwag>> {
        let dialect = Chinwag::new(self.address, &self.path, &self.issuer, users)?;
        let mut swarm = Swarm::new(self.address, dialect, users)?;
        progress(&format!("{users} people sign in for the first time"));
        let first = swarm.connect(0..users, AT_ONCE).context("signing in")?;
        progress(&format!(
            "that took {:.1} s; {} rooms are made",
            first.seconds,
            rooms.len()
        ));
        // A reset leaves no port behind that is taken for another minute.
        swarm.cut(0..users, Cut::Reset);
        let place = Place {
            address: self.address,
            path: &self.path,
            issuer: &self.issuer,
        };
        let rooms = place.rooms(rooms)?;
        swarm.dialect_mut().set_rooms(rooms);
        Ok(swarm)
    }

    /// Somebody with a connection of their own.
    ///
    /// # Errors
    /// The server refuses them.
    pub(crate) fn sign_in(&self, user: usize) -> anyhow::Result<Client> {
        Client::sign_in(self.address, &self.path, self.issuer.token(user)?)
    }

    /// Starts our server anew on its data, so that nothing remains in its memory of how the
    /// people came together; one that runs elsewhere stays as it is.
    ///
    /// # Errors
    /// It does not stop or start.
    pub(crate) fn restart<D: Dialect>(&mut self, swarm: &mut Swarm<D>) -> anyhow::Result<()> {
        if let Some(server) = &mut self.server {
            server.restart()?;
            self.address = server.address;
            self.watched.server = Some(server.process());
            swarm.move_to(self.address);
        }
        Ok(())
    }

    /// What every report has to say about its ground.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = vec![match self.split {
            Some(Split { server, bench }) => format!(
                "The server runs on processor {server}, the load generator with all clients on \
                 processor {bench}. Other work on the machine shows in every figure but the \
                 processor times."
            ),
            None => "Server, load generator and clients share the processors of their machines: \
                     a part of them is spent on the load."
                .to_owned(),
        }];
        if cfg!(debug_assertions) {
            notes.push("A debug build: these figures mean nothing.".to_owned());
        }
        notes
    }

    /// Adds what the server said to what went wrong.
    pub(crate) fn explain<T>(&self, outcome: anyhow::Result<T>) -> anyhow::Result<T> {
        let said = self.server.as_ref().map(Server::complaints);
        match said {
            Some(said) if !said.is_empty() => {
                outcome.with_context(|| format!("the server said:\n{}", said.trim_end()))
            }
            _ => outcome,
        }
    }

    /// Stops what was started, and shows the report.
    ///
    /// # Errors
    /// The server does not end well, or the report cannot be published.
    pub(crate) fn finish(self, report: &Report) -> anyhow::Result<()> {
        if let Some(server) = self.server {
            server.stop()?;
        }
        print(&if self.common.json {
            report.to_json()
        } else {
            report.to_text()
        });
        match &self.common.publish {
            Some(document) => publish::publish(document, report.scenario, &report.to_text()),
            None => Ok(()),
        }
    }
}

/// Raises the limits of open files, and says which one is in the way.
fn check_files(connections: usize, both_here: bool) -> anyhow::Result<()> {
    let files = machine::raise_file_limit();
    let needed = connections as u64 + OTHER_FILES;
    ensure!(
        needed <= files,
        "{connections} connections need {needed} open files in the server and as many here, but a \
         process may have {files}: raise the hard limit (`ulimit -Hn`, or `nofile` in \
         /etc/security/limits.conf), or ask for fewer"
    );
    let sides = if both_here { 2 } else { 1 };
    let all = machine::files_of_the_system();
    ensure!(
        all.is_none_or(|all| needed * sides <= all),
        "{connections} connections need {} open files on this machine, and it may have {} \
         (fs.file-max)",
        needed * sides,
        all.unwrap_or(0)
    );
    Ok(())
}

fn start(common: &Common, connections: usize, split: Option<Split>) -> anyhow::Result<Server> {
    let program = server::program()?;
    let beside = program.parent().context("a program lies in a directory")?;
    let parent = common.directory.as_deref().unwrap_or(beside);
    ensure!(
        !machine::is_in_memory(parent),
        "{} lies in memory, where nothing is durable: name another --directory",
        parent.display()
    );
    let server = Server::start(&program, parent, connections, split)?;
    progress(&format!("started: {}", server.command));
    if let Some(Split { server, bench }) = split {
        progress(&format!(
            "the server has processor {server} for itself, the load generator processor {bench}"
        ));
    }
    Ok(server)
}

/// Address and path of a `ws://` URL.
fn elsewhere(url: &str) -> anyhow::Result<(SocketAddr, String)> {
    let rest = url.strip_prefix("ws://");
    let rest = rest.with_context(|| format!("--url begins with ws://, which {url} does not"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, "ws"));
    let mut found = host
        .to_socket_addrs()
        .with_context(|| format!("{host} is no host with a port"))?;
    let address = found.next().with_context(|| format!("nothing at {host}"))?;
    Ok((address, format!("/{path}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_an_address_and_a_path() {
        let address = "127.0.0.1:80".parse().unwrap();
        for (url, path) in [
            ("ws://127.0.0.1:80/ws", "/ws"),
            ("ws://127.0.0.1:80/chat/ws", "/chat/ws"),
            ("ws://127.0.0.1:80", "/ws"),
        ] {
            assert_eq!(elsewhere(url).unwrap(), (address, path.to_owned()));
        }
        for bad in ["http://127.0.0.1:80", "ws://127.0.0.1", "127.0.0.1:80", ""] {
            assert!(elsewhere(bad).is_err(), "{bad}");
        }
    }
}
