//! Automatic mode on real problems, no key pressed: the trouble is found, one change is chosen, approved, applied, judged and kept by the
//! engine alone; and where nothing is wrong, nothing is done.

use super::{Daemon, Problem, Running, measurements, obstacle, present, scripts, take, take_fresh};
use serde_json::Value;
use std::{
    process::{Command, Stdio},
    sync::mpsc::Receiver,
    time::{Duration, Instant},
};

/// What an operator writes once who lets go of the wheel: these may be automatic without having proven themselves here.
/// A build for tests is dear: it may cost more than a real one, or it would sweep too seldom to measure anything.
const LET_GO: &str = "(cost: (cpu: 0.3), policy: (mode: Auto, switchback: Never, windows: (before: 20.0, settle: 3.0, after: 60.0), rules: [(families: [\"autogroup\", \"nice\", \
    \"cgroup-weight\", \"cgroup-quota\", \"writeback\", \"memory-limit\", \"descriptors\"], allow: Auto, promoted: true)]))";

/// Response time must fall by this share, throughput rise by that factor.
const FASTER: f64 = 0.30;
const MORE: f64 = 1.40;
/// Seconds in which nothing may be done where nothing is wrong; `TRIMTAB_PLACEBO` sets another time.
const PLACEBO: u64 = 600;

fn daemon() -> Daemon {
    Daemon::with(LET_GO, Command::new(env!("CARGO_BIN_EXE_trimtab")), &[])
}

/// Changes of which something was or is in force, in the order of their numbers.
fn applied(daemon: &Daemon) -> Vec<Value> {
    let mut all: Vec<Value> = daemon.queue().into_iter().filter(|change| !change["applied"].is_null()).collect();
    all.sort_by_key(|change| change["id"].as_u64());
    all
}

/// The medians of the next measurements, of a number that must fall and of one that must rise.
fn both(lines: &Receiver<String>, count: usize, (falls, rises): (&str, Option<&str>)) -> (f64, Option<f64>) {
    (take_fresh(lines, count, falls), rises.map(|metric| take(lines, count, metric)))
}

fn alone(problem: &Problem, rises: Option<&str>) {
    if let Some(why) = obstacle() {
        println!("live::auto::{}: skipped: {why}", problem.script);
        return;
    }
    let script = scripts().unwrap().join(problem.script);
    let mut script =
        Running(Command::new(script).args(["--watch", "420"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = measurements(script.0.stdout.take().unwrap());
    let [before, during, _] = problem.lines;
    let numbers = (problem.metric, rises);
    let untreated = both(&lines, before, numbers);
    let daemon = daemon();
    let begun = Instant::now();
    daemon.until("the engine acts", Duration::from_secs(150), |d| !applied(d).is_empty());
    let acted = begun.elapsed();
    daemon.until("it keeps what helps", Duration::from_secs(200), |d| applied(d).iter().any(|change| change["state"] == "Kept"));
    let treated = both(&lines, during, numbers);
    let changes = applied(&daemon);
    let kept = changes.iter().find(|change| change["state"] == "Kept").unwrap().clone();

    let entries = daemon.ask(&["audit"]).unwrap();
    let by_hand = |entry: &Value| entry.to_string().contains("Operator") && !entry.to_string().contains("Noted");
    assert!(!entries.as_array().unwrap().iter().any(by_hand), "no operator did anything");
    daemon.ask(&["rollback", "--all"]).unwrap();
    for step in kept["plan"]["steps"].as_array().unwrap() {
        assert_eq!(present(step).as_deref().unwrap_or("gone"), step["before"], "rollback returns the knob: {step}");
    }
    let faster = 1.0 - treated.0 / untreated.0;
    let more = treated.1.zip(untreated.1).map(|(with, without)| with / without);
    println!(
        "live::auto::{}: {} {:.3} -> {:.3} (-{:.0} %){}, by {} within {:.0} s; {} tried; verdict: {}",
        problem.script,
        problem.metric,
        untreated.0,
        treated.0,
        faster * 100.0,
        more.zip(rises).map_or_else(String::new, |(more, metric)| format!(", {metric} x{more:.2}")),
        kept["proposal"]["title"],
        acted.as_secs_f64(),
        changes.len(),
        kept["verdict"]["why"],
    );
    assert!(faster >= FASTER, "response time is at least 30 % lower");
    assert!(more.is_none_or(|more| more >= MORE), "throughput is at least 40 % higher");
}

#[test]
#[ignore = "root, minutes, a quiet machine: scripts/live.sh auto"]
fn noisy_neighbour() {
    alone(&Problem { script: "noisy_neighbour.py", best: &[], action: "", metric: "p50", lines: [3, 4, 0] }, Some("rps"));
}

#[test]
#[ignore = "root, minutes, a quiet machine: scripts/live.sh auto"]
fn disk_writeback() {
    alone(
        &Problem { script: "disk_writeback.py", best: &[], action: "", metric: "fsync_p95", lines: [3, 4, 0] },
        Some("fsync_n_per_s"),
    );
}

#[test]
#[ignore = "root, minutes, a quiet machine: scripts/live.sh auto"]
fn cpu_quota() {
    alone(&Problem { script: "cpu_quota.py", best: &[], action: "", metric: "p95", lines: [3, 4, 0] }, Some("rps"));
}

/// The same engine with the same rules beside a web server that is asked at a steady rate, and nothing wrong.
#[test]
#[ignore = "root, minutes, a quiet machine: scripts/live.sh placebo"]
fn nothing_is_done_where_nothing_is_wrong() {
    if let Some(why) = obstacle() {
        println!("live::auto::placebo: skipped: {why}");
        return;
    }
    let seconds = std::env::var("TRIMTAB_PLACEBO").ok().and_then(|text| text.parse().ok()).unwrap_or(PLACEBO);
    let script = scripts().unwrap().join("noisy_neighbour.py");
    let mut calm = Running(
        Command::new(script)
            .args(["--watch", &(seconds + 60).to_string()])
            .env("HOGS", "0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let lines = measurements(calm.0.stdout.take().unwrap());
    let daemon = daemon();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let _steady = take(&lines, 1, "p50");
        let done = applied(&daemon);
        assert!(done.is_empty(), "{done:?}");
    }
    let open: Vec<String> = daemon.queue().iter().map(|change| change["proposal"]["title"].to_string()).collect();
    println!("live::auto::placebo: {seconds} s, nothing applied; proposed: {open:?}");
}
