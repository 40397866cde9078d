//! The laws once more where the cgroups are units of systemd: the same actions go through `set-property`, and undo takes away exactly
//! the drop-in that they made.

use super::{
    same,
    scene::{Scene, host, of, quiet},
};
use trimtab::{
    actions::{self, action::Action},
    host::{
        host::Host,
        recorded::{RecordedHost, at},
    },
    model::{
        finding::FindingKind,
        knob::Knob,
        metric::{Key, Metric},
        plan::{Held, Obstacle, Plan, Undone},
        proposal::Proposal,
        sample::CgroupVersion,
        series::Point,
        snapshot::{Cgroup, Process, Quota, Reading, Vm},
        subject::Subject,
        systemd::Property,
    },
};

const PATH: &str = "/system.slice/app.service";
const DROP_IN: &str = "/run/systemd/system.control/app.service.d/50-CPUWeight.conf";

/// The tree with systemd as its first process and one unit, in a pure hierarchy of version 2.
pub fn machine() -> RecordedHost {
    let host = host();
    host.put("/proc/1/comm", "systemd\n");
    host.put("/proc/self/mountinfo", "24 1 0:22 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    let file = |name: &str, text: &str| host.put(&format!("/sys/fs/cgroup{PATH}/{name}"), text);
    file("cgroup.procs", "400\n");
    file("cpu.weight", "100\n");
    file("cpu.max", "15000 100000\n");
    file("memory.max", "268435456\n");
    file("memory.current", "230686720\n");
    file("memory.stat", "inactive_file 10485760\nactive_file 10485760\n");
    file("pids.max", "100\n");
    host.set_unit("app.service", Property::CpuQuota, "15%");
    host.set_unit("app.service", Property::MemoryMax, "268435456");
    host.set_unit("app.service", Property::TasksMax, "100");
    file("pids.current", "95\n");
    file("memory.high", "max\n");
    file("memory.low", "0\n");
    host.set_unit("app.service", Property::MemoryHigh, "infinity");
    host.set_unit("app.service", Property::MemoryLow, "0");
    host.put("/sys/fs/cgroup/system.slice/memory.low", "0\n");
    host.set_unit("system.slice", Property::MemoryLow, "0");
    host
}

/// The same where the unit has no quota yet, for the action that gives it one.
fn machine_of(name: &str) -> RecordedHost {
    let host = machine();
    if name == "cpu-cap" {
        host.put(&format!("/sys/fs/cgroup{PATH}/cpu.max"), "max 100000\n");
        host.set_unit("app.service", Property::CpuQuota, "infinity");
    }
    host
}

/// The world of that action.
pub fn world_of(name: &str) -> Scene {
    worlds().into_iter().find(|(known, _)| *known == name).unwrap().1
}

/// The worlds of the actions that set limits, with the unit in place of the cgroups.
fn worlds() -> Vec<(&'static str, Scene)> {
    let unit = |mut scene: Scene| {
        if let Reading::Known(all) = &mut scene.snapshot.cgroups {
            let like = all.iter().find(|c| &*c.path == "/tenant").unwrap().clone();
            let quota = Some(Quota { quota: Some(15_000), period: 100_000 });
            let slice = Cgroup { path: "/system.slice".into(), weight: None, memory_limit: None, ..like.clone() };
            *all = vec![
                slice,
                Cgroup {
                    path: PATH.into(),
                    version: CgroupVersion::V2,
                    weight: Some(100),
                    quota,
                    pids: Some(95),
                    pids_limit: Some(100),
                    memory_limit: Some(256 << 20),
                    ..like
                },
            ];
        }
        if let Reading::Known(all) = &mut scene.snapshot.processes {
            let mut processes: Vec<Process> = all.to_vec();
            processes.iter_mut().filter(|p| p.id.pid == 400).for_each(|p| p.cgroup = PATH.into());
            processes.iter_mut().filter(|p| p.id.pid == 200).for_each(|p| p.cgroup = "/system.slice/web.service".into());
            *all = processes.into();
        }
        scene
    };
    let about = || Subject::Cgroup(PATH.into());
    let contention = || unit(quiet().find(FindingKind::CpuContention, Subject::Host, &[400], &[200]));
    let unbound = |mut scene: Scene| {
        let Reading::Known(all) = &mut scene.snapshot.cgroups else { unreachable!("a scene knows them") };
        all.iter_mut().for_each(|row| (row.cpu, row.quota) = (Some(1.5), Some(Quota { quota: None, period: 100_000 })));
        scene
    };
    let short = |culprit: u32, victim: u32| {
        let vm = Vm { refault_file: 900.0, ..Vm::default() };
        let mut scene = unit(quiet().vm(vm).find(FindingKind::MemoryPressure, Subject::Host, &[culprit], &[victim]));
        scene.facts.cgroup_v2 = Some("/sys/fs/cgroup".into());
        let key = Key::new(about(), Metric::CgroupMemory);
        scene.series.push(key, Point { at: at(40.0), value: 1.6e8 }, 10);
        scene
    };
    vec![
        ("cgroup-weight", contention()),
        ("cpu-cap", unbound(contention())),
        ("memory-high", short(400, 200)),
        ("memory-low", short(200, 400)),
        ("pids-limit", unit(quiet().find(FindingKind::TasksExhaustion, about(), &[], &[]))),
        ("cgroup-quota", unit(quiet().find(FindingKind::Throttled, about(), &[], &[]))),
        ("memory-limit", unit(quiet().find(FindingKind::PredictedMemory, about(), &[], &[]).coming((256 << 20) as f64))),
    ]
}

fn each(law: impl Fn(&dyn Action, &Proposal, Plan, RecordedHost)) {
    for (name, scene) in worlds() {
        let (host, action) = (machine_of(name), actions::named(name).unwrap());
        let proposal = action.propose(&scene.world()).into_iter().next().unwrap_or_else(|| panic!("{name} proposes nothing"));
        let plan = action.prepare(&proposal, &host).unwrap_or_else(|r| panic!("{name}: {}", r.why));
        law(action, &proposal, plan, host);
    }
}

#[test]
fn a_units_limit_is_set_as_a_property_and_undone_to_the_same_machine() {
    each(|action, proposal, plan, host| {
        let (name, before) = (action.about().name, host.dump());
        assert!(plan.steps.iter().all(|s| matches!(s.knob, Knob::UnitProperty { .. })), "{name}: {plan:?}");
        assert!(plan.steps.iter().all(|s| s.apply.starts_with("sudo systemctl set-property --runtime -- ")), "{name}: {plan:?}");
        assert!(plan.steps.iter().any(|s| s.apply.contains(" -- app.service ")), "{name}: {plan:?}");
        assert!(plan.steps[0].before.starts_with("unset"), "{name}: {}", plan.steps[0].before);
        action.apply(&plan, &host).unwrap();
        let (once, writes) = (host.dump(), host.writes());
        action.apply(&plan, &host).unwrap();
        assert_eq!((host.dump() == once, host.writes()), (true, writes), "{name}: twice is once");
        assert_eq!(action.verify(&plan, &host).unwrap(), Held::Holds, "{name}");
        assert_eq!(action.prepare(proposal, &host).unwrap_err().kind, Obstacle::Nothing, "{name}");
        let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(action.rollback(&again, &host).unwrap(), Undone::Undone, "{name}");
        same(&host.dump(), &before, name);
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone);
    });
}

