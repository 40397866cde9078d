//! Use, throttling and pressure of control groups.

use super::{
    delta::{delta, mean, per, rate},
    pressure::{full, some},
};
use crate::model::{
    sample::{CgroupSample, ProcessSample},
    snapshot::Cgroup,
    time::Tick,
};
use std::{collections::HashMap, sync::Arc};

/// What happened between two samples, both sorted by path. A group first seen (or made anew) has no rates yet.
/// `processes` are those of the newest sample, whose threads are counted for the groups that they are in.
pub(super) fn cgroups(old: &[CgroupSample], new: &[CgroupSample], processes: &[ProcessSample], seconds: f64) -> Vec<Cgroup> {
    let mut before = old.iter().peekable();
    let rows = new.iter().map(|group| {
        while before.next_if(|old| old.path < group.path).is_some() {}
        let same = before.next_if(|old| old.path == group.path).filter(|old| old.inode == group.inode);
        derive(same, group, seconds)
    });
    let mut rows: Vec<Cgroup> = rows.collect();
    total(&mut rows, processes);
    rows
}

fn derive(old: Option<&CgroupSample>, new: &CgroupSample, seconds: f64) -> Cgroup {
    let steps = old.and_then(|old| {
        let ([periods0, throttled0, nanos0], [periods, throttled, nanos]) = (old.throttling?, new.throttling?);
        Some((delta(periods0, periods)?, delta(throttled0, throttled)?, delta(nanos0, nanos)?))
    });
    let used = old.and_then(|old| delta(old.cpu?, new.cpu?));
    let kills = old.and_then(|old| delta(old.oom_kills?, new.oom_kills?));
    let moved = old.and_then(|old| old.io.zip(new.io));
    let stalls = old.and_then(|old| old.pressure.zip(new.pressure));
    // What was not read anew did not move; what was read after a pause moved over all of it.
    let apart = |old: &CgroupSample| if new.at == Tick(0) { seconds } else { new.at.seconds_since(old.at) };
    let state = old.map_or(seconds, apart);
    Cgroup {
        path: new.path.clone(),
        version: new.version,
        inode: new.inode,
        cpu: used.map(|nanos| per(nanos as f64 / 1e9, seconds)),
        throttled: steps.and_then(|(periods, throttled, _)| mean(throttled as f64, periods)),
        throttled_time: steps.map(|(_, _, nanos)| per(nanos as f64 / 1e9, seconds)),
        quota: new.quota,
        weight: new.weight,
        idle: new.idle,
        memory: new.memory,
        memory_limit: new.memory_limit,
        reclaimable: new.reclaimable,
        oom_kills: kills.unwrap_or(0),
        pressure: stalls.map(|([cpu0, memory0, io0], [cpu, memory, io])| {
            [some(&cpu0, &cpu, state), some(&memory0, &memory, state), some(&io0, &io, state)]
        }),
        pressure_full: stalls.map(|([cpu0, memory0, io0], [cpu, memory, io])| {
            [full(&cpu0, &cpu, state), full(&memory0, &memory, state), full(&io0, &io, state)]
        }),
        processes: new.processes,
        threads: 0,
        memory_high: new.memory_high,
        // The peak is read less often than what it is the peak of.
        memory_peak: new.memory_peak.map(|peak| peak.max(new.memory.unwrap_or(0))),
        swap: new.swap,
        io: moved.map(|([read0, written0], [read, written])| [rate(read0, read, state), rate(written0, written, state)]),
        pids: new.pids,
        pids_limit: new.pids_limit,
        processes_below: new.processes,
        threads_below: 0,
        container: new.container.clone(),
        unit: new.unit.clone(),
    }
}

