//! May a knob be set, and set back? Told without writing, from the kernel's own rules: capabilities(7), setpriority(2),
//! sched(7) ("Privileges and resource limits"), ioprio_set(2), prlimit(2), access(2).

use super::{
    RealHost, custom,
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
const ADMIN: &str = "CAP_SYS_ADMIN";
const RESOURCE: &str = "CAP_SYS_RESOURCE";

/// What writing a file knob needs, in words.
pub(super) fn of_file(knob: &Knob) -> &'static str {
    match knob {
        Knob::NetworkFile { .. } => "CAP_NET_ADMIN or root in its namespace",
        Knob::File(place) if place.path.starts_with("sys/") => "root",
        Knob::ProcessFile { file, .. } if file == "oom_score_adj" => "the process's user or root (to lower it: CAP_SYS_RESOURCE)",
        Knob::ProcessFile { .. } => "the process's user or root (below nice 0: CAP_SYS_NICE)",
        _ => "its owner or CAP_DAC_OVERRIDE",
    }
}

/// A file: it is there and the kernel would let us write it.
pub(super) fn file(host: &RealHost, knob: &Knob, place: &Place) -> Touch<()> {
    accessat(CWD, host.path(place), Access::WRITE_OK, AtFlags::EACCESS)
        .map_err(|e| HostError::new("write", knob, &e.into()).needing(of_file(knob)))?;
    match knob {
        Knob::ProcessFile { process, file } if file == "autogroup" => autogroup(host, knob, *process),
        Knob::File(place) if place.path.starts_with("irq/") => interrupt(host, knob, place),
        _ => Ok(()),
    }
}

/// An interrupt that the kernel manages has a file that nobody may write: root passes its mode, and gets EIO.
fn interrupt(host: &RealHost, knob: &Knob, place: &Place) -> Touch<()> {
    let meta = std::fs::metadata(host.path(place)).map_err(|e| HostError::new("stat", knob, &e))?;
    if std::os::unix::fs::PermissionsExt::mode(&meta.permissions()) & 0o222 != 0 {
        return Ok(());
    }
    Err(HostError::new("write", knob, &std::io::Error::from_raw_os_error(libc::EIO)))
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
            signal(knob, *process)
        }
        Knob::Custom(program) => custom::may_run(host, knob, program),
        Knob::Signal(process) | Knob::Run(process) => signal(knob, *process),
        Knob::Log(place) => accessat(CWD, host.path(place), Access::WRITE_OK, AtFlags::EACCESS)
            .map_err(|e| HostError::new("write", knob, &e.into()).needing("root")),
        Knob::WakeLatency { .. } => super::wake::may_set(host, knob),
        Knob::Mount { .. } if ours(host)?.holds(ADMIN) => Ok(()),
        Knob::Mount { .. } => Err(lacking(knob, "EPERM", format!("it is not ours: needs {ADMIN}"))),
        file => Err(HostError::plain("write", file, Kind::Invalid, "it is a file")),
    }
}

fn signal(knob: &Knob, process: ProcessId) -> Touch<()> {
    let asked = pid_of(process).and_then(|pid| Ok(rustix::process::test_kill_process(pid)?));
    asked.map_err(|e| HostError::new("signal", knob, &e).needing("CAP_KILL"))
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

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::real::{Roots, knobs::may_set};
    use tempfile::TempDir;

    /// A tree of our own process, told to belong to somebody, in which we are told to be user 1000 with these capabilities.
    struct Told(TempDir, RealHost);

    const NO_RIGHTS: u64 = 0;
    const WITH_NICE: u64 = 1 << 23;
    const WITH_RESOURCE: u64 = 1 << 24;

    impl Told {
        fn new(ours: u64, its_uid: u32) -> Told {
            let tree = tempfile::tempdir().unwrap();
            let host = RealHost::below(Roots { proc: tree.path().into(), ..Roots::default() });
            let told = Told(tree, host);
            let pid = std::process::id();
            let stat = format!("{pid} (x) S 1 1 1 0 -1 0 1 0 0 0 5 6 0 0 20 0 1 0 100 1000 10\n");
            let status =
                |uid, capabilities| format!("Uid:\t{uid}\t{uid}\t{uid}\t{uid}\nGid:\t7\t7\t7\t7\nCapEff:\t{capabilities:016x}\n");
            told.put("self/status", &status(1000, ours));
            for directory in [pid.to_string(), format!("{pid}/task/{pid}")] {
                told.put(&format!("{directory}/stat"), &stat);
                told.put(&format!("{directory}/status"), &status(its_uid, NO_RIGHTS));
            }
            told.reach(0);
            told.autogroup(0);
            told
        }

        fn put(&self, path: &str, content: &str) {
            let path = self.0.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }

        fn reach(&self, nice: u32) {
            let limits = format!("Limit   Soft Limit  Hard Limit  Units\nMax nice priority         {nice}    {nice}   \n");
            self.put(&format!("{}/limits", std::process::id()), &limits);
        }

        fn autogroup(&self, nice: i32) {
            self.put(&format!("{}/autogroup", std::process::id()), &format!("/autogroup-1 nice {nice}\n"));
        }

        fn answer(&self, knob: fn(Task) -> Knob) -> Result<(), String> {
            let process = ProcessId { pid: std::process::id(), start: 100 };
            may_set(&self.1, &knob(Task { process, tid: process.pid, start: 100 })).map_err(|e| {
                assert!(e.kind == Kind::Denied && e.errno.is_some(), "{e:?}");
                e.source
            })
        }
    }

    fn limit_of(task: Task) -> Knob {
        Knob::Descriptors(task.process)
    }

    fn autogroup_of(task: Task) -> Knob {
        Knob::ProcessFile { process: task.process, file: "autogroup".into() }
    }

    #[test]
    fn threads_of_others_need_the_capability() {
        for knob in [Knob::Nice as fn(Task) -> Knob, Knob::Policy, Knob::Affinity] {
            assert_eq!(Told::new(NO_RIGHTS, 33).answer(knob).unwrap_err(), "it belongs to user 33: needs CAP_SYS_NICE");
            assert_eq!(Told::new(WITH_NICE, 33).answer(knob), Ok(()));
        }
    }

    #[test]
    fn a_priority_of_ours_that_could_not_be_raised_back_is_not_lowered() {
        let told = Told::new(NO_RIGHTS, 1000);
        for knob in [Knob::Nice as fn(Task) -> Knob, Knob::Policy] {
            assert!(told.answer(knob).unwrap_err().starts_with("could not be undone without CAP_SYS_NICE"));
        }
        assert_eq!(told.answer(Knob::Affinity), Ok(()), "a mask can always be put back");
        told.reach(40);
        assert_eq!((told.answer(Knob::Nice), told.answer(Knob::Policy)), (Ok(()), Ok(())));
    }

    #[test]
    fn an_autogroup_below_zero_could_not_be_put_back() {
        let told = Told::new(NO_RIGHTS, 1000);
        assert_eq!(told.answer(autogroup_of), Ok(()));
        told.autogroup(-5);
        assert!(told.answer(autogroup_of).unwrap_err().contains("CAP_SYS_NICE"));
    }

    #[test]
    fn limits_of_others_need_the_capability() {
        assert_eq!(Told::new(NO_RIGHTS, 1000).answer(limit_of), Ok(()));
        let denied = Told::new(WITH_NICE, 33).answer(limit_of).unwrap_err();
        assert_eq!(denied, "it runs as user 33 (group 7): needs CAP_SYS_RESOURCE");
        assert_eq!(Told::new(WITH_RESOURCE, 33).answer(limit_of), Ok(()));
    }
}
