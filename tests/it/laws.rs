//! Laws that every registered action obeys, on a recorded tree. A new action is tested before its author writes a test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

#[path = "laws/lasting.rs"]
pub(crate) mod lasting;
#[path = "laws/memory.rs"]
mod memory;
#[path = "laws/processors.rs"]
mod processors;
#[path = "laws/real.rs"]
mod real;
#[path = "laws/scene.rs"]
pub(crate) mod scene;
#[path = "laws/tables.rs"]
mod tables;
#[path = "laws/triggers.rs"]
mod triggers;
#[path = "laws/units.rs"]
mod units;

use proptest::prelude::*;
use scene::{OTHER, host, id, machine, of, quiet};
use trimtab::{
    actions::{self, action::Action},
    host::{error::Kind, host::Host, recorded::RecordedHost},
    model::{
        finding::FindingKind,
        knob::Knob,
        plan::{Held, Obstacle, Plan, Undone},
        proposal::{Proposal, Want},
        subject::Subject,
    },
};

fn proposal(action: &dyn Action) -> Proposal {
    let name = action.about().name;
    let scene = of(name);
    let all = action.propose(&scene.world());
    all.into_iter().next().unwrap_or_else(|| panic!("{name} proposes nothing in its own world"))
}

/// Fails with the lines that differ, not with two whole machines.
#[track_caller]
fn same(now: &str, before: &str, what: &str) {
    let lines = |a: &str, b: &str| a.lines().filter(|line| !b.lines().any(|other| other == *line)).collect::<Vec<_>>().join("\n");
    assert!(now == before, "{what}: now\n{}\nbefore\n{}", lines(now, before), lines(before, now));
}

/// Each action with its plan on a fresh host.
fn each(law: impl Fn(&dyn Action, Plan, RecordedHost)) {
    for action in actions::all() {
        let host = machine(action.about().name);
        let plan = action.prepare(&proposal(*action), &host);
        law(*action, plan.unwrap_or_else(|r| panic!("{}: {}", action.about().name, r.why)), host);
    }
}

#[test]
fn names_are_unique_and_found() {
    let mut names: Vec<_> = actions::all().iter().map(|a| a.about().name).collect();
    assert!(names.iter().all(|name| actions::named(name).unwrap().about().name == *name));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), actions::all().len());
    let others = [actions::triggers(), actions::lasting(), actions::asked(), actions::urgent()].concat();
    assert_eq!(actions::table().lines().count(), names.len() + others.len() + 2);
}

#[test]
fn proposals_can_be_read_by_a_tired_operator() {
    for action in actions::proposed() {
        let about = action.about();
        let p = proposal(*action);
        assert_eq!(&*p.action, about.name);
        assert!(p.title.chars().count() <= 60 && !p.title.is_empty(), "{}: {}", about.name, p.title);
        for (what, text) in [("why", &p.why), ("mechanism", &p.mechanism), ("expect", &p.expect), ("undo", &p.undo)] {
            assert!(text.ends_with('.') && !text.contains('\n') && text.len() > 20, "{} {what}: {text}", about.name);
        }
        assert!(p.expect.chars().any(|c| c.is_ascii_digit()), "{} promises no number: {}", about.name, p.expect);
        assert!((0.0..=1.0).contains(&p.fit) && p.fit > 0.0, "{}: {}", about.name, p.fit);
        assert!(p.trial.least >= 0.10 && p.trial.windows.after > 0.0 && !p.wants.is_empty(), "{}", about.name);
        assert_eq!((p.risk, p.cooldown), (about.risk, about.cooldown), "{}", about.name);
    }
}

#[test]
fn apply_then_rollback_is_the_same_machine() {
    each(|action, plan, host| {
        let (name, before) = (action.about().name, host.dump());
        action.apply(&plan, &host).unwrap();
        assert_ne!(host.dump(), before, "{name} changed nothing");
        assert_eq!(action.verify(&plan, &host).unwrap(), Held::Holds, "{name}");
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone, "{name}");
        same(&host.dump(), &before, name);
    });
}

