//! Use, throttling and pressure of control groups.

use super::{
    delta::{delta, mean, per, rate},
    pressure::{full, some},
};
use crate::model::{sample::CgroupSample, snapshot::Cgroup};
use std::{collections::HashMap, sync::Arc};

/// What happened between two samples, both sorted by path. A group first seen (or made anew) has no rates yet.
pub(super) fn cgroups(old: &[CgroupSample], new: &[CgroupSample], seconds: f64) -> Vec<Cgroup> {
    let mut before = old.iter().peekable();
    let rows = new.iter().map(|group| {
        while before.next_if(|old| old.path < group.path).is_some() {}
        let same = before.next_if(|old| old.path == group.path).filter(|old| old.inode == group.inode);
        derive(same, group, seconds)
    });
    let mut rows: Vec<Cgroup> = rows.collect();
    total(&mut rows);
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
        oom_kills: kills.unwrap_or(0),
        pressure: stalls.map(|([cpu0, memory0, io0], [cpu, memory, io])| {
            [some(&cpu0, &cpu, seconds), some(&memory0, &memory, seconds), some(&io0, &io, seconds)]
        }),
        pressure_full: stalls.map(|([cpu0, memory0, io0], [cpu, memory, io])| {
            [full(&cpu0, &cpu, seconds), full(&memory0, &memory, seconds), full(&io0, &io, seconds)]
        }),
        processes: new.processes,
        threads: new.threads,
        memory_high: new.memory_high,
        memory_peak: new.memory_peak,
        swap: new.swap,
        io: moved.map(|([read0, written0], [read, written])| [rate(read0, read, seconds), rate(written0, written, seconds)]),
        pids: new.pids,
        pids_limit: new.pids_limit,
        processes_below: new.processes,
        threads_below: new.threads,
        container: new.container.clone(),
        unit: new.unit.clone(),
    }
}

/// Adds what is directly in each group to all groups above it. Rows are sorted by path; a parent that was not read is no matter.
fn total(all: &mut [Cgroup]) {
    let index: HashMap<Arc<str>, usize> = all.iter().enumerate().map(|(i, group)| (group.path.clone(), i)).collect();
    for i in 0..all.len() {
        let Some(group) = all.get(i) else { continue };
        let (path, processes, threads) = (group.path.clone(), group.processes, group.threads);
        if processes == 0 || &*path == "/" {
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
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

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
        let all = cgroups(&[group("/a", 1, 0)], &[group("/a", 1, 2_000_000_000)], 4.0);
        assert_eq!((all[0].cpu, all[0].throttled, all[0].throttled_time), (Some(0.5), Some(0.5), Some(0.25)));
        assert_eq!(all[0].oom_kills, 2);
    }

    #[test]
    fn each_group_tells_how_many_are_in_it_and_below() {
        let row = |path: &str, processes| CgroupSample {
            path: path.into(),
            processes,
            threads: processes * 3,
            ..CgroupSample::default()
        };
        let all = cgroups(&[], &[row("/", 5), row("/a", 1), row("/a-b", 7), row("/a/b", 2), row("/a/x/deep", 4)], 1.0);
        assert_eq!(
            all.iter().map(|g| (g.processes_below, g.threads_below)).collect::<Vec<_>>(),
            [(19, 57), (7, 21), (7, 21), (2, 6), (4, 12)]
        );
    }

    #[test]
    fn a_group_of_the_same_path_made_anew_has_no_rates() {
        let all = cgroups(&[group("/a", 1, 0), group("/b", 2, 0)], &[group("/a", 7, 9), group("/b", 2, 0), group("/c", 3, 5)], 1.0);
        assert_eq!(all.iter().map(|g| g.cpu).collect::<Vec<_>>(), [None, Some(0.0), None]);
        assert_eq!(all[1].throttled, None, "no period went by");
    }
}
