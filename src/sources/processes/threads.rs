//! Run delay of a process: the waiting of all its threads. `/proc/PID/schedstat` counts the main thread alone, so a process with
//! several is read thread by thread (Documentation/scheduler/sched-stats.rst).
//!
//! The sum only grows: what a thread waited stays counted after its end. At most [`MOST`] threads of a process are read; of a
//! larger one the rest is not counted.

use super::{handles::Handles, stat::parse_schedstat};
use crate::{
    host::host::{Host, Touch},
    model::knob::Place,
    sources::parse,
};

/// Threads of one process that are read at most.
pub const MOST: usize = 64;

/// What is known of the threads of one process.
#[derive(Default)]
pub struct Threads {
    /// Thread id and its delay when last read, sorted by id.
    seen: Vec<(u32, u64)>,
    sum: u64,
    /// The last look saw every thread, so one that is new to us is new indeed and all of its waiting counts.
    whole: bool,
}

impl Threads {
    /// The delay of a process with one thread.
    pub fn alone(&mut self, pid: u32, delay: u64) -> u64 {
        self.take(&[(pid, delay)], true)
    }

    /// The delay of a process with several, read now.
    pub fn read(&mut self, host: &dyn Host, pid: u32, handles: &mut Handles) -> Touch<u64> {
        let tasks = Place::proc(format!("{pid}/task"));
        host.list(&tasks, &mut handles.names)?;
        let mut ids: Vec<u32> = handles.names.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        let whole = ids.len() <= MOST;
        ids.truncate(MOST);
        let mut now = Vec::with_capacity(ids.len());
        for tid in ids {
            // One that ended between list and read is no loss: its last known delay stays in the sum.
            if host.read(&tasks.join(&format!("{tid}/schedstat")), &mut handles.buffer).is_ok()
                && let Some(delay) = parse_schedstat(&parse::text(&handles.buffer))
            {
                now.push((tid, delay));
            }
        }
        Ok(self.take(&now, whole))
    }

    fn take(&mut self, now: &[(u32, u64)], whole: bool) -> u64 {
        let first = self.seen.is_empty();
        for (tid, delay) in now {
            let before = self.seen.binary_search_by_key(tid, |(tid, _)| *tid).ok().and_then(|i| self.seen.get(i));
            let grown = match before {
                Some((_, before)) => delay.saturating_sub(*before),
                None if first || self.whole => *delay,
                None => 0,
            };
            self.sum = self.sum.saturating_add(grown);
        }
        self.seen.clear();
        self.seen.extend_from_slice(now);
        self.whole = whole;
        self.sum
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_keeps_what_an_ended_thread_waited() {
        let mut threads = Threads::default();
        assert_eq!(threads.take(&[(5, 100), (6, 50)], true), 150);
        assert_eq!(threads.take(&[(5, 110)], true), 160);
        assert_eq!(threads.take(&[(5, 110), (7, 30)], true), 190);
    }

    #[test]
    fn a_thread_that_comes_into_view_late_brings_no_past() {
        let mut threads = Threads::default();
        assert_eq!(threads.take(&[(5, 100)], false), 100);
        assert_eq!(threads.take(&[(5, 100), (9, 9_000)], false), 100);
        assert_eq!(threads.take(&[(5, 100), (9, 9_010)], false), 110);
    }
}
