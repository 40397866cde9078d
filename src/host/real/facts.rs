//! Facts of the host: what sysinfo knows of it, and what decides which knobs it has and which of them we may turn.
//!
//! Mounts are read as in Documentation/filesystems/proc.rst, 3.5 (`mountinfo`), cgroup hierarchies as in cgroups(7).

use super::{RealHost, status::Status, topology};
use crate::{
    host::host::Host,
    model::{
        facts::Facts,
        knob::{Place, Root},
        text::clean,
    },
};
use std::{collections::BTreeSet, sync::Arc};
use sysinfo::{CpuRefreshKind, MemoryRefreshKind, RefreshKind, System};

/// Longest name that is kept.
const NAME: usize = 128;

/// Reads them all.
pub(super) fn read(host: &RealHost) -> Facts {
    Facts { tuners: running(host), ..first(host) }
}

/// Reads all but who else sets knobs, which every process has to be asked for.
pub(super) fn first(host: &RealHost) -> Facts {
    let wanted = RefreshKind::nothing().with_cpu(CpuRefreshKind::nothing()).with_memory(MemoryRefreshKind::nothing().with_ram());
    let system = System::new_with_specifics(wanted).ok();
    let cpus = system.as_ref().map(System::cpus).unwrap_or_default();
    let status = Status::read(host, "self").unwrap_or_default();
    let nodes = topology::nodes(host);
    let mounts = mounts(&text(host, Place::proc("self/mountinfo")));
    Facts {
        host: name(System::host_name()),
        kernel: name(System::kernel_version()),
        os: name(System::name().map(|name| format!("{name} {}", System::os_version().unwrap_or_default()))),
        cpu_model: cpus.first().map(|cpu| clean(cpu.brand().trim(), NAME)).unwrap_or_default(),
        cpus: u32::try_from(cpus.len()).unwrap_or(0),
        nodes: u32::try_from(nodes.len()).unwrap_or(1).max(1),
        groups: topology::groups(host, &nodes),
        memory: system.as_ref().map_or(0, System::total_memory),
        uptime: System::uptime().map_or(0.0, |seconds| seconds as f64),
        boot: clean(text(host, Place::proc("sys/kernel/random/boot_id")).trim(), NAME),
        own: std::process::id(),
        uid: rustix::process::geteuid().as_raw(),
        capabilities: status.capability_names().map(Arc::from).collect(),
        autogroup: text(host, Place::proc("sys/kernel/sched_autogroup_enabled")).trim() == "1",
        pressure: host.read(&Place::proc("pressure/cpu"), &mut Vec::new()).is_ok(),
        cgroup_v1: mounts.v1,
        cgroup_v2: mounts.v2,
        systemd: text(host, Place::proc("1/comm")).trim() == "systemd",
        container: container(host),
        tuners: Vec::new(),
        tasks: tasks(host),
        users: users(&text(host, Place::etc("passwd"))),
    }
}

/// Tasks that there may be at all (Documentation/admin-guide/sysctl/kernel.rst, `pid_max` and `threads-max`).
fn tasks(host: &RealHost) -> u64 {
    let number = |file: &str| text(host, Place::proc(format!("sys/kernel/{file}"))).trim().parse::<u64>().ok();
    number("pid_max").into_iter().chain(number("threads-max")).min().unwrap_or(0)
}

fn name<E>(found: Result<String, E>) -> Arc<str> {
    found.map(|name| clean(name.trim(), NAME)).unwrap_or_default()
}

/// A file's text; empty when it cannot be read, which is a fact as well.
fn text(host: &RealHost, place: Place) -> String {
    host.text(&place).unwrap_or_default()
}

/// Programs that set knobs by themselves, by `comm`, which the kernel cuts after 15 bytes.
const TUNERS: [&str; 11] = [
    "tuned",
    "irqbalance",
    "bpftune",
    "tlp",
    "auto-cpufreq",
    "ananicy",
    "ananicy-cpp",
    "kubelet",
    "power-profiles-daemon",
    "NetworkManager",
    "puppet",
];

/// Those that run now.
pub(super) fn running(host: &RealHost) -> Vec<Arc<str>> {
    let mut names = Vec::new();
    let _none_without_proc = host.list(&Place { root: Root::Proc, path: String::new() }, &mut names);
    let mut found = BTreeSet::<&str>::new();
    for pid in names.iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit())) {
        let comm = text(host, Place::proc(format!("{pid}/comm")));
        found.extend(TUNERS.iter().find(|tuner| tuner.get(..15).unwrap_or(tuner) == comm.trim()));
    }
    found.into_iter().map(Arc::from).collect()
}

