//! A leak that ends in a kill, foreseen and prevented: the leak of `memory_leak.py` in a memory cgroup (v1) of its own, with the real
//! engine beside it. What is foretold is held against when the leak is really killed, by the script's own measure; then an operator
//! approves what is proposed, and then auto mode does so by itself, and nobody is killed.

use super::{Daemon, Running, obstacle, scripts};
use serde_json::Value;
use std::{
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const MEMORY: &str = "/sys/fs/cgroup/memory";
const LIMIT: u64 = 250 << 20;
/// Leaks at once, and so seeds.
const SEEDS: u32 = 5;
/// Seconds after the start at which the script asks, beside half-way.
const MARKS: [f64; 3] = [5.0, 8.0, 11.0];

/// Why this cannot run here, if so.
fn missing() -> Option<String> {
    let none = || (!Path::new(MEMORY).join("memory.limit_in_bytes").exists()).then(|| "no memory controller of cgroup v1".into());
    obstacle().or_else(none)
}

/// The script's own leak.
fn source() -> String {
    let script = fs::read_to_string(scripts().unwrap().join("memory_leak.py")).unwrap();
    script.split("LEAK = r'''").nth(1).and_then(|rest| rest.split("'''").next()).expect("the script has a leak").to_string()
}

/// A cgroup that goes when it is done with.
struct Group(PathBuf);

impl Group {
    fn new(name: &str) -> Group {
        let path = Path::new(MEMORY).join(format!("trimtab_leak_{}_{name}", std::process::id()));
        fs::create_dir(&path).unwrap();
        let group = Group(path);
        fs::write(group.0.join("memory.limit_in_bytes"), LIMIT.to_string()).unwrap();
        group
    }

    fn name(&self) -> String {
        format!("/{}", self.0.file_name().unwrap().to_string_lossy())
    }

    fn number(&self, file: &str) -> u64 {
        fs::read_to_string(self.0.join(file)).unwrap().trim().parse().unwrap()
    }

    fn kills(&self) -> u64 {
        let control = fs::read_to_string(self.0.join("memory.oom_control")).unwrap();
        control.lines().find_map(|line| line.strip_prefix("oom_kill ")).unwrap().parse().unwrap()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The kernel takes a moment to let go of a process that was killed.
        let begun = Instant::now();
        while fs::remove_dir(&self.0).is_err() && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// A leak in its cgroup: the process first, so that it ends before its group goes.
struct Leak {
    process: Running,
    group: Group,
    began: Instant,
    /// When it was seen to have ended, and what was foretold: when it was said, and the end that it meant, in seconds of its life.
    died: Option<f64>,
    told: Vec<(f64, f64)>,
    last: Value,
}

impl Leak {
    fn start(seed: u32) -> Leak {
        let group = Group::new(&seed.to_string());
        let enter = format!("echo $$ > {}/cgroup.procs; exec python3 -c \"$LEAK\" {seed}", group.0.display());
        let mut command = Command::new("sh");
        command.args(["-c", &enter]).env("LEAK", source()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        let process = Running(command.spawn().unwrap());
        Leak { process, group, began: Instant::now(), died: None, told: Vec::new(), last: Value::Null }
    }

    fn age(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// Notes what is foretold of it now, and whether it lives.
    fn look(&mut self, status: &Value) {
        if self.died.is_none() && self.process.0.try_wait().unwrap().is_some() {
            self.died = Some(self.age());
        }
        let findings = status["findings"].as_array().cloned().unwrap_or_default();
        let name = self.group.name();
        let ours = |f: &&Value| f["id"]["kind"] == "PredictedMemory" && f["id"]["subject"].to_string().contains(&name);
        let crossing = findings.iter().find(ours).map(|f| f["crossing"].clone()).unwrap_or_default();
        // The same words again are no news: they count from when they were first heard.
        if let Some(left) = crossing["likely"].as_f64().filter(|_| crossing != self.last && self.died.is_none()) {
            self.told.push((self.age(), self.age() + left));
        }
        self.last = crossing;
    }

    /// By what share of its life the end that was foretold at that age was off.
    fn error(&self, at: f64) -> Option<f64> {
        let died = self.died?;
        self.told.iter().rev().find(|(age, _)| *age <= at).map(|(_, end)| (end - died) / died)
    }
}

fn daemon(args: &[&str]) -> Daemon {
    // A build for tests costs more than the real one may: it is not to slow down for that.
    let windows = "windows: (before: 20.0, settle: 3.0, after: 20.0)";
    // Nor is it to starve beside whatever else builds here: a session of its own, first in the queue for the cpu.
    let mut first = Command::new("setsid");
    first.args(["sh", "-c", "echo -15 > /proc/self/autogroup 2>/dev/null; exec \"$@\"", "sh", env!("CARGO_BIN_EXE_trimtab")]);
    Daemon::with(&format!("(policy: ({windows}), cost: (cpu: 1.0, resident: 268435456))"), first, args)
}

fn percent(error: Option<f64>) -> String {
    error.map_or_else(|| "-".into(), |error| format!("{:+.1} %", error * 100.0))
}

#[test]
#[ignore = "root, a minute: scripts/live.sh"]
fn its_end_is_known_half_way() {
    if let Some(why) = missing() {
        return println!("live::leak: skipped: {why}");
    }
    let daemon = daemon(&[]);
    let mut all: Vec<Leak> = (0..SEEDS).map(Leak::start).collect();
    daemon.until("every leak is killed", Duration::from_secs(60), |d| {
        let status = d.ask(&["status"]).unwrap();
        all.iter_mut().for_each(|leak| leak.look(&status));
        all.iter().all(|leak| leak.died.is_some())
    });
    for (seed, leak) in all.iter().enumerate() {
        let died = leak.died.unwrap();
        let marks: Vec<String> = MARKS.iter().map(|mark| format!("{mark:.0} s {}", percent(leak.error(*mark)))).collect();
        let first = leak.told.first().map_or(f64::NAN, |(age, _)| *age);
        println!(
            "live::leak: seed {seed}: killed after {died:.1} s ({} kill), told from {first:.1} s on, off at {}, half-way {}",
            leak.group.kills(),
            marks.join(", "),
            percent(leak.error(died / 2.0))
        );
    }
    for leak in &all {
        assert_eq!(leak.group.kills(), 1, "untreated it is killed");
        let error = leak.error(leak.died.unwrap() / 2.0).expect("told by half-way");
        assert!(error.abs() <= 0.15, "{}", percent(Some(error)));
    }
}

/// Runs one leak until what is proposed for it is judged; `act` is done to an open proposal with a plan.
fn saved(daemon: &Daemon, seed: u32, act: impl Fn(&Daemon, &str)) {
    let mut leak = Leak::start(seed);
    let name = leak.group.name();
    let ours = |d: &Daemon| {
        let all = d.queue().into_iter();
        all.filter(|c| c["proposal"]["action"] == "memory-limit")
            .find(|c| c["finding"]["id"]["subject"].to_string().contains(&name))
    };
    let (mut applied, mut sure) = (None, 0.0);
    daemon.until("judged", Duration::from_secs(60), |d| {
        leak.look(&d.ask(&["status"]).unwrap());
        assert_eq!(leak.died, None, "it is not killed: {:?}", ours(d));
        let Some(change) = ours(d) else { return false };
        let state = change["state"].as_str().unwrap_or_default().to_string();
        if state == "Proposed" && !change["plan"].is_null() {
            act(d, &change["id"].to_string());
        }
        if state == "Watching" && applied.is_none() {
            (applied, sure) = (Some(leak.age()), change["proposal"]["foreseen"].as_f64().unwrap());
        }
        matches!(state.as_str(), "Kept" | "RolledBack" | "Stuck")
    });
    let change = ours(daemon).unwrap();
    let (kills, age, limit) = (leak.group.kills(), leak.age(), leak.group.number("memory.limit_in_bytes"));
    println!(
        "live::leak: seed {seed}: limit {} MiB applied after {:.1} s at a confidence of {sure:.2}; {kills} kills, alive after {age:.1} s; {} ({})",
        limit >> 20,
        applied.unwrap_or(f64::NAN),
        change["state"],
        change["verdict"]["why"]
    );
    assert_eq!((change["state"].as_str(), kills), (Some("Kept"), 0));
    assert!(limit > LIMIT && leak.group.number("memory.usage_in_bytes") > LIMIT, "it is beyond where it would have been killed");
    undone(daemon, leak, &change["id"].to_string());
}

/// While it holds more than the old limit that is not written back; once it has ended, it is.
fn undone(daemon: &Daemon, leak: Leak, id: &str) {
    let refused = daemon.ask(&["rollback", id]).unwrap_err();
    assert!(refused.contains("do not fit below"), "{refused}");
    assert_eq!((daemon.change(id)["state"].as_str(), leak.group.kills()), (Some("Stuck"), 0));
    let Leak { process, group, .. } = leak;
    let pid = rustix::process::Pid::from_child(&process.0);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    drop(process);
    daemon.until("rolled back", Duration::from_secs(10), |d| {
        d.ask(&["rollback", id]).is_ok() && d.change(id)["state"] == "RolledBack"
    });
    assert_eq!(group.number("memory.limit_in_bytes"), LIMIT);
}

#[test]
#[ignore = "root, a minute: scripts/live.sh"]
fn an_operator_prevents_the_kill() {
    if let Some(why) = missing() {
        return println!("live::leak: skipped: {why}");
    }
    saved(&daemon(&[]), 11, |d, id| {
        d.ask(&["approve", id]).unwrap();
        d.ask(&["apply", id]).unwrap();
    });
}

#[test]
#[ignore = "root, a minute: scripts/live.sh"]
fn auto_mode_prevents_the_kill_once_it_is_sure() {
    if let Some(why) = missing() {
        return println!("live::leak: skipped: {why}");
    }
    saved(&daemon(&["--mode", "auto"]), 12, |d, id| {
        let sure = d.change(id)["proposal"]["foreseen"].as_f64();
        assert!(sure.is_none_or(|sure| sure < 1.0), "{sure:?}");
    });
}
