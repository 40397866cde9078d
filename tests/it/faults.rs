//! Real faults on real knobs: a disk that is full or turns read-only under the journal, an engine that is stopped beyond its deadline, a
//! stranger at the same knob, a memory hog beside the engine. As root only, and only by `scripts/faults.sh`, since they mount file systems
//! and make a cgroup; what they made is gone afterwards.
//!
//! Steps of the wall clock are the simulator's (`tests/sim`): a namespace of its own exists for the other clocks only (time_namespaces(7)),
//! and this machine's is nobody's to set.
#![allow(clippy::result_large_err)]

use crate::kill::{NoGuard, Stage, changes, main_thread, process, proposal, tools};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use trimtab::{
    engine::{
        guard::process::GuardProcess,
        hands::Hands,
        job::{Apply, Climb, Done, Job},
        worker::Work,
    },
    host::{host::Host, real::RealHost},
    model::{
        change::{Cause, ChangeId, Deed, Who},
        knob::Knob,
        plan::Plan,
        proposal::{Proposal, Want},
        subject::Subject,
    },
};

/// A small file system of our own.
struct Mount(tempfile::TempDir);

impl Mount {
    fn memory() -> Mount {
        Mount::of(&["-t", "tmpfs", "-o", "size=2m", "trimtab-faults"])
    }
    fn of(args: &[&str]) -> Mount {
        let mount = Mount(tempfile::tempdir().unwrap());
        run("mount", &[args, &[&mount.path()]].concat());
        mount
    }
    fn path(&self) -> String {
        self.0.path().to_string_lossy().into_owned()
    }
    /// Takes all the room there is.
    fn fill(&self) {
        let zero = vec![0; 1 << 16];
        let mut file = std::fs::File::create(self.0.path().join("ballast")).unwrap();
        while std::io::Write::write_all(&mut file, &zero[..1 << 12]).is_ok() {}
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        run("umount", &[&self.path()]);
    }
}

fn run(program: &str, args: &[&str]) {
    assert!(Command::new(program).args(args).status().unwrap().success(), "{program} {args:?}");
}

struct Engine {
    hands: Hands,
    wants: Vec<Want>,
    next: u64,
}

/// A change that was applied, with what is needed to take it back.
struct Applied {
    id: ChangeId,
    plan: Plan,
}

impl Engine {
    fn start(folder: &Path, stage: &Stage) -> Engine {
        Engine::on(folder, &stage.pids())
    }

    fn on(folder: &Path, pids: &[u32]) -> Engine {
        let host = Arc::new(RealHost::default());
        let (tools, entries) = tools(folder, &host);
        let program = PathBuf::from(env!("CARGO_BIN_EXE_trimtab"));
        let guard = GuardProcess::new(program, vec!["guard".into(), folder.into()], Box::new(|_| ()));
        let mut hands = Hands::new(tools, Box::new(guard), entries.len() as u64);
        hands.recover(&entries);
        let want = |pid: &u32| Want { on: Subject::Process(process(&host, *pid)), to: "7".into() };
        let next = entries.iter().map(|(_, entry)| entry.change.0).max().unwrap_or(0) + 1;
        Engine { hands, wants: pids.iter().map(want).collect(), next }
    }

    fn apply(&mut self, confirm: Duration) -> Result<Applied, Done> {
        let (id, who) = (ChangeId(self.next), Who::Engine);
        self.next += 1;
        let (proposal, finding) = proposal("nice", self.wants.clone());
        let born = Deed::Proposed { proposal: Box::new(proposal.clone()), finding: Box::new(finding) };
        self.written(Job::Record(vec![(id, born, who.clone())]))?;
        let (plan, digest) = self.preview(id, &proposal);
        self.written(Job::Record(vec![(id, Deed::Approved { digest: digest.clone() }, who.clone())]))?;
        self.written(Job::Apply(Box::new(Apply { change: id, proposal, digest, who, confirm, leave: false })))?;
        Ok(Applied { id, plan })
    }

    fn preview(&mut self, id: ChangeId, proposal: &Proposal) -> (Plan, String) {
        self.hands.perform(Job::Preview(id, Box::new(proposal.clone()))).preview.unwrap().1.unwrap()
    }

    fn written(&mut self, job: Job) -> Result<Done, Done> {
        let done = self.hands.perform(job);
        if done.error.is_some() { Err(done) } else { Ok(done) }
    }

    fn undo(&mut self, applied: &Applied) -> Done {
        let plan = Box::new(applied.plan.clone());
        self.hands.perform(Job::RollBack { change: applied.id, plan, cause: Cause::Operator, who: Who::Engine })
    }
}