/// The inode of the first pid namespace of a boot, the same on every machine (`PROC_PID_INIT_INO` of include/linux/proc_ns.h).
const FIRST_PIDS: &str = "pid:[4026531836]";

/// A container's kind and the sign that tells it, as systemd-detect-virt(1) looks for them: what the manager or the runtime left behind.
/// Files that a runtime puts into an image also stand in a machine made of that image; they count only where the pids are not the first.
fn container(host: &RealHost) -> Option<Arc<str>> {
    let told = text(host, Place::top("/run/systemd/container"));
    let environment = text(host, Place::proc("1/environ"));
    let named = environment.split('\0').find_map(|entry| entry.strip_prefix("container=")).unwrap_or("");
    for (kind, sign) in [(told.trim(), "/run/systemd/container"), (named, "environment of pid 1")] {
        if !kind.is_empty() {
            return Some(clean(&format!("{kind} ({sign})"), NAME));
        }
    }
    let groups = text(host, Place::proc("1/cgroup"));
    let signs = [("/docker", "docker"), ("/kubepods", "kubernetes"), ("/lxc", "lxc"), ("/libpod", "podman")];
    if let Some((sign, kind)) = signs.iter().find(|(sign, _)| groups.contains(sign)) {
        return Some(format!("{kind} (cgroup {sign} of pid 1)").into());
    }
    let apart = host.link(&Place::proc("self/ns/pid")).is_ok_and(|pids| pids != FIRST_PIDS);
    let left = [("/.dockerenv", "docker"), ("/run/.containerenv", "podman")];
    let found = left.iter().find(|(file, _)| apart && host.inode(&Place::top(file)).is_ok());
    found.map(|(file, kind)| format!("{kind} ({file})").into())
}

/// Where control groups are mounted.
#[derive(Debug, Default, PartialEq, Eq)]
struct Mounts {
    v1: Vec<(Arc<str>, Arc<str>)>,
    v2: Option<Arc<str>>,
}

const CONTROLLERS: [&str; 14] = [
    "cpu",
    "cpuacct",
    "cpuset",
    "memory",
    "blkio",
    "devices",
    "freezer",
    "net_cls",
    "net_prio",
    "perf_event",
    "hugetlb",
    "pids",
    "rdma",
    "misc",
];