#[test]
fn twice_is_once() {
    each(|action, plan, host| {
        let before = host.dump();
        action.apply(&plan, &host).unwrap();
        let (once, writes) = (host.dump(), host.writes());
        action.apply(&plan, &host).unwrap();
        same(&host.dump(), &once, action.about().name);
        assert_eq!(host.writes(), writes, "{}", action.about().name);
        action.rollback(&plan, &host).unwrap();
        let writes = host.writes();
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone);
        same(&host.dump(), &before, action.about().name);
        assert_eq!(host.writes(), writes, "{}", action.about().name);
    });
}

fn writes_of(action: &dyn Action, deed: impl Fn(&Plan, &RecordedHost)) -> usize {
    let host = machine(action.about().name);
    let plan = action.prepare(&proposal(action), &host).unwrap();
    action.apply(&plan, &host).unwrap();
    let applied = host.writes();
    deed(&plan, &host);
    host.writes() - if host.writes() == applied { 0 } else { applied }
}

#[test]
fn a_failed_apply_is_undone_at_whichever_write_it_failed() {
    for action in actions::all() {
        for n in 1..=writes_of(*action, |_, _| {}) {
            let host = machine(action.about().name);
            let (plan, before) = (action.prepare(&proposal(*action), &host).unwrap(), host.dump());
            host.fail_write(n);
            assert_eq!(action.apply(&plan, &host).unwrap_err().kind, Obstacle::Failed, "{} {n}", action.about().name);
            host.heal();
            assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone, "{} {n}", action.about().name);
            same(&host.dump(), &before, &format!("{} failed at {n}", action.about().name));
        }
    }
}

#[test]
fn a_cut_rollback_is_finished_by_the_next_one() {
    for action in actions::all() {
        let undo = |plan: &Plan, host: &RecordedHost| drop(action.rollback(plan, host).unwrap());
        for n in 1..=writes_of(*action, undo) {
            let host = machine(action.about().name);
            let (plan, before) = (action.prepare(&proposal(*action), &host).unwrap(), host.dump());
            action.apply(&plan, &host).unwrap();
            host.fail_write(n);
            assert!(action.rollback(&plan, &host).is_err(), "{} {n}", action.about().name);
            host.heal();
            assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone, "{} {n}", action.about().name);
            same(&host.dump(), &before, &format!("{} cut at {n}", action.about().name));
        }
    }
}

/// A value of that knob that nobody in these tests writes.
fn foreign(knob: &Knob) -> &'static str {
    match knob {
        Knob::File(p) if p.path.ends_with("scheduler") => "kyber",
        Knob::File(p) if p.path.ends_with("enabled") => "never",
        Knob::File(p) if p.path.ends_with("defrag") => "defer",
        Knob::Policy(_) => "fifo",
        Knob::Affinity(_) => "0",
        Knob::IoPriority(_) => "best-effort 2",
        Knob::Descriptors(_) => "77:1048576",
        Knob::NetworkFile { file, .. } if file.ends_with("range") => "20000 30000",
        Knob::Backlog { .. } => "9000",
        _ => "7",
    }
}

/// Knobs that the kernel moves together (catalogue B8): where one is a stranger's, undoing the other would overwrite it.
fn coupled(a: &Knob, b: &Knob) -> bool {
    let group = |knob: &Knob| match knob {
        Knob::Backlog { .. } => "backlog".to_string(),
        Knob::NetworkFile { file, .. } if file == "core/somaxconn" => "backlog".into(),
        Knob::CgroupFile { directory, file, .. } if file.ends_with("limit_in_bytes") => directory.to_string(),
        Knob::NetworkFile { file, .. } if file.contains("rmem") => "buffers".into(),
        Knob::File(p) if p.path.contains("gc_thresh") => p.path.rsplit_once('/').unwrap().0.into(),
        Knob::File(p) if p.path.contains("dirty") => p.path.replace("_bytes", "").replace("_ratio", ""),
        Knob::File(p) if p.path.contains("/queue/") => p.path.rsplit_once('/').unwrap().0.into(),
        other => format!("{other:?}"),
    };
    group(a) == group(b)
}