/// Adds what is directly in each group to all groups above it. Rows are sorted by path; a parent that was not read is no matter.
fn total(all: &mut [Cgroup], processes: &[ProcessSample]) {
    let index: HashMap<Arc<str>, usize> = all.iter().enumerate().map(|(i, group)| (group.path.clone(), i)).collect();
    for process in processes {
        if let Some(group) = index.get(&process.cgroup).and_then(|i| all.get_mut(*i)) {
            group.threads = group.threads.saturating_add(process.threads);
            group.threads_below = group.threads;
        }
    }
    for i in 0..all.len() {
        let Some(group) = all.get(i) else { continue };
        let (path, processes, threads) = (group.path.clone(), group.processes, group.threads);
        if (processes, threads) == (0, 0) || &*path == "/" {
            continue;
        }
        let mut below: &str = &path;
        while let Some(end) = below.rfind('/') {
            below = below.get(..end).unwrap_or_default();
            let above = index.get(if below.is_empty() { "/" } else { below });
            if let Some(above) = above.and_then(|above| all.get_mut(*above)) {
                above.processes_below = above.processes_below.saturating_add(processes);
                above.threads_below = above.threads_below.saturating_add(threads);
            }
        }
    }
    for group in all {
        let counted = group.pids.and_then(|tasks| u32::try_from(tasks).ok());
        group.threads_below = counted.unwrap_or(group.threads_below);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::sample::{PressureLine, Stall};

    fn group(path: &str, inode: u64, cpu: u64) -> CgroupSample {
        let throttling = Some([cpu / 100_000_000, cpu / 200_000_000, cpu / 2]);
        CgroupSample {
            path: path.into(),
            inode,
            cpu: Some(cpu),
            throttling,
            oom_kills: Some(cpu / 1_000_000_000),
            ..CgroupSample::default()
        }
    }

    #[test]
    fn throttling_is_a_share_of_periods_and_of_time() {
        let all = cgroups(&[group("/a", 1, 0)], &[group("/a", 1, 2_000_000_000)], &[], 4.0);
        assert_eq!((all[0].cpu, all[0].throttled, all[0].throttled_time), (Some(0.5), Some(0.5), Some(0.25)));
        assert_eq!(all[0].oom_kills, 2);
    }

    #[test]
    fn each_group_tells_how_many_are_in_it_and_below() {
        let row = |path: &str, processes, pids| CgroupSample { path: path.into(), processes, pids, ..CgroupSample::default() };
        let new =
            [row("/", 5, None), row("/a", 1, None), row("/a-b", 7, Some(99)), row("/a/b", 2, None), row("/a/x/deep", 4, None)];
        let process = |cgroup: &str, threads| ProcessSample { cgroup: cgroup.into(), threads, ..ProcessSample::default() };
        let processes = [process("/a", 3), process("/a/b", 10), process("/a/b", 1), process("/elsewhere", 7), process("/", 2)];
        let all = cgroups(&[], &new, &processes, 1.0);
        let counts: Vec<_> = all.iter().map(|g| (g.processes_below, g.threads, g.threads_below)).collect();
        assert_eq!(counts, [(19, 2, 16), (7, 3, 14), (7, 0, 99), (2, 11, 11), (4, 0, 0)]);
    }

    #[test]
    fn a_group_that_takes_turns_is_measured_over_its_own_pause() {
        let at = |seconds: u64, total: u64| {
            let line = PressureLine { total: total * 1_000_000, ..PressureLine::default() };
            let pressure = Some([Stall { some: line, full: Some(line) }; 3]);
            CgroupSample { at: Tick(seconds * 1_000_000_000), pressure, io: Some([total * 4096, 0]), ..group("/a", 1, 0) }
        };
        let read = &cgroups(&[at(1, 0)], &[at(11, 5)], &[], 1.0)[0];
        assert_eq!((read.pressure, read.pressure_full, read.io), (Some([0.5; 3]), Some([0.5; 3]), Some([2048.0, 0.0])));
        let kept = &cgroups(&[at(11, 5)], &[at(11, 5)], &[], 1.0)[0];
        assert_eq!((kept.pressure, kept.io), (Some([0.0; 3]), Some([0.0, 0.0])));
    }

    #[test]
    fn a_group_of_the_same_path_made_anew_has_no_rates() {
        let all =
            cgroups(&[group("/a", 1, 0), group("/b", 2, 0)], &[group("/a", 7, 9), group("/b", 2, 0), group("/c", 3, 5)], &[], 1.0);
        assert_eq!(all.iter().map(|g| g.cpu).collect::<Vec<_>>(), [None, Some(0.0), None]);
        assert_eq!(all[1].throttled, None, "no period went by");
    }
}
