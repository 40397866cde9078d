//! The trait of a source.

use crate::{
    host::{error::HostError, host::Host},
    model::{
        inspection::Inspection,
        sample::{Sample, SourceName},
        subject::ProcessId,
    },
};
use std::time::Duration;

/// Which thread reads a source, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// 100 ms while anything stirs, else with the looks: what emergencies show in first.
    Fast,
    /// 500 ms, on the thread of the fast lane: what its detectors look at as well, but costs the kernel more to say.
    Look,
    /// 1 s: the full sweep.
    Sweep,
    /// Every so many seconds, with the sweep of that second and on its thread: what seldom changes and never hangs.
    Seldom(u16),
    /// Every so many seconds on a thread of its own, since it may hang or take its time (mounts, devices, drivers).
    Apart(u16),
}

impl Lane {
    /// Time between the starts of two readings at the most, unless the sweeps are slowed down.
    pub fn interval(self) -> Duration {
        match self {
            Lane::Fast | Lane::Look => Duration::from_millis(500),
            Lane::Sweep => Duration::from_secs(1),
            Lane::Seldom(seconds) | Lane::Apart(seconds) => Duration::from_secs(seconds.max(1).into()),
        }
    }
}

/// What a source is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceAbout {
    /// Its name.
    pub name: SourceName,
    /// Its lane.
    pub lane: Lane,
    /// How long a reading may take before the engine calls it a gap. Generous: on a host in distress we wait for cpu as well, and
    /// numbers half a second old beat none.
    pub deadline: Duration,
    /// What it reads, for the doctor, such as `/proc/stat, /proc/loadavg`.
    pub reads: &'static str,
}

impl SourceAbout {
    /// How old its last reading may be before it is late.
    pub fn patience(&self) -> Duration {
        self.lane.interval() + self.deadline
    }
}

/// Looks closely at one process, on demand. It remembers counters from look to look, so that rates need no waiting.
pub trait Inspect: Send {
    /// One look. An error means that the process is not there any more; a part that cannot be read says so in its place.
    fn inspect(&mut self, host: &dyn Host, process: ProcessId) -> Result<Inspection, HostError>;
}

/// Reads one thing. It may keep handles and buffers between reads; counters and rates are not its business.
pub trait Source: Send {
    /// What it is.
    fn about(&self) -> SourceAbout;

    /// One reading, or why there is none. A missing part of a row is `None` in that row, not an error.
    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError>;
}
