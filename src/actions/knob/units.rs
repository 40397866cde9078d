//! A limit of a cgroup, set through whoever keeps the cgroup: by `systemctl set-property --runtime` where it is a systemd unit's, which
//! would write its own value back over ours; in the kernel's file elsewhere (catalogue U1; systemd.resource-control(5)).

use crate::{
    actions::knob::{
        cgroups::Directory,
        refuse::{from_host, refusal},
        steps,
    },
    host::host::Host,
    model::{
        knob::{Knob, Place},
        plan::{Obstacle, Refusal, Step},
        sample::CgroupVersion,
        systemd::{Keeper, Property, UNSET, keeper},
    },
};

/// True where systemd is pid 1.
pub fn runs(host: &dyn Host) -> bool {
    host.text(&Place::proc("1/comm")).is_ok_and(|comm| comm.trim() == "systemd")
}

/// The step that gives a limit of the cgroup of that path the value: file and value in the words of the directory's own version.
pub fn limit(
    host: &dyn Host,
    (path, directory): (&str, &Directory),
    (file, value): (&str, &str),
    needs: &str,
) -> Result<Step, Refusal> {
    let lacks = |e| from_host(&e, needs);
    let keeper = if runs(host) { keeper(path) } else { Keeper::Nobody };
    let unit = match keeper {
        Keeper::Nobody => None,
        Keeper::Unit(unit) => meaning(host, directory, (file, value)).map(|meant| (unit, meant)),
        Keeper::Within(manager) => {
            return Err(refusal(
                Obstacle::Owned,
                format!("{path} belongs to the systemd that runs in {manager}: change it there."),
            ));
        }
    };
    let Some((unit, (property, after))) = unit else { return steps::step(host, directory.knob(file), value).map_err(lacks) };
    let knob = Knob::UnitProperty { unit, directory: directory.place.clone(), property };
    let step = steps::step(host, knob, after).map_err(lacks)?;
    // Its own files say so already.
    let so = held(&step.before) == Some(&*step.after);
    Ok(if so { Step { after: step.before.clone(), apply: step.undo.clone(), ..step } } else { step })
}

/// The value that systemd holds in the text of such a knob; `None` where it holds none.
pub fn held(value: &str) -> Option<&str> {
    if value == UNSET { None } else { Some(value.strip_prefix("unset ").unwrap_or(value)) }
}

/// The property and its value that a file of the kernel's with that value means; `None` for a file that systemd leaves alone.
fn meaning(host: &dyn Host, directory: &Directory, (file, value): (&str, &str)) -> Option<(Property, String)> {
    if directory.version == CgroupVersion::V2 {
        let property = Property::of_file(file)?;
        return Some((property, property.of_kernel(value)?));
    }
    let number = value.parse::<f64>().ok();
    match file {
        // So systemd itself translates them (`cgroup_weight_cpu_to_shares` is its other direction).
        "cpu.shares" => Some((Property::CpuWeight, format!("{:.0}", (number? * 100.0 / 1024.0).clamp(1.0, 10_000.0)))),
        "cpu.cfs_quota_us" if value == "-1" => Some((Property::CpuQuota, "infinity".into())),
        "cpu.cfs_quota_us" => {
            let period = host.text(&directory.place.join("cpu.cfs_period_us")).ok()?.trim().parse::<f64>().ok()?;
            Some((Property::CpuQuota, format!("{:.0}%", 100.0 * number? / period.max(1.0))))
        }
        "memory.limit_in_bytes" => Some((Property::MemoryMax, value.into())),
        "pids.max" => Some((Property::TasksMax, if value == "max" { "infinity".into() } else { value.into() })),
        _ => None,
    }
}

/// True for a file that systemd writes by itself in the cgroup of a unit, of either version.
pub fn keeps(file: &str) -> bool {
    let old = ["cpu.shares", "cpu.cfs_quota_us", "memory.limit_in_bytes", "blkio.weight"];
    Property::of_file(file).is_some() || old.contains(&file)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{actions::knob::cgroups, host::recorded::RecordedHost};

    fn host() -> RecordedHost {
        let host = RecordedHost::default();
        host.put("/proc/1/comm", "systemd\n");
        host.put("/proc/self/mountinfo", "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        for path in ["system.slice/web.service", "batch", "user.slice/user-7.slice/user@7.service/app.slice/x.service"] {
            host.put(&format!("/sys/fs/cgroup/{path}/cpu.max"), "10000 100000\n");
        }
        host.set_unit("web.service", Property::CpuQuota, "10%");
        host
    }

    fn quota(host: &RecordedHost, path: &str, value: &str) -> Result<Step, Refusal> {
        let directory = cgroups::find(host, "cpu", path).unwrap();
        limit(host, (path, &directory), ("cpu.max", value), "root")
    }

    #[test]
    fn a_units_limit_goes_through_systemd_and_any_others_into_its_file() {
        let step = quota(&host(), "/system.slice/web.service", "95000 100000").unwrap();
        assert_eq!((&*step.before, &*step.after), ("unset 10%", "95%"));
        assert_eq!(step.apply, "sudo systemctl set-property --runtime -- web.service 'CPUQuota=95%'");
        let step = quota(&host(), "/batch", "95000 100000").unwrap();
        assert_eq!((&*step.before, &*step.after), ("10000 100000", "95000 100000"));
        let refused = quota(&host(), "/user.slice/user-7.slice/user@7.service/app.slice/x.service", "max 100000").unwrap_err();
        assert!(refused.kind == Obstacle::Owned && refused.why.contains("user@7.service"), "{}", refused.why);
    }

    #[test]
    fn where_systemd_is_not_the_first_process_a_name_means_nothing() {
        let host = host();
        host.put("/proc/1/comm", "init\n");
        assert!(matches!(quota(&host, "/system.slice/web.service", "95000 100000").unwrap().knob, Knob::CgroupFile { .. }));
    }

    #[test]
    fn what_the_units_own_files_say_is_no_change() {
        let step = quota(&host(), "/system.slice/web.service", "10000 100000").unwrap();
        assert_eq!(step.before, step.after);
    }

    #[test]
    fn the_old_versions_words_are_translated() {
        let host = host();
        host.put("/sys/fs/cgroup/cpu/a.slice/cpu.cfs_period_us", "50000\n");
        let directory = Directory { place: Place::sys("fs/cgroup/cpu/a.slice"), inode: 1, version: CgroupVersion::V1 };
        let of = |file, value| meaning(&host, &directory, (file, value));
        assert_eq!(of("cpu.shares", "16"), Some((Property::CpuWeight, "2".into())));
        assert_eq!(of("cpu.cfs_quota_us", "25000"), Some((Property::CpuQuota, "50%".into())));
        assert_eq!(of("cpu.cfs_quota_us", "-1"), Some((Property::CpuQuota, "infinity".into())));
        assert_eq!(of("memory.swappiness", "1"), None);
    }
}
