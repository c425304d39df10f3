//! The command line: what can be typed, and which function it calls.
//!
//! Exit codes: 0 done, 1 it failed while running, 2 it was typed wrong. A failure is one clear line
//! that says what, where and what to do; there is no backtrace to read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::{self, ConfigError, Flag, Loaded, Sources};
use crate::{console, doctor, logging, node, startup};

const FAILED: u8 = 1;
const MISUSED: u8 = 2;

/// Columns of every help text, also where the terminal is wider or is none.
const HELP_COLUMNS: usize = 80;

const EXAMPLES: &str = "\
Examples:
  chinwag                               Serve; prints the address to open
  chinwag serve --listen 0.0.0.0:8080   Reachable from elsewhere
  chinwag config default >chinwag.toml  A file with every setting explained
  chinwag doctor                        Is this machine fit for it?

Every setting can also stand in a file or in the environment; the later wins:
defaults, file, environment (CHINWAG_SECTION_KEY), options.";

const SERVE_EXAMPLES: &str = "\
Examples:
  chinwag serve --data /var/lib/chinwag --listen 127.0.0.1:9000
  chinwag serve --tls-certificate fullchain.pem --tls-key privkey.pem \\
                --listen 0.0.0.0:443
  chinwag serve --set limits.rate_burst=50 --set auth.registration=closed
  CHINWAG_LOG_LEVEL=debug chinwag serve";

const CONFIG_EXAMPLES: &str = "\
Examples:
  chinwag config default >chinwag.toml     A file with every setting explained
  chinwag config check                     What is in force here, and why
  chinwag config check /etc/chinwag.toml   Is this file right?";

const DOCTOR_EXAMPLES: &str = "\
Examples:
  chinwag doctor
  chinwag doctor --data /var/lib/chinwag --json

Exits with 0 when nothing failed (warnings are allowed), else with 1.";

/// Real-time chat in one program: instant when connected, stored when not.
#[derive(Debug, Parser)]
#[command(name = "chinwag", version, max_term_width = HELP_COLUMNS, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,

    /// Without a command, `chinwag` serves.
    #[command(flatten)]
    serve: ServeOptions,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server, as `chinwag` alone does
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(ServeOptions),
    /// Show or check the configuration
    #[command(subcommand, after_help = CONFIG_EXAMPLES)]
    Config(ConfigCommand),
    /// Examine this machine: files, disk, port, clock, database
    #[command(after_help = DOCTOR_EXAMPLES)]
    Doctor {
        #[command(flatten)]
        options: CommonOptions,
        /// Print one JSON object instead of lines
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print an example file: every setting, its default, what it does
    Default,
    /// Check the configuration, and print what is in force and why
    Check {
        /// File to check [default: the one `serve` would read]
        #[arg(value_name = "FILE")]
        path: Option<PathBuf>,
        #[command(flatten)]
        options: CommonOptions,
    },
}

/// Options that say where things are.
#[derive(Debug, Clone, Default, Args)]
struct CommonOptions {
    /// Configuration file
    ///
    /// [default: ./chinwag.toml if it is there] [env: CHINWAG_CONFIG]
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Data directory [default: data]
    ///
    /// Created when missing. One process at a time. [env: CHINWAG_DATA]
    #[arg(long, short, value_name = "DIR")]
    data: Option<String>,
    /// Where people connect [default: 127.0.0.1:8080]
    ///
    /// Unless chosen, the next free port is taken when this one is in use.
    /// 0.0.0.0:PORT is every IPv4 interface, [::]:PORT every one at all.
    /// [env: CHINWAG_LISTEN]
    #[arg(long, short, value_name = "ADDRESS:PORT")]
    listen: Option<String>,
    /// Any other setting; may be repeated
    ///
    /// `chinwag config default` lists them, such as log.level=debug.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

#[derive(Debug, Default, Args)]
struct ServeOptions {
    #[command(flatten)]
    common: CommonOptions,
    /// Where metrics are read [default: nowhere]
    ///
    /// At /metrics, in the form of Prometheus, by whoever reaches this address.
    /// [env: CHINWAG_METRICS]
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<String>,
    /// Who may create an account: open, invite, closed
    ///
    /// [default: open on loopback without proxies, else invite]
    ///
    /// [env: CHINWAG_AUTH_REGISTRATION]
    #[arg(long, value_name = "WHO", help_heading = "Accounts")]
    registration: Option<String>,
    /// Certificate with its chain, in PEM
    ///
    /// [default: none, plain HTTP] [env: CHINWAG_TLS_CERTIFICATE]
    #[arg(long, value_name = "FILE", help_heading = "HTTPS")]
    tls_certificate: Option<String>,
    /// Private key of the certificate, in PEM
    ///
    /// [env: CHINWAG_TLS_KEY]
    #[arg(long, value_name = "FILE", help_heading = "HTTPS")]
    tls_key: Option<String>,
    /// Shape of a line: human, json
    ///
    /// [default: human on a terminal, else json] [env: CHINWAG_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT", help_heading = "Log")]
    log_format: Option<String>,
    /// Least severe line [default: info]
    ///
    /// One of error, warn, info, debug, trace. [env: CHINWAG_LOG_LEVEL]
    #[arg(long, value_name = "LEVEL", help_heading = "Log")]
    log_level: Option<String>,
}

/// Does what the process was started for.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match parse(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { MISUSED } else { 0 };
            // Help that nobody reads any more (a closed pipe) has nobody to complain to.
            let _closed = error.print();
            return ExitCode::from(code);
        }
    };
    let done = match cli.command.unwrap_or(Command::Serve(cli.serve)) {
        Command::Serve(options) => serve(&options),
        Command::Config(ConfigCommand::Default) => {
            console::print(&config::example());
            Ok(ExitCode::SUCCESS)
        }
        Command::Config(ConfigCommand::Check { path, options }) => check(path, &options),
        Command::Doctor { options, json } => diagnose(&options, json),
    };
    done.unwrap_or_else(|error| complain(&error))
}

fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    Cli::from_arg_matches(&Cli::command().try_get_matches_from(arguments)?)
}

fn serve(options: &ServeOptions) -> anyhow::Result<ExitCode> {
    let loaded = load(&options.common, options.flags())?;
    logging::start(&loaded.config.log);
    loaded
        .config
        .warnings()
        .iter()
        .for_each(|warning| tracing::warn!("{warning}"));
    startup::raise_file_limit()?;
    startup::check_files(&loaded.config)?;
    startup::prepare_data(&loaded.config.data)?;
    let wanted = loaded.config.listen;
    let listener = startup::bind(wanted, loaded.is_chosen("listen"))?;
    let store = node::open(&loaded.config)?;
    // Only now: whoever starts a second server on the same directory shall read one thing, that it
    // is in use, and not first of a port that nobody will listen on.
    let port = listener.local_addr()?.port();
    if !loaded.is_chosen("listen") && port != wanted.socket_address().port() {
        console::print(&format!(
            "Port {} is taken: using {port} instead.\n",
            wanted.socket_address().port()
        ));
    }
    node::run(&loaded.config, listener, store)
}

fn check(path: Option<PathBuf>, options: &CommonOptions) -> anyhow::Result<ExitCode> {
    let options = CommonOptions {
        config: path.or_else(|| options.config.clone()),
        ..options.clone()
    };
    let loaded = load(&options, Vec::new())?;
    startup::check_files(&loaded.config)?;
    let file = loaded
        .file
        .as_ref()
        .map_or_else(|| "none".to_owned(), |file| file.display().to_string());
    console::print(&format!(
        "# The configuration is right. File: {file}\n\n{}",
        config::effective(&loaded)
    ));
    loaded
        .config
        .warnings()
        .iter()
        .for_each(|warning| console::complain("warning", warning));
    Ok(ExitCode::SUCCESS)
}

fn diagnose(options: &CommonOptions, json: bool) -> anyhow::Result<ExitCode> {
    let loaded = load(options, Vec::new())?;
    let report = doctor::examine(&loaded.config);
    console::print(&if json {
        report.to_json()
    } else {
        report.to_text()
    });
    Ok(if report.has_failed() {
        ExitCode::from(FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

fn load(options: &CommonOptions, mut flags: Vec<Flag>) -> anyhow::Result<Loaded> {
    let given = [
        ("--data", "data", &options.data),
        ("--listen", "listen", &options.listen),
    ];
    flags.extend(
        given
            .into_iter()
            .filter_map(|(flag, key, text)| Some(Flag::new(flag, key, text.as_ref()?))),
    );
    for setting in &options.set {
        let Some((key, text)) = setting.split_once('=') else {
            let problem = format!("option --set: `{setting}` has no value: write --set KEY=VALUE");
            return Err(ConfigError {
                problems: vec![problem],
                is_usage: true,
            }
            .into());
        };
        flags.push(Flag::new("--set", key.trim(), text.trim()));
    }
    let sources = Sources {
        file: options.config.clone(),
        environment: std::env::vars_os().collect(),
        flags,
        directory: PathBuf::new(),
    };
    Ok(config::load(&sources)?)
}

impl ServeOptions {
    /// The options that are settings, as the loader wants them.
    fn flags(&self) -> Vec<Flag> {
        let given = [
            ("--registration", "auth.registration", &self.registration),
            (
                "--tls-certificate",
                "tls.certificate",
                &self.tls_certificate,
            ),
            ("--tls-key", "tls.key", &self.tls_key),
            ("--metrics", "metrics", &self.metrics),
            ("--log-format", "log.format", &self.log_format),
            ("--log-level", "log.level", &self.log_level),
        ];
        given
            .into_iter()
            .filter_map(|(flag, key, text)| Some(Flag::new(flag, key, text.as_ref()?)))
            .collect()
    }
}

/// One failure, in words, and its exit code.
fn complain(error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<ConfigError>() {
        Some(wrong) => {
            wrong
                .problems
                .iter()
                .for_each(|problem| console::complain("error", problem));
            if wrong.is_usage {
                console::complain("hint", "`chinwag --help` shows what can be typed");
            }
            ExitCode::from(if wrong.is_usage { MISUSED } else { FAILED })
        }
        None => {
            console::complain("error", &format!("{error:#}"));
            ExitCode::from(FAILED)
        }
    }
}

#[cfg(test)]
mod tests;
