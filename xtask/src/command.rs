//! Running other programs: shown before they start, bounded in time, with an error that can be
//! pasted into a shell.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How often a running program is looked at. Only decides how late its end is noticed.
const POLL_INTERVAL: Duration = Duration::from_millis(25);

/// No single program of a chore needs longer than this on two slow cores; one that does hangs.
pub(crate) const LIMIT: Duration = Duration::from_secs(20 * 60);

/// A command with its arguments, started in `directory`.
pub(crate) fn command(directory: &Path, program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(directory);
    command
}

/// Runs a command with our output, and fails unless it succeeds within [`LIMIT`].
pub(crate) fn run(command: &mut Command) -> Result<()> {
    run_within(command, LIMIT)
}

/// Runs a command with our output, and fails unless it succeeds within `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<()> {
    let line = shown(command);
    println!("$ {line}");
    let mut child = command
        .stdin(Stdio::null())
        .spawn()
        .with_context(|| format!("`{line}` could not be started"))?;
    let status = wait(&mut child, limit).with_context(|| format!("`{line}`"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// Runs a command quietly and returns what it printed on stdout.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let line = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("`{line}` could not be started"))?;
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        bail!("`{line}` failed ({}): {}", output.status, complaint.trim());
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` printed invalid UTF-8"))
}

/// Waits for a child; one that outlives `limit` is killed together with everything it started.
pub(crate) fn wait(child: &mut Child, limit: Duration) -> Result<std::process::ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("waiting for a program")? {
            return Ok(status);
        }
        if started.elapsed() > limit {
            kill_tree(child)?;
            bail!("still running after {} s: killed", limit.as_secs());
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}

/// Kills a child and its descendants: npm does not pass a kill on to what it started.
pub(crate) fn kill_tree(child: &mut Child) -> Result<()> {
    let descendants = descendants(child.id());
    child.kill().context("killing a program")?;
    child.wait().context("waiting for a killed program")?;
    for process in descendants {
        // A failure means that it ended by itself in the meantime, which is what is wanted.
        let _ended = Command::new("kill")
            .args(["-9", &process.to_string()])
            .stderr(Stdio::null())
            .status();
    }
    Ok(())
}

/// The processes below `ancestor`, read from /proc; empty where there is no /proc.
fn descendants(ancestor: u32) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    let parents: Vec<(u32, u32)> = entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|process: u32| Some((process, parent_of(process)?)))
        .collect();
    let mut found = vec![ancestor];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(process, _)| process),
        );
        next += 1;
    }
    found.split_off(1)
}

/// The fourth field of /proc/PID/stat; the second, the name, may itself contain spaces.
fn parent_of(process: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

/// The command as somebody would type it.
fn shown(command: &Command) -> String {
    let mut line = command.get_program().to_string_lossy().into_owned();
    for argument in command.get_args() {
        let argument = argument.to_string_lossy();
        line.push(' ');
        if argument.is_empty() || argument.contains([' ', '*', '"', '$']) {
            line.push_str(&format!("'{argument}'"));
        } else {
            line.push_str(&argument);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        command(Path::new("/"), "sh", &["-c", script])
    }

    #[test]
    fn a_failure_names_the_command_and_its_status() {
        let error = run(&mut shell("exit 3")).unwrap_err().to_string();
        assert_eq!(error, "`sh -c 'exit 3'` failed (exit status: 3)");
    }

    #[test]
    fn output_carries_the_complaint_of_a_failed_command() {
        assert_eq!(output(&mut shell("echo had")).unwrap(), "had\n");
        let error = output(&mut shell("echo wrong >&2; exit 1"))
            .unwrap_err()
            .to_string();
        assert!(error.ends_with(": wrong"), "{error}");
    }

    #[test]
    fn what_hangs_is_killed_with_its_descendants() {
        let mut child = shell("sleep 600 & echo $!; wait")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first_line = String::new();
        let stdout = child.stdout.take().unwrap();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut first_line).unwrap();
        let grandchild: u32 = first_line.trim().parse().unwrap();

        let error = wait(&mut child, Duration::from_millis(1))
            .unwrap_err()
            .to_string();
        assert!(error.contains("killed"), "{error}");

        // A kill takes effect on its own time; until then only the test's patience is at stake.
        let patience = Instant::now();
        while is_alive(grandchild) {
            assert!(
                patience.elapsed() < Duration::from_secs(60),
                "{grandchild} lives on"
            );
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// Whoever inherits an orphan reaps it at once or later: a zombie is not alive.
    fn is_alive(process: u32) -> bool {
        let stat = std::fs::read_to_string(format!("/proc/{process}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z"))
    }
}
