//! Who else sets a knob: it would be set back, or two minds would fight over it. Asked before every plan; the answer names who, and in
//! which file (catalogue B0: "a co-resident tuner owns the knob").
//!
//! - A line of sysctl.d(5) or sysctl.conf(5) that names the very key is a decision of this host's administrator. Those below
//!   `/usr/lib/sysctl.d` are the distribution's defaults: nobody here decided them, they bind nobody.
//! - Limits of one disk are no property that trimtab sets: those of a unit are left to systemd.
//! - A drop-in of a unit that comes after ours wins at the next daemon-reload (systemd #16592), so the unit is not set at all.
//! - TuneD owns what its active profile names; the other tuners own a kind of knob each.

use crate::{
    actions::knob::{cgroups, refuse::refusal, tuned, units},
    host::host::Host,
    model::{
        document,
        knob::{Knob, Place, Root},
        plan::{Obstacle, Refusal, Step},
        systemd::{Keeper, Property, keeper},
    },
};
use std::sync::Arc;

/// Refuses when somebody else owns the knob of one of the steps.
pub fn free(host: &dyn Host, steps: &[Step]) -> Result<(), Refusal> {
    if steps.is_empty() {
        return Ok(());
    }
    let tuners = host.tuners();
    steps.iter().try_for_each(|step| of(host, &step.knob, &tuners))
}

/// Refuses when somebody else owns that knob; `tuners` run now.
pub fn of(host: &dyn Host, knob: &Knob, tuners: &[Arc<str>]) -> Result<(), Refusal> {
    let sysctl = knob.sysctl();
    let owner = sysctl
        .as_deref()
        .and_then(|key| pin(host, key))
        .or_else(|| unit(host, knob))
        .or_else(|| profile(host, knob, (tuners, sysctl.as_deref())))
        .or_else(|| tuner(host, knob, (tuners, sysctl.as_deref())))
        .or_else(|| puppet(host, knob, sysctl.as_deref()));
    owner.map_or(Ok(()), |why| Err(refusal(Obstacle::Owned, why)))
}

/// The line that sets a sysctl at every boot, if there is one.
pub fn pin(host: &dyn Host, key: &str) -> Option<String> {
    let folders = [Place::etc("sysctl.d"), Place::top("/run/sysctl.d"), Place::top("/usr/local/lib/sysctl.d")];
    let mut files: Vec<Place> = folders.iter().flat_map(|folder| files(host, folder)).collect();
    files.push(Place::etc("sysctl.conf"));
    files.iter().find_map(|file| {
        let text = host.text(file).ok()?;
        let line = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])).find(|line| {
            let name = line.split('=').next().unwrap_or("").trim().trim_start_matches('-');
            same_key(name, key)
        })?;
        let line = crate::model::text::clean(line, 60);
        Some(if document::is_ours(&text) {
            format!("{file} keeps {line}, as trimtab wrote after it had helped: roll that change back first.")
        } else {
            format!("{line} is pinned by {file}: change it there, or take that line out first.")
        })
    })
}

/// The `.conf` files of a directory, in the order in which they are read.
fn files(host: &dyn Host, folder: &Place) -> Vec<Place> {
    let mut names = Vec::new();
    let _none_there = host.list(folder, &mut names);
    names.sort();
    names.iter().filter(|name| name.ends_with(".conf")).map(|name| folder.join(name)).collect()
}

/// Whether the name in a file, with dots or slashes and perhaps with `*`, means that key (sysctl.d(5), "Configuration format").
pub fn same_key(name: &str, key: &str) -> bool {
    let dotted = name.find(['.', '/']).is_some_and(|first| name.get(first..=first) == Some("."));
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = if dotted { name.chars().map(swap).collect() } else { name.into() };
    matches(&path, key)
}

/// Whether a path is of that pattern, part by part, where `*` stands for anything within a part.
pub fn matches(pattern: &str, path: &str) -> bool {
    let mut parts = (pattern.split('/'), path.split('/'));
    loop {
        match (parts.0.next(), parts.1.next()) {
            (None, None) => return !path.is_empty(),
            (Some(pattern), Some(part)) if part_matches(pattern, part) => {}
            _ => return false,
        }
    }
}

