//! Text of cgroup files, of both versions (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/{cpuacct,memory}.rst,
//! scheduler/sched-bwc.rst).

use crate::{model::snapshot::Quota, sources::parse};

/// What a `cpu.stat` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CpuStat {
    /// Nanoseconds used; only v2 has it here.
    pub used: Option<u64>,
    /// Periods, throttled ones, nanoseconds throttled; absent without the controller.
    pub throttling: Option<[u64; 3]>,
}

/// `cpu.stat`: v2 counts microseconds, v1 nanoseconds.
pub fn parse_cpu_stat(text: &str) -> CpuStat {
    let mut stat = CpuStat::default();
    let [mut periods, mut throttled, mut nanos] = [None; 3];
    for (key, value) in parse::keyed(text) {
        match key {
            "usage_usec" => stat.used = Some(value.saturating_mul(1000)),
            "nr_periods" => periods = Some(value),
            "nr_throttled" => throttled = Some(value),
            "throttled_usec" => nanos = Some(value.saturating_mul(1000)),
            "throttled_time" => nanos = Some(value),
            _ => {}
        }
    }
    if let (Some(periods), Some(throttled), Some(nanos)) = (periods, throttled, nanos) {
        stat.throttling = Some([periods, throttled, nanos]);
    }
    stat
}

/// `cpu.max`: `max 100000` or `20000 100000`.
pub fn parse_cpu_max(text: &str) -> Option<Quota> {
    let mut fields = text.split_ascii_whitespace();
    let quota = match fields.next()? {
        "max" => None,
        number => Some(number.parse().ok()?),
    };
    Some(Quota { quota, period: fields.next()?.parse().ok()? })
}

/// `cpu.cfs_quota_us` (-1 for none) and `cpu.cfs_period_us`.
pub fn parse_cfs(quota: &str, period: &str) -> Option<Quota> {
    let quota: i64 = quota.trim().parse().ok()?;
    Some(Quota { quota: u64::try_from(quota).ok(), period: parse::whole(period)? })
}

/// A memory limit: none for `max`, and for v1's sentinel, the greatest signed number rounded down to a page.
pub fn parse_limit(text: &str) -> Option<u64> {
    parse::whole(text).filter(|bytes| *bytes < 1 << 62)
}

/// `oom_kill` of `memory.events` (v2) or `memory.oom_control` (v1).
pub fn parse_oom_kills(text: &str) -> Option<u64> {
    parse::keyed(text).find(|(key, _)| *key == "oom_kill").map(|(_, kills)| kills)
}

/// What the kernel can take back of what `memory.stat` counts, in bytes: pages of files on either list (v1 with those of all groups
/// below, `total_`) and slabs that can be dropped (v2). Pages of tmpfs are on the anonymous lists and rightly left out.
pub fn parse_reclaimable(text: &str) -> Option<u64> {
    let (mut own, mut total) = (None, None);
    for (key, value) in parse::keyed(text) {
        let sum: &mut Option<u64> = match key {
            "inactive_file" | "active_file" | "slab_reclaimable" => &mut own,
            "total_inactive_file" | "total_active_file" => &mut total,
            _ => continue,
        };
        *sum = Some(sum.unwrap_or(0).saturating_add(value));
    }
    total.or(own)
}

/// Bytes read and written, over all devices: `io.stat` has `8:0 rbytes=1 wbytes=2 ...`, v1's `blkio.throttle.io_service_bytes`
/// has `8:0 Read 1`. A group that has moved nothing has no lines.
pub fn parse_io(text: &str) -> Option<[u64; 2]> {
    let [mut read, mut written] = [0_u64; 2];
    for line in text.lines() {
        let mut fields = line.split_ascii_whitespace().skip(1).peekable();
        let of = |word: &str, key: &str| word.strip_prefix(key).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        let v1 = fields.peek().is_some_and(|word| !word.contains('='));
        if v1 {
            let bytes = |fields: &mut dyn Iterator<Item = &str>| fields.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
            match fields.next() {
                Some("Read") => read = read.saturating_add(bytes(&mut fields)),
                Some("Write") => written = written.saturating_add(bytes(&mut fields)),
                _ => {}
            }
            continue;
        }
        for word in fields {
            read = read.saturating_add(of(word, "rbytes="));
            written = written.saturating_add(of(word, "wbytes="));
        }
    }
    Some([read, written])
}

