//! Use, throttling and pressure of control groups.

use super::{
    delta::{delta, mean, per},
    pressure::some,
};
use crate::model::{sample::CgroupSample, snapshot::Cgroup};

/// What happened between two samples, both sorted by path. A group first seen (or made anew) has no rates yet.
pub(super) fn cgroups(old: &[CgroupSample], new: &[CgroupSample], seconds: f64) -> Vec<Cgroup> {
    let mut before = old.iter().peekable();
    new.iter()
        .map(|group| {
            while before.next_if(|old| old.path < group.path).is_some() {}
            let same = before.next_if(|old| old.path == group.path).filter(|old| old.inode == group.inode);
            derive(same, group, seconds)
        })
        .collect()
}

fn derive(old: Option<&CgroupSample>, new: &CgroupSample, seconds: f64) -> Cgroup {
    let steps = old.and_then(|old| {
        let ([periods0, throttled0, nanos0], [periods, throttled, nanos]) = (old.throttling?, new.throttling?);
        Some((delta(periods0, periods)?, delta(throttled0, throttled)?, delta(nanos0, nanos)?))
    });
    let used = old.and_then(|old| delta(old.cpu?, new.cpu?));
    let kills = old.and_then(|old| delta(old.oom_kills?, new.oom_kills?));
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
        processes: new.processes,
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
    fn a_group_of_the_same_path_made_anew_has_no_rates() {
        let all = cgroups(&[group("/a", 1, 0), group("/b", 2, 0)], &[group("/a", 7, 9), group("/b", 2, 0), group("/c", 3, 5)], 1.0);
        assert_eq!(all.iter().map(|g| g.cpu).collect::<Vec<_>>(), [None, Some(0.0), None]);
        assert_eq!(all[1].throttled, None, "no period went by");
    }
}
