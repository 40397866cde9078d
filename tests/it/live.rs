//! Real problems on this machine, found, cured and measured through the command line, and put back.
//!
//! Each test starts one of the problem scripts with `--watch` (it makes the trouble and prints one measurement a line), a daemon, waits for
//! the proposal, approves and applies it as an operator would, and compares what the script itself measures before, during and after with
//! what the script's own best treatment reaches in the same run. Root, and minutes: `scripts/live.sh`. Without root, or without the scripts
//! (`TRIMTAB_SCENARIOS`, or `../shared/scenarios`), they say that they were skipped and why.

#[path = "live/auto.rs"]
mod auto;
#[path = "live/leak.rs"]
mod leak;

use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, channel},
    time::{Duration, Instant},
};

/// One problem and what must come of it.
struct Problem {
    script: &'static str,
    /// Arguments of the script's own best treatment.
    best: &'static [&'static str],
    /// The action that must stand first in the queue.
    action: &'static str,
    /// What the script prints that must fall.
    metric: &'static str,
    /// Lines measured before approval, under the treatment, and after rollback.
    lines: [usize; 3],
}

fn scripts() -> Option<PathBuf> {
    let place = std::env::var_os("TRIMTAB_SCENARIOS")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/scenarios"), PathBuf::from);
    place.is_dir().then_some(place)
}

/// Why the live tests cannot run here, if so.
fn obstacle() -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("they change real knobs: run as root".into());
    }
    if scripts().is_none() {
        return Some("no problem scripts: name their folder in TRIMTAB_SCENARIOS".into());
    }
    None
}

/// A program that ends with the test: by SIGINT, upon which the scripts put everything back.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let pid = rustix::process::Pid::from_child(&self.0);
        let _ended_already = rustix::process::kill_process(pid, rustix::process::Signal::INT);
        let _no_status_needed = self.0.wait();
    }
}

/// A daemon with a state directory and a socket of its own.
struct Daemon {
    _engine: Running,
    folder: tempfile::TempDir,
}

impl Daemon {
    fn start() -> Daemon {
        let program = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        Daemon::with("(policy: (windows: (before: 20.0, settle: 3.0, after: 60.0)))", program, &[])
    }

    fn with(settings: &str, mut command: Command, args: &[&str]) -> Daemon {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.ron");
        std::fs::write(&config, settings).unwrap();
        command.arg("--config").arg(&config).arg("--state").arg(folder.path()).arg("--socket").arg(folder.path().join("socket"));
        let engine = Running(command.args(args).arg("daemon").stdout(Stdio::null()).spawn().unwrap());
        let daemon = Daemon { _engine: engine, folder };
        daemon.until("the daemon answers", Duration::from_secs(20), |d| d.ask(&["status"]).is_ok());
        daemon
    }

