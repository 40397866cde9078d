//! The demo, by the real binary in a pseudo-terminal: from the finding to the rollback, and every way to leave it.

use crate::{cli::Home, terminal::Terminal};
use rustix::process::Signal;
use std::{
    collections::BTreeSet,
    fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
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
    let found = fs::read_dir(home.path("run")).into_iter().flatten();
    found.map(|e| e.unwrap().path()).filter(|p| p.file_name().unwrap().to_str().unwrap().starts_with("demo-")).collect()
}

/// One demo at a time: each loads the machine.
static ALONE: Mutex<()> = Mutex::new(());

/// The demo up to its proposal, with its children.
fn proposed(home: &Home) -> (Terminal, BTreeSet<(u32, u64)>) {
    let mut terminal = demo(home);
    // Within ten seconds on a machine with nothing else to do; this one may have.
    terminal.wait("the finding", SHORT, |text| text.contains("cpu contention") && text.contains("demo waits"));
    terminal.wait("the proposal", SHORT, |text| text.contains("x demo-batch") && text.contains("proposed"));
    let all = children(&terminal);
    assert!(all.len() >= 5, "service, prober and three hogs per cpu: {all:?}");
    (terminal, all)
}

/// Approves and applies what stands first in the queue.
fn applied(terminal: &mut Terminal) {
    terminal.press("8");
    // The bar offers what can be done: commands can be copied once there is a plan to approve.
    terminal.wait("the plan", SHORT, |text| text.contains("y copy") && text.contains("a approve"));
    terminal.wait("enough history to measure by", SHORT, |text| age(text).is_some_and(|seconds| seconds >= 11));
    terminal.press("a");
    terminal.wait("the approval", SHORT, |text| stands(text, "approved"));
    answer_yes(terminal, "A");
    terminal.wait("the application", SHORT, |text| stands(text, "watching"));
}

/// How long the finding has held, in seconds.
fn age(text: &str) -> Option<u32> {
    let (_, rest) = text.lines().find_map(|line| line.split_once("cpu contention"))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// True when the queue shows the first change in that state.
fn stands(text: &str, state: &str) -> bool {
    text.lines().any(|line| line.split_once("#1   ").is_some_and(|(_, row)| row.contains(state)))
}

/// The service's p95 on the screen, in milliseconds.
fn p95(text: &str) -> Option<f64> {
    let (_, rest) = text.lines().find(|line| line.contains("p50") && line.contains("p99"))?.split_once("p95")?;
    let mut words = rest.split_whitespace();
    let value: f64 = words.next()?.parse().ok()?;
    let unit = words.next()?;
    Some(value * [("us", 0.001), ("ms", 1.0), ("s", 1000.0)].iter().find(|(name, _)| *name == unit)?.1)
}

/// Presses the key and says yes as soon as the question listens.
fn answer_yes(terminal: &mut Terminal, key: &str) {
    terminal.press(key);
    terminal.wait_for("the question", SHORT, |screen| yes(screen).is_some_and(|colour| colour != DEAF));
    terminal.press("y");
    terminal.wait_for("the end of the question", SHORT, |screen| yes(screen).is_none());
}

/// Colour of the `y` of a question that does not listen yet.
const DEAF: vt100::Color = vt100::Color::Idx(8);

/// The colour of the `y` of the question on the screen, if there is one.
fn yes(screen: &vt100::Screen) -> Option<vt100::Color> {
    let (_, width) = screen.size();
    (0..).zip(screen.rows(0, width)).find_map(|(row, text)| {
        let column = text.find("y yes").map(|bytes| text[..bytes].chars().count())?;
        screen.cell(row, u16::try_from(column).unwrap()).map(vt100::Cell::fgcolor)
    })
}

/// What else the machine does meanwhile.
#[derive(Clone, Copy, PartialEq)]
enum Machine {
    Shared,
    Quiet,
}

fn whole(machine: Machine) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Home::new();
    let (mut terminal, all) = proposed(&home);
    let before = knobs(&all);
    let starved = p95(&terminal.wait("the p95", SHORT, |text| p95(text).is_some())).unwrap();
    applied(&mut terminal);
    if machine == Machine::Quiet {
        terminal.wait("the fall of the p95", SHORT, |text| p95(text).is_some_and(|now| now < 0.7 * starved));
    }
    let changed = knobs(&all).iter().zip(&before).filter(|(now, then)| now != then).count();
    assert!(changed + 2 >= all.len(), "every hog is put back: {before:?} {:?}", knobs(&all));
    let verdict = terminal.wait("the verdict", LONG, |text| stands(text, "kept") || stands(text, "rolled back"));
    // On a machine that others load, half a minute may show no benefit: then it has been rolled back by itself.
    assert!(machine == Machine::Shared || stands(&verdict, "kept"), "{verdict}");
    if stands(&verdict, "kept") {
        answer_yes(&mut terminal, "R");
        terminal.wait("the rollback", SHORT, |text| stands(text, "rolled back"));
    }
    assert_eq!(knobs(&all), before);
    if machine == Machine::Quiet {
        terminal.wait("the return of the p95", SHORT, |text| p95(text).is_some_and(|now| now > 0.7 * starved));
    }
    terminal.press("q");
    assert!(terminal.wait_for_end(SHORT).success());
    assert_gone(&all);
    assert_eq!(rooms(&home), Vec::<PathBuf>::new());
}

#[test]
fn from_the_finding_to_the_rollback() {
    whole(Machine::Shared);
}

#[test]
#[ignore = "needs a machine that does nothing else: scripts/live.sh demo"]
fn the_p95_falls_and_returns() {
    whole(Machine::Quiet);
}

/// Ends a demo with a change under watch in some way; nothing of it may be left.
fn ends_clean(end: impl FnOnce(&mut Terminal)) {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let home = Home::new();
    let (mut terminal, all) = proposed(&home);
    applied(&mut terminal);
    end(&mut terminal);
    terminal.child.wait().unwrap();
    assert_gone(&all);
}

#[test]
fn a_closed_terminal_leaves_nothing() {
    ends_clean(Terminal::hang_up);
}

#[test]
fn kill_9_leaves_nothing() {
    ends_clean(|terminal| terminal.signal(Signal::KILL));
}

#[test]
fn a_request_to_end_leaves_nothing() {
    ends_clean(|terminal| terminal.signal(Signal::TERM));
}
