//! The trait of a source.

use crate::{
    host::{error::HostError, host::Host},
    model::sample::{Sample, SourceName},
};
use std::time::Duration;

/// Which thread reads a source, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lane {
    /// 100 ms: what emergencies show in first.
    Fast,
    /// 500 ms, on the thread of the fast lane: what its detectors look at as well, but costs the kernel more to say.
    Look,
    /// 1 s: the full sweep.
    Sweep,
    /// 1 s on a thread of its own, since it may hang (mounts).
    Apart,
    /// 5 s: what changes slowly, all on one thread.
    Calm,
    /// 5 s on a thread of its own, since the drivers behind it may hang: sensors, graphics processors.
    Device,
    /// 60 s on a thread of its own: facts.
    Slow,
}

impl Lane {
    /// Time between the starts of two readings, unless the configuration says otherwise.
    pub fn interval(self) -> Duration {
        match self {
            Lane::Fast => Duration::from_millis(100),
            Lane::Look => Duration::from_millis(500),
            Lane::Sweep | Lane::Apart => Duration::from_secs(1),
            Lane::Calm | Lane::Device => Duration::from_secs(5),
            Lane::Slow => Duration::from_secs(60),
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

/// Reads one thing. It may keep handles and buffers between reads; counters and rates are not its business.
pub trait Source: Send {
    /// What it is.
    fn about(&self) -> SourceAbout;

    /// One reading, or why there is none. A missing part of a row is `None` in that row, not an error.
    fn read(&mut self, host: &dyn Host) -> Result<Sample, HostError>;
}