#[test]
fn a_cut_apply_or_undo_is_finished() {
    each(|action, _, plan, host| {
        let before = host.dump();
        host.fail_write(1);
        assert_eq!(action.apply(&plan, &host).unwrap_err().kind, Obstacle::Failed);
        host.heal();
        action.apply(&plan, &host).unwrap();
        host.fail_write(1);
        assert!(action.rollback(&plan, &host).is_err());
        host.heal();
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone);
        same(&host.dump(), &before, action.about().name);
    });
}

#[test]
fn what_a_stranger_set_in_our_drop_in_is_left_alone() {
    each(|action, _, plan, host| {
        action.apply(&plan, &host).unwrap();
        let stranger = if plan.steps[0].after.ends_with('%') { "77%" } else { "7" };
        host.tamper(&plan.steps[0].knob, stranger);
        assert!(matches!(action.verify(&plan, &host).unwrap(), Held::Drifted { .. }));
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Yielded(vec![plan.steps[0].knob.to_string()]));
        assert_eq!(host.get(&plan.steps[0].knob).unwrap(), stranger);
    });
}

#[test]
fn a_drop_in_that_says_more_than_ours_is_not_ours() {
    let (_, scene) = worlds().swap_remove(0);
    let (host, weight) = (machine(), actions::named("cgroup-weight").unwrap());
    let plan = weight.prepare(&weight.propose(&scene.world())[0], &host).unwrap();
    weight.apply(&plan, &host).unwrap();
    host.put(DROP_IN, "[Service]\nCPUWeight=1\nNice=5\n");
    assert!(matches!(weight.rollback(&plan, &host).unwrap(), Undone::Yielded(_)));
    host.put(DROP_IN, "[Service]\nCPUWeight=1\n");
    let others = "/run/systemd/system.control/app.service.d/50-IOWeight.conf";
    host.put(others, "[Service]\nIOWeight=3\n");
    assert_eq!(weight.rollback(&plan, &host).unwrap(), Undone::Undone);
    assert!(host.dump().contains(others) && !host.dump().contains(DROP_IN), "only our own drop-in goes");
}

