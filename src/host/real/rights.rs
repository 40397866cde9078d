//! May a knob be set, and set back? Told without writing, from the kernel's own rules: capabilities(7), setpriority(2),
//! sched(7) ("Privileges and resource limits"), ioprio_set(2), prlimit(2), access(2).

use super::{
    RealHost,
    knobs::{limit, pid_of, takes_sighup},
    status::Status,
    threads,
};
use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::{Knob, Place, Task},
        subject::ProcessId,
    },
};
use rustix::fs::{Access, AtFlags, CWD, accessat};

const NICE: &str = "CAP_SYS_NICE";
const RESOURCE: &str = "CAP_SYS_RESOURCE";

/// What writing a file knob needs, in words.
pub(super) fn of_file(knob: &Knob) -> &'static str {
    match knob {
        Knob::NetworkFile { .. } => "CAP_NET_ADMIN or root in its namespace",
        Knob::File(place) if place.path.starts_with("sys/") => "root",
        Knob::ProcessFile { .. } => "the process's user or root (below nice 0: CAP_SYS_NICE)",
        _ => "the file's owner or CAP_DAC_OVERRIDE",
    }
}

/// A file: it is there and the kernel would let us write it.
pub(super) fn file(host: &RealHost, knob: &Knob, place: &Place) -> Touch<()> {
    accessat(CWD, host.path(place), Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|e| HostError::new("write", knob, &e.into()).needing(of_file(knob)))?;
    match knob {
        Knob::ProcessFile { process, file } if file == "autogroup" => autogroup(host, knob, *process),
        _ => Ok(()),
    }
}

/// A knob behind a call.
pub(super) fn process(host: &RealHost, knob: &Knob) -> Touch<()> {
    match knob {
        Knob::Nice(task) | Knob::Policy(task) => priority(host, knob, *task),
        Knob::Affinity(task) => thread(host, knob, *task).map(|_| ()),
        Knob::IoPriority(task) => io_priority(host, knob, *task),
        Knob::Descriptors(process) => descriptors(host, knob, *process),
        Knob::Backlog { process, .. } => {
            takes_sighup(host, knob, *process)?;
            let asked = pid_of(*process).and_then(|pid| Ok(rustix::process::test_kill_process(pid)?));
            asked.map_err(|e| HostError::new("signal", knob, &e).needing("CAP_KILL"))
        }
        file => Err(HostError::plain("write", file, Kind::Invalid, "it is a file")),
    }
}

fn lacking(knob: &Knob, errno: &'static str, why: String) -> HostError {
    HostError { errno: Some(errno), ..HostError::plain("write", knob, Kind::Denied, why) }
}

fn ours(host: &RealHost) -> Touch<Status> {
    Status::read(host, "self")
}

/// Our user's thread, or with the capability anybody's. Gives our own status for further questions.
fn thread(host: &RealHost, knob: &Knob, task: Task) -> Touch<Status> {
    let own = ours(host)?;
    if own.holds(NICE) {
        return Ok(own);
    }
    let its = Status::read(host, &format!("{}/task/{}", task.process.pid, task.tid))?;
    let [_, we, _] = own.uids;
    let [real, effective, _] = its.uids;
    if we == real || we == effective {
        return Ok(own);
    }
    Err(lacking(knob, "EPERM", format!("it belongs to user {real}: needs {NICE}")))
}

/// Lowering a priority is everybody's right on his own threads, raising it back is not: without the capability, RLIMIT_NICE must reach
/// to where the thread is now (20 - nice). Leaving the idle policy is bound to the same limit.
fn priority(host: &RealHost, knob: &Knob, task: Task) -> Touch<()> {
    let own = thread(host, knob, task)?;
    if own.holds(NICE) {
        return Ok(());
    }
    let nice = threads::nice(task.tid).map_err(|e| HostError::new("read", knob, &e))?;
    let (soft, _) = limit(host, task.process, "Max nice priority")?;
    let reach = soft.parse::<i64>().unwrap_or(if soft == "unlimited" { 40 } else { 0 });
    if 20 - i64::from(nice) <= reach {
        return Ok(());
    }
    Err(lacking(knob, "EACCES", format!("could not be undone without {NICE} (or RLIMIT_NICE of {} for it)", 20 - nice)))
}

fn io_priority(host: &RealHost, knob: &Knob, task: Task) -> Touch<()> {
    let own = thread(host, knob, task)?;
    if threads::get(knob)?.starts_with("realtime") && !own.holds(NICE) && !own.holds("CAP_SYS_ADMIN") {
        return Err(lacking(
            knob,
            "EPERM",
            format!("could not be undone without {NICE} or CAP_SYS_ADMIN, since it is realtime now"),
        ));
    }
    Ok(())
}

fn descriptors(host: &RealHost, knob: &Knob, process: ProcessId) -> Touch<()> {
    let own = ours(host)?;
    if own.holds(RESOURCE) {
        return Ok(());
    }
    let its = Status::read(host, &process.pid.to_string())?;
    if its.uids == [own.uids[0]; 3] && its.gids == [own.gids[0]; 3] {
        return Ok(());
    }
    Err(lacking(knob, "EPERM", format!("it runs as user {} (group {}): needs {RESOURCE}", its.uids[0], its.gids[0])))
}

/// Below nice 0 an autogroup cannot be put back to where it is without the capability.
fn autogroup(host: &RealHost, knob: &Knob, process: ProcessId) -> Touch<()> {
    let nice: i32 = host.get(knob)?.parse().unwrap_or(0);
    if nice >= 0 || ours(host)?.holds(NICE) {
        return Ok(());
    }
    Err(lacking(knob, "EPERM", format!("nice {nice} of the group of {} could not be undone without {NICE}", process.pid)))
}