    /// One verb with `--json`: its output, or what it complained of.
    fn ask(&self, verb: &[&str]) -> Result<Value, String> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trimtab"));
        command.arg("--state").arg(self.folder.path()).arg("--socket").arg(self.folder.path().join("socket"));
        let out = command.args(verb).arg("--json").output().unwrap();
        let text = String::from_utf8_lossy(&out.stdout).into_owned();
        if out.status.success() {
            Ok(serde_json::from_str(&text).unwrap_or_else(|e| panic!("{verb:?} printed no JSON ({e}): {text}")))
        } else {
            Err(format!("{}{text}", String::from_utf8_lossy(&out.stderr)))
        }
    }

    /// Asks again and again until `holds`; the clock of the machine is part of what is tested here.
    fn until(&self, what: &str, most: Duration, mut holds: impl FnMut(&Daemon) -> bool) {
        let begun = Instant::now();
        while !holds(self) {
            assert!(begun.elapsed() < most, "{what}: not within {most:?}; queue: {:?}", self.ask(&["queue"]));
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn queue(&self) -> Vec<Value> {
        self.ask(&["queue"]).unwrap().as_array().cloned().unwrap_or_default()
    }

    /// The open proposals, in the order of the queue.
    fn open(&self) -> Vec<Value> {
        self.queue().into_iter().filter(|c| c["state"] == "Proposed").collect()
    }

    fn change(&self, id: &str) -> Value {
        self.queue().into_iter().find(|c| c["id"].as_u64() == id.parse().ok()).unwrap_or_default()
    }
}

fn number(line: &Value, metric: &str) -> f64 {
    line[metric].as_f64().unwrap_or_else(|| panic!("no {metric} in {line}"))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The script's lines as they come.
fn measurements(output: ChildStdout) -> Receiver<String> {
    let (line, lines) = channel();
    std::thread::spawn(move || BufReader::new(output).lines().map_while(Result::ok).all(|text| line.send(text).is_ok()));
    lines
}

/// The median of the next `count` measurements.
fn take(lines: &Receiver<String>, count: usize, metric: &str) -> f64 {
    let read = (0..count).map(|_| lines.recv().expect("the script goes on measuring"));
    median(read.map(|line| number(&serde_json::from_str(&line).unwrap(), metric)).collect())
}

/// The same, of those begun from now on: what is read already, and the one under way, are left out.
fn take_fresh(lines: &Receiver<String>, count: usize, metric: &str) -> f64 {
    lines.try_iter().for_each(drop);
    let _under_way = take(lines, 1, metric);
    take(lines, count, metric)
}

/// The ratio treated/untreated of the script's own best treatment.
fn best_ratio(problem: &Problem) -> f64 {
    let script = scripts().unwrap().join(problem.script);
    let out = Command::new(script).args(problem.best).env("REP", "2").stderr(Stdio::inherit()).output().unwrap();
    let all: Value = serde_json::from_slice(&out.stdout).expect("the script prints JSON");
    number(&all["ratio"][problem.metric], "median")
}

fn cure(problem: &Problem) {
    if let Some(why) = obstacle() {
        println!("live::{}: skipped: {why}", problem.script);
        return;
    }
    let best = best_ratio(problem);
    let mut script = Running(
        Command::new(scripts().unwrap().join(problem.script))
            .args(["--watch", "240"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let lines = measurements(script.0.stdout.take().unwrap());
    let daemon = Daemon::start();
    let [before, during, after] = problem.lines;
    let untreated = take_fresh(&lines, before, problem.metric);

    daemon.until("a proposal", Duration::from_secs(30), |d| !d.open().is_empty());
    let first = daemon.open()[0].clone();
    assert_eq!(first["proposal"]["action"], problem.action, "the right knob first: {first}");
    daemon.until("its plan", Duration::from_secs(10), |d| !d.open()[0]["plan"].is_null());
    let id = daemon.open()[0]["id"].to_string();
    daemon.ask(&["approve", &id]).unwrap();
    daemon.until("enough history to measure by", Duration::from_secs(15), |d| d.ask(&["apply", &id]).is_ok());
    daemon.until("applied", Duration::from_secs(10), |d| d.change(&id)["state"] == "Watching");
    let steps = daemon.change(&id)["plan"]["steps"].as_array().unwrap().clone();

    let treated = take_fresh(&lines, during, problem.metric);
    daemon.ask(&["rollback", &id]).unwrap();
    daemon.until("rolled back", Duration::from_secs(10), |d| d.change(&id)["state"] == "RolledBack");
    let returned = take_fresh(&lines, after, problem.metric);

    let (gain, possible) = (1.0 - treated / untreated, 1.0 - best);
    println!(
        "live::{}: {} {untreated:.3} -> {treated:.3} (-{:.0} %; the script's own treatment -{:.0} %) -> {returned:.3} after rollback of {} step(s)",
        problem.script,
        problem.metric,
        gain * 100.0,
        possible * 100.0,
        steps.len()
    );
    assert!(gain >= possible / 2.0, "improves by at least half of what the script's own best treatment reaches");
    assert!(returned > treated + (untreated - treated) * 0.3, "rollback returns the metric");
    for step in &steps {
        assert_eq!(present(step).as_deref().unwrap_or("gone"), step["before"], "rollback returns the knob: {step}");
    }
}

/// What a step's knob holds now, read by trimtab's own host (its reading is proved by tests of its own).
fn present(step: &Value) -> Option<String> {
    use trimtab::host::{host::Host, real::RealHost};
    let knob = serde_json::from_value(step["knob"].clone()).unwrap();
    RealHost::default().get(&knob).ok()
}

#[test]
#[ignore = "root, minutes: scripts/live.sh"]
fn noisy_neighbour() {
    cure(&Problem { script: "noisy_neighbour.py", best: &[], action: "autogroup", metric: "p50", lines: [3, 4, 2] });
}

#[test]
#[ignore = "root, minutes: scripts/live.sh"]
fn disk_writeback() {
    cure(&Problem { script: "disk_writeback.py", best: &[], action: "writeback", metric: "fsync_p95", lines: [3, 4, 3] });
}

#[test]
#[ignore = "root, minutes: scripts/live.sh"]
fn listen_overflow() {
    cure(&Problem { script: "listen_overflow.py", best: &[], action: "listen-backlog", metric: "p50", lines: [3, 4, 2] });
}

#[test]
#[ignore = "root, minutes: scripts/live.sh"]
fn cpu_quota() {
    cure(&Problem { script: "cpu_quota.py", best: &[], action: "cgroup-quota", metric: "p95", lines: [2, 3, 2] });
}

#[test]
#[ignore = "root, minutes: scripts/live.sh"]
fn descriptor_limit() {
    cure(&Problem { script: "fd_limit.py", best: &[], action: "descriptors", metric: "p99", lines: [3, 4, 2] });
}