fn part_matches(pattern: &str, part: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == part,
        Some((head, rest)) => {
            let Some(left) = part.strip_prefix(head) else { return false };
            (0..=left.len()).filter_map(|at| left.get(at..)).any(|tail| part_matches(rest, tail))
        }
    }
}

/// systemd itself, of the files in a unit's cgroup; or a drop-in that outranks one of ours.
fn unit(host: &dyn Host, knob: &Knob) -> Option<String> {
    match knob {
        Knob::CgroupFile { directory, file, .. } => {
            let path = cgroup(host, directory);
            if let Some(owner) = cgroups::owner(&path) {
                return Some(format!("{owner} sets cgroup {path} and would set it back: change it there."));
            }
            if !units::keeps(file) || !units::runs(host) {
                return None;
            }
            match keeper(&path) {
                Keeper::Nobody => None,
                Keeper::Unit(unit) | Keeper::Within(unit) => {
                    Some(format!("systemd sets {file} of {unit} and would set it back: set it as a property of the unit."))
                }
            }
        }
        Knob::CgroupDevice { directory, file, .. } => {
            let path = cgroup(host, directory);
            if let Some(owner) = cgroups::owner(&path) {
                return Some(format!("{owner} sets cgroup {path} and would set it back: change it there."));
            }
            if !units::runs(host) {
                return None;
            }
            match keeper(&path) {
                Keeper::Nobody => None,
                Keeper::Unit(unit) | Keeper::Within(unit) => Some(format!(
                    "{file} of {unit} is systemd's to set: give the unit a limit of that disk (systemd.resource-control)."
                )),
            }
        }
        Knob::UnitProperty { unit, property, .. } => drop_in(host, unit, *property),
        _ => None,
    }
}

/// The path of a cgroup below its hierarchy's mount.
fn cgroup(host: &dyn Host, directory: &Place) -> String {
    let below = directory.path.strip_prefix("fs/cgroup/").unwrap_or(&directory.path);
    let pure = host.inode(&Place::sys("fs/cgroup/cgroup.controllers")).is_ok();
    let path = if pure { below } else { below.split_once('/').map_or("", |(_controller, path)| path) };
    format!("/{path}")
}

/// A drop-in that sets the property and comes after the one of `set-property --runtime`, in the order of their names.
fn drop_in(host: &dyn Host, unit: &str, property: Property) -> Option<String> {
    let ours = format!("50-{}.conf", property.name());
    let sets = |file: &Place| {
        let text = host.text(file).unwrap_or_default();
        let name = |line: &str| line.split_once('=').is_some_and(|(name, _)| name.trim() == property.name());
        text.lines().any(name).then(|| document::is_ours(&text))
    };
    let above = Place::etc(format!("systemd/system.control/{unit}.d")).join(&ours);
    let folders = [
        Place::etc(format!("systemd/system/{unit}.d")),
        Place::top(&format!("/run/systemd/system/{unit}.d")),
        Place::top(&format!("/usr/lib/systemd/system/{unit}.d")),
    ];
    let after = |file: &Place| file.path.rsplit('/').next().is_some_and(|name| name > ours.as_str());
    let later = folders.iter().flat_map(|folder| files(host, folder)).filter(after);
    std::iter::once(above).chain(later).find_map(|file| {
        let written = sets(&file)?;
        Some(if written {
            format!(
                "{file} keeps {} of {unit}, as trimtab wrote after it had helped: roll that change back first.",
                property.name()
            )
        } else {
            format!("{} of {unit} is pinned by {file}, which wins at the next daemon-reload: change it there.", property.name())
        })
    })
}

