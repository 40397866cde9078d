//! The demo, by the real binary in a pseudo-terminal: from the finding to the rollback, and every way to leave it.

use crate::{cli::Home, terminal::Terminal};
use rustix::process::Signal;
use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The whole of a demo with its short windows, on a machine that does other things besides.
const LONG: Duration = Duration::from_secs(90);
const SHORT: Duration = Duration::from_secs(20);

fn demo(home: &Home) -> Terminal {
    Terminal::start(&home.trimtab(&["demo", "--seconds", "300"]), 50, 160)
}

/// The demo's children, by name, parent and start time.
fn children(terminal: &Terminal) -> BTreeSet<(u32, u64)> {
    let parent = terminal.child.id();
    let all = fs::read_dir("/proc").unwrap().filter_map(|e| e.unwrap().file_name().to_str()?.parse::<u32>().ok());
    all.filter_map(|pid| {
        let (name, of, start) = stat(pid)?;
        (of == parent && name.starts_with("demo-")).then_some((pid, start))
    })
    .collect()
}

/// Name, parent and start time of a process that is no zombie.
fn stat(pid: u32) -> Option<(String, u32, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (head, rest) = text.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let alive = fields[0] != "Z";
    alive.then_some((head.split_once('(')?.1.into(), fields[1].parse().ok()?, fields[19].parse().ok()?))
}

/// Waits until none of them lives. Their end is the kernel's doing and has nobody to report it here: they are not our children.
fn assert_gone(all: &BTreeSet<(u32, u64)>) {
    let end = Instant::now() + SHORT;
    while all.iter().any(|(pid, start)| stat(*pid).is_some_and(|(_, _, found)| found == *start)) {
        assert!(Instant::now() < end, "children of the demo are left: {all:?}");
        std::thread::yield_now();
    }
}

fn autogroup(pid: u32) -> String {
    fs::read_to_string(format!("/proc/{pid}/autogroup")).unwrap_or_default().rsplit(' ').next().unwrap_or("").trim().into()
}

fn nice(pid: u32) -> String {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    text.rsplit_once(") ").unwrap().1.split(' ').nth(16).unwrap().into()
}

/// What the demo's best proposal changes: nice of the sessions, or of the threads.
fn knobs(all: &BTreeSet<(u32, u64)>) -> Vec<(String, String)> {
    all.iter().map(|(pid, _)| (autogroup(*pid), nice(*pid))).collect()
}

fn rooms(home: &Home) -> Vec<PathBuf> {
    let found = fs::read_dir(home.path("run-user/trimtab")).into_iter().flatten();
    found.map(|e| e.unwrap().path()).filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("demo-")).collect()
}
