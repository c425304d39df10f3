//! Configurations that are wrong, and files named in them that are: told before anything is made.

use super::*;

#[test]
fn a_broken_configuration_ends_with_1_and_names_the_line() {
    let place = place();
    std::fs::write(
        place.path().join("chinwag.toml"),
        "# mine\ndrain_second = 5\n",
    )
    .unwrap();
    for arguments in [
        &["serve"][..],
        &["config", "check"],
        &["config", "check", "chinwag.toml"],
        &["doctor"],
    ] {
        let output = program(place.path()).args(arguments).output().unwrap();
        check_failure(
            &output,
            1,
            &["chinwag.toml:2", "did you mean `drain_seconds`?"],
        );
    }
}

#[test]
fn a_named_file_that_is_missing_is_found_before_anybody_connects() {
    let place = place();
    let text = "[tls]\ncertificate = \"gone.pem\"\nkey = \"gone.key\"\n";
    std::fs::write(place.path().join("chinwag.toml"), text).unwrap();
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["config", "check"],
    ] {
        let output = program(place.path()).args(arguments).output().unwrap();
        check_failure(&output, 1, &["gone.pem", "tls.certificate", "No such file"]);
    }
}

/// Whoever collects metrics looks at that address and nowhere else.
#[test]
fn an_address_for_metrics_that_is_taken_ends_the_start() {
    let place = place();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--metrics", &address];
    let output = program(place.path()).args(arguments).output().unwrap();
    check_failure(
        &output,
        1,
        &[
            &address,
            "for metrics",
            "taken",
            "another port with --metrics",
        ],
    );
}

/// `config check` used to call a configuration right that `serve` then refused.
#[test]
fn named_files_that_are_not_what_they_should_be_are_found_by_the_check_too() {
    let place = place();
    let pair = || rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (one, other) = (pair(), pair());
    for (name, content) in [
        ("one.pem", one.cert.pem()),
        ("other.key", other.signing_key.serialize_pem()),
        ("empty.pem", String::new()),
        ("short", "secret".to_owned()),
    ] {
        std::fs::write(place.path().join(name), content).unwrap();
    }
    let issuer =
        "auth.issuers=[{issuer=\"a\",audience=\"b\",secret_file=\"short\",algorithms=[\"HS256\"]}]";
    for (settings, expected) in [
        (
            ["tls.certificate=empty.pem", "tls.key=other.key"],
            &["tls.certificate", "empty.pem", "BEGIN CERTIFICATE"][..],
        ),
        (
            ["tls.certificate=one.pem", "tls.key=empty.pem"],
            &["tls.key", "empty.pem", "BEGIN PRIVATE KEY"],
        ),
        (
            ["tls.certificate=one.pem", "tls.key=other.key"],
            &["one.pem", "other.key", "belongs to another certificate"],
        ),
        (
            [issuer, "listen=127.0.0.1:0"],
            &["auth.issuers", "short", "at least 32 bytes"],
        ),
    ] {
        for command in [&["serve"][..], &["config", "check"]] {
            let mut program = program(place.path());
            program
                .args(command)
                .args(["--set", settings[0], "--set", settings[1]]);
            check_failure(&program.output().unwrap(), 1, expected);
        }
    }
    assert!(
        !place.path().join("data").exists(),
        "found before anything is made"
    );
}