/// TuneD, of what its active profile sets.
fn profile(host: &dyn Host, knob: &Knob, (tuners, sysctl): (&[Arc<str>], Option<&str>)) -> Option<String> {
    if !tuners.iter().any(|tuner| &**tuner == "tuned") {
        return None;
    }
    let Some((names, settings)) = tuned::active(host) else {
        let could = sysctl.is_some() || matches!(knob, Knob::File(Place { root: Root::Sys, .. }));
        return could.then(|| "tuned runs and what its profile sets cannot be read: stop it, or change its profile.".into());
    };
    let (_, option, value) = settings.iter().find(|setting| tuned::sets(setting, knob, sysctl))?;
    let names = crate::model::text::clean(&names, 40);
    Some(format!("tuned sets {knob} by its profile {names} ({option}={value}): change the profile, or stop it."))
}

/// Programs that own a kind of knob: by their manuals.
fn tuner(host: &dyn Host, knob: &Knob, (tuners, sysctl): (&[Arc<str>], Option<&str>)) -> Option<String> {
    let file = match knob {
        Knob::File(place) => place.path.as_str(),
        _ => "",
    };
    let frequency = file.contains("/cpufreq/") || file.contains("energy_perf");
    let thread = matches!(knob, Knob::Nice(_) | Knob::Policy(_) | Knob::IoPriority(_));
    let process = matches!(knob, Knob::ProcessFile { file, .. } if file == "autogroup" || file == "oom_score_adj");
    let owns = |tuner: &str| match tuner {
        "irqbalance" => file.starts_with("irq/") && file.contains("smp_affinity"),
        "bpftune" => sysctl.is_some_and(by_bpftune),
        "auto-cpufreq" | "power-profiles-daemon" => frequency,
        "tlp" => frequency || file.ends_with("/queue/scheduler"),
        "ananicy" | "ananicy-cpp" => thread || process,
        "NetworkManager" => {
            file.starts_with("class/net/")
                || sysctl.is_some_and(|key| ["net/ipv4/conf/", "net/ipv6/conf/"].iter().any(|p| key.starts_with(p)))
        }
        "kubelet" => sysctl.is_some_and(|key| BY_KUBELET.contains(&key)),
        _ => false,
    };
    // TLP runs only at events; what it leaves there tells that it is in use.
    let tlp = host.inode(&Place::top("/run/tlp")).is_ok().then(|| Arc::from("tlp"));
    let found = tuners.iter().cloned().chain(tlp).find(|tuner| owns(tuner))?;
    Some(format!("{found} runs and sets {knob} by itself: change it there, or stop it."))
}

/// What the kubelet wants of the kernel (`--protect-kernel-defaults`).
const BY_KUBELET: [&str; 6] = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
];

/// What bpftune's tuners set (its bpftune-*(8) pages): buffers, backlogs, neighbour and route tables, congestion control.
fn by_bpftune(key: &str) -> bool {
    let names =
        ["rmem", "wmem", "tcp_mem", "udp_mem", "netdev_", "gc_thresh", "congestion_control", "max_size", "ipfrag_", "ip6frag_"];
    let own =
        ["net/core/flow_limit_cpu_bitmap", "net/ipv4/tcp_max_syn_backlog", "net/ipv4/tcp_max_orphans", "net/ipv4/tcp_syncookies"];
    key.starts_with("net/") && (own.contains(&key) || names.iter().any(|name| key.contains(name)))
}

