//! A close look at one process, taken on demand: what is too dear, or needs too many rights, to be read of every process each second.
//!
//! The environment is not in it: it holds secrets.

use crate::model::{
    sample::Policy,
    subject::ProcessId,
    time::{Now, Wall},
    unit::Unit,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A part of an inspection, or in words why it is missing and what would allow it.
pub type Part<T> = Result<T, Arc<str>>;

/// Everything about one process. Rates are over [`Inspection::window`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Inspection {
    /// Who, checked before and after the reading.
    pub id: ProcessId,
    /// When.
    pub at: Now,
    /// Seconds between the two readings that rates are made of.
    pub window: f64,
    /// `comm`, cleaned.
    pub name: Arc<str>,
    /// State letter of the main thread.
    pub state: char,
    /// The whole command line with blanks between arguments, cleaned; empty for a kernel thread.
    pub command: Part<Arc<str>>,
    /// Its program.
    pub exe: Part<Arc<str>>,
    /// Its working directory.
    pub cwd: Part<Arc<str>>,
    /// Its root directory.
    pub root: Part<Arc<str>>,
    /// When it started.
    pub started: Option<Wall>,
    /// User and group ids.
    pub owner: Part<Owner>,
    /// Controllers and path of each control group hierarchy.
    pub cgroups: Part<Vec<(Arc<str>, Arc<str>)>>,
    /// What it waits for, all threads together.
    pub waits: Waits,
    /// Its threads, busiest and most waiting first, at most [`MOST_THREADS`].
    pub threads: Part<Vec<Thread>>,
    /// How many there are.
    pub thread_count: u32,
    /// Its memory as `status` counts it.
    pub memory: Part<StatusMemory>,
    /// Its memory as its mappings tell (`smaps_rollup`).
    pub mapped: Part<MappedMemory>,
    /// What it reads and writes.
    pub io: Part<Moved>,
    /// Its limits.
    pub limits: Part<Vec<Limit>>,
    /// Its open files.
    pub files: Part<Files>,
    /// Its sockets, at most [`MOST_SOCKETS`].
    pub sockets: Part<Vec<Socket>>,
    /// Its namespaces.
    pub namespaces: Part<Vec<Namespace>>,
    /// How likely it is killed for want of memory: the kernel's score (0 to 2000), and the operator's adjustment (-1000 to 1000).
    pub oom: Part<(i32, i32)>,
    /// What it may do.
    pub rights: Part<Privileges>,
}

/// Threads that are listed at most.
pub const MOST_THREADS: usize = 256;
/// Open paths that are listed at most.
pub const MOST_PATHS: usize = 20;
/// Sockets that are listed at most.
pub const MOST_SOCKETS: usize = 20;

/// Ids: real, effective, saved, filesystem.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// User ids.
    pub uids: [u32; 4],
    /// Group ids.
    pub gids: [u32; 4],
}

/// What a process waits for, in seconds per second summed over its threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Waits {
    /// Runnable but waiting for a cpu (`schedstat`).
    pub cpu: Option<f64>,
    /// Blocked on storage (field 42 of `stat`).
    pub storage: Part<f64>,
    /// Delay accounting (taskstats).
    pub delays: Part<Delays>,
}

/// Rates of delay accounting in seconds per second (Documentation/accounting/delay-accounting.rst). Those that the kernel does not
/// have, or does not count now, are `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Delays {
    /// For a cpu, while runnable.
    pub cpu: Option<f64>,
    /// For block I/O to complete.
    pub storage: Option<f64>,
    /// For pages from swap.
    pub swap: Option<f64>,
    /// For memory to be reclaimed.
    pub reclaim: Option<f64>,
    /// For pages that had just been evicted.
    pub thrashing: Option<f64>,
    /// For memory to be compacted.
    pub compaction: Option<f64>,
    /// For copies of write-protected pages.
    pub copies: Option<f64>,
    /// While interrupts were served on its cpu.
    pub interrupts: Option<f64>,
}

/// A thread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// Thread id.
    pub tid: u32,
    /// `comm`, cleaned.
    pub name: Arc<str>,
    /// State letter.
    pub state: char,
    /// Cores used; `None` where it began within the window.
    pub cpu: Option<f64>,
    /// Seconds per second runnable but waiting for a cpu.
    pub wait: Option<f64>,
    /// Seconds per second blocked on storage; `None` while the kernel does not count it.
    pub storage: Option<f64>,
    /// The cpu it ran on last.
    pub last_cpu: u32,
    /// Nice.
    pub nice: i8,
    /// Policy.
    pub policy: Policy,
    /// Where in the kernel it waits; `None` while it runs, or without rights.
    pub wchan: Option<Arc<str>>,
    /// The system call that it is in; `None` while it runs, or without rights.
    pub syscall: Option<Arc<str>>,
}

