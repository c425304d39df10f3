//! Databases that the program does not open, as the person meets them who started it.
//!
//! What makes a file unfit is the store's own matter, and tested there.

use super::*;

#[test]
fn a_database_that_is_in_use_newer_or_foreign_is_named_in_full_and_left_alone() {
    let place = place();
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let again = || program(place.path()).args(arguments).output().unwrap();
    let mut server = Server::start(program(place.path()).args(arguments));
    server.greeting();
    let data = place.path().join("data").canonicalize().unwrap();
    let file = data.join("chinwag.db");
    let directory = data.to_str().unwrap();
    check_failure(&again(), 1, &[directory, "in use by another process"]);
    drop(server);
    let good = std::fs::read(&file).unwrap();
    // Where the file format keeps the schema's version, and whose file it is.
    for (at, expected) in [
        (60, "schema version 99, this release knows"),
        (68, "belongs to another program"),
    ] {
        let mut strange = good.clone();
        strange[at..at + 4].copy_from_slice(&99_u32.to_be_bytes());
        std::fs::write(&file, &strange).unwrap();
        check_failure(&again(), 1, &[directory, expected]);
        assert_eq!(std::fs::read(&file).unwrap(), strange, "untouched");
    }
}

/// Somebody who starts it twice used to read of another port first, which nobody then listened on.
#[test]
fn a_second_start_on_the_same_directory_says_that_alone() {
    let place = place();
    // So that the usual port is taken, whoever has it.
    let _holder = TcpListener::bind("127.0.0.1:8080");
    let mut server = Server::start(&mut program(place.path()));
    server.greeting();
    let output = program(place.path()).output().unwrap();
    check_failure(&output, 1, &["in use by another process", "--data DIR"]);
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn a_database_that_an_sqlite_shell_holds_is_named_and_not_called_damaged() {
    let place = place();
    let arguments = ["serve", "--listen", "127.0.0.1:0"];
    let mut server = Server::start(program(place.path()).args(arguments));
    server.greeting();
    // A kill leaves a WAL; somebody looks at it with a shell.
    drop(server);
    let file = place.path().join("data/chinwag.db");
    let shell = rusqlite::Connection::open(&file).unwrap();
    shell
        .execute_batch("BEGIN; SELECT count(*) FROM users")
        .unwrap();
    let output = program(place.path()).args(arguments).output().unwrap();
    let file = file.canonicalize().unwrap();
    let expected = [
        file.to_str().unwrap(),
        "held by another program",
        "close that one",
    ];
    check_failure(&output, 1, &expected);
    drop(shell);
    Server::start(program(place.path()).args(arguments)).greeting();
}
