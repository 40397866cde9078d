//! The series: every kept number of each sweep, bounded in points, in keys and in time.
//!
//! Keys that a trial measures are kept from the snapshot even while their process is too quiet for the common list, so that a victim
//! that stops waiting shows zero and not a gap.

use crate::model::{
    metric::{Key, Metric},
    readings,
    series::{Point, SeriesSet},
    snapshot::{Process, Snapshot},
    subject::Subject,
    time::Tick,
};
use std::{collections::BTreeSet, time::Duration};

/// Points of the host, disks, interfaces, services and whatever else there are few of: 30 minutes.
const LONG: usize = 1800;

/// Points of processes and of what every cgroup has: 10 minutes.
const SHORT: usize = 600;

/// Series of processes at most: 16 KiB each. Beyond, only watched ones are added.
const CROWD: usize = 512;

/// A process that has not been seen for so long is forgotten.
const UNSEEN: Duration = Duration::from_secs(60);

/// Anything else (a cgroup, a disk that went) is forgotten after this time.
const GONE: Duration = Duration::from_secs(1800);

/// Sweeps between two rounds of forgetting.
const ROUND: u32 = 10;

/// History of every kept key.
#[derive(Debug, Default)]
pub struct History {
    /// The series.
    pub series: SeriesSet,
    watched: BTreeSet<Key>,
    crowd: usize,
    sweeps: u32,
}

impl History {
    /// The keys that trials of open and watched changes measure.
    pub fn watch(&mut self, keys: impl IntoIterator<Item = Key>) {
        self.watched.clear();
        self.watched.extend(keys);
    }

    /// Feeds the sweep that was done `at`.
    pub fn feed(&mut self, at: Tick, snapshot: &Snapshot) {
        let History { series, watched, crowd, .. } = self;
        readings::snapshot(snapshot, &mut |key, value| {
            let most = most(&key);
            if matches!(key.subject, Subject::Process(_)) && series.get(&key).is_none() {
                if *crowd >= CROWD && !watched.contains(&key) {
                    return;
                }
                *crowd += 1;
            }
            series.push(key, Point { at, value }, most);
        });
        for key in watched.iter() {
            if let Some(value) = quiet(snapshot, key) {
                series.push(key.clone(), Point { at, value }, most(key));
            }
        }
        self.forget(at);
    }

    fn forget(&mut self, now: Tick) {
        self.sweeps += 1;
        if !self.sweeps.is_multiple_of(ROUND) {
            return;
        }
        let watched = &self.watched;
        self.series.retain(|key, series| {
            let span = if matches!(key.subject, Subject::Process(_)) { UNSEEN } else { GONE };
            watched.contains(key) || series.last().is_some_and(|point| now.since(point.at) < span)
        });
        self.crowd = self.series.iter().filter(|(key, _)| matches!(key.subject, Subject::Process(_))).count();
    }
}

/// How many points of a key are kept.
fn most(key: &Key) -> usize {
    match (&key.subject, key.metric) {
        (Subject::Process(_), _) | (Subject::Cgroup(_), Metric::CgroupCpu | Metric::CgroupMemory | Metric::CgroupUnreclaimable) => {
            SHORT
        }
        _ => LONG,
    }
}

/// The value of a process's key, however small.
fn quiet(snapshot: &Snapshot, key: &Key) -> Option<f64> {
    let Subject::Process(id) = key.subject else { return None };
    let row: &Process = snapshot.process(id)?;
    match key.metric {
        Metric::ProcessCpu => row.cpu,
        Metric::ProcessRunDelay => row.wait,
        Metric::ProcessResident => Some(row.resident as f64),
        Metric::ProcessRead => row.io.map(|[read, _]| read),
        Metric::ProcessWrite => row.io.map(|[_, written]| written),
        Metric::ProcessReceive => row.net.map(|net| net.received),
        Metric::ProcessSend => row.net.map(|net| net.sent),
        Metric::ProcessDescriptors => {
            row.descriptors.zip(row.descriptor_limit).map(|(open, (soft, _))| f64::from(open) / soft.max(1) as f64)
        }
        _ => None,
    }
}
