//! Threads and sessions: nice, policy, affinity and I/O priority belong to a thread, never to the process (setpriority(2)), so
//! every one of them is a target of its own, with its own start time.

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        knob::{Place, Task},
        subject::ProcessId,
    },
};

/// What `/proc/PID/stat` says of a process (proc(5)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Who: pid and start time.
    pub id: ProcessId,
    /// `comm`, as the kernel has it.
    pub comm: String,
    /// Session.
    pub session: u32,
    /// `PF_KTHREAD` is set.
    pub kernel: bool,
}

/// Reads the stat of the process with that pid now.
pub fn stat(host: &dyn Host, pid: u32) -> Touch<Stat> {
    let place = Place::proc(format!("{pid}/stat"));
    let text = host.text(&place).map_err(|e| if e.kind == Kind::Absent { HostError { kind: Kind::Gone, ..e } } else { e })?;
    parse(pid, &text).ok_or_else(|| HostError::plain("read", &place, Kind::Other, "not in the form of proc(5)"))
}

/// Reads the stat of that very process; [`Kind::Gone`] when its pid belongs to another one now.
pub fn same(host: &dyn Host, process: ProcessId) -> Touch<Stat> {
    let found = stat(host, process.pid)?;
    if found.id == process {
        return Ok(found);
    }
    Err(HostError::plain("find", format!("process {}", process.pid), Kind::Gone, "it has ended, its pid is another's now"))
}

fn parse(pid: u32, text: &str) -> Option<Stat> {
    const PF_KTHREAD: u64 = 0x0020_0000;
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let comm = text.get(open + 1..close)?.to_string();
    let fields: Vec<&str> = text.get(close + 1..)?.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    Some(Stat {
        id: ProcessId { pid, start: number(22)? },
        comm,
        session: u32::try_from(number(6)?).ok()?,
        kernel: number(9)? & PF_KTHREAD != 0,
    })
}

/// Every thread of that very process, in order of thread id. Those that end meanwhile are left out.
pub fn tasks(host: &dyn Host, process: ProcessId) -> Touch<Vec<Task>> {
    same(host, process)?;
    let mut tids: Vec<u32> = numbers(host, &Place::proc(format!("{}/task", process.pid)))?;
    tids.sort_unstable();
    let start = |tid: &u32| host.start_time(&format!("{}/task/{tid}", process.pid)).ok().map(|start| (*tid, start));
    Ok(tids.iter().filter_map(start).map(|(tid, start)| Task { process, tid, start }).collect())
}

/// Every process of a session.
pub fn session(host: &dyn Host, session: u32) -> Touch<Vec<Stat>> {
    let mut all: Vec<Stat> = numbers(host, &Place::proc(""))?.iter().filter_map(|pid| stat(host, *pid).ok()).collect();
    all.retain(|process| process.session == session);
    all.sort_unstable_by_key(|process| process.id);
    Ok(all)
}

fn numbers(host: &dyn Host, directory: &Place) -> Touch<Vec<u32>> {
    let mut names = Vec::new();
    host.list(directory, &mut names)?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    const STAT: &str = "7 (a) b) S 1 7 5 0 -1 2097152 0 0 0 0 1 2 0 0 20 0 2 0 99 0 0\n";

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let found = parse(7, STAT).unwrap();
        assert_eq!(found, Stat { id: ProcessId { pid: 7, start: 99 }, comm: "a) b".into(), session: 5, kernel: true });
    }

    #[test]
    fn a_pid_used_again_is_not_that_process() {
        let host = RecordedHost::default();
        host.put("/proc/7/stat", STAT);
        host.put("/proc/7/task/7/stat", STAT);
        let tasks = |start| tasks(&host, ProcessId { pid: 7, start });
        assert_eq!(tasks(99).unwrap().len(), 1);
        assert_eq!(tasks(98).unwrap_err().kind, Kind::Gone);
    }
}
