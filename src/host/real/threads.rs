//! Knobs of one thread: nice, policy, affinity, I/O priority. Each call takes a thread id and touches that thread alone
//! (setpriority(2), "C library/kernel differences"; sched_setattr(2); sched_setaffinity(2); ioprio_set(2)).

use super::calls::{self, Scheduling};
use crate::{
    host::{
        canonical::{parse_cpus, show_cpus},
        error::{HostError, Kind},
        host::Touch,
    },
    model::knob::Knob,
};
use rustix::{
    process::Pid,
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
};
use std::io;

/// What a thread's knobs need for threads of others.
pub(super) const RIGHTS: &str = "CAP_SYS_NICE";

/// Reads one; `knob` names the spot in errors.
pub(super) fn get(knob: &Knob) -> Touch<String> {
    let read = |found: io::Result<String>| found.map_err(|e| HostError::new("read", knob, &e));
    match knob {
        Knob::Nice(t) => read(nice(t.tid).map(|nice| nice.to_string())),
        Knob::Policy(t) => read(calls::scheduling(t.tid).map(|found| show_policy(&found))),
        Knob::Affinity(t) => read(affinity(t.tid)),
        Knob::IoPriority(t) => read(calls::io_priority(t.tid).map(show_io_priority)),
        other => Err(HostError::plain("read", other, Kind::Invalid, "it is no knob of a thread")),
    }
}

/// Sets one.
pub(super) fn set(knob: &Knob, value: &str) -> Touch<()> {
    let wrote = |done: io::Result<()>| done.map_err(|e| HostError::new("write", knob, &e).needing(RIGHTS));
    let understood = |parsed: Option<u16>| parsed.ok_or_else(|| invalid(knob, value));
    match knob {
        Knob::Nice(t) => {
            let nice = value.parse().ok().filter(|nice| (-20..20).contains(nice)).ok_or_else(|| invalid(knob, value))?;
            wrote(pid(t.tid).and_then(|tid| Ok(rustix::process::setpriority_process(tid, nice)?)))
        }
        Knob::Policy(t) => set_policy(knob, t.tid, value),
        Knob::Affinity(t) => {
            let cpus = cpu_set(value).ok_or_else(|| invalid(knob, value))?;
            wrote(pid(t.tid).and_then(|tid| Ok(sched_setaffinity(tid, &cpus)?)))
        }
        Knob::IoPriority(t) => {
            let priority = understood(parse_io_priority(value))?;
            let rights = if priority >> CLASS_SHIFT == REALTIME { "CAP_SYS_NICE or CAP_SYS_ADMIN" } else { RIGHTS };
            calls::set_io_priority(t.tid, priority).map_err(|e| HostError::new("write", knob, &e).needing(rights))
        }
        other => Err(HostError::plain("write", other, Kind::Invalid, "it is no knob of a thread")),
    }
}

fn invalid(knob: &Knob, value: &str) -> HostError {
    HostError::plain("write", knob, Kind::Invalid, format!("\"{value}\" is no value of it"))
}

/// A thread id as rustix wants it; 0 would mean the calling thread and is refused.
fn pid(tid: u32) -> io::Result<Option<Pid>> {
    let found = i32::try_from(tid).ok().and_then(Pid::from_raw);
    found.map(Some).ok_or_else(|| io::Error::from_raw_os_error(libc::ESRCH))
}

/// Nice of a thread.
pub(super) fn nice(tid: u32) -> io::Result<i32> {
    Ok(rustix::process::getpriority_process(pid(tid)?)?)
}

const RESET_ON_FORK: u64 = 1;
const POLICIES: [(u32, &str); 7] = [(0, "other"), (1, "fifo"), (2, "rr"), (3, "batch"), (5, "idle"), (6, "deadline"), (7, "ext")];

fn show_policy(found: &Scheduling) -> String {
    let known = POLICIES.iter().find(|(number, _)| *number == found.policy);
    let name = known.map_or_else(|| format!("policy {}", found.policy), |(_, name)| (*name).into());
    if found.flags & RESET_ON_FORK == 0 { name } else { name + "+reset" }
}

/// The policy and flags of `other`, `batch` or `idle`, with or without `+reset`. Real-time ones are not ours to set.
fn parse_policy(value: &str) -> Option<(u32, u64)> {
    let (name, flags) = value.strip_suffix("+reset").map_or((value, 0), |name| (name, RESET_ON_FORK));
    let fair = POLICIES.iter().find(|(_, known)| *known == name).filter(|(number, _)| is_fair(*number));
    fair.map(|(number, _)| (*number, flags))
}

