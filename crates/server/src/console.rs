//! What the process says to the person who started it: the only place that writes to the terminal.
//!
//! The log is another matter: it goes through `tracing` to standard error. A reader that went away
//! (a closed pipe) is not a failure of the server, so nothing here fails.

use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;

/// What a person wants to know when the server is up.
#[derive(Debug, Clone)]
pub struct Started<'a> {
    /// The address that was really bound.
    pub address: SocketAddr,
    /// Whether the page is served over HTTPS.
    pub is_tls: bool,
    /// Where metrics are read, if anywhere.
    pub metrics: Option<SocketAddr>,
    /// The data directory.
    pub data: &'a Path,
    /// The one-time link that makes the first administrator, while there is none.
    pub administrator_link: Option<&'a str>,
}

/// Prints a text to standard output, as it is.
pub fn print(text: &str) {
    let mut output = std::io::stdout().lock();
    // Nobody listens any more: there is nobody to tell, either.
    let _closed = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// Prints one line to standard error, with its kind in front: `error: …`, in red, or another, in yellow.
pub fn complain(kind: &str, text: &str) {
    let mut output = std::io::stderr().lock();
    let line = if is_coloured(&output) {
        let colour = if kind == "error" { 31 } else { 33 };
        format!("\x1b[1;{colour}m{kind}:\x1b[0m {text}\n")
    } else {
        format!("{kind}: {text}\n")
    };
    // As above.
    let _closed = output.write_all(line.as_bytes());
}

/// Prints that the server is up, and where.
pub fn started(started: &Started<'_>) {
    let is_coloured = is_coloured(&std::io::stdout());
    print(&greeting(started, is_coloured));
}

/// The page's address as a person types it: an address that means "every interface" is not one to
/// open.
#[must_use]
pub fn page_address(address: SocketAddr, is_tls: bool) -> String {
    let (scheme, usual_port) = if is_tls { ("https", 443) } else { ("http", 80) };
    let host = match address {
        SocketAddr::V4(four) if four.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V6(six) if six.ip().is_unspecified() => "localhost".to_owned(),
        SocketAddr::V4(four) => four.ip().to_string(),
        SocketAddr::V6(six) => format!("[{}]", six.ip()),
    };
    if address.port() == usual_port {
        format!("{scheme}://{host}")
    } else {
        format!("{scheme}://{host}:{}", address.port())
    }
}

fn greeting(started: &Started<'_>, is_coloured: bool) -> String {
    let paint = |code: &str, text: &str| {
        if is_coloured {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let url = page_address(started.address, started.is_tls);
    let reach = if started.address.ip().to_canonical().is_loopback() {
        "this machine only"
    } else if started.address.ip().is_unspecified() {
        "every network interface"
    } else {
        "this address"
    };
    let data = std::path::absolute(started.data).unwrap_or_else(|_| started.data.to_owned());
    let mut lines = vec![
        (String::new(), String::new()),
        (paint("1", "Chinwag"), paint("2", env!("CARGO_PKG_VERSION"))),
        (String::new(), String::new()),
        (
            paint("2", "Open   "),
            format!(
                "{}  {}",
                paint("1;36", &url),
                paint("2", &format!("({reach})"))
            ),
        ),
        (paint("2", "Data   "), data.display().to_string()),
        (paint("2", "Stop   "), "Ctrl-C".to_owned()),
    ];
    if let Some(address) = started.metrics {
        let url = page_address(address, false) + "/metrics";
        lines.insert(lines.len() - 1, (paint("2", "Metrics"), url));
    }
    if let Some(link) = started.administrator_link {
        lines.push((String::new(), String::new()));
        lines.push((
            "Become the first administrator with this link. It works once:".to_owned(),
            String::new(),
        ));
        lines.push((paint("1;36", link), String::new()));
    }
    lines.push((String::new(), String::new()));
    let line = |(left, right): &(String, String)| {
        format!("  {left}  {right}").trim_end().to_owned() + "\n"
    };
    lines.iter().map(line).collect()
}

/// Colours only for eyes, and not for those who asked for none (no-color.org).
fn is_coloured(output: &impl IsTerminal) -> bool {
    output.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greeting_names_address_data_and_how_to_stop() {
        let address = "127.0.0.1:8081".parse().unwrap();
        let link = Some("http://127.0.0.1:8081/setup#abc");
        let text = greeting(
            &Started {
                address,
                is_tls: false,
                metrics: Some("127.0.0.1:9464".parse().unwrap()),
                data: Path::new("/srv/chat"),
                administrator_link: link,
            },
            false,
        );
        for expected in [
            "Chinwag",
            env!("CARGO_PKG_VERSION"),
            "http://127.0.0.1:8081  (this machine only)",
            "Metrics  http://127.0.0.1:9464/metrics",
            "/srv/chat",
            "Ctrl-C",
            "setup#abc",
        ] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert!(!text.contains('\x1b'), "no colours for a pipe");
        assert!(text.lines().all(|line| line == line.trim_end()));
    }

    #[test]
    fn an_address_that_means_everywhere_is_shown_as_one_to_open() {
        for (address, is_tls, expected) in [
            ("0.0.0.0:8080", false, "http://localhost:8080"),
            ("[::]:443", true, "https://localhost"),
            ("[::1]:80", false, "http://[::1]"),
            ("192.0.2.7:443", false, "http://192.0.2.7:443"),
        ] {
            assert_eq!(page_address(address.parse().unwrap(), is_tls), expected);
        }
    }
}
