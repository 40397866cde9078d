//! The real knobs, on processes, threads and namespaces that the tests start themselves.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

use super::{RealHost, Roots};
use crate::{
    host::{error::Kind, host::Host},
    model::{
        knob::{Knob, Place, Task},
        subject::ProcessId,
    },
};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::mpsc,
};

/// A child that ends with the test.
struct Started(Child);

impl Started {
    fn new(command: &str) -> Started {
        let child = Command::new("sh").args(["-c", command]).stdout(Stdio::piped()).spawn().unwrap();
        Started(child)
    }

    fn sleeper() -> Started {
        Started::new("exec sleep 1000")
    }

    fn id(&self) -> ProcessId {
        let pid = self.0.id();
        ProcessId { pid, start: RealHost::default().start_time(&pid.to_string()).unwrap() }
    }

    fn task(&self) -> Task {
        let process = self.id();
        Task { process, tid: process.pid, start: process.start }
    }

    /// Waits until the child has said a line.
    fn hear(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.trim().into()
    }

    fn end(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ended_already = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: {test} needs root");
    }
    root
}

/// Sets, reads back, undoes, reads back.
fn there_and_back(knob: &Knob, value: &str) {
    let host = RealHost::default();
    let before = host.get(knob).unwrap();
    assert_ne!(before, value, "{knob}: the test would prove nothing");
    host.may_set(knob).unwrap();
    host.set(knob, value).unwrap();
    assert_eq!(host.get(knob).unwrap(), value, "{knob}");
    host.set(knob, &before).unwrap();
    assert_eq!(host.get(knob).unwrap(), before, "{knob}");
}

#[test]
fn a_threads_knobs_go_there_and_back() {
    if !root("raising a priority back") {
        return;
    }
    let child = Started::sleeper();
    let task = child.task();
    there_and_back(&Knob::Nice(task), "7");
    there_and_back(&Knob::Nice(task), "-7");
    for policy in ["batch", "idle", "idle+reset", "other+reset"] {
        there_and_back(&Knob::Policy(task), policy);
    }
    for priority in ["idle", "best-effort 7", "best-effort 0", "realtime 4"] {
        there_and_back(&Knob::IoPriority(task), priority);
    }
    let all = RealHost::default().get(&Knob::Affinity(task)).unwrap();
    if all == "0" {
        eprintln!("skipped: affinity, since there is one processor");
    } else {
        there_and_back(&Knob::Affinity(task), "0");
    }
}

#[test]
fn a_policy_change_keeps_nice_and_slice() {
    let child = Started::sleeper();
    let task = child.task();
    let host = RealHost::default();
    host.set(&Knob::Nice(task), "5").unwrap();
    let before = super::calls::scheduling(task.tid).unwrap();
    host.set(&Knob::Policy(task), "batch").unwrap();
    assert_eq!(host.get(&Knob::Nice(task)).unwrap(), "5");
    host.set(&Knob::Policy(task), "other").unwrap();
    assert_eq!(super::calls::scheduling(task.tid).unwrap(), before);
}

#[test]
fn a_realtime_policy_is_read_and_left_alone() {
    if !root("a real-time policy") {
        return;
    }
    let child = Started::sleeper();
    let task = child.task();
    let fifo = super::calls::Scheduling { policy: 1, priority: 1, ..Default::default() };
    super::calls::set_scheduling(task.tid, fifo).unwrap();
    let host = RealHost::default();
    assert_eq!(host.get(&Knob::Policy(task)).unwrap(), "fifo");
    assert_eq!(host.set(&Knob::Policy(task), "other").unwrap_err().kind, Kind::Invalid);
    assert_eq!(host.get(&Knob::Policy(task)).unwrap(), "fifo");
}

#[test]
fn one_thread_is_set_and_its_siblings_are_not() {
    let host = RealHost::default();
    let (done, wait) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        tell.send(rustix::thread::gettid().as_raw_nonzero().get() as u32).unwrap();
        let _ended_by_dropping = wait.recv();
    });
    let tid = told.recv().unwrap();
    let pid = std::process::id();
    let process = ProcessId { pid, start: host.start_time(&pid.to_string()).unwrap() };
    let task = |tid: u32| Task { process, tid, start: host.start_time(&format!("{pid}/task/{tid}")).unwrap() };
    let main = Knob::Nice(task(pid));
    let before = host.get(&main).unwrap();
    host.set(&Knob::Nice(task(tid)), "19").unwrap();
    assert_eq!(host.get(&Knob::Nice(task(tid))).unwrap(), "19");
    assert_eq!(host.get(&main).unwrap(), before);
    let dead = Knob::Nice(task(tid));
    drop(done);
    thread.join().unwrap();
    assert_eq!(host.get(&dead).unwrap_err().kind, Kind::Gone);
}