/// From `mountinfo`; of several mounts of one hierarchy the first counts.
fn mounts(mountinfo: &str) -> Mounts {
    let mut found = Mounts::default();
    for line in mountinfo.lines() {
        let Some((mount, filesystem)) = line.split_once(" - ") else { continue };
        let Some(at) = mount.split(' ').nth(4).map(|at| clean(&unescape(at), 4096)) else { continue };
        let mut filesystem = filesystem.split(' ');
        match (filesystem.next(), filesystem.nth(1)) {
            (Some("cgroup2"), _) => found.v2 = found.v2.or(Some(at)),
            (Some("cgroup"), Some(options)) => {
                for controller in options.split(',').filter(|option| CONTROLLERS.contains(option)) {
                    if found.v1.iter().all(|(known, _)| &**known != controller) {
                        found.v1.push((controller.into(), at.clone()));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// Blanks, tabs, line ends and backslashes stand in `mountinfo` as `\040` and the like.
fn unescape(raw: &str) -> String {
    let mut out = Vec::with_capacity(raw.len());
    let mut rest = raw.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'\\').then(|| after.first_chunk::<3>()).flatten().and_then(octal);
        match escaped {
            Some(byte) => {
                out.push(byte);
                rest = after.get(3..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn octal(digits: &[u8; 3]) -> Option<u8> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    u8::from_str_radix(text, 8).ok()
}

/// Names by id from passwd(5). Not through sysinfo, which leaves out users that cannot log in: those that services run as.
fn users(passwd: &str) -> Vec<(u32, Arc<str>)> {
    let user = |line: &str| {
        let mut fields = line.split(':');
        let name = clean(fields.next().filter(|name| !name.is_empty())?, 32);
        Some((fields.nth(1)?.parse().ok()?, name))
    };
    passwd.lines().filter_map(user).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::host::real::Roots;
    use proptest::prelude::*;

    const HYBRID: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 / /sys/fs/cgroup/me\\040mory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:10 master:2 - cgroup2 cgroup2 rw
42 31 0:38 / /mnt/again rw,relatime - cgroup2 cgroup2 rw
43 31 0:29 / /mnt/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
";

    #[test]
    fn co_mounted_controllers_are_told_each_and_the_first_mount_counts() {
        let found = mounts(HYBRID);
        let v1: Vec<(&str, &str)> = found.v1.iter().map(|(c, at)| (&**c, &**at)).collect();
        let both = "/sys/fs/cgroup/cpu,cpuacct";
        assert_eq!(v1, [("cpu", both), ("cpuacct", both), ("memory", "/sys/fs/cgroup/me mory")]);
        assert_eq!(found.v2.as_deref(), Some("/sys/fs/cgroup/unified"));
    }

    #[test]
    fn users_of_services_are_named_too() {
        let found = users("root:x:0:0:root:/root:/bin/bash\nmysql:x:101:102::/nonexistent:/bin/false\n+::::::\n#\n");
        assert_eq!(found, [(0, "root".into()), (101, "mysql".into())]);
    }

    #[test]
    fn a_tree_tells_its_tuners_and_its_container() {
        let tree = tempfile::tempdir().unwrap();
        let put = |path: &str, content: &str| {
            let path = tree.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        };
        put("proc/1/comm", "systemd\n");
        put("proc/1/environ", "PATH=/bin\0container=lxc\0");
        put("proc/9/comm", "power-profiles-\n");
        put("proc/10/comm", "tuned\n");
        put("proc/11/comm", "tuned\n");
        put("proc/12/comm", "tuned-adm\n");
        put("proc/self/status", "CapEff:\t0000000000800000\n");
        put("proc/self/mountinfo", HYBRID);
        put("sys/devices/system/node/node0/x", "");
        put("sys/devices/system/node/node1/x", "");
        put("sys/devices/system/node/possible", "0-1");
        let under = |name: &str| tree.path().join(name);
        let roots = Roots { proc: under("proc"), sys: under("sys"), etc: under("etc"), top: tree.path().into() };
        let facts = read(&RealHost::below(roots));
        assert_eq!(facts.tuners, ["power-profiles-daemon".into(), "tuned".into()]);
        assert_eq!(facts.container.as_deref(), Some("lxc (environment of pid 1)"));
        assert_eq!(facts.capabilities, ["CAP_SYS_NICE".into()]);
        assert_eq!(facts.nodes, 2);
        assert!(facts.systemd && !facts.pressure && !facts.autogroup);
        assert_eq!(facts.cgroup_v1.len(), 3);
    }

    #[test]
    fn a_file_of_an_image_is_a_sign_only_where_the_pids_are_not_the_first() {
        let tree = tempfile::tempdir().unwrap();
        let namespaces = tree.path().join("proc/self/ns");
        std::fs::create_dir_all(&namespaces).unwrap();
        std::fs::write(tree.path().join(".dockerenv"), "").unwrap();
        let host = RealHost::below(Roots { proc: tree.path().join("proc"), top: tree.path().into(), ..Roots::default() });
        assert_eq!(container(&host), None);
        std::os::unix::fs::symlink("pid:[4026532201]", namespaces.join("pid")).unwrap();
        assert_eq!(container(&host).as_deref(), Some("docker (/.dockerenv)"));
        std::fs::remove_file(namespaces.join("pid")).unwrap();
        std::os::unix::fs::symlink(FIRST_PIDS, namespaces.join("pid")).unwrap();
        assert_eq!(container(&host), None);
    }

    #[test]
    fn this_machine_tells_what_it_is() {
        let facts = read(&RealHost::default());
        assert!(facts.cpus > 0 && facts.memory > 0 && facts.uptime > 0.0, "{facts:?}");
        assert!(!facts.host.is_empty() && !facts.kernel.is_empty(), "{facts:?}");
        assert_eq!(facts.boot.len(), 36);
        assert_eq!(&*facts.user(0), "root");
    }

    proptest! {
        #[test]
        fn no_mountinfo_makes_the_parser_panic(text in "([0-9]| - |cgroup2?|,|\\\\|/|\\PC|\n){0,40}") {
            let _any = mounts(&text);
        }

        #[test]
        fn no_escape_does_either(text in "(\\\\|[0-9]|é|a){0,12}") {
            let _any = unescape(&text);
        }
    }
}
