//! Run delay of a process: the waiting of all its threads. `/proc/PID/schedstat` counts the main thread alone, so a process with
//! several is read thread by thread (Documentation/scheduler/sched-stats.rst).
//!
//! The sum only grows: what a thread waited stays counted after its end. At most [`MOST`] threads of a process are read; of a
//! larger one the rest is not counted.

use super::{
    handles::{File, Handles, Wanted},
    stat::parse_schedstat,
};
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
    /// Sorted by id.
    seen: Vec<Thread>,
    sum: u64,
    /// The last look saw every thread, so one that is new to us is new indeed and all of its waiting counts.
    whole: bool,
}

/// A thread as last read.
#[derive(Default)]
struct Thread {
    id: u32,
    delay: u64,
    file: File,
}

impl Threads {
    /// The delay of a process with one thread.
    pub fn alone(&mut self, pid: u32, delay: u64, handles: &mut Handles) -> u64 {
        if self.seen.len() != 1 || self.seen.first().is_some_and(|thread| thread.id != pid) {
            self.close(handles);
            self.meet(&[pid], true, handles);
        }
        let Threads { seen, sum, .. } = self;
        for thread in seen {
            *sum = sum.saturating_add(delay.saturating_sub(thread.delay));
            thread.delay = delay;
        }
        self.sum
    }

    /// The delay of a process with so many threads, read now. While their number stays and none has ended they are the same ones.
    pub fn read(&mut self, host: &dyn Host, process: Whose, handles: &mut Handles) -> Touch<u64> {
        let same = self.whole && self.seen.len() == process.threads as usize;
        if same && self.read_all(host, process, handles) {
            return Ok(self.sum);
        }
        let tasks = Place::proc(format!("{}/task", process.pid));
        host.list(&tasks, &mut handles.names)?;
        let mut ids: Vec<u32> = handles.names.iter().filter_map(|name| name.parse().ok()).collect();
        ids.sort_unstable();
        let whole = ids.len() <= MOST;
        ids.truncate(MOST);
        self.meet(&ids, whole, handles);
        self.read_all(host, process, handles);
        Ok(self.sum)
    }

    /// Closes what it keeps.
    pub fn close(&mut self, handles: &mut Handles) {
        self.seen.iter_mut().for_each(|thread| handles.drop(&mut thread.file));
    }

    /// Reads each known thread; false when one could not be read. What an ended one waited since it was last read is lost, what it
    /// waited before stays in the sum.
    fn read_all(&mut self, host: &dyn Host, process: Whose, handles: &mut Handles) -> bool {
        let mut all = true;
        for thread in &mut self.seen {
            let wanted = Wanted { pid: process.pid, thread: Some(thread.id), name: "schedstat", keep: process.keep };
            let read = handles.read(host, &mut thread.file, &wanted).is_ok();
            match parse_schedstat(&parse::text(&handles.buffer)).filter(|_| read) {
                Some(delay) => {
                    self.sum = self.sum.saturating_add(delay.saturating_sub(thread.delay));
                    thread.delay = delay;
                }
                None => all = false,
            }
        }
        all
    }

    /// Takes the threads there are now. One that comes into view late, since there are many, brings no past.
    fn meet(&mut self, ids: &[u32], whole: bool, handles: &mut Handles) {
        let fresh = self.seen.is_empty() || self.whole;
        let mut old = std::mem::take(&mut self.seen).into_iter().peekable();
        for id in ids {
            while let Some(mut gone) = old.next_if(|thread| thread.id < *id) {
                handles.drop(&mut gone.file);
            }
            let past = if fresh { 0 } else { u64::MAX };
            self.seen.push(old.next_if(|thread| thread.id == *id).unwrap_or(Thread {
                id: *id,
                delay: past,
                file: File::default(),
            }));
        }
        old.for_each(|mut gone| handles.drop(&mut gone.file));
        self.whole = whole;
    }
}

/// Which process, how many threads it has, and whether their handles are worth keeping.
#[derive(Clone, Copy)]
pub struct Whose {
    /// Its pid.
    pub pid: u32,
    /// As its stat says.
    pub threads: u32,
    /// It runs.
    pub keep: bool,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::recorded::RecordedHost;

    fn put(host: &RecordedHost, tid: u32, delay: u64) {
        host.put(&format!("/proc/5/task/{tid}/schedstat"), &format!("1 {delay} 1\n"));
    }

    fn whose(threads: u32) -> Whose {
        Whose { pid: 5, threads, keep: true }
    }

    #[test]
    fn the_sum_keeps_what_an_ended_thread_waited() {
        let (host, mut handles, mut threads) = (RecordedHost::default(), Handles::new(8), Threads::default());
        put(&host, 5, 100);
        put(&host, 6, 50);
        assert_eq!(threads.read(&host, whose(2), &mut handles).unwrap(), 150);
        host.remove("/proc/5/task/6");
        put(&host, 5, 110);
        assert_eq!(threads.alone(5, 110, &mut handles), 160);
        put(&host, 7, 30);
        assert_eq!(threads.read(&host, whose(2), &mut handles).unwrap(), 190);
    }

    #[test]
    fn threads_are_listed_again_when_one_was_replaced_by_another() {
        let (host, mut handles, mut threads) = (RecordedHost::default(), Handles::new(8), Threads::default());
        put(&host, 5, 100);
        put(&host, 6, 50);
        threads.read(&host, whose(2), &mut handles).unwrap();
        put(&host, 7, 3);
        put(&host, 5, 101);
        assert_eq!(threads.read(&host, whose(2), &mut handles).unwrap(), 151, "as many as before, and all of them live: the same");
        host.remove("/proc/5/task/6");
        assert_eq!(threads.read(&host, whose(2), &mut handles).unwrap(), 154);
    }

    #[test]
    fn a_thread_that_comes_into_view_late_brings_no_past() {
        let (host, mut handles, mut threads) = (RecordedHost::default(), Handles::new(8), Threads::default());
        for tid in 100..100 + MOST as u32 + 1 {
            put(&host, tid, 1);
        }
        put(&host, 100 + MOST as u32, 9_000);
        let many = MOST as u32 + 1;
        assert_eq!(threads.read(&host, whose(many), &mut handles).unwrap(), MOST as u64);
        host.remove("/proc/5/task/100");
        assert_eq!(threads.read(&host, whose(many - 1), &mut handles).unwrap(), MOST as u64);
        put(&host, 100 + MOST as u32, 9_010);
        assert_eq!(threads.read(&host, whose(many - 1), &mut handles).unwrap(), MOST as u64 + 10);
    }
}