#[test]
fn a_descriptor_limit_goes_there_and_back() {
    let child = Started::sleeper();
    let knob = Knob::Descriptors(child.id());
    let now = RealHost::default().get(&knob).unwrap();
    let (soft, hard) = now.split_once(':').unwrap();
    let other = if soft == "512" { 256 } else { 512 };
    there_and_back(&knob, &format!("{other}:{hard}"));
    for wrong in ["512", "x:y", ""] {
        assert_eq!(RealHost::default().set(&knob, wrong).unwrap_err().kind, Kind::Invalid);
    }
    assert_eq!(RealHost::default().set(&knob, "512:256").unwrap_err().kind, Kind::Invalid, "soft above hard");
}

#[test]
fn an_autogroup_goes_there_and_back() {
    // setsid makes an autogroup of its own.
    let mut child = Started::new("exec setsid sh -c 'echo ready; exec sleep 1000'");
    child.hear();
    let knob = Knob::ProcessFile { process: child.id(), file: "autogroup".into() };
    match RealHost::default().get(&knob) {
        Err(e) if e.kind == Kind::Absent => eprintln!("skipped: {e}"),
        _ => there_and_back(&knob, "10"),
    }
}

fn all_knobs(process: ProcessId) -> Vec<Knob> {
    let task = Task { process, tid: process.pid, start: process.start };
    vec![
        Knob::Nice(task),
        Knob::Policy(task),
        Knob::Affinity(task),
        Knob::IoPriority(task),
        Knob::Descriptors(process),
        Knob::ProcessFile { process, file: "autogroup".into() },
        Knob::NetworkFile { netns: 1, through: Some(process), file: "core/somaxconn".into() },
        Knob::Backlog { process, netns: 1, port: 1 },
    ]
}

#[test]
fn nothing_of_a_dead_process_or_of_one_that_has_its_number_is_touched() {
    let mut child = Started::sleeper();
    let id = child.id();
    let reused = ProcessId { start: id.start - 1, ..id };
    let host = RealHost::default();
    let before = host.get(&Knob::Nice(child.task())).unwrap();
    let gone = |knob: &Knob| {
        for answer in [host.get(knob).map(|_| ()), host.set(knob, "19"), host.may_set(knob)] {
            assert_eq!(answer.unwrap_err().kind, Kind::Gone, "{knob:?}");
        }
    };
    all_knobs(reused).iter().for_each(gone);
    assert_eq!(host.get(&Knob::Nice(child.task())).unwrap(), before, "the process that has the number was left alone");
    child.end();
    all_knobs(id).iter().for_each(gone);
}

#[test]
fn a_file_is_written_in_one_piece_and_read_canonically() {
    let tree = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(tree.path().join("sys/vm")).unwrap();
    std::fs::write(tree.path().join("sys/vm/swappiness"), "60\n").unwrap();
    let host = RealHost::below(Roots { proc: tree.path().into(), ..Roots::default() });
    let knob = Knob::File(Place::proc("sys/vm/swappiness"));
    assert_eq!(host.get(&knob).unwrap(), "60");
    host.may_set(&knob).unwrap();
    host.set(&knob, "10").unwrap();
    assert_eq!(std::fs::read_to_string(tree.path().join("sys/vm/swappiness")).unwrap(), "10\n");
    let missing = Knob::File(Place::proc("sys/vm/none"));
    for answer in [host.get(&missing).map(|_| ()), host.set(&missing, "1"), host.may_set(&missing)] {
        assert_eq!(answer.unwrap_err().kind, Kind::Absent);
    }
    assert!(!tree.path().join("sys/vm/none").exists(), "nothing is created");
    assert_eq!(host.set(&Knob::File(Place::top("tmp/x")), "1").unwrap_err().kind, Kind::Invalid);
}

#[test]
fn what_the_kernel_does_not_take_is_invalid_and_changes_nothing() {
    if !root("writing vm.swappiness") {
        return;
    }
    let host = RealHost::default();
    let knob = Knob::File(Place::proc("sys/vm/swappiness"));
    let before = host.get(&knob).unwrap();
    let error = host.set(&knob, "201").unwrap_err();
    assert_eq!((error.kind, error.errno), (Kind::Invalid, Some("EINVAL")));
    assert_eq!(host.get(&knob).unwrap(), before);
}