/// Every change at its end, and every knob as it was.
fn nothing_dangles(folder: &Path, stage: &Stage, first: &[String]) {
    let host = Arc::new(RealHost::default());
    let (tools, entries) = tools(folder, &host);
    let mut hands = Hands::new(tools, Box::new(NoGuard), entries.len() as u64);
    hands.recover(&entries);
    drop(hands);
    let (_, entries) = crate::kill::tools(folder, &host);
    for change in changes(&entries) {
        assert!(!change.state.is_live(), "{} is left {}", change.id, change.state.words());
    }
    assert_eq!(stage.values(), first);
}

const HOUR: Duration = Duration::from_secs(3600);

/// A life under a journal that stops taking writes at `stop`; the engine, and the change that it had to undo unwritten.
fn without_a_journal(folder: &Path, stage: &Stage, stop: &dyn Fn()) -> (Engine, Applied) {
    let first = stage.values();
    let mut engine = Engine::start(folder, stage);
    let applied = engine.apply(HOUR).unwrap_or_else(|done| panic!("{done:?}"));
    stop();
    let mut refused = 0;
    for _ in 0..200 {
        let values = stage.values();
        match engine.apply(HOUR) {
            Err(done) => {
                assert!(done.journal_down, "{done:?}");
                refused += 1;
            }
            // The last pages of the log still had room.
            Ok(more) => drop(engine.undo(&more)),
        }
        if refused > 0 {
            assert_eq!(stage.values(), values, "nothing is written without its intent");
        }
        if refused == 20 {
            break;
        }
    }
    assert_eq!(refused, 20, "the journal never stopped");
    let done = engine.undo(&applied);
    assert!(done.journal_down, "{done:?}");
    assert_eq!(stage.values(), first, "undone, though it could not be written down");
    println!("20 changes refused, one undone unwritten");
    (engine, applied)
}

#[test]
#[ignore = "scripts/faults.sh"]
fn a_full_disk_refuses_changes_and_no_undo() {
    let mount = Mount::memory();
    let stage = Stage::set();
    let first = stage.values();
    let (mut engine, applied) = without_a_journal(mount.0.path(), &stage, &|| mount.fill());
    std::fs::remove_file(mount.0.path().join("ballast")).unwrap();
    let done = engine.undo(&applied);
    assert!(done.error.is_none() && !done.journal_down, "{done:?}");
    let again = engine.apply(HOUR).unwrap_or_else(|done| panic!("{done:?}"));
    engine.undo(&again);
    drop(engine);
    nothing_dangles(mount.0.path(), &stage, &first);
}

/// Climbs a rung that pauses the first sleeper of the stage.
fn pause(engine: &mut Engine, pid: u32) -> (Done, ChangeId) {
    let host = RealHost::default();
    let whom = Subject::Process(process(&Arc::new(host), pid));
    let (proposal, finding) = proposal("rescue", vec![Want { on: whom, to: "stop".into() }]);
    let change = ChangeId(engine.next);
    engine.next += 1;
    assert!(engine.hands.perform(Job::Ready(vec![proposal.clone()])).ready.is_some_and(|all| all == [None]));
    let climb = Climb { change, proposal, finding, who: Who::Engine, confirm: HOUR };
    (engine.hands.perform(Job::Climb(Box::new(climb))), change)
}

fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit(") ").next().unwrap().starts_with('T')
}

