//! Is the target of a knob still the one that was meant? A pid, a thread id and a cgroup path are used again by others.
//!
//! A process or thread is its id with its start time (proc_pid_stat(5), field 22), a cgroup is its path with its inode.

use crate::{
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
        mounts,
    },
    model::{
        knob::{Knob, Place, Task},
        subject::ProcessId,
    },
};

/// Ok when the knob's target is alive and the same; [`Kind::Gone`] when it ended or its name belongs to another one now.
pub(crate) fn check(host: &dyn Host, knob: &Knob) -> Touch<()> {
    match knob {
        Knob::Nice(t) | Knob::Policy(t) | Knob::Affinity(t) | Knob::IoPriority(t) => thread(host, *t),
        Knob::ProcessFile { process: id, .. }
        | Knob::Descriptors(id)
        | Knob::Signal(id)
        | Knob::Run(id)
        | Knob::WakeLatency { holder: id }
        | Knob::Backlog { process: id, .. }
        | Knob::NetworkFile { through: Some(id), .. } => process(host, *id),
        Knob::CgroupFile { directory, inode, .. } | Knob::CgroupDevice { directory, inode, .. } => match host.inode(directory) {
            Ok(now) if now == *inode => Ok(()),
            Ok(_) => Err(gone(directory.to_string(), "the cgroup was removed and made anew")),
            Err(e) => Err(ended(e, directory.to_string())),
        },
        Knob::Mount { at, number } => {
            let text = host.text(&Place::proc("self/mountinfo"))?;
            match mounts::options(&text, at) {
                Some((found, _)) if found == *number => Ok(()),
                Some(_) => Err(gone(at.clone(), "something else is mounted there now")),
                None => Err(gone(at.clone(), "it is not mounted any more")),
            }
        }
        // A unit is its name, which systemd itself is asked for.
        Knob::File(_)
        | Knob::Log(_)
        | Knob::Custom(_)
        | Knob::NetworkFile { through: None, .. }
        | Knob::UnitProperty { .. }
        | Knob::Document(_) => Ok(()),
    }
}

fn process(host: &dyn Host, id: ProcessId) -> Touch<()> {
    same(host.start_time(&id.pid.to_string()), id.start, || format!("process {}", id.pid))
}

fn thread(host: &dyn Host, task: Task) -> Touch<()> {
    process(host, task.process)?;
    let directory = format!("{}/task/{}", task.process.pid, task.tid);
    same(host.start_time(&directory), task.start, || format!("thread {}", task.tid))
}

fn same(found: Touch<u64>, meant: u64, spot: impl Fn() -> String) -> Touch<()> {
    match found {
        Ok(start) if start == meant => Ok(()),
        Ok(_) => Err(gone(spot(), "it has ended, and another one has its number now")),
        Err(e) => Err(ended(e, spot())),
    }
}

fn ended(error: HostError, spot: String) -> HostError {
    match error.kind {
        Kind::Absent | Kind::Gone => gone(spot, "it has ended"),
        _ => error,
    }
}

fn gone(spot: String, why: &str) -> HostError {
    HostError::plain("find", spot, Kind::Gone, why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn stat(pid: u32, start: u64) -> String {
        format!("{pid} (a) b) S 1 {pid} {pid} 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 {start} 1000 10\n")
    }

    #[test]
    fn a_reused_pid_and_a_dead_thread_are_gone() {
        let host = RecordedHost::default();
        host.put("/proc/7/stat", &stat(7, 100));
        host.put("/proc/7/task/8/stat", &stat(8, 101));
        let (alive, reused) = (ProcessId { pid: 7, start: 100 }, ProcessId { pid: 7, start: 99 });
        let nice = |process, tid, start| Knob::Nice(Task { process, tid, start });
        let kind = |knob: &Knob| check(&host, knob).err().map(|e| e.kind);
        assert_eq!(kind(&Knob::Descriptors(alive)), None);
        assert_eq!(kind(&nice(alive, 8, 101)), None);
        for knob in [Knob::Descriptors(reused), nice(alive, 8, 102), nice(alive, 9, 101), nice(reused, 8, 101)] {
            assert_eq!(kind(&knob), Some(Kind::Gone), "{knob}");
        }
    }

    #[test]
    fn a_cgroup_of_the_same_path_made_anew_is_gone() {
        let host = RecordedHost::default();
        host.put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
        let directory = Place::sys("fs/cgroup/a");
        let inode = host.inode(&directory).unwrap();
        let knob = |inode| Knob::CgroupFile { directory: directory.clone(), inode, file: "cpu.max".into() };
        assert!(check(&host, &knob(inode)).is_ok());
        assert_eq!(check(&host, &knob(inode + 1)).unwrap_err().kind, Kind::Gone);
        host.remove("/sys/fs/cgroup/a");
        assert_eq!(check(&host, &knob(inode)).unwrap_err().kind, Kind::Gone);
    }

    #[test]
    fn another_device_at_the_same_mount_point_is_another_mount() {
        let host = RecordedHost::default();
        host.put("/proc/self/mountinfo", "43 27 7:0 / /data rw,relatime - ext4 /dev/loop0 rw\n");
        let knob = |number| Knob::Mount { at: "/data".into(), number };
        assert!(check(&host, &knob((7, 0))).is_ok());
        assert_eq!(check(&host, &knob((7, 1))).unwrap_err().kind, Kind::Gone);
        host.put("/proc/self/mountinfo", "");
        assert_eq!(check(&host, &knob((7, 0))).unwrap_err().kind, Kind::Gone);
    }
}