#[test]
fn a_cgroup_file_goes_there_and_back_and_a_new_one_of_its_path_is_another() {
    let top = "/sys/fs/cgroup/cpu";
    let path = format!("{top}/trimtab-test-{}", std::process::id());
    if !root("making a cgroup") || std::fs::create_dir(&path).is_err() {
        eprintln!("skipped: no cgroup v1 cpu controller to make one in");
        return;
    }
    let host = RealHost::default();
    let directory = Place::sys(path.trim_start_matches("/sys/"));
    let knob = Knob::CgroupFile { inode: host.inode(&directory).unwrap(), directory, file: "cpu.shares".into() };
    there_and_back(&knob, "512");
    std::fs::remove_dir(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let answers = [host.get(&knob).map(|_| ()), host.set(&knob, "512"), host.may_set(&knob)];
    let shares = std::fs::read_to_string(format!("{path}/cpu.shares")).unwrap();
    std::fs::remove_dir(&path).unwrap();
    assert_eq!(answers.map(|a| a.unwrap_err().kind), [Kind::Gone; 3]);
    assert_eq!(shares.trim(), "1024");
}

#[test]
fn another_network_namespace_is_read_and_written_without_leaving_ours() {
    if !root("a network namespace") {
        return;
    }
    let mut child = Started::new("exec unshare -n sh -c 'echo ready; exec sleep 1000'");
    if child.hear() != "ready" {
        eprintln!("skipped: no unshare, or no right to make a namespace");
        return;
    }
    let host = RealHost::default();
    let process = child.id();
    let inode = |directory: &str| host.inode(&Place::proc(format!("{directory}/ns/net"))).unwrap();
    let (theirs, own) = (inode(&process.pid.to_string()), inode("self"));
    assert_ne!(theirs, own);
    let knob = |netns, through| Knob::NetworkFile { netns, through, file: "core/somaxconn".into() };
    let before = host.get(&knob(own, None)).unwrap();
    let wanted = if before == "777" { "778" } else { "777" };
    there_and_back(&knob(theirs, Some(process)), wanted);
    host.set(&knob(theirs, Some(process)), wanted).unwrap();
    assert_eq!(host.get(&knob(own, None)).unwrap(), before, "ours is as it was");
    assert_eq!(inode("thread-self"), own);
    assert_eq!(host.get(&knob(theirs, None)).unwrap_err().kind, Kind::Gone, "ours is not that one");
    assert_eq!(host.get(&knob(theirs + 1, Some(process))).unwrap_err().kind, Kind::Gone, "the process is not in that one");
    assert_eq!(host.listeners(theirs, Some(process)).unwrap(), []);
}

const SERVER: &str = r#"
import signal, socket, sys, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(5)
def again(*_):
    s.listen(9); print("again", flush=True)
if sys.argv[1] == "takes": signal.signal(signal.SIGHUP, again)
print(s.getsockname()[1], flush=True)
while True: time.sleep(1000)
"#;

fn server(hangup: &str) -> Option<(Started, Knob)> {
    let spawned = Command::new("python3").args(["-c", SERVER, hangup]).stdout(Stdio::piped()).spawn();
    let Ok(child) = spawned else {
        eprintln!("skipped: no python3");
        return None;
    };
    let mut child = Started(child);
    let port = child.hear().parse().unwrap();
    let netns = RealHost::default().inode(&Place::proc("self/ns/net")).unwrap();
    let knob = Knob::Backlog { process: child.id(), netns, port };
    Some((child, knob))
}

#[test]
fn a_backlog_follows_a_listener_that_listens_again() {
    let host = RealHost::default();
    let Some((mut child, knob)) = server("takes") else { return };
    assert_eq!(host.get(&knob).unwrap(), "5");
    host.may_set(&knob).unwrap();
    host.set(&knob, "9").unwrap();
    assert_eq!(child.hear(), "again");
    assert_eq!(host.get(&knob).unwrap(), "9");
}

#[test]
fn a_program_that_a_hangup_would_end_gets_none() {
    let host = RealHost::default();
    let Some((mut child, knob)) = server("dies") else { return };
    for answer in [host.may_set(&knob), host.set(&knob, "9")] {
        let error = answer.unwrap_err();
        assert!(error.kind == Kind::Invalid && error.source.contains("SIGHUP"), "{error}");
    }
    assert!(child.0.try_wait().unwrap().is_none(), "it lives");
    assert_eq!(host.get(&knob).unwrap(), "5");
}