#[test]
fn what_a_stranger_set_is_left_alone_and_the_rest_is_undone() {
    each(|action, plan, _| {
        for step in plan.steps.iter().filter(|step| step.before != step.after) {
            let host = machine(action.about().name);
            action.apply(&plan, &host).unwrap();
            host.tamper(&step.knob, foreign(&step.knob));
            let (name, stranger) = (action.about().name, host.get(&step.knob).unwrap());
            assert!(matches!(action.verify(&plan, &host).unwrap(), Held::Drifted { .. }), "{name} {}", step.knob);
            let Undone::Yielded(yielded) = action.rollback(&plan, &host).unwrap() else { panic!("{name} {}", step.knob) };
            assert!(yielded.contains(&step.knob.to_string()), "{name}: {yielded:?}");
            assert_eq!(host.get(&step.knob).unwrap(), stranger, "{name} overwrote {}", step.knob);
            for other in plan.steps.iter().filter(|other| !coupled(&other.knob, &step.knob)) {
                assert_eq!(host.get(&other.knob).unwrap(), other.before, "{name} left {}", other.knob);
            }
        }
    });
}

#[test]
fn a_value_that_moved_before_apply_is_refused() {
    each(|action, plan, host| {
        let step = plan.steps.iter().find(|step| step.before != step.after).unwrap();
        host.tamper(&step.knob, foreign(&step.knob));
        let refusal = action.apply(&plan, &host).unwrap_err();
        assert_eq!(refusal.kind, Obstacle::Moved, "{}", action.about().name);
        assert!(refusal.why.contains(&step.before) && refusal.why.contains(foreign(&step.knob)), "{}", refusal.why);
    });
}

#[test]
fn a_plan_survives_the_journal() {
    each(|action, plan, host| {
        let (before, text) = (host.dump(), serde_json::to_string(&plan).unwrap());
        let again: Plan = serde_json::from_str(&text).unwrap();
        assert_eq!(again, plan);
        action.apply(&plan, &host).unwrap();
        assert_eq!(action.rollback(&again, &host).unwrap(), Undone::Undone);
        same(&host.dump(), &before, "dump");
        assert_eq!((plan.action.as_str(), plan.boot.len()), (action.about().name, 36));
        assert!(plan.steps.iter().all(|s| !s.apply.is_empty() && !s.undo.is_empty() && !s.apply.contains('\n')));
    });
}

#[test]
fn propose_and_prepare_write_nothing() {
    for action in actions::proposed() {
        let host = machine(action.about().name);
        let before = host.dump();
        host.fail_write(1);
        action.prepare(&proposal(*action), &host).unwrap();
        same(&host.dump(), &before, action.about().name);
        assert_eq!(host.writes(), 0);
    }
}

#[test]
fn without_rights_the_refusal_names_errno_and_capability() {
    for action in actions::proposed() {
        let host = machine(action.about().name);
        host.deny(true);
        let refusal = action.prepare(&proposal(*action), &host).unwrap_err();
        let Obstacle::Rights { errno, needs } = &refusal.kind else { panic!("{}: {refusal:?}", action.about().name) };
        assert_eq!((errno.as_str(), needs.as_str()), ("EPERM", action.about().needs));
        assert!(refusal.why.contains("EPERM") && refusal.why.contains(action.about().needs), "{}", refusal.why);
    }
}

#[test]
fn what_is_so_already_is_no_change() {
    for action in actions::all() {
        let host = machine(action.about().name);
        let plan = action.prepare(&proposal(*action), &host).unwrap();
        action.apply(&plan, &host).unwrap();
        let again = action.prepare(&proposal(*action), &host).unwrap_err();
        assert_eq!(again.kind, Obstacle::Nothing, "{}: {}", action.about().name, again.why);
    }
}