/// Invariants 15 and 16: on a full disk the reserve pays for the first rungs, and what then does not fit waits in memory until there is room.
#[test]
#[ignore = "scripts/faults.sh"]
fn a_full_disk_keeps_no_rung_from_being_climbed() {
    let mount = Mount::of(&["-t", "tmpfs", "-o", "size=6m", "trimtab-faults"]);
    let stage = Stage::set();
    let pid = stage.pids()[0];
    let mut engine = Engine::start(mount.0.path(), &stage);
    let reserve = mount.0.path().join("journal.db-reserve");
    let held = || std::os::unix::fs::MetadataExt::blocks(&std::fs::metadata(&reserve).unwrap()) * 512;
    engine.hands.perform(Job::Ready(Vec::new()));
    let full = held();
    assert!(full >= 2 << 20, "the reserve is taken while there is room: {full}");
    mount.fill();
    let (mut written, mut waiting) = (0, 0);
    while waiting < 3 {
        assert!(written < 2000, "the disk is never full");
        let (done, change) = pause(&mut engine, pid);
        assert!(done.error.is_none(), "{done:?}");
        assert!(is_stopped(pid), "it is climbed, whatever the disk says");
        let entries: Vec<Deed> = done.entries.iter().map(|(_, entry)| entry.deed.clone()).collect();
        assert!(entries.iter().any(|deed| matches!(deed, Deed::Kept)), "it is told all the same: {entries:?}");
        if done.journal_down {
            waiting += 1
        } else {
            written += 1
        }
        let plan = entries.into_iter().find_map(|deed| if let Deed::ApplyStarted { plan, .. } = deed { Some(*plan) } else { None });
        engine.undo(&Applied { id: change, plan: plan.unwrap() });
        assert!(!is_stopped(pid));
    }
    assert!(written > 0 && held() == 0, "the reserve was given back for {written} rungs");
    std::fs::remove_file(mount.0.path().join("ballast")).unwrap();
    let done = engine.hands.perform(Job::Ready(Vec::new()));
    assert!(!done.journal_down, "{done:?}");
    assert!(held() >= 2 << 20, "the reserve is taken again");
    drop(engine);
    let (_, entries) = tools(mount.0.path(), &Arc::new(RealHost::default()));
    let rungs = changes(&entries).iter().filter(|change| change.applied.is_some()).count();
    assert_eq!(rungs, written + waiting, "what waited in memory is in the journal by now");
    println!("{written} rungs written on a full disk, {waiting} kept in memory and written later");
}

#[test]
#[ignore = "scripts/faults.sh"]
fn a_file_system_that_turns_read_only_refuses_changes_and_no_undo() {
    let stage = Stage::set();
    let first = stage.values();
    let image = tempfile::NamedTempFile::new().unwrap();
    image.as_file().set_len(16 << 20).unwrap();
    let image = image.path().to_string_lossy().into_owned();
    run("mkfs.ext4", &["-q", "-F", "-O", "^has_journal", &image]);
    let mount = Mount::of(&["-o", "loop,errors=remount-ro", &image]);
    // The file system's own way out when the device fails (ext4(5), errors=remount-ro), with the journal open.
    let fail = || {
        let found = Command::new("findmnt").args(["-no", "SOURCE", &mount.path()]).output().unwrap();
        let device = String::from_utf8(found.stdout).unwrap();
        std::fs::write(format!("/sys/fs/ext4/{}/trigger_fs_error", device.trim().trim_start_matches("/dev/")), "1").unwrap();
    };
    drop(without_a_journal(mount.0.path(), &stage, &fail));
    drop(mount);
    // What a person would do: check it, mount it again, start again.
    let checked = Command::new("e2fsck").args(["-fy", &image]).output().unwrap();
    assert!(checked.status.code().is_some_and(|code| code < 4), "{checked:?}");
    let mount = Mount::of(&["-o", "loop", &image]);
    nothing_dangles(mount.0.path(), &stage, &first);
    let mut engine = Engine::start(mount.0.path(), &stage);
    let again = engine.apply(HOUR).unwrap_or_else(|done| panic!("{done:?}"));
    engine.undo(&again);
    drop(engine);
    nothing_dangles(mount.0.path(), &stage, &first);
}

/// The engine that is stopped: applies with a deadline of two seconds, and waits.
#[test]
#[ignore = "run by faults::an_engine_stopped_beyond_its_deadline_is_reverted"]
fn engine_to_be_stopped() {
    let Some(folder) = std::env::var_os("TRIMTAB_FAULTS_FOLDER").map(PathBuf::from) else { return };
    let pids: Vec<u32> = std::env::var("TRIMTAB_FAULTS_PIDS").unwrap().split(' ').map(|pid| pid.parse().unwrap()).collect();
    let mut engine = Engine::on(&folder, &pids);
    let applied = engine.apply(Duration::from_secs(2)).unwrap_or_else(|done| panic!("{done:?}"));
    println!("go");
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).unwrap();
    println!("keep: {}", engine.hands.perform(Job::Keep(applied.id, Who::Engine)).error.unwrap_or_default());
}