/// Whether a name in a cgroup directory is one of the kernel's files and not a child.
pub fn is_file(name: &str) -> bool {
    const CONTROLLERS: &[&str] = &[
        "blkio",
        "cgroup",
        "cpu",
        "cpuacct",
        "cpuset",
        "devices",
        "dmem",
        "freezer",
        "hugetlb",
        "io",
        "irq",
        "memory",
        "misc",
        "net_cls",
        "net_prio",
        "perf_event",
        "pids",
        "rdma",
    ];
    // A child may be called `cpu.slice`; the kernel's files have a second word without suffixes of units.
    let unit = [".slice", ".scope", ".service", ".mount", ".swap", ".socket"].iter().any(|suffix| name.ends_with(suffix));
    let prefixed = name.split_once('.').is_some_and(|(first, _)| CONTROLLERS.contains(&first));
    (prefixed && !unit) || matches!(name, "tasks" | "notify_on_release" | "release_agent")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_versions_of_cpu_stat() {
        let v2 = "usage_usec 500\nuser_usec 300\nnr_periods 10\nnr_throttled 4\nthrottled_usec 7\n";
        assert_eq!(parse_cpu_stat(v2), CpuStat { used: Some(500_000), throttling: Some([10, 4, 7000]) });
        assert_eq!(parse_cpu_stat("nr_periods 10\nnr_throttled 4\nthrottled_time 7\n").throttling, Some([10, 4, 7]));
        assert_eq!(parse_cpu_stat("usage_usec 500\n").throttling, None, "a root has no periods");
    }

    #[test]
    fn quotas_and_limits() {
        assert_eq!(parse_cpu_max("20000 100000\n"), Some(Quota { quota: Some(20_000), period: 100_000 }));
        assert_eq!(parse_cpu_max("max 100000\n"), Some(Quota { quota: None, period: 100_000 }));
        assert_eq!(parse_cpu_max("max"), None);
        assert_eq!(parse_cfs("-1\n", "100000\n"), Some(Quota { quota: None, period: 100_000 }));
        assert_eq!(parse_cfs("5000\n", "10000\n"), Some(Quota { quota: Some(5000), period: 10_000 }));
        assert_eq!((parse_limit("9223372036854771712\n"), parse_limit("max\n"), parse_limit("4096\n")), (None, None, Some(4096)));
        assert_eq!(parse_oom_kills("oom_kill_disable 0\nunder_oom 0\noom_kill 3\n"), Some(3));
    }

    #[test]
    fn what_can_be_taken_back_is_files_and_slabs_but_not_tmpfs() {
        let v1 =
            "cache 900\nshmem 7\ninactive_file 1\nactive_file 2\ntotal_shmem 7\ntotal_inactive_file 100\ntotal_active_file 50\n";
        assert_eq!(parse_reclaimable(v1), Some(150));
        let v2 = "anon 5\nfile 60\nshmem 9\ninactive_anon 9\ninactive_file 30\nactive_file 20\nslab_reclaimable 4\n";
        assert_eq!(parse_reclaimable(v2), Some(54));
        assert_eq!(parse_reclaimable(""), None);
    }

    #[test]
    fn bytes_of_all_devices_add_up_in_both_versions() {
        let v2 = "254:0 rbytes=100 wbytes=50 rios=1 wios=2 dbytes=0 dios=0\n8:0 rbytes=1 wbytes=2 rios=1 wios=1\n";
        assert_eq!(parse_io(v2), Some([101, 52]));
        let v1 = "254:0 Read 100\n254:0 Write 50\n254:0 Sync 9\n254:0 Total 150\n8:0 Read 1\n8:0 Write 2\nTotal 153\n";
        assert_eq!(parse_io(v1), Some([101, 52]));
        assert_eq!(parse_io(""), Some([0, 0]), "a group that has moved nothing");
    }

    #[test]
    fn files_are_told_from_children() {
        for file in ["cpu.stat", "memory.events.local", "cgroup.procs", "tasks", "cpuacct.usage_percpu", "hugetlb.2MB.max"] {
            assert!(is_file(file), "{file}");
        }
        for child in ["system.slice", "cpu.slice", "docker", "user.slice", "kubepods-pod1.scope", "0a1b2c", "memoryhog"] {
            assert!(!is_file(child), "{child}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_them_panic(text in ".*") {
            let _ = (parse_io(&text), parse_cpu_stat(&text), parse_cpu_max(&text), parse_cfs(&text, &text), parse_limit(&text), parse_oom_kills(&text));
        }
    }
}