/// Ends what the proposal is about; `None` for knobs of the host, which do not end.
fn end(proposal: &Proposal, host: &RecordedHost) -> Option<()> {
    let mut ended = None;
    for want in &proposal.wants {
        match &want.on {
            Subject::Process(p) => host.remove(&format!("/proc/{}", p.pid)),
            Subject::Cgroup(path) => {
                ["cpu", "memory", "blkio", "unified"]
                    .iter()
                    .for_each(|controller| host.remove(&format!("/sys/fs/cgroup/{controller}{path}")));
            }
            _ => continue,
        }
        ended = Some(());
    }
    // A session lives on in its other processes.
    host.remove("/proc/300");
    ended
}

#[test]
fn ended_targets_are_skipped_and_said() {
    each(|action, plan, host| {
        let proposal = proposal(action);
        if end(&proposal, &host).is_none() {
            return;
        }
        let (name, after) = (action.about().name, host.dump());
        assert_eq!(action.prepare(&proposal, &host).unwrap_err().kind, Obstacle::Gone, "{name}");
        assert_eq!(action.apply(&plan, &host).unwrap_err().kind, Obstacle::Gone, "{name}");
        assert_eq!(action.verify(&plan, &host).unwrap(), Held::Gone, "{name}");
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone, "{name}");
        same(&host.dump(), &after, name);
    });
}

#[test]
fn a_pid_used_again_is_never_touched() {
    each(|action, plan, host| {
        let proposal = proposal(action);
        let pids: Vec<u32> = proposal.wants.iter().filter_map(|w| w.on.process()).map(|p| p.pid).chain([300]).collect();
        if pids.len() == 1 {
            return;
        }
        for pid in pids {
            host.put(&format!("/proc/{pid}/stat"), &format!("{pid} (new) R 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 777777 0\n"));
        }
        let before = host.dump();
        assert_eq!(action.prepare(&proposal, &host).unwrap_err().kind, Obstacle::Gone);
        assert_eq!(action.apply(&plan, &host).unwrap_err().kind, Obstacle::Gone);
        assert_eq!(action.rollback(&plan, &host).unwrap(), Undone::Undone);
        same(&host.dump(), &before, action.about().name);
        assert_eq!(host.writes(), 0);
    });
}

#[test]
fn trimtab_and_the_operators_session_are_never_slowed() {
    for action in actions::all() {
        let (host, proposal) = (machine(action.about().name), proposal(*action));
        let family = |want: &Want| match &want.on {
            Subject::Process(p) => Some(p.pid),
            Subject::Cgroup(path) if matches!(action.about().name, "cgroup-weight" | "cgroup-io") => {
                (&**path == "/batch").then_some(400)
            }
            _ => None,
        };
        let Some(pid) = proposal.wants.iter().find_map(family) else { continue };
        host.set_family(vec![pid]);
        let refusal = action.prepare(&proposal, &host).unwrap_err();
        assert_eq!(refusal.kind, Obstacle::Protected, "{}: {}", action.about().name, refusal.why);
        assert!(refusal.why.contains(&pid.to_string()), "{}", refusal.why);
    }
}

#[test]
fn a_protected_process_anywhere_in_a_session_protects_it() {
    let (host, autogroup) = (host(), actions::named("autogroup").unwrap());
    host.set_family(vec![299]);
    assert_eq!(autogroup.prepare(&proposal(autogroup), &host).unwrap_err().kind, Obstacle::Protected);
}

