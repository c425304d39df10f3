//! The command line as text: widths, defaults, names of variables.

use super::*;
use crate::config::{Config, environment_name};

/// The help of a command and of all below it, by name.
fn helps(command: &mut clap::Command, name: &str, into: &mut Vec<(String, String)>) {
    into.push((
        format!("{name} --help"),
        command.render_long_help().to_string(),
    ));
    into.push((format!("{name} -h"), command.render_help().to_string()));
    for below in command
        .get_subcommands_mut()
        .filter(|below| below.get_name() != "help")
    {
        let name = format!("{name} {}", below.get_name());
        helps(below, &name, into);
    }
}

fn all_helps() -> Vec<(String, String)> {
    let mut command = Cli::command();
    command.build();
    let mut all = Vec::new();
    helps(&mut command, "chinwag", &mut all);
    all
}

#[test]
fn the_definition_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_help_fits_80_columns() {
    let all = all_helps();
    assert_eq!(
        all.len(),
        12,
        "six commands, each with the short and the long help"
    );
    for (name, text) in all {
        for line in text.lines() {
            assert!(line.chars().count() <= HELP_COLUMNS, "{name}: {line}");
        }
    }
}

#[test]
fn every_help_that_sets_something_names_default_variable_and_examples() {
    for (name, text) in all_helps() {
        if ["serve", "doctor", "check"]
            .iter()
            .any(|command| name.contains(command))
        {
            let short = ["[default: data]", "[default: 127.0.0.1:8080]"];
            let long = ["CHINWAG_DATA", "CHINWAG_LISTEN", "CHINWAG_CONFIG"];
            for expected in short
                .iter()
                .chain(long.iter().filter(|_| name.ends_with("--help")))
            {
                assert!(text.contains(expected), "{name}: {expected}");
            }
        }
        if !name.contains("default") && !name.contains("check") {
            assert!(text.contains("Examples:"), "{name}");
        }
    }
}

#[test]
fn the_short_help_fits_one_screen() {
    for (name, text) in all_helps()
        .into_iter()
        .filter(|(name, _)| name.ends_with("-h"))
    {
        assert!(
            text.lines().count() <= 40,
            "{name} has {} lines",
            text.lines().count()
        );
    }
}

#[test]
fn options_set_what_their_names_say() {
    let words = "chinwag serve --registration closed --tls-certificate c --tls-key k --metrics localhost:9 --log-format json --log-level warn";
    let cli = parse(words.split(' ').map(OsString::from)).unwrap();
    let Some(Command::Serve(options)) = cli.command else {
        panic!("serve was typed")
    };
    let flags = options.flags();
    assert_eq!(flags.len(), 6);
    let (_, help) = all_helps()
        .into_iter()
        .find(|(name, _)| name == "chinwag serve --help")
        .unwrap();
    for flag in flags {
        assert!(help.contains(&flag.flag), "{flag:?}");
        assert!(help.contains(&environment_name(&flag.key)), "{flag:?}");
    }
}

#[test]
fn the_defaults_in_the_help_are_those_of_the_configuration() {
    let config = Config::default();
    let (_, help) = all_helps()
        .into_iter()
        .find(|(name, _)| name == "chinwag serve --help")
        .unwrap();
    for default in [
        config.listen.to_string(),
        format!("[default: {}]", config.data.display()),
        config.log.level.word().to_owned(),
    ] {
        assert!(help.contains(&default), "{default}");
    }
}

#[test]
fn serving_needs_no_command() {
    let cli = parse(["chinwag", "--listen", "127.0.0.1:9"].map(OsString::from)).unwrap();
    assert!(cli.command.is_none());
    assert_eq!(cli.serve.common.listen.as_deref(), Some("127.0.0.1:9"));
}
