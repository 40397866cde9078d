//! A mount that really hangs: a FUSE filesystem whose server never answers, as a dead network mount never does.
//!
//! It is mounted in a mount namespace of its own, so that nobody else on this machine can run into it.

use crate::terminal::Terminal;
use serde_json::Value;
use std::{
    process::{Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

/// The program behind the mount. The shell holds the server's end open and never reads from it. 77 says that no such mount can be made.
fn behind_a_hung_mount(home: &TempDir, arguments: &str) -> Command {
    let script = format!(
        "exec 3<>/dev/fuse || exit 77; mkdir -p \"$HOME/dead\" || exit 77
         mount -i -t fuse hung \"$HOME/dead\" -o fd=3,rootmode=40000,user_id=0,group_id=0 || exit 77
         {} {arguments} --state \"$HOME/state\"; exit $?",
        env!("CARGO_BIN_EXE_trimtab")
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &script]).env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("HOME", home.path()).env("TERM", "xterm-256color").env("RUNTIME_DIRECTORY", home.path().join("run"));
    command.env("XDG_CONFIG_HOME", home.path().join("config"));
    command
}

/// What it prints; `None` where there is no FUSE.
fn printed(home: &TempDir, arguments: &str) -> Option<Value> {
    let output = behind_a_hung_mount(home, arguments).stdin(Stdio::null()).output().unwrap();
    if !matches!(output.status.code(), Some(0)) && output.stdout.is_empty() {
        eprintln!("skipped: no FUSE, or no right to mount: {}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn once_and_doctor_tell_of_it_and_end() {
    let home = TempDir::new().unwrap();
    let Some(once) = printed(&home, "--once --json") else { return };
    let known = |part: &str| once["snapshot"][part]["Known"].clone();
    let dead = format!("{}/dead", home.path().display());
    let mounts = known("filesystems");
    let row = mounts.as_array().unwrap().iter().find(|row| row["at"] == *dead).unwrap();
    assert!(row["stale"].as_f64().unwrap() > 0.0 && row["space"].is_null(), "{row}");
    assert!(mounts.as_array().unwrap().iter().any(|row| row["at"] == "/" && row["space"].is_object()), "the others are told");
    assert!(known("disks").is_array() && known("processes").is_array(), "and so is everything else");
    assert!(printed(&home, "doctor --json").unwrap()["reads"].is_array());
}

/// For how many seconds the dead mount has not answered, as its row says; minutes are enough as well.
fn stale(screen: &str) -> Option<u64> {
    let (_, age) = screen.lines().find(|line| line.contains("/dead"))?.split_once("stale ")?;
    let mut words = age.split_whitespace();
    let number: u64 = words.next()?.parse().ok()?;
    Some(if words.next()? == "s" { number } else { number * 60 })
}

#[test]
fn the_console_goes_on_beside_it_and_ends_when_told() {
    let home = TempDir::new().unwrap();
    if printed(&home, "--once --json").is_none() {
        return;
    }
    let mut terminal = Terminal::start(&behind_a_hung_mount(&home, "--observe"), 30, 120);
    terminal.wait("the first screen", PATIENCE, |screen| screen.contains("Storage"));
    terminal.press("4e");
    // On a machine that is loaded sweeps are slower, and not every second is shown.
    let first = stale(&terminal.wait("the mount that hangs", PATIENCE, |screen| stale(screen) >= Some(2)));
    terminal.wait("time that goes on", PATIENCE, |screen| stale(screen) > first);
    terminal.press("5");
    terminal.wait("the processes", PATIENCE, |screen| screen.contains("trimtab") && screen.contains("cpu"));
    terminal.press("eq");
    assert!(terminal.wait_for_end(PATIENCE).success());
}