proptest! {
    #[test]
    fn no_plan_of_nice_ever_holds_a_protected_process(
        all in proptest::collection::vec((2u32..60, 0usize..6, any::<bool>(), any::<bool>()), 1..12),
    ) {
        const NAMES: [&str; 6] = ["hog", "sshd", "systemd-journal", "dockerd", "kubelet", "make"];
        let (host, nice) = (host(), actions::named("nice").unwrap());
        let mut guarded = Vec::new();
        let mut proposal = proposal(nice);
        proposal.wants.clear();
        let mut family = Vec::new();
        for (pid, name, kernel, ours) in all {
            let (flags, name) = (if kernel { 2_129_984 } else { 4_194_304 }, NAMES[name]);
            let stat = format!("{pid} ({name}) R 1 1 1 0 -1 {flags} 0 0 0 0 0 0 0 0 20 0 1 0 {} 0\n", pid * 10);
            host.put(&format!("/proc/{pid}/stat"), &stat);
            host.put(&format!("/proc/{pid}/task/{pid}/stat"), &stat);
            guarded.retain(|known| *known != pid);
            family.retain(|known| *known != pid);
            family.extend(ours.then_some(pid));
            guarded.extend((kernel || ours || !matches!(name, "hog" | "make")).then_some(pid));
            proposal.wants.push(Want { on: Subject::Process(id(pid)), to: "19".into() });
        }
        host.set_family(family);
        match nice.prepare(&proposal, &host) {
            Ok(plan) => prop_assert!(guarded.is_empty() && plan.subjects().len() <= proposal.wants.len()),
            Err(refusal) => {
                prop_assert_eq!(refusal.kind, Obstacle::Protected);
                prop_assert!(!guarded.is_empty());
            }
        }
    }
}

