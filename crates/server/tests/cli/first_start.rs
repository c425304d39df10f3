//! The first minute: the link that makes the first administrator, and who else may register.

use std::io::Write as _;

use serde_json::{Value, json};

use super::*;

/// All that the program says when it serves, which it writes at once, and its port.
fn greeting(server: &mut Server) -> (String, u16) {
    let output = server.0.stdout.as_mut().unwrap();
    let mut said = String::new();
    while !(said.contains("Ctrl-C") && said.ends_with("\n\n")) {
        let mut bytes = [0; 4_096];
        let count = output.read(&mut bytes).unwrap();
        assert!(count > 0, "it ended: {said}");
        said += &text(&bytes[..count]);
    }
    let (_, rest) = said.split_once("http://").expect("an address");
    let address = rest.split_whitespace().next().expect("a word");
    let (_, port) = address.rsplit_once(':').expect("a port");
    let port = port.parse().expect("a number");
    (said, port)
}

/// The token of the one-time link, if there is one.
fn setup_token(said: &str) -> Option<String> {
    let (_, rest) = said.split_once("#setup=")?;
    rest.split_whitespace().next().map(str::to_owned)
}

/// Status and body of one request.
fn ask(port: u16, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let body = body.to_string();
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap())
}

#[test]
fn the_link_of_the_first_start_makes_one_administrator() {
    let place = place();
    let start = || Server::start(program(place.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    let mut server = start();
    let (said, _port) = greeting(&mut server);
    let unused = setup_token(&said).expect("a link");
    drop(server);
    // A link that nobody used is replaced by that of the next start.
    let mut server = start();
    let (said, port) = greeting(&mut server);
    let token = setup_token(&said).expect("a link");
    let setup = |token: &str, name: &str| {
        let body = json!({"token": token, "name": name, "password": "correct horse"});
        let (status, answer) = ask(port, "POST", "/api/setup", &body);
        let code = answer["error"]["code"].as_str().unwrap_or_default();
        (status, code.to_owned(), answer)
    };
    let refused = |answer: (u16, String, Value)| {
        assert_eq!((answer.0, &*answer.1), (401, "bad_token"), "{}", answer.2);
    };
    refused(setup(&unused, "Eve"));
    let (status, _code, answer) = setup(&token, "Ann");
    assert_eq!(status, 201, "{answer}");
    refused(setup(&token, "Eve"));
    drop(server);
    let mut server = start();
    let (said, _port) = greeting(&mut server);
    assert_eq!(setup_token(&said), None, "there is one: {said}");
}

#[test]
fn registration_is_open_on_loopback_alone() {
    for (options, expected) in [
        (&["--listen", "127.0.0.1:0"][..], "open"),
        (&["--listen", "0.0.0.0:0"], "invite"),
        (
            &[
                "--listen",
                "127.0.0.1:0",
                "--set",
                "trusted_proxies=[\"10.0.0.1\"]",
            ],
            "invite",
        ),
        (&["--listen", "0.0.0.0:0", "--registration", "open"], "open"),
        (
            &["--listen", "127.0.0.1:0", "--registration", "closed"],
            "closed",
        ),
    ] {
        let place = place();
        let mut server = Server::start(program(place.path()).arg("serve").args(options));
        let (_said, port) = greeting(&mut server);
        let (status, answer) = ask(port, "GET", "/api/server", &json!({}));
        assert_eq!((status, &answer["registration"]), (200, &json!(expected)));
        let body = json!({"name": "Ann", "password": "correct horse"});
        let (status, answer) = ask(port, "POST", "/api/register", &body);
        let code = answer["error"]["code"].as_str();
        let wanted = match expected {
            "open" => (201, None),
            "invite" => (403, Some("invite_needed")),
            _closed => (403, Some("registration_closed")),
        };
        assert_eq!((status, code), wanted, "{options:?}: {answer}");
    }
}