/// Memory in bytes, as in `/proc/PID/status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)] // the kernel's own words: Documentation/filesystems/proc.rst, table 1-2
pub struct StatusMemory {
    pub peak: u64,
    pub size: u64,
    pub locked: u64,
    pub resident_peak: u64,
    pub resident: u64,
    pub anon: u64,
    pub file: u64,
    pub shmem: u64,
    pub data: u64,
    pub stack: u64,
    pub page_tables: u64,
    pub swap: u64,
    pub huge: u64,
}

/// Memory in bytes, as its mappings add up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MappedMemory {
    /// Its fair share: pages shared by n processes count an nth (PSS).
    pub proportional: u64,
    /// What would be free if it ended (USS).
    pub unique: u64,
    /// Shared with others.
    pub shared: u64,
    /// In transparent huge pages.
    pub huge: u64,
    /// Its fair share of swap.
    pub swap: u64,
    /// Locked.
    pub locked: u64,
}

/// What a process moves; index 0 read, 1 written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Moved {
    /// Bytes from and to storage since it started.
    pub storage: [u64; 2],
    /// The same per second.
    pub storage_rate: [f64; 2],
    /// Bytes through system calls since it started, the page cache and pipes included.
    pub calls: [u64; 2],
    /// The same per second.
    pub calls_rate: [f64; 2],
    /// Reads and writes per second.
    pub operations: [f64; 2],
    /// Bytes written to the page cache and dropped before they reached storage.
    pub cancelled: u64,
}

/// A resource limit, as `/proc/PID/limits` words it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Limit {
    pub name: Arc<str>,
    pub soft: Arc<str>,
    pub hard: Arc<str>,
    pub unit: Arc<str>,
}

/// Open descriptors by kind.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// All of them.
    pub open: u32,
    /// Files and directories by path.
    pub files: u32,
    /// Sockets.
    pub sockets: u32,
    /// Pipes.
    pub pipes: u32,
    /// Devices.
    pub devices: u32,
    /// Files of no path that the kernel makes: epoll, events, timers, memory.
    pub anonymous: u32,
    /// Files whose name is deleted: their space is not free until they are closed.
    pub deleted: u32,
    /// How many were looked at, where there are more than one wants to look at.
    pub seen: u32,
    /// Descriptor and path of some, files before devices.
    pub paths: Vec<(u32, Arc<str>)>,
}

/// A socket of its.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Socket {
    /// `tcp`, `tcp6`, `udp`, `udp6`, `unix`.
    pub kind: Arc<str>,
    /// Its own address.
    pub local: Arc<str>,
    /// The other side's; empty where there is none.
    pub remote: Arc<str>,
    /// State in the kernel's words.
    pub state: Arc<str>,
    /// Bytes waiting to be sent, and to be read.
    pub queues: [u32; 2],
}

/// A namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// `net`, `mnt`, ...
    pub kind: Arc<str>,
    /// Its inode.
    pub inode: u64,
    /// It is ours as well.
    pub ours: bool,
}

/// What a process may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Privileges {
    /// Effective capabilities in words: `all`, `none`, or their names.
    pub capabilities: Arc<str>,
    /// It can never gain any (`no_new_privs`).
    pub no_new: bool,
    /// A seccomp filter, or strict mode, is on it.
    pub seccomp: bool,
    /// Pid of its debugger.
    pub traced_by: Option<u32>,
}

/// Waiting below this many seconds per second is not worth a word.
const WORTH: f64 = 0.005;

impl Inspection {
    /// What it waits for, as a sentence, such as `waits 410 ms/s for a cpu, 120 ms/s for the disk; now in fsync
    /// (jbd2_log_wait_commit)`.
    pub fn sentence(&self) -> String {
        let mut waits: Vec<(f64, &str)> = self.waits().into_iter().filter(|(rate, _)| *rate >= WORTH).collect();
        waits.sort_by(|(a, _), (b, _)| b.total_cmp(a));
        let waits: Vec<String> =
            waits.iter().map(|(rate, what)| format!("{} {what}", Unit::SecondsPerSecond.show(*rate))).collect();
        let waits = if waits.is_empty() {
            "hardly waits for anything that is counted".into()
        } else {
            format!("waits {}", waits.join(", "))
        };
        match self.now_in() {
            Some(now) => format!("{waits}; {now}"),
            None => waits,
        }
    }