#[test]
fn the_knob_is_the_one_at_the_level_where_rivals_part() {
    let first = |culprits: &[u32], autogroup: bool| {
        let mut scene = quiet().find(FindingKind::CpuContention, Subject::Host, culprits, &[200]);
        scene.facts.autogroup = autogroup;
        let mut all: Vec<Proposal> = actions::all().iter().flat_map(|a| a.propose(&scene.world())).collect();
        all.sort_by(|a, b| b.fit.total_cmp(&a.fit));
        all.iter().map(|p| p.action.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(first(&[210], true), ["nice", "policy-idle", "policy-batch", "affinity"]);
    assert_eq!(first(&[300, 310], true), ["autogroup", "affinity"]);
    assert_eq!(first(&[300, 310], false), ["nice", "policy-idle", "policy-batch", "affinity"]);
    assert_eq!(first(&[400], true), ["cgroup-weight", "affinity"]);
    assert_eq!(first(&[90], true), [""; 0], "sshd is nobody's culprit");
}

#[test]
fn the_same_culprits_in_another_order_are_the_same_advice() {
    let advice = |culprits: &[u32]| {
        let scene = quiet().find(FindingKind::CpuContention, Subject::Host, culprits, &[200]);
        actions::all().iter().flat_map(|a| a.propose(&scene.world())).collect::<Vec<_>>()
    };
    let (one, other) = (advice(&[300, 310]), advice(&[310, 300]));
    assert!(one.len() > 1 && one.iter().zip(&other).all(|(a, b)| a.same_advice(b)));
}

#[test]
fn while_the_hypervisor_steals_no_cpu_change_is_proposed() {
    let scene = quiet().find(FindingKind::CpuContention, Subject::Host, &[210, 300, 400], &[200]).find(
        FindingKind::Steal,
        Subject::Host,
        &[],
        &[],
    );
    assert!(actions::all().iter().all(|a| a.propose(&scene.world()).is_empty()));
}

#[test]
fn every_thread_is_reniced_and_a_thread_born_meanwhile_is_undone_too() {
    let (host, nice) = (host(), actions::named("nice").unwrap());
    let plan = nice.prepare(&proposal(nice), &host).unwrap();
    assert_eq!(plan.steps.len(), 3);
    let before = host.dump();
    nice.apply(&plan, &host).unwrap();
    let stat = "219 (hog) R 1 200 200 0 -1 0 0 0 0 0 0 0 0 0 20 19 4 0 9999 0\n";
    host.put("/proc/210/task/219/stat", stat);
    let born = Knob::Nice(trimtab::model::knob::Task { process: id(210), tid: 219, start: 9999 });
    host.tamper(&born, "19");
    assert_eq!(nice.rollback(&plan, &host).unwrap(), Undone::Undone);
    assert_eq!(host.get(&born).unwrap(), "0");
    host.remove("/proc/210/task/219/stat");
    same(&host.dump(), &before, "dump");
}

#[test]
fn a_session_is_one_knob_and_outlives_its_leader() {
    let (host, autogroup) = (host(), actions::named("autogroup").unwrap());
    let plan = autogroup.prepare(&proposal(autogroup), &host).unwrap();
    let pids: Vec<u32> = plan.subjects().iter().filter_map(Subject::process).map(|p| p.pid).collect();
    assert_eq!(pids, [299, 300, 310]);
    autogroup.apply(&plan, &host).unwrap();
    host.remove("/proc/299");
    assert_eq!(autogroup.rollback(&plan, &host).unwrap(), Undone::Undone);
    let left = Knob::ProcessFile { process: id(300), file: "autogroup".into() };
    assert_eq!(host.get(&left).unwrap(), "0");
}

#[test]
fn a_quota_grows_by_most_of_what_is_idle() {
    let (host, quota) = (host(), actions::named("cgroup-quota").unwrap());
    let plan = quota.prepare(&proposal(quota), &host).unwrap();
    // 0.15 cores used now, and 80 % of the one core that two half idle ones have left.
    assert_eq!((plan.steps[0].before.as_str(), plan.steps[0].after.as_str()), ("15000", "95000"));
}

#[test]
fn a_memory_limit_lasts_for_ten_minutes_as_far_as_the_host_can_spare_it() {
    let (host, limit) = (host(), actions::named("memory-limit").unwrap());
    let proposed = |scene: &scene::Scene| limit.propose(&scene.world()).into_iter().next();
    let plan = limit.prepare(&proposed(&of("memory-limit")).unwrap(), &host).unwrap();
    let values: Vec<_> = plan.steps.iter().map(|s| (s.before.as_str(), s.after.as_str())).collect();
    // 56 MiB in 20 s: 1936 MiB in ten minutes, and the step of the ladder above that is 2048. Swap may be as much beyond it as before.
    assert_eq!(values, [("301989888", "2181038080"), ("268435456", "2147483648")]);
    let with = |available: u64| {
        let mut scene = of("memory-limit");
        if let trimtab::model::snapshot::Reading::Known(memory) = &mut scene.vitals.memory {
            memory.available = available;
        }
        proposed(&scene).map(|p| p.wants[0].to.clone())
    };
    assert_eq!(with((4 << 30) + (600 << 20)).as_deref(), Some("805306368"), "three times, not a quarter of the host's memory");
    assert_eq!(with((4 << 30) + (100 << 20)), None, "nothing to spare");
    assert_eq!(proposed(&of("memory-limit")).unwrap().foreseen, Some(0.9));
}

#[test]
fn a_memory_limit_is_never_written_back_below_what_is_in_use() {
    let (host, limit) = (host(), actions::named("memory-limit").unwrap());
    let before = host.dump();
    let plan = limit.prepare(&proposal(limit), &host).unwrap();
    limit.apply(&plan, &host).unwrap();
    let applied = host.writes();
    let uses = |mib: u64| host.put("/sys/fs/cgroup/memory/tenant/memory.usage_in_bytes", &format!("{}\n", mib << 20));
    uses(320);
    let error = limit.rollback(&plan, &host).unwrap_err();
    assert!(error.source.contains("300 MiB in use do not fit below 256 MiB") && error.source.contains("type: echo"), "{error}");
    assert_eq!(host.writes(), applied, "nothing was written");
    uses(220);
    assert_eq!(limit.rollback(&plan, &host).unwrap(), Undone::Undone);
    same(&host.dump(), &before, "dump");
}

#[test]
fn tracked_connections_keep_their_room() {
    let (host, conntrack) = (host(), actions::named("conntrack-max").unwrap());
    let plan = conntrack.prepare(&proposal(conntrack), &host).unwrap();
    conntrack.apply(&plan, &host).unwrap();
    host.put("/proc/sys/net/netfilter/nf_conntrack_count", "70000\n");
    assert!(conntrack.rollback(&plan, &host).unwrap_err().source.contains("70000 are tracked"));
    host.put("/proc/sys/net/netfilter/nf_conntrack_count", "60000\n");
    assert_eq!(conntrack.rollback(&plan, &host).unwrap(), Undone::Undone);
}

#[test]
fn what_is_foretold_is_answered_by_the_knobs_of_what_is_there() {
    for (action, kind, subject) in [
        ("descriptors", FindingKind::PredictedDescriptors, Subject::Process(id(200))),
        ("port-range", FindingKind::PredictedPorts, Subject::Host),
    ] {
        let scene = quiet().find(kind, subject, &[], &[200]).coming(1.0);
        let all = actions::named(action).unwrap().propose(&scene.world());
        assert_eq!(all.iter().map(|p| p.foreseen).collect::<Vec<_>>(), [Some(0.9)], "{action}");
        assert_eq!(proposal(actions::named(action).unwrap()).foreseen, None, "{action}: what is there stands on no forecast");
    }
}

#[test]
fn a_program_that_would_not_hear_the_signal_keeps_its_backlog() {
    let (host, backlog) = (host(), actions::named("listen-backlog").unwrap());
    let mut proposal = proposal(backlog);
    proposal.wants[0].on = Subject::Process(id(205));
    let refusal = backlog.prepare(&proposal, &host).unwrap_err();
    assert_eq!(refusal.kind, Obstacle::Unsupported);
    assert!(refusal.why.contains("SIGHUP"));
}

#[test]
fn a_backlog_below_the_cap_is_the_programs_own_wish() {
    let (host, backlog) = (host(), actions::named("listen-backlog").unwrap());
    let plan = backlog.prepare(&proposal(backlog), &host).unwrap();
    backlog.apply(&plan, &host).unwrap();
    let live = Knob::Backlog { process: id(200), netns: OTHER, port: 80 };
    host.tamper(&live, "511");
    assert_eq!(backlog.verify(&plan, &host).unwrap(), Held::Holds);
    assert_eq!(backlog.rollback(&plan, &host).unwrap(), Undone::Undone);
    assert_eq!(host.get(&live).unwrap(), "16");
}

#[test]
fn listeners_are_reserved_before_the_range_is_widened() {
    let (host, ports) = (host(), actions::named("port-range").unwrap());
    let plan = ports.prepare(&proposal(ports), &host).unwrap();
    let values: Vec<_> = plan.steps.iter().map(|s| (s.before.as_str(), s.after.as_str())).collect();
    assert_eq!(values, [("", "8080"), ("32768 60999", "1024 65535")]);
}

#[test]
fn a_writeback_bound_in_bytes_is_restored_in_bytes() {
    let (host, writeback) = (host(), actions::named("writeback").unwrap());
    for (file, value) in [("dirty_bytes", "268435456"), ("dirty_background_bytes", "134217728")] {
        host.tamper(&Knob::File(trimtab::model::knob::Place::proc(format!("sys/vm/{file}"))), value);
    }
    let before = host.dump();
    let plan = writeback.prepare(&proposal(writeback), &host).unwrap();
    assert_eq!(plan.steps.len(), 2);
    writeback.apply(&plan, &host).unwrap();
    assert_eq!(writeback.rollback(&plan, &host).unwrap(), Undone::Undone);
    same(&host.dump(), &before, "dump");
}

#[test]
fn a_rollback_that_fails_once_still_undoes_the_rest() {
    let (host, nice) = (host(), actions::named("nice").unwrap());
    let plan = nice.prepare(&proposal(nice), &host).unwrap();
    nice.apply(&plan, &host).unwrap();
    host.deny(true);
    assert_eq!(nice.rollback(&plan, &host).unwrap_err().kind, Kind::Denied);
    host.deny(false);
    assert_eq!(nice.rollback(&plan, &host).unwrap(), Undone::Undone);
}
