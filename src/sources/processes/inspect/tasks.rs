//! The threads of a process, busiest and most waiting first.

use super::{
    counters::{Counters, ThreadCounters},
    file, syscalls,
};
use crate::{
    host::host::Host,
    model::{
        inspection::{MOST_THREADS, Part, Thread},
        text::clean,
    },
};
use std::sync::Arc;

/// Threads as they are, with rates since `before`.
pub fn threads(host: &dyn Host, pid: u32, before: &Counters, now: &Counters) -> Part<Vec<Thread>> {
    if now.threads.is_empty() {
        return Err("it has ended".into());
    }
    let rated = |thread: &ThreadCounters| {
        let earlier = before.earlier(thread);
        let rate = |of: fn(&ThreadCounters) -> Option<u64>| now.rate(before, of(earlier?)?, of(thread)?);
        Thread {
            tid: thread.tid,
            name: thread.name.clone(),
            state: thread.state,
            cpu: rate(|t| t.cpu),
            wait: rate(|t| t.run_delay),
            storage: rate(|t| Some(t.blkio)).filter(|_| now.counted),
            last_cpu: thread.processor,
            nice: thread.nice,
            policy: thread.policy,
            ..Thread::default()
        }
    };
    let mut all: Vec<Thread> = now.threads.iter().map(rated).collect();
    // Blocked ones, then by use and waiting to a hundredth of a core, so that idle ones stand still.
    let weight = |t: &Thread| ((t.cpu.unwrap_or(0.0) + t.wait.unwrap_or(0.0) + t.storage.unwrap_or(0.0)) * 100.0).round();
    all.sort_by(|a, b| (b.state == 'D').cmp(&(a.state == 'D')).then(weight(b).total_cmp(&weight(a))).then(a.tid.cmp(&b.tid)));
    all.truncate(MOST_THREADS);
    for thread in &mut all {
        place(host, pid, thread);
    }
    Ok(all)
}

/// Where it waits: `wchan` needs no rights, but says `0` to those who lack them, as of a thread that runs.
fn place(host: &dyn Host, pid: u32, thread: &mut Thread) {
    let read = |name: &str| host.text(&file(pid, &format!("task/{}/{name}", thread.tid))).ok();
    let wchan: Option<Arc<str>> =
        read("wchan").filter(|text| text.trim() != "0" && !text.trim().is_empty()).map(|t| clean(t.trim(), 64));
    let syscall = read("syscall").and_then(|text| syscalls::name(&text));
    (thread.wchan, thread.syscall) = (wchan, syscall);
}