/// Puppet, of the resources in its last catalogue.
fn puppet(host: &dyn Host, knob: &Knob, sysctl: Option<&str>) -> Option<String> {
    let lists = ["/opt/puppetlabs/puppet/cache/state/resources.txt", "/var/lib/puppet/state/resources.txt"].map(Place::top);
    let (list, text) = lists.iter().find_map(|list| Some((list, host.text(list).ok()?)))?;
    let file = format!("file[{knob}]");
    let named = |line: &str| {
        let key = line.strip_prefix("sysctl").and_then(|rest| rest.split_once('[')).map(|(_, rest)| rest.trim_end_matches(']'));
        line == file || sysctl.zip(key).is_some_and(|(key, named)| same_key(named, key))
    };
    let line = text.lines().map(str::trim).find(|line| named(line))?;
    Some(format!("puppet manages {} ({list}): change it there.", crate::model::text::clean(line, 80)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{
        host::recorded::RecordedHost,
        model::{facts::Facts, knob::Task, subject::ProcessId},
    };

    fn file(path: &str) -> Knob {
        Knob::File(Place::proc(format!("sys/{path}")))
    }

    fn why(host: &RecordedHost, knob: &Knob) -> Option<String> {
        of(host, knob, &host.tuners()).err().map(|refusal| refusal.why)
    }

    fn with(tuner: &str) -> RecordedHost {
        let host = RecordedHost::default();
        host.set_facts(Facts { tuners: vec![tuner.into()], ..Facts::default() });
        host
    }

    #[test]
    fn a_pin_is_named_with_its_file_and_a_distributions_default_is_none() {
        let host = RecordedHost::default();
        host.put("/usr/lib/sysctl.d/50-default.conf", "vm.swappiness = 30\n");
        assert_eq!(why(&host, &file("vm/swappiness")), None);
        host.put("/etc/sysctl.d/70-db.conf", "# vm.dirty_ratio=1\n-vm.swappiness = 10\nnet/ipv4/conf/eth0.7/rp_filter=1\n");
        let pinned = why(&host, &file("vm/swappiness")).unwrap();
        assert!(pinned.contains("-vm.swappiness = 10 is pinned by /etc/sysctl.d/70-db.conf"), "{pinned}");
        assert_eq!(why(&host, &file("vm/dirty_ratio")), None, "a comment is no pin");
        assert!(why(&host, &file("net/ipv4/conf/eth0.7/rp_filter")).is_some(), "with slashes, dots stay");
        host.put("/etc/sysctl.conf", "net.ipv4.conf.*.send_redirects=0\nkernel.pid_max=1000\n");
        assert!(why(&host, &file("net/ipv4/conf/all/send_redirects")).is_some());
        let ours = Knob::NetworkFile { netns: 1, through: None, file: "ipv4/conf/all/send_redirects".into() };
        let others =
            Knob::NetworkFile { netns: 1, through: Some(ProcessId::default()), file: "ipv4/conf/all/send_redirects".into() };
        assert!(why(&host, &ours).is_some() && why(&host, &others).is_none());
        host.put(
            "/etc/sysctl.d/90-trimtab-x.conf",
            &document::sysctls(crate::model::change::ChangeId(3), &[("vm.dirty_ratio".into(), "5".into())]),
        );
        assert!(why(&host, &file("vm/dirty_ratio")).unwrap().contains("roll that change back first"));
    }

    #[test]
    fn tuned_owns_what_its_profile_and_those_it_includes_set() {
        let host = with("tuned");
        assert!(why(&host, &file("vm/swappiness")).unwrap().contains("cannot be read"));
        host.put("/etc/tuned/active_profile", "mine\n");
        host.put("/etc/tuned/mine/tuned.conf", "[main]\ninclude=throughput\n[my_disk]\nreadahead=>4096\ntype=disk\n");
        let base =
            "[sysctl]\nvm.dirty_ratio = 40\n[vm]\ntransparent_hugepages=never\n[sysfs]\n/sys/block/sd*/queue/nr_requests=128\n";
        host.put("/usr/lib/tuned/throughput/tuned.conf", base);
        assert_eq!(why(&host, &file("vm/swappiness")), None);
        assert!(why(&host, &file("vm/dirty_ratio")).unwrap().contains("profile mine (vm.dirty_ratio=40)"));
        let sys = |path: &str| why(&host, &Knob::File(Place::sys(path))).is_some();
        assert!(sys("kernel/mm/transparent_hugepage/enabled") && !sys("kernel/mm/transparent_hugepage/defrag"));
        assert!(sys("block/sda/queue/read_ahead_kb") && sys("block/sdb/queue/nr_requests") && !sys("block/vda/queue/nr_requests"));
        host.put("/usr/lib/tuned/throughput/tuned.conf", "[main]\ninclude=mine\n");
        assert_eq!(why(&host, &file("vm/dirty_ratio")), None, "profiles that include each other end");
    }

    #[test]
    fn each_tuner_owns_its_own_kind() {
        let task = Task { process: ProcessId::default(), tid: 1, start: 0 };
        let governor = Knob::File(Place::sys("devices/system/cpu/cpufreq/policy0/scaling_governor"));
        let cases = [
            ("irqbalance", Knob::File(Place::proc("irq/9/smp_affinity_list"))),
            ("bpftune", file("net/ipv4/tcp_rmem")),
            ("auto-cpufreq", governor.clone()),
            ("power-profiles-daemon", governor.clone()),
            ("ananicy-cpp", Knob::Nice(task)),
            ("NetworkManager", file("net/ipv4/conf/eth0/rp_filter")),
            ("kubelet", file("vm/overcommit_memory")),
        ];
        for (tuner, knob) in &cases {
            let why = why(&with(tuner), knob).unwrap();
            assert!(why.starts_with(tuner), "{why}");
        }
        for (tuner, knob) in [("irqbalance", &governor), ("bpftune", &file("net/core/somaxconn")), ("puppet", &governor)] {
            assert_eq!(why(&with(tuner), knob), None, "{tuner} {knob}");
        }
        let tlp = RecordedHost::default();
        tlp.put("/run/tlp/last_pwr", "0\n");
        assert!(why(&tlp, &governor).unwrap().starts_with("tlp"));
    }

    #[test]
    fn puppets_catalogue_is_asked() {
        let host = RecordedHost::default();
        host.put("/var/lib/puppet/state/resources.txt", "file[/etc/motd]\nsysctl_runtime[vm.swappiness]\n");
        assert!(why(&host, &file("vm/swappiness")).unwrap().contains("puppet"));
        assert_eq!(why(&host, &file("vm/dirty_ratio")), None);
    }

    #[test]
    fn a_drop_in_that_would_win_at_a_reload_pins_the_property() {
        let host = RecordedHost::default();
        let weight = Knob::UnitProperty { unit: "web.service".into(), directory: Place::sys("x"), property: Property::CpuWeight };
        host.put("/etc/systemd/system/web.service.d/10-early.conf", "[Service]\nCPUWeight=7\n");
        host.put("/etc/systemd/system/web.service.d/override.conf", "[Service]\nNice=7\n");
        assert_eq!(why(&host, &weight), None);
        host.put("/etc/systemd/system/web.service.d/override.conf", "[Service]\nCPUWeight=7\n");
        assert!(why(&host, &weight).unwrap().contains("web.service.d/override.conf"));
        host.remove("/etc/systemd/system/web.service.d/override.conf");
        host.put("/etc/systemd/system.control/web.service.d/50-CPUWeight.conf", "[Service]\nCPUWeight=7\n");
        assert!(why(&host, &weight).unwrap().contains("system.control"));
    }

    #[test]
    fn a_units_cgroup_is_never_written_past_systemd() {
        let host = RecordedHost::default();
        host.put("/proc/1/comm", "systemd\n");
        host.put("/sys/fs/cgroup/cgroup.controllers", "cpu\n");
        let knob = |path: &str, file: &str| Knob::CgroupFile {
            directory: Place::sys(format!("fs/cgroup/{path}")),
            inode: 1,
            file: file.into(),
        };
        assert!(why(&host, &knob("system.slice/web.service", "cpu.weight")).unwrap().contains("web.service"));
        assert_eq!(why(&host, &knob("system.slice/web.service", "cgroup.freeze")), None, "systemd leaves that alone");
        assert_eq!(why(&host, &knob("batch", "cpu.weight")), None);
        assert!(why(&host, &knob("kubepods.slice/x", "cgroup.freeze")).unwrap().contains("kubelet"));
        let line = |path: &str| Knob::CgroupDevice {
            directory: Place::sys(format!("fs/cgroup/{path}")),
            inode: 1,
            file: "io.max".into(),
            device: (8, 0),
        };
        assert!(why(&host, &line("system.slice/web.service")).unwrap().contains("web.service"));
        assert!(why(&host, &line("kubepods.slice/x")).unwrap().contains("kubelet"));
        assert_eq!(why(&host, &line("batch")), None);
        host.put("/proc/1/comm", "init\n");
        assert_eq!(why(&host, &line("system.slice/web.service")), None);
    }
}
