//! The trait behind which the machine stands.

use crate::{
    host::error::HostError,
    model::{
        facts::Facts,
        hardware::Gpu,
        knob::{Knob, Place},
        sample::{DelaySample, Listener, Space},
        subject::ProcessId,
        time::Now,
    },
};
use std::{sync::Arc, time::Duration};

/// The result of a touch.
pub type Touch<T> = Result<T, HostError>;

/// An open file that is read again and again from its start: cheaper than opening it each time.
pub trait Handle: Send {
    /// Replaces the content of `into` with the whole file. A `/proc/PID` file of an ended process gives [`super::error::Kind::Gone`].
    fn read(&self, into: &mut Vec<u8>) -> Touch<()>;
}

/// The kernel's own alarm: it wakes us when tasks are held up (Documentation/accounting/psi.rst, monitoring for pressure thresholds).
pub trait Stirs: Send + Sync {
    /// Waits until something stirs; false once it is closed.
    fn wait(&self) -> Touch<bool>;

    /// Ends the waiting, now and for good.
    fn close(&self);
}

/// A TCP connection, as inet_diag tells it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connection {
    /// Its identity for as long as it lives, whoever holds it.
    pub cookie: u64,
    /// Inode of its socket, to find who holds it; 0 while it waits to be accepted and after it was closed.
    pub inode: u64,
    /// State, as `include/net/tcp_states.h` numbers it.
    pub state: u8,
    /// Payload received and sent, resends not counted; `None` in the states that have no counters.
    pub bytes: Option<[u64; 2]>,
    /// Its path, where the kernel tells.
    pub path: Option<Path>,
}

/// What TCP knows of the path of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// Microseconds of round trip, smoothed.
    pub micros: u32,
    /// Segments that may be on the way.
    pub window: u32,
    /// Segments sent again so far.
    pub resent: u32,
}

/// Graphics processors through the library of their vendor, kept open between readings.
pub trait Gpus: Send {
    /// Reads those at these addresses on the bus, or all when none is given. May wake one that sleeps.
    fn read(&self, at: &[Arc<str>]) -> Touch<Vec<Gpu>>;
}

/// Every touch of the machine. Reading is cheap and never waits for a device, but for [`Host::space`], which may hang on a
/// dead network mount, and [`Host::gpus`]: call those only from a thread of their own.
pub trait Host: Send + Sync {
    /// Both clocks.
    fn now(&self) -> Now;

    /// Waits; a fake clock only steps on. For read-back of what takes effect a moment after the write.
    fn pause(&self, span: Duration);

    /// Replaces the content of `into` with the whole file.
    fn read(&self, place: &Place, into: &mut Vec<u8>) -> Touch<()>;

    /// Opens a file for repeated reading.
    fn open(&self, place: &Place) -> Touch<Box<dyn Handle>>;

    /// Replaces the content of `into` with the names in a directory, unsorted, without `.` and `..`.
    fn list(&self, place: &Place, into: &mut Vec<String>) -> Touch<()>;

    /// The target of a symbolic link, as text.
    fn link(&self, place: &Place) -> Touch<String>;

    /// The inode number of a file or directory, links followed.
    fn inode(&self, place: &Place) -> Touch<u64>;

    /// How many descriptors a process has open: the size of `/proc/PID/fd` (Linux 6.2), or a count of its entries.
    fn descriptors(&self, pid: u32) -> Touch<u32>;

    /// Space of the filesystem mounted there (`statvfs`). May hang.
    fn space(&self, at: &Place) -> Touch<Space>;

    /// Cpu nanoseconds used by a process, all threads, since it started (its posix cpu clock; needs no rights).
    fn cpu_clock(&self, pid: u32) -> Touch<u64>;

    /// Cpu nanoseconds used by the calling thread.
    fn thread_clock(&self) -> Touch<u64> {
        Err(HostError::plain("clock_gettime", "this thread", super::error::Kind::Absent, "this host has no such clock"))
    }

    /// Delay accounting of a process (taskstats). All but waiting for a cpu stands still while `kernel.task_delayacct` is 0.
    fn delays(&self, pid: u32) -> Touch<DelaySample> {
        let why = "this host keeps no account of delays";
        Err(HostError::plain("taskstats of", format!("process {pid}"), super::error::Kind::Absent, why))
    }

    /// Listening TCP sockets of a network namespace (inet_diag), owners left open.
    fn listeners(&self, netns: u64, through: Option<ProcessId>) -> Touch<Vec<Listener>>;

    /// Replaces the content of `into` with the TCP connections of a network namespace (inet_diag), but those in TIME_WAIT.
    fn connections(&self, netns: u64, through: Option<ProcessId>, into: &mut Vec<Connection>) -> Touch<()>;

    /// Loads the library of the graphics processors' vendor. May hang: call it only from a thread of its own.
    fn gpus(&self) -> Touch<Box<dyn Gpus>> {
        Err(HostError::plain("load", "graphics library", super::error::Kind::Absent, "there is none"))
    }

    /// Facts of the host. Slow (milliseconds); read at start and rarely after.
    fn facts(&self) -> Facts;

    /// The facts that can be told at once, for a screen that is to stand at once: without those that every process has to be asked for.
    fn first_facts(&self) -> Facts {
        self.facts()
    }

    /// Programs that run here and set knobs by themselves, such as `tuned`: those of [`Facts::tuners`], as they are now.
    fn tuners(&self) -> Vec<Arc<str>> {
        self.facts().tuners
    }

    /// Our own pid, our guard's, and all our ancestors': the operator's session. Never to be touched.
    fn family(&self) -> Vec<u32>;

    /// The present value of a knob, canonical.
    fn get(&self, knob: &Knob) -> Touch<String>;

    /// Writes a knob, after checking the identity of its target. The value may be clamped: read it back.
    fn set(&self, knob: &Knob, value: &str) -> Touch<()>;

    /// Whether `set` would be allowed, without writing: rights and existence.
    fn may_set(&self, knob: &Knob) -> Touch<()>;

    /// Opens these knobs now and keeps them open, so that a later `set` has nothing to look up; lets go of all others that were held.
    /// What cannot be opened is left to its time.
    fn hold(&self, _knobs: &[Knob]) {}

    /// Asks the kernel to wake us when something stirs.
    fn stirs(&self) -> Touch<Arc<dyn Stirs>> {
        Err(HostError::plain("watch", "pressure", super::error::Kind::Absent, "this host raises no alarm"))
    }

    /// Reads a whole file as text; bytes that are no UTF-8 become U+FFFD.
    fn text(&self, place: &Place) -> Touch<String> {
        let mut bytes = Vec::new();
        self.read(place, &mut bytes)?;
        Ok(String::from_utf8(bytes).unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned()))
    }

    /// The start time of a process or thread directory such as `123` or `123/task/124`, from field 22 of its `stat`.
    fn start_time(&self, directory: &str) -> Touch<u64> {
        let place = Place::proc(format!("{directory}/stat"));
        let text = self.text(&place)?;
        let after = text.rfind(')').and_then(|i| text.get(i + 1..)).unwrap_or("");
        after
            .split_ascii_whitespace()
            .nth(19)
            .and_then(|field| field.parse().ok())
            .ok_or_else(|| HostError::plain("read", &place, super::error::Kind::Other, "field 22 (start time) is missing"))
    }
}