fn is_fair(policy: u32) -> bool {
    matches!(policy, 0 | 3 | 5)
}

fn set_policy(knob: &Knob, tid: u32, value: &str) -> Touch<()> {
    let (policy, flags) = parse_policy(value).ok_or_else(|| invalid(knob, value))?;
    let now = calls::scheduling(tid).map_err(|e| HostError::new("read", knob, &e))?;
    if !is_fair(now.policy) {
        let why = format!("it has the policy {}, which trimtab leaves alone", show_policy(&now));
        return Err(HostError::plain("write", knob, Kind::Invalid, why));
    }
    // Since Linux 6.12 `runtime` of a fair thread is its time slice, and giving one pins it. Only a slice that somebody chose, one that
    // is not the usual one as our own thread has it, is given back.
    let usual = calls::scheduling(0).map_or(0, |own| own.runtime);
    let runtime = if now.runtime == usual { 0 } else { now.runtime };
    let wanted = Scheduling { policy, flags, nice: now.nice, runtime, ..Scheduling::default() };
    calls::set_scheduling(tid, wanted).map_err(|e| HostError::new("write", knob, &e).needing(RIGHTS))
}

fn affinity(tid: u32) -> io::Result<String> {
    let set = sched_getaffinity(pid(tid)?)?;
    Ok(show_cpus((0..=MOST_CPUS).filter(|cpu| set.is_set(*cpu as usize))))
}

const MOST_CPUS: u32 = CpuSet::MAX_CPU as u32 - 1;

fn cpu_set(list: &str) -> Option<CpuSet> {
    let cpus = parse_cpus(list, MOST_CPUS).filter(|cpus| !cpus.is_empty())?;
    let mut set = CpuSet::new();
    cpus.into_iter().for_each(|cpu| set.set(cpu as usize));
    Some(set)
}

const CLASS_SHIFT: u16 = 13;
const REALTIME: u16 = 1;
const BEST_EFFORT: u16 = 2;
const IDLE: u16 = 3;

/// The bits between class and level are hints of Linux 6.5 and no part of the priority.
fn show_io_priority(raw: u16) -> String {
    match (raw >> CLASS_SHIFT, raw & 7) {
        (REALTIME, level) => format!("realtime {level}"),
        (BEST_EFFORT, level) => format!("best-effort {level}"),
        (IDLE, _) => "idle".into(),
        _ => "none".into(),
    }
}

fn parse_io_priority(value: &str) -> Option<u16> {
    let (class, level) = match value.split_once(' ') {
        None if value == "none" => (0, 0),
        None if value == "idle" => (IDLE, 0),
        Some(("realtime", level)) => (REALTIME, level.parse().ok()?),
        Some(("best-effort", level)) => (BEST_EFFORT, level.parse().ok()?),
        _ => return None,
    };
    (level < 8).then_some(class << CLASS_SHIFT | level)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn io_priorities_are_read_and_written_alike() {
        let all = (0..8).flat_map(|n| [format!("realtime {n}"), format!("best-effort {n}")]);
        for text in all.chain(["none".into(), "idle".into()]) {
            assert_eq!(show_io_priority(parse_io_priority(&text).unwrap()), text);
        }
        assert_eq!(show_io_priority(2 << 13 | 1 << 3 | 4), "best-effort 4", "hint bits are not the level");
        assert_eq!(show_io_priority(3 << 13 | 7), "idle");
        for wrong in ["", "best-effort", "best-effort 8", "idle 1", "none 4", "best-effort -1"] {
            assert_eq!(parse_io_priority(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_fair_policies_can_be_set() {
        assert_eq!(parse_policy("other"), Some((0, 0)));
        assert_eq!(parse_policy("batch+reset"), Some((3, 1)));
        assert_eq!(parse_policy("idle"), Some((5, 0)));
        for wrong in ["fifo", "rr", "deadline", "ext", "", "+reset", "idle+reset+reset"] {
            assert_eq!(parse_policy(wrong), None, "{wrong}");
        }
        let shown = |policy, flags| show_policy(&Scheduling { policy, flags, ..Scheduling::default() });
        assert_eq!(shown(3, 1), "batch+reset");
        assert_eq!(shown(1, 0), "fifo");
        assert_eq!(shown(9, 0), "policy 9");
    }

    #[test]
    fn no_processor_at_all_is_refused() {
        assert!(cpu_set("").is_none());
        assert!(cpu_set("0-3").unwrap().is_set(3));
    }
}
