//! Use and waiting of processes.

use super::delta::{delta, per, rate};
use crate::model::{sample::ProcessSample, snapshot::Process};

/// What happened between two samples, both sorted by id. A process first seen has no use of cpu yet.
pub(super) fn processes(old: &[ProcessSample], new: &[ProcessSample], seconds: f64) -> Vec<Process> {
    let mut before = old.iter().peekable();
    new.iter()
        .map(|process| {
            while before.next_if(|old| old.id < process.id).is_some() {}
            derive(before.next_if(|old| old.id == process.id), process, seconds)
        })
        .collect()
}

fn derive(old: Option<&ProcessSample>, new: &ProcessSample, seconds: f64) -> Process {
    let nanos = |old: u64, new: u64| per(delta(old, new).unwrap_or(0) as f64 / 1e9, seconds);
    let waited = old.and_then(|old| old.run_delay.zip(new.run_delay));
    let moved = old.and_then(|old| old.io.zip(new.io));
    Process {
        id: new.id,
        parent: new.parent,
        name: new.name.clone(),
        command: new.command.clone(),
        uid: new.uid,
        state: new.state,
        kernel: new.kernel,
        session: new.session,
        tty: new.tty,
        cpu: old.map(|old| nanos(old.cpu, new.cpu)),
        wait: waited.map(|(old, new)| nanos(old, new)),
        resident: new.resident,
        threads: new.threads,
        nice: new.nice,
        policy: new.policy,
        major_faults: old.map_or(0.0, |old| rate(old.major_faults, new.major_faults, seconds)),
        io: moved
            .map(|([old_read, old_written], [read, written])| [rate(old_read, read, seconds), rate(old_written, written, seconds)]),
        descriptors: new.descriptors,
        descriptor_limit: new.descriptor_limit,
        cgroup: new.cgroup.clone(),
        netns: new.netns,
        cpu_time: new.cpu,
        net: None,
        io_wait: old.and_then(|old| old.io_wait.zip(new.io_wait)).map(|(old, new)| nanos(old, new)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::subject::ProcessId;

    fn process(pid: u32, start: u64, cpu: u64) -> ProcessSample {
        let id = ProcessId { pid, start };
        ProcessSample { id, cpu, run_delay: Some(cpu * 2), io: (pid == 5).then_some([cpu, 0]), ..ProcessSample::default() }
    }

    #[test]
    fn a_process_first_seen_or_with_a_reused_pid_has_no_number() {
        let old = [process(5, 1, 1_000_000_000), process(6, 1, 0), process(7, 1, 0)];
        let new = [process(5, 1, 1_500_000_000), process(7, 9, 800_000_000), process(8, 2, 4)];
        let all = processes(&old, &new, 2.0);
        assert_eq!(all.iter().map(|p| p.cpu).collect::<Vec<_>>(), [Some(0.25), None, None]);
        assert_eq!((all[0].wait, all[1].wait), (Some(0.5), None));
        assert_eq!((all[0].io, all[1].io), (Some([250_000_000.0, 0.0]), None));
    }

    #[test]
    fn a_clock_that_went_backwards_is_no_use() {
        assert_eq!(processes(&[process(5, 1, 10)], &[process(5, 1, 5)], 1.0)[0].cpu, Some(0.0));
    }
}
