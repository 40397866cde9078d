//! What counts up: of each thread its cpu time and waiting, of the process its delays and what it moves.

use super::{super::stat::parse_stat, file, part, text};
use crate::{
    host::host::Host,
    model::{
        inspection::{Delays, Moved, Part},
        sample::{DelaySample, Policy},
        text::clean,
        time::Tick,
    },
    sources::parse,
};
use std::sync::Arc;

/// Threads whose counters are read at most.
const MOST: usize = 2048;
/// `USER_HZ` is 100 in every ABI that Rust runs on; in nanoseconds.
const TICK: u64 = 10_000_000;

/// One reading.
pub struct Counters {
    /// When.
    pub at: Tick,
    /// Sorted by thread id.
    pub threads: Vec<ThreadCounters>,
    /// How many threads there are.
    pub count: usize,
    /// Waiting for storage is counted.
    pub counted: bool,
    delays: Part<DelaySample>,
    io: Part<[u64; 7]>,
}

/// A thread as `stat` and `schedstat` show it.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct ThreadCounters {
    pub tid: u32,
    pub start: u64,
    pub name: Arc<str>,
    pub state: char,
    pub nice: i8,
    pub policy: Policy,
    pub processor: u32,
    /// Nanoseconds.
    pub cpu: Option<u64>,
    pub run_delay: Option<u64>,
    pub blkio: u64,
}

impl Counters {
    /// Reads a process.
    pub fn read(host: &dyn Host, pid: u32) -> Counters {
        let tasks = file(pid, "task");
        let (mut names, mut bytes) = (Vec::new(), Vec::new());
        // One that has ended has no threads: whoever asked looks at its identity afterwards.
        let _gone = host.list(&tasks, &mut names);
        let mut tids: Vec<u32> = names.iter().filter_map(|name| name.parse().ok()).collect();
        tids.sort_unstable();
        let count = tids.len();
        tids.truncate(MOST);
        let mut threads = Vec::with_capacity(tids.len());
        for tid in tids {
            if host.read(&tasks.join(&format!("{tid}/stat")), &mut bytes).is_err() {
                continue;
            }
            let Some(stat) = parse_stat(&bytes) else { continue };
            let mut thread = ThreadCounters {
                tid,
                start: stat.start,
                name: clean(&String::from_utf8_lossy(stat.comm), 64),
                state: stat.state,
                nice: stat.nice,
                policy: stat.policy,
                processor: stat.processor,
                blkio: stat.blkio.saturating_mul(TICK),
                ..ThreadCounters::default()
            };
            if host.read(&tasks.join(&format!("{tid}/schedstat")), &mut bytes).is_ok() {
                (thread.cpu, thread.run_delay) = text::schedstat(&parse::text(&bytes)).unzip();
            }
            threads.push(thread);
        }
        let delays = host.delays(pid).map_err(|e| e.to_string().into());
        let io = part(host.text(&file(pid, "io"))).and_then(|text| text::io(&text).ok_or_else(|| "io is cut short".into()));
        Counters { at: host.now().tick, threads, count, counted: counted(host), delays, io }
    }

    /// A thread of an earlier reading, if it is the same one.
    pub fn earlier(&self, thread: &ThreadCounters) -> Option<&ThreadCounters> {
        let found = self.threads.binary_search_by_key(&thread.tid, |t| t.tid).ok()?;
        self.threads.get(found).filter(|earlier| earlier.start == thread.start)
    }

    /// Seconds per second, of a counter of nanoseconds.
    pub fn rate(&self, before: &Counters, old: u64, new: u64) -> Option<f64> {
        let window = self.at.seconds_since(before.at);
        (window > 0.0).then(|| new.saturating_sub(old) as f64 / 1e9 / window)
    }

    /// Waiting for a cpu, over all threads that were there before.
    pub fn waited(&self, before: &Counters) -> Option<f64> {
        self.sum(before, |thread| thread.run_delay)
    }

    /// Waiting for storage; `None` while the kernel does not count it.
    pub fn blocked(&self, before: &Counters) -> Option<f64> {
        if self.counted { self.sum(before, |thread| Some(thread.blkio)) } else { None }
    }

    fn sum(&self, before: &Counters, counter: impl Fn(&ThreadCounters) -> Option<u64>) -> Option<f64> {
        let steps = self.threads.iter().filter_map(|thread| {
            let old = before.earlier(thread).map_or(Some(0), &counter)?;
            self.rate(before, old, counter(thread)?)
        });
        let steps: Vec<f64> = steps.collect();
        (!steps.is_empty()).then(|| steps.iter().sum())
    }

    /// Delay accounting.
    pub fn delays(&self, before: &Counters) -> Part<Delays> {
        let (new, old) = (self.delays.clone()?, before.delays.clone()?);
        let rate = |new: Option<u64>, old: Option<u64>| self.rate(before, old?, new?);
        let counted = |new, old| if self.counted { rate(new, old) } else { None };
        Ok(Delays {
            cpu: rate(new.cpu, old.cpu),
            storage: counted(new.blkio, old.blkio),
            swap: counted(new.swapin, old.swapin),
            reclaim: counted(new.freepages, old.freepages),
            thrashing: counted(new.thrashing, old.thrashing),
            compaction: counted(new.compact, old.compact),
            copies: counted(new.wpcopy, old.wpcopy),
            interrupts: counted(new.irq, old.irq),
        })
    }

    /// What it moved.
    pub fn moved(&self, before: &Counters) -> Part<Moved> {
        let ([rchar, wchar, reads, writes, read, written, cancelled], old) = (self.io.clone()?, before.io.clone()?);
        let window = self.at.seconds_since(before.at);
        let per = |new: u64, old: u64| if window > 0.0 { new.saturating_sub(old) as f64 / window } else { 0.0 };
        let [rchar0, wchar0, reads0, writes0, read0, written0, _] = old;
        Ok(Moved {
            storage: [read, written],
            storage_rate: [per(read, read0), per(written, written0)],
            calls: [rchar, wchar],
            calls_rate: [per(rchar, rchar0), per(wchar, wchar0)],
            operations: [per(reads, reads0), per(writes, writes0)],
            cancelled,
        })
    }
}

/// Whether the kernel counts delays now. Kernels before 5.14 have no switch that one can read.
fn counted(host: &dyn Host) -> bool {
    host.text(&crate::model::knob::Place::proc("sys/kernel/task_delayacct")).is_ok_and(|text| text.trim() != "0")
}