#[test]
fn a_limit_of_one_disk_is_proposed_for_no_unit() {
    let proposed = |systemd: bool| {
        let mut scene = of("cgroup-io");
        scene.facts.systemd = systemd;
        let renamed = |path: &str| path.replace("/batch", "/batch.slice").into();
        let (Reading::Known(groups), Reading::Known(all)) = (&mut scene.snapshot.cgroups, &mut scene.snapshot.processes) else {
            unreachable!("a scene knows both")
        };
        groups.iter_mut().for_each(|row| row.path = renamed(&row.path));
        let mut processes: Vec<Process> = all.to_vec();
        processes.iter_mut().for_each(|process| process.cgroup = renamed(&process.cgroup));
        *all = processes.into();
        actions::named("cgroup-io").unwrap().propose(&scene.world()).len()
    };
    assert_eq!((proposed(false), proposed(true)), (1, 0));
}

#[test]
fn a_unit_that_ended_is_refused_and_its_leftover_taken_away() {
    let (_, scene) = worlds().swap_remove(0);
    let (host, weight) = (machine(), actions::named("cgroup-weight").unwrap());
    let proposal = weight.propose(&scene.world()).remove(0);
    let plan = weight.prepare(&proposal, &host).unwrap();
    weight.apply(&plan, &host).unwrap();
    host.remove_unit("app.service");
    assert_eq!(weight.rollback(&plan, &host).unwrap(), Undone::Undone);
    assert!(!host.dump().contains(DROP_IN));
    assert_eq!(weight.prepare(&proposal, &host).unwrap_err().kind, Obstacle::Gone);
    assert_eq!(weight.apply(&plan, &host).unwrap_err().kind, Obstacle::Gone);
    assert_eq!(weight.verify(&plan, &host).unwrap(), Held::Gone);
}

#[test]
fn protected_processes_protect_their_unit_and_a_pin_refuses() {
    let (_, scene) = worlds().swap_remove(0);
    let (host, weight) = (machine(), actions::named("cgroup-weight").unwrap());
    let proposal = weight.propose(&scene.world()).remove(0);
    host.set_family(vec![400]);
    assert_eq!(weight.prepare(&proposal, &host).unwrap_err().kind, Obstacle::Protected);
    host.set_family(vec![]);
    host.put("/etc/systemd/system/app.service.d/override.conf", "[Service]\nCPUWeight=500\n");
    let refused = weight.prepare(&proposal, &host).unwrap_err();
    assert!(refused.kind == Obstacle::Owned && refused.why.contains("override.conf"), "{}", refused.why);
}
