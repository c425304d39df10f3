//! Every code of the registries is asked for by a test that gets it from the server.
//!
//! It reads the tests and looks for the code among what they expect: cheap, and enough that a new
//! code without a test does not pass. Whether the server gives it is what those tests show.

use std::path::Path;

use chinwag_core::code::{CloseCode, ErrorCode};

/// The tests that talk to a server: over the wire, over HTTP, and to the gateway's socket.
fn tests() -> String {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut all = String::new();
    for place in ["tests/wire", "src/gateway/http/tests", "src/gateway/suite"] {
        for file in std::fs::read_dir(package.join(place)).unwrap() {
            let path = file.unwrap().path();
            if !path.ends_with("codes.rs") {
                all += &std::fs::read_to_string(path).unwrap();
            }
        }
    }
    all + &std::fs::read_to_string(package.join("src/gateway/http/tests.rs")).unwrap()
}

#[test]
fn every_code_is_expected_by_a_test() {
    let tests = tests();
    for code in ErrorCode::ALL {
        let expected = format!("\"{}\"", code.text());
        assert!(tests.contains(&expected), "no test expects {expected}");
    }
    let numbers: Vec<&str> = tests.split(|c: char| !c.is_ascii_alphanumeric()).collect();
    for code in CloseCode::ALL {
        let expected = code.number().to_string();
        assert!(numbers.contains(&&*expected), "no test expects {expected}");
    }
}
