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
