//! Recorded trees of containers: unified and v1, nested, without limits, with the sentinel of v1, with a cpuset.

use super::*;
use crate::host::recorded::RecordedHost;

const UNIFIED: &str = "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
const V1: &str = "32 31 0:29 /docker/abc /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
                  35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";
/// 4 processors and 8 GiB.
fn host(cgroup: &str, mounts: &str, files: &[(&str, &str)]) -> RecordedHost {
    let host = RecordedHost::default();
    host.put("/proc/self/cgroup", cgroup);
    host.put("/proc/self/mountinfo", mounts);
    host.put("/proc/self/status", "Name:\ttrimtab\nCpus_allowed:\tf\nCpus_allowed_list:\t0-3\n");
    host.put("/proc/meminfo", "MemTotal:        8388608 kB\nMemFree: 1 kB\n");
    host.put("/sys/devices/system/cpu/online", "0-3\n");
    for (path, content) in files {
        host.put(&format!("/sys/fs/cgroup/{path}"), content);
    }
    host
}

fn read(host: &RecordedHost) -> Allowed {
    let Sample::Allowance(found) = Allowance::default().read(host).unwrap() else { panic!() };
    found
}

#[test]
fn unified_in_its_own_namespace() {
    let found = read(&host(
        "0::/\n",
        UNIFIED,
        &[
            ("cpu.max", "150000 100000\n"),
            ("memory.max", "536870912\n"),
            ("memory.current", "400000000\n"),
            ("memory.stat", "anon 1\ninactive_file 100000000\n"),
        ],
    ));
    assert_eq!(found.cpu, Some(CpuAllowance { cores: 1.5, at: "/".into() }));
    let memory = found.memory.unwrap();
    assert_eq!((memory.limit, memory.used, memory.available()), (536_870_912, Some(400_000_000), Some(236_870_912)));
}

#[test]
fn of_nested_groups_the_tightest_counts_each_way() {
    let found = read(&host(
        "0::/kubepods/pod7/web\n",
        UNIFIED,
        &[
            ("kubepods/cpu.max", "300000 100000\n"),
            ("kubepods/memory.max", "4294967296\n"),
            ("kubepods/pod7/cpu.max", "100000 200000\n"),
            ("kubepods/pod7/memory.max", "max\n"),
            ("kubepods/pod7/web/cpu.max", "max 100000\n"),
            ("kubepods/pod7/web/memory.max", "6000000000\n"),
        ],
    ));
    assert_eq!(found.cpu, Some(CpuAllowance { cores: 0.5, at: "/kubepods/pod7".into() }));
    let memory = found.memory.unwrap();
    assert_eq!((memory.limit, &*memory.at, memory.used), (4_294_967_296, "/kubepods", None));
}

#[test]
fn v1_below_a_bind_mount() {
    let cgroup = "9:name=systemd:/docker/abc\n4:memory:/docker/abc/in\n1:cpu,cpuacct:/docker/abc\n0::/docker/abc\n";
    let found = read(&host(
        cgroup,
        V1,
        &[
            ("cpu/cpu.cfs_quota_us", "200000\n"),
            ("cpu/cpu.cfs_period_us", "100000\n"),
            ("memory/memory.limit_in_bytes", "1073741824\n"),
            ("memory/memory.usage_in_bytes", "500\n"),
            ("memory/memory.stat", "inactive_file 1\ntotal_inactive_file 200\nhierarchical_memory_limit 1073741824\n"),
            ("memory/in/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/in/memory.stat", "hierarchical_memory_limit 1073741824\n"),
        ],
    ));
    assert_eq!(found.cpu, Some(CpuAllowance { cores: 2.0, at: "/".into() }));
    assert_eq!(found.memory, Some(MemoryAllowance { limit: 1 << 30, used: Some(500), reclaimable: 200, at: "/".into() }));
}

#[test]
fn v1_tells_of_a_limit_above_what_we_see() {
    let cgroup = "4:memory:/docker/abc\n1:cpu:/docker/abc\n";
    let found = read(&host(
        cgroup,
        V1,
        &[
            ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/memory.stat", "hierarchical_memory_limit 2147483648\n"),
        ],
    ));
    assert_eq!(found.memory, Some(MemoryAllowance { limit: 2 << 30, ..MemoryAllowance::default() }));
}

#[test]
fn the_sentinel_of_v1_and_no_quota_are_no_limits() {
    let cgroup = "4:memory:/docker/abc\n1:cpu:/docker/abc\n";
    let files = [
        ("cpu/cpu.cfs_quota_us", "-1\n"),
        ("cpu/cpu.cfs_period_us", "100000\n"),
        ("memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ("memory/memory.stat", "hierarchical_memory_limit 9223372036854771712\n"),
    ];
    assert_eq!(read(&host(cgroup, V1, &files)), Allowed::default());
}

#[test]
fn a_limit_that_the_host_itself_stays_below_is_none() {
    let files = [("cpu.max", "400000 100000\n"), ("memory.max", "8589934592\n")];
    assert_eq!(read(&host("0::/\n", UNIFIED, &files)), Allowed::default());
    assert_eq!(read(&host("0::/\n", "", &files)), Allowed::default(), "nothing is mounted");
}

#[test]
fn fewer_processors_than_the_host_has_are_told() {
    let host = host("0::/\n", UNIFIED, &[("cpu.max", "300000 100000\n")]);
    host.put("/proc/self/status", "Cpus_allowed_list:\t1,3\n");
    let found = read(&host);
    assert_eq!((found.cpus, found.cores()), (Some(2), Some(2.0)));
}

#[test]
fn a_group_outside_of_its_mount_is_limited_by_the_mount() {
    let cgroup = "0::/../sibling\n";
    let found = read(&host(cgroup, UNIFIED, &[("cpu.max", "100000 100000\n"), ("sibling/cpu.max", "50000 100000\n")]));
    assert_eq!(found.cpu.unwrap().cores, 1.0);
}

#[test]
fn moving_to_another_group_is_noticed() {
    let host = host("0::/a\n", UNIFIED, &[("a/cpu.max", "100000 100000\n"), ("b/cpu.max", "200000 100000\n")]);
    let mut source = Allowance::default();
    let mut cores = || {
        let Sample::Allowance(found) = source.read(&host).unwrap() else { panic!() };
        found.cpu.map(|cpu| cpu.cores)
    };
    assert_eq!(cores(), Some(1.0));
    host.put("/proc/self/cgroup", "0::/b\n");
    assert_eq!(cores(), Some(2.0));
}