    /// Each kind of waiting that is known, with the words for it.
    fn waits(&self) -> Vec<(f64, &'static str)> {
        let delays = self.waits.delays.as_ref().copied().unwrap_or_default();
        let storage = delays.storage.or(self.waits.storage.as_ref().ok().copied());
        let all = [
            (self.waits.cpu.or(delays.cpu), "for a cpu"),
            (storage, "for the disk"),
            (delays.swap, "for swap"),
            (delays.reclaim, "for memory to be reclaimed"),
            (delays.thrashing, "for pages evicted too early"),
            (delays.compaction, "for memory to be compacted"),
            (delays.copies, "for copies of pages"),
            (delays.interrupts, "for interrupts"),
        ];
        all.into_iter().filter_map(|(rate, what)| Some((rate?, what))).collect()
    }

    /// Where it is now: the blocked thread if there is one, else the main one.
    fn now_in(&self) -> Option<String> {
        let threads = self.threads.as_ref().ok()?;
        let blocked = threads.iter().filter(|t| t.state == 'D').count();
        let main = threads.iter().find(|t| t.tid == self.id.pid);
        let thread = threads.iter().find(|t| t.state == 'D').or(main)?;
        let (call, place) = (thread.syscall.as_deref(), thread.wchan.as_deref());
        let at = match (call, place) {
            (Some(call), Some(place)) => format!("now in {call} ({place})"),
            (Some(call), None) => format!("now in {call}"),
            (None, Some(place)) => format!("now in {place}"),
            (None, None) => format!("now {}", state_words(thread.state)),
        };
        Some(match (threads.len(), blocked) {
            (0 | 1, _) => at,
            (all, 0) => format!("{at}, the main thread of {all}"),
            (all, blocked) => format!("{at}, thread {}; {blocked} of {all} threads are blocked", thread.tid),
        })
    }
}

/// A state letter in words (proc_pid_stat(5)).
pub fn state_words(state: char) -> &'static str {
    match state {
        'R' => "running or runnable",
        'S' => "sleeping",
        'D' => "blocked in the kernel, not to be interrupted",
        'Z' => "ended, not yet waited for",
        'T' => "stopped",
        't' => "stopped by a debugger",
        'I' => "idle",
        'X' | 'x' => "dead",
        'P' => "parked",
        _ => "in an unknown state",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    /// Of a process with these threads, of which nothing else is known.
    pub(super) fn of(threads: Vec<Thread>, waits: Waits) -> Inspection {
        fn none<T>() -> Part<T> {
            Err("not read".into())
        }
        Inspection {
            id: ProcessId { pid: 7, start: 1 },
            at: Now::default(),
            window: 1.0,
            name: "db".into(),
            state: 'S',
            command: none(),
            exe: none(),
            cwd: none(),
            root: none(),
            started: None,
            owner: none(),
            cgroups: none(),
            waits,
            thread_count: threads.len() as u32,
            threads: Ok(threads),
            memory: none(),
            mapped: none(),
            io: none(),
            limits: none(),
            files: none(),
            sockets: none(),
            namespaces: none(),
            oom: none(),
            rights: none(),
        }
    }

    fn thread(tid: u32, state: char, syscall: Option<&str>, wchan: Option<&str>) -> Thread {
        Thread { tid, state, syscall: syscall.map(Into::into), wchan: wchan.map(Into::into), ..Thread::default() }
    }

    #[test]
    fn waiting_reads_as_a_sentence_the_longest_first() {
        let waits = Waits {
            cpu: Some(0.12),
            storage: Err("off".into()),
            delays: Ok(Delays { storage: Some(0.41), swap: Some(0.001), cpu: Some(9.0), ..Delays::default() }),
        };
        let one = vec![thread(7, 'D', Some("fsync"), Some("jbd2_log_wait_commit"))];
        let inspection = of(one, waits);
        assert_eq!(inspection.sentence(), "waits 410 ms/s for the disk, 120 ms/s for a cpu; now in fsync (jbd2_log_wait_commit)");
    }

    #[test]
    fn a_blocked_thread_says_more_than_a_sleeping_main_one() {
        let waits = || Waits { cpu: Some(0.0), storage: Err("off".into()), delays: Err("needs CAP_NET_ADMIN".into()) };
        let sleeping = thread(7, 'S', Some("futex"), None);
        let blocked = thread(9, 'D', None, Some("io_schedule"));
        let words = of(vec![sleeping.clone(), blocked], waits()).sentence();
        assert_eq!(words, "hardly waits for anything that is counted; now in io_schedule, thread 9; 1 of 2 threads are blocked");
        let words = of(vec![sleeping, thread(8, 'R', None, None)], waits()).sentence();
        assert!(words.ends_with("now in futex, the main thread of 2"), "{words}");
        assert!(of(vec![thread(7, 'R', None, None)], waits()).sentence().ends_with("now running or runnable"));
    }
}
