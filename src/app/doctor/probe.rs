//! One question for each row of the action catalogue: may we turn a knob of that kind here? It is asked of our own process, of the
//! host's files and of a cgroup that is there; where the answer differs for processes of others, that is said.

use super::May;
use crate::{
    actions::{action::ActionAbout, knob::cgroups},
    host::{error::HostError, host::Host},
    model::{
        facts::Facts,
        knob::{Knob, Place, Root, Task},
        sample::CgroupVersion,
        subject::ProcessId,
    },
};

/// Where a kind of knob is found.
#[derive(Clone, Copy)]
enum Where {
    /// At a thread; the knobs of others need the capability.
    Thread(fn(Task) -> Knob, &'static str),
    /// At a session's autogroup.
    Autogroup,
    /// At a process's descriptor limit.
    Limit,
    /// In a cgroup: the controller, and the file's name in v1 and in v2.
    Cgroup(&'static str, &'static str, &'static str),
    /// In a cgroup of version 2, which alone has such a file.
    Unified(&'static str, &'static str),
    /// At a process, in a file that the capability only lets us lower.
    OomScore,
    /// In the same file of each directory that begins so; the first that may be set counts.
    Each(Root, &'static str, &'static str, &'static str),
    /// In the queues of each interface.
    Queues(&'static str),
    /// At the device that an open descriptor of ours would hold.
    Wake,
    /// Below `/proc/sys`, where there are several memory nodes.
    Nodes(&'static str),
    /// Below `/proc/sys`, or `/sys`.
    Files(Root, &'static [&'static str]),
    /// In the queue directory of each disk.
    Disk(&'static str),
    /// Below `/proc/sys/net` of a network namespace.
    Network(&'static str),
    /// At a listening socket, through its program.
    Listener,
    /// At the options of a mount.
    Mount,
}

/// By row of the catalogue.
const ROWS: &[(&str, Where)] = &[
    ("C1", Where::Thread(Knob::Nice, NICE)),
    ("C2", Where::Autogroup),
    ("C3", Where::Thread(Knob::Policy, NICE)),
    ("C4", Where::Cgroup("cpu", "cpu.shares", "cpu.weight")),
    ("C5", Where::Cgroup("cpu", "cpu.cfs_quota_us", "cpu.max")),
    ("C6", Where::Cgroup("cpu", "cpu.cfs_quota_us", "cpu.max")),
    ("C7", Where::Thread(Knob::Affinity, NICE)),
    ("C8", Where::Each(Root::Proc, "irq", "", "smp_affinity_list")),
    ("C9", Where::Queues("rps_cpus")),
    ("C10", Where::Each(Root::Sys, "devices/system/cpu/cpufreq", "policy", "scaling_governor")),
    ("C11", Where::Wake),
    ("M1", Where::Unified("memory", "memory.high")),
    ("M2", Where::Unified("memory", "memory.low")),
    ("M3", Where::Cgroup("memory", "memory.limit_in_bytes", "memory.max")),
    ("M5", Where::Files(Root::Proc, &["sys/vm/swappiness"])),
    ("M6", Where::Files(Root::Proc, &["sys/vm/dirty_bytes", "sys/vm/dirty_background_bytes"])),
    ("M7", Where::Files(Root::Sys, &["kernel/mm/transparent_hugepage/enabled"])),
    ("M4", Where::Unified("memory", "memory.reclaim")),
    ("M8", Where::Files(Root::Proc, &["sys/vm/compaction_proactiveness", "sys/vm/compact_memory"])),
    ("M9", Where::Files(Root::Proc, &["sys/vm/drop_caches"])),
    ("M10", Where::Files(Root::Proc, &["sys/vm/watermark_scale_factor"])),
    ("M11", Where::Files(Root::Proc, &["sys/vm/vfs_cache_pressure"])),
    ("M12", Where::OomScore),
    ("M13", Where::Nodes("sys/vm/zone_reclaim_mode")),
    ("N1", Where::Listener),
    ("N2", Where::Network("ipv4/tcp_max_syn_backlog")),
    ("N3", Where::Network("ipv4/ip_local_port_range")),
    ("N4", Where::Files(Root::Proc, &["sys/net/netfilter/nf_conntrack_max"])),
    ("N5", Where::Network("ipv4/tcp_rmem")),
    ("N6", Where::Files(Root::Proc, &["sys/net/core/netdev_max_backlog", "sys/net/core/netdev_budget"])),
    ("N9", Where::Network("ipv4/tcp_congestion_control")),
    ("N10", Where::Network("ipv4/tcp_slow_start_after_idle")),
    ("N11", Where::Files(Root::Proc, &["sys/net/ipv4/neigh/default/gc_thresh3"])),
    ("N12", Where::Files(Root::Proc, &["sys/net/ipv4/tcp_max_orphans"])),
    ("P1", Where::Limit),
    ("P2", Where::Files(Root::Proc, &["sys/fs/file-max"])),
    ("P3", Where::Files(Root::Proc, &["sys/kernel/pid_max", "sys/kernel/threads-max"])),
    ("S1", Where::Disk("scheduler")),
    ("S2", Where::Disk("read_ahead_kb")),
    ("S3", Where::Disk("nr_requests")),
    ("S4", Where::Thread(Knob::IoPriority, NICE)),
    ("S5", Where::Cgroup("blkio", "blkio.throttle.read_bps_device", "io.max")),
    ("S7", Where::Disk("rq_affinity")),
    ("S8", Where::Mount),
];

const NICE: &str = "CAP_SYS_NICE";

fn find(row: &str) -> Option<Where> {
    ROWS.iter().find(|(known, _)| *known == row).map(|(_, place)| *place)
}

/// True when there is a question for that row.
#[cfg(test)]
pub(super) fn known(row: &str) -> bool {
    find(row).is_some()
}

/// Asks. The reason is empty when nothing is missing.
pub(super) fn ask(host: &dyn Host, facts: &Facts, about: &ActionAbout) -> (May, String) {
    let Some(place) = find(about.row) else { return (May::Partly, format!("not tried; needs {}", about.needs)) };
    match place {
        Where::Thread(knob, capability) => {
            let task = |id: ProcessId| Task { process: id, tid: id.pid, start: id.start };
            process(host, facts, |id| knob(task(id)), capability)
        }
        Where::Autogroup if !facts.autogroup => (May::No, "kernel.sched_autogroup_enabled is not 1".into()),
        Where::Autogroup => {
            process(host, facts, |process| Knob::ProcessFile { process, file: "autogroup".into() }, "CAP_DAC_OVERRIDE")
        }
        Where::Limit => process(host, facts, Knob::Descriptors, "CAP_SYS_RESOURCE"),
        Where::Cgroup(controller, v1, v2) => cgroup(host, controller, [v1, v2]),
        Where::Unified(controller, file) => unified(host, controller, file),
        Where::OomScore => {
            process(host, facts, |process| Knob::ProcessFile { process, file: "oom_score_adj".into() }, "CAP_DAC_OVERRIDE")
        }
        Where::Each(root, path, prefix, file) => each(host, &Place { root, path: path.into() }, prefix, file),
        Where::Queues(file) => queues(host, file),
        Where::Wake => {
            let pid = std::process::id();
            let start = host.start_time(&pid.to_string());
            let asked = start.and_then(|start| host.may_set(&Knob::WakeLatency { holder: ProcessId { pid, start } }));
            asked.map_or_else(no, |()| yes())
        }
        Where::Nodes(_) if facts.nodes < 2 => (May::No, "this machine has one memory node".into()),
        Where::Nodes(path) => files(host, Root::Proc, &[path]),
        Where::Files(root, paths) => files(host, root, paths),
        Where::Disk(file) => disks(host, file),
        Where::Network(file) => network(host, facts, file),
        Where::Mount => host.may_set(&Knob::Mount { at: "/".into(), number: (0, 0) }).map_or_else(no, |()| yes()),
        Where::Listener => match network(host, facts, "core/somaxconn") {
            (May::Yes, _) => others(facts, "CAP_KILL"),
            less => less,
        },
    }
}

fn files(host: &dyn Host, root: Root, paths: &[&str]) -> (May, String) {
    let mut knobs = paths.iter().map(|path| Knob::File(Place { root, path: (*path).into() }));
    knobs.try_for_each(|knob| host.may_set(&knob)).map_or_else(no, |()| yes())
}

/// Asked of the file in each directory of that name: one that we may set is enough.
fn each(host: &dyn Host, root: &Place, prefix: &str, file: &str) -> (May, String) {
    let mut names = Vec::new();
    let _none = host.list(root, &mut names);
    names.retain(|name| name.starts_with(prefix));
    let place = |name: &String| root.join(name).join(file);
    first(host, names.iter().map(place).filter(|place| host.inode(place).is_ok()), || format!("nothing below {root} has {file}"))
}

/// Asked of the receive queues of each interface.
fn queues(host: &dyn Host, file: &str) -> (May, String) {
    let root = Place::sys("class/net");
    let mut names = Vec::new();
    let _none = host.list(&root, &mut names);
    let place = |name: &String| root.join(name).join("queues/rx-0").join(file);
    first(host, names.iter().map(place).filter(|place| host.inode(place).is_ok()), || {
        format!("no interface has a queue with {file}")
    })
}

fn first(host: &dyn Host, places: impl Iterator<Item = Place>, none: impl FnOnce() -> String) -> (May, String) {
    let mut refused = None;
    for place in places {
        match host.may_set(&Knob::File(place)) {
            Ok(()) => return yes(),
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    refused.map_or_else(|| (May::No, none()), no)
}

/// What only version 2 has.
fn unified(host: &dyn Host, controller: &str, file: &str) -> (May, String) {
    match cgroups::find(host, controller, "") {
        Ok(root) if root.version == CgroupVersion::V1 => {
            (May::No, format!("{controller} is a controller of cgroup v1 here, which has no {file}"))
        }
        _ => cgroup(host, controller, [file, file]),
    }
}

fn yes() -> (May, String) {
    (May::Yes, String::new())
}

fn no(error: HostError) -> (May, String) {
    (May::No, error.to_string())
}

/// Asked of ourselves; the capability decides on processes of other users.
fn process(host: &dyn Host, facts: &Facts, knob: impl Fn(ProcessId) -> Knob, capability: &str) -> (May, String) {
    let pid = std::process::id();
    let start = host.start_time(&pid.to_string());
    let asked = start.and_then(|start| host.may_set(&knob(ProcessId { pid, start })));
    asked.map_or_else(no, |()| others(facts, capability))
}

fn others(facts: &Facts, capability: &str) -> (May, String) {
    if facts.can(capability) {
        return yes();
    }
    (May::Partly, format!("only processes of {}; those of others need {capability}", facts.user(facts.uid)))
}

/// Asked of the first cgroup that has the file: the root of v1 has it, that of v2 has not.
fn cgroup(host: &dyn Host, controller: &str, [v1, v2]: [&str; 2]) -> (May, String) {
    let root = match cgroups::find(host, controller, "") {
        Ok(root) => root,
        Err(refusal) => return (May::No, refusal.why),
    };
    let file = if root.version == CgroupVersion::V1 { v1 } else { v2 };
    let mut names = Vec::new();
    let _none_below = host.list(&root.place, &mut names);
    names.sort();
    let has =
        |path: &String| host.inode(&Place { root: root.place.root, path: format!("{}{path}/{file}", root.place.path) }).is_ok();
    let paths = std::iter::once(String::new()).chain(names.iter().map(|name| format!("/{name}")));
    match paths.filter(has).find_map(|path| cgroups::find(host, controller, &path).ok()) {
        Some(directory) => host.may_set(&directory.knob(file)).map_or_else(no, |()| yes()),
        // systemd enables a controller with the first unit that wants it.
        None => {
            let cure = "under systemd the first unit with a limit or weight of that kind enables it";
            (May::No, format!("no cgroup below {} has {file}: its {controller} controller is not enabled ({cure})", root.place))
        }
    }
}

fn disks(host: &dyn Host, file: &str) -> (May, String) {
    let mut names = Vec::new();
    let _none = host.list(&Place::sys("block"), &mut names);
    // Devices of their own first, then loops and the like: an obstacle is told of the one that matters.
    names.sort_by_cached_key(|name| (host.inode(&Place::sys(format!("block/{name}/device"))).is_err(), name.clone()));
    let place = |name: &String| Place::sys(format!("block/{name}/queue/{file}"));
    let knobs: Vec<Knob> = names.iter().map(place).filter(|place| host.inode(place).is_ok()).map(Knob::File).collect();
    if knobs.is_empty() {
        return (May::No, format!("no block device has queue/{file}"));
    }
    knobs.iter().try_for_each(|knob| host.may_set(knob)).map_or_else(no, |()| yes())
}

fn network(host: &dyn Host, facts: &Facts, file: &str) -> (May, String) {
    let own = host.inode(&Place::proc("self/ns/net")).unwrap_or(0);
    let knob = Knob::NetworkFile { netns: own, through: None, file: file.into() };
    match host.may_set(&knob) {
        Err(e) => no(e),
        Ok(()) if facts.can("CAP_SYS_ADMIN") => yes(),
        Ok(()) => (May::Partly, "only in our own network namespace; others need CAP_SYS_ADMIN".into()),
    }
}

/// The controllers of v1 in words.
pub(super) fn controllers_v1(facts: &Facts) -> String {
    let names: Vec<&str> = facts.cgroup_v1.iter().map(|(name, _)| &**name).collect();
    if names.is_empty() { "not mounted".into() } else { names.join(", ") }
}

/// Mount and controllers of v2 in words.
pub(super) fn controllers_v2(host: &dyn Host, facts: &Facts) -> String {
    let Some(at) = &facts.cgroup_v2 else { return "not mounted".into() };
    let place = match at.strip_prefix(Root::Sys.usual()).and_then(|rest| rest.strip_prefix('/')) {
        Some(below) => Place::sys(below),
        None => Place::top(at),
    };
    let controllers = host.text(&place.join("cgroup.controllers")).unwrap_or_default();
    let controllers = controllers.split_ascii_whitespace().collect::<Vec<_>>().join(", ");
    if controllers.is_empty() { format!("{at}, without controllers") } else { format!("{at}, with {controllers}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{host::recorded::RecordedHost, model::proposal::Risk};
    use std::sync::Arc;

    fn ask_for(row: &'static str, host: &RecordedHost, capabilities: &[&str]) -> (May, String) {
        let capabilities = capabilities.iter().map(|name| Arc::from(*name)).collect();
        let facts = Facts { capabilities, autogroup: true, users: vec![(0, "root".into())], ..Facts::default() };
        let about = ActionAbout {
            name: "x",
            row,
            changes: "",
            helps: "",
            hurts: "",
            undone: "",
            risk: Risk::Low,
            needs: "a licence",
            cooldown: 0.0,
        };
        ask(host, &facts, &about)
    }

    fn with_ourselves() -> RecordedHost {
        let host = RecordedHost::default();
        let pid = std::process::id();
        let stat = format!("{pid} (x) S 1 1 1 0 -1 4194560 1 0 0 0 5 6 0 0 20 0 1 0 9 1000 10\n");
        host.put(&format!("/proc/{pid}/stat"), &stat);
        host.put(&format!("/proc/{pid}/task/{pid}/stat"), &stat);
        host
    }

    #[test]
    fn without_the_capability_only_our_own_processes_can_be_set() {
        let host = with_ourselves();
        assert_eq!(ask_for("C1", &host, &["CAP_SYS_NICE"]), (May::Yes, String::new()));
        let (may, why) = ask_for("C1", &host, &[]);
        assert_eq!((may, why.as_str()), (May::Partly, "only processes of root; those of others need CAP_SYS_NICE"));
        host.deny(true);
        assert_eq!(ask_for("C1", &host, &["CAP_SYS_NICE"]).0, May::No);
    }

    #[test]
    fn a_cgroup_knob_is_looked_for_where_the_controller_is() {
        let host = RecordedHost::default();
        let v2 = "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert!(ask_for("C5", &host, &[]).1.contains("mountinfo"));
        host.put("/proc/self/mountinfo", v2);
        host.put("/sys/fs/cgroup/cgroup.controllers", "memory\n");
        host.put("/sys/fs/cgroup/a/cgroup.procs", "");
        let (may, why) = ask_for("C5", &host, &[]);
        assert!(may == May::No && why.contains("cpu.max") && why.contains("not enabled"), "{why}");
        host.put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
        assert_eq!(ask_for("C5", &host, &[]), (May::Yes, String::new()));
        assert_eq!(ask_for("C4", &host, &[]).0, May::No, "there is no cpu.weight");
    }

    #[test]
    fn files_of_the_kernel_are_told_missing_by_name() {
        let host = RecordedHost::default();
        assert!(ask_for("M5", &host, &[]).1.contains("/proc/sys/vm/swappiness"));
        host.put("/proc/sys/vm/swappiness", "60\n");
        assert_eq!(ask_for("M5", &host, &[]).0, May::Yes);
        assert_eq!(ask_for("S1", &host, &[]), (May::No, "no block device has queue/scheduler".into()));
        host.put("/sys/block/vda/queue/scheduler", "none [mq-deadline]\n");
        assert_eq!(ask_for("S1", &host, &[]).0, May::Yes);
    }

    #[test]
    fn what_is_not_known_is_not_claimed() {
        assert_eq!(ask_for("Z9", &RecordedHost::default(), &[]), (May::Partly, "not tried; needs a licence".into()));
    }
}