#[test]
#[ignore = "scripts/faults.sh"]
fn an_engine_stopped_beyond_its_deadline_is_reverted() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set();
    let first = stage.values();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "--nocapture", "faults::engine_to_be_stopped"]);
    let pids: Vec<String> = stage.pids().iter().map(u32::to_string).collect();
    command.env("TRIMTAB_FAULTS_FOLDER", folder.path()).env("TRIMTAB_FAULTS_PIDS", pids.join(" "));
    let mut engine = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(engine.stdout.take().unwrap()).lines();
    lines.find(|line| line.as_ref().unwrap().ends_with("go")).unwrap().unwrap();
    assert_ne!(stage.values(), first);
    let pid = rustix::process::Pid::from_child(&engine);
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    let stopped = Instant::now();
    // The guard's deadline is real time.
    while stage.values() != first {
        assert!(stopped.elapsed() < Duration::from_secs(20), "the guard did not act");
        std::thread::sleep(Duration::from_millis(20));
    }
    println!("reverted {:.1} s after the engine was stopped, at a deadline of 2 s", stopped.elapsed().as_secs_f64());
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).unwrap();
    std::io::Write::write_all(&mut engine.stdin.take().unwrap(), b"go on\n").unwrap();
    let said = lines.find(|line| line.as_ref().unwrap().contains("keep: ")).unwrap().unwrap();
    assert!(said.contains("roll"), "what was reverted is not kept: {said}");
    engine.wait().unwrap();
    nothing_dangles(folder.path(), &stage, &first);
}

#[test]
#[ignore = "scripts/faults.sh"]
fn a_strangers_value_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set();
    let first = stage.values();
    let host = RealHost::default();
    let mut engine = Engine::start(folder.path(), &stage);
    let mut left = 0;
    for round in 0..50 {
        let applied = engine.apply(HOUR).unwrap_or_else(|done| panic!("{done:?}"));
        let whom = (round % 3) as usize;
        let knob = Knob::Nice(main_thread(&host, stage.pids()[whom]));
        host.set(&knob, "11").unwrap();
        let done = engine.undo(&applied);
        assert!(matches!(done.entries.last().map(|(_, e)| &e.deed), Some(Deed::Yielded(knobs)) if knobs.len() == 1), "{done:?}");
        let mut wanted = first.clone();
        wanted[whom] = "11".into();
        assert_eq!(stage.values(), wanted);
        host.set(&knob, &first[whom]).unwrap();
        left += 1;
    }
    drop(engine);
    nothing_dangles(folder.path(), &stage, &first);
    println!("{left} strangers' values left alone, all others undone");
}

/// A memory cgroup of ours, with the engine and processes that want more than it has.
struct Squeeze(PathBuf, Vec<std::process::Child>);

impl Drop for Squeeze {
    fn drop(&mut self) {
        for hog in &mut self.1 {
            let _ended = hog.kill();
            let _reaped = hog.wait();
        }
        std::fs::write("/sys/fs/cgroup/memory/cgroup.procs", std::process::id().to_string()).unwrap();
        std::thread::sleep(Duration::from_millis(300));
        let _left_where_a_process_lives_on = std::fs::remove_dir(&self.0);
    }
}

#[test]
#[ignore = "scripts/faults.sh"]
fn beside_a_memory_hog_changes_are_undone_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::set();
    let first = stage.values();
    let path = PathBuf::from(format!("/sys/fs/cgroup/memory/trimtab_faults_{}", std::process::id()));
    std::fs::create_dir(&path).unwrap();
    std::fs::write(path.join("memory.limit_in_bytes"), (96 << 20).to_string()).unwrap();
    let mut squeeze = Squeeze(path.clone(), Vec::new());
    std::fs::write(path.join("cgroup.procs"), std::process::id().to_string()).unwrap();
    let big = folder.path().join("big");
    run("dd", &["if=/dev/zero", &format!("of={}", big.display()), "bs=1M", "count=400", "status=none"]);
    for _ in 0..3 {
        // Reads again and again, through memory that it cannot keep.
        let script = format!("while :; do sort -S 64M {0} {0} > /dev/null; cat {0} > /dev/null; done", big.display());
        squeeze.1.push(Command::new("sh").args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    }
    let pressure = || std::fs::read_to_string("/proc/pressure/memory").unwrap();
    let mut engine = Engine::start(folder.path(), &stage);
    let (mut worst, mut full) = (Duration::ZERO, 0.0_f64);
    for _ in 0..40 {
        std::thread::sleep(Duration::from_millis(250));
        let applied = engine.apply(HOUR).unwrap_or_else(|done| panic!("{done:?}"));
        let begun = Instant::now();
        let done = engine.undo(&applied);
        worst = worst.max(begun.elapsed());
        assert!(done.error.is_none(), "{done:?}");
        assert_eq!(stage.values(), first);
        let line = pressure().lines().find(|l| l.starts_with("full")).unwrap().to_string();
        full = full.max(line.split("avg10=").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap());
    }
    drop(engine);
    drop(squeeze);
    nothing_dangles(folder.path(), &stage, &first);
    println!("40 changes undone beside a memory hog, the slowest in {worst:?}; memory full avg10 up to {full} %");
    assert!(worst < Duration::from_secs(5), "an undo is done within five seconds");
}
