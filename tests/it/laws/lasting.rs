//! The laws of what outlives a boot: the file is ours alone, written whole, taken away exactly.

use super::{
    same,
    scene::{self, host},
};
use trimtab::{
    actions::{self, action::Action},
    host::{host::Host, recorded::RecordedHost},
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Entry, Who},
        knob::Knob,
        plan::{Held, Obstacle, Plan, Undone},
        proposal::Proposal,
        systemd::Property,
        time::Now,
        verdict::{Outcome, Verdict},
    },
    planning::lasting,
};

const FILE: &str = "/etc/sysctl.d/90-trimtab-vm-swappiness.conf";

/// A change of that action as it stands after it helped and was kept, with its values in force on `host`.
pub fn kept(host: &RecordedHost, name: &str, outcome: Outcome) -> Change {
    let action = actions::named(name).unwrap();
    let scene = scene::of(name);
    let proposal = action.propose(&scene.world()).remove(0);
    let plan = action.prepare(&proposal, host).unwrap();
    action.apply(&plan, host).unwrap();
    after(proposal, scene.findings[0].clone(), (plan, outcome))
}

fn after(proposal: Proposal, finding: trimtab::model::finding::Finding, (plan, outcome): (Plan, Outcome)) -> Change {
    let entry = |deed| Entry { change: ChangeId(7), deed, who: Who::Engine, now: Now::default(), boot: plan.boot.clone() };
    let mut change = Change::begin(&entry(Deed::Proposed { proposal: Box::new(proposal), finding: Box::new(finding) })).unwrap();
    let verdict =
        Verdict { outcome, effect: None, placebo: None, why: "it fell by a third".into(), doubts: vec![], ..Verdict::default() };
    change.state = ChangeState::Kept;
    change.verdict = Some(verdict);
    change.plan = Some(plan.clone());
    change
}

fn persist() -> &'static dyn Action {
    actions::named("persist").unwrap()
}

fn swappiness() -> (RecordedHost, Proposal, Plan) {
    let host = host();
    let proposal = lasting::proposal(&kept(&host, "swappiness", Outcome::Better)).unwrap();
    let plan = persist().prepare(&proposal, &host).unwrap();
    (host, proposal, plan)
}

#[test]
fn only_what_helped_whole_and_can_be_written_down_is_offered() {
    assert!(lasting::proposal(&kept(&host(), "swappiness", Outcome::Neutral)).is_none(), "it was kept without having helped");
    for name in ["nice", "cgroup-weight", "io-scheduler", "thp"] {
        assert!(lasting::proposal(&kept(&host(), name, Outcome::Better)).is_none(), "{name}");
    }
    let writeback = lasting::proposal(&kept(&host(), "writeback", Outcome::Better)).unwrap();
    assert!(writeback.wants.iter().all(|want| want.to.starts_with("vm/dirty_")), "{:?}", writeback.wants);
    assert!(writeback.title.chars().count() <= 60 && !writeback.risk.words().is_empty());
}

#[test]
fn the_file_comes_and_goes_and_nothing_else_changes() {
    let (host, proposal, plan) = swappiness();
    let before = host.dump();
    persist().apply(&plan, &host).unwrap();
    let text = host.get(&plan.steps[0].knob).unwrap();
    assert!(text.contains("change #7") && text.ends_with("vm/swappiness = 20\n"), "{text}");
    assert!(host.dump().replace(&format!("== {FILE}\n{text}"), "") == before, "only the file is new");
    let (once, writes) = (host.dump(), host.writes());
    persist().apply(&plan, &host).unwrap();
    assert_eq!((host.dump() == once, host.writes()), (true, writes), "twice is once");
    assert_eq!(persist().verify(&plan, &host).unwrap(), Held::Holds);
    let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
    assert_eq!(persist().rollback(&again, &host).unwrap(), Undone::Undone);
    same(&host.dump(), &before, "dump");
    assert!(plan.outlives_boot() && !plan.steps[0].apply.contains('\n') && !plan.steps[0].undo.contains('\n'));
    assert_eq!(plan.steps[0].lines(), ("none".into(), "vm/swappiness = 20".into()));
    assert_eq!(proposal.course.parent(), Some(ChangeId(7)));
}

#[test]
fn what_a_stranger_wrote_is_neither_overwritten_nor_taken_away() {
    let (host, proposal, plan) = swappiness();
    host.put(FILE, "vm.dirty_ratio = 3\n");
    let refused = persist().prepare(&proposal, &host).unwrap_err();
    assert!(refused.kind == Obstacle::Owned && refused.why.contains(FILE), "{}", refused.why);
    assert_eq!(persist().apply(&plan, &host).unwrap_err().kind, Obstacle::Moved);
    host.remove(FILE);
    persist().apply(&plan, &host).unwrap();
    host.put(FILE, "# Written by trimtab, and then by ann\nvm/swappiness = 30\n");
    assert!(matches!(persist().verify(&plan, &host).unwrap(), Held::Drifted { .. }));
    assert_eq!(persist().rollback(&plan, &host).unwrap(), Undone::Yielded(vec![FILE.into()]));
    assert!(host.dump().contains("by ann"));
}

#[test]
fn what_does_not_stand_any_more_or_is_pinned_is_refused() {
    let (host, proposal, plan) = swappiness();
    host.put("/proc/sys/vm/swappiness", "33\n");
    assert_eq!(persist().prepare(&proposal, &host).unwrap_err().kind, Obstacle::Moved);
    host.put("/proc/sys/vm/swappiness", "20\n");
    host.put("/etc/sysctl.d/99-db.conf", "vm.swappiness = 20\n");
    let refused = persist().prepare(&proposal, &host).unwrap_err();
    assert!(refused.kind == Obstacle::Owned && refused.why.contains("99-db.conf"), "{}", refused.why);
    host.remove("/etc/sysctl.d/99-db.conf");
    persist().apply(&plan, &host).unwrap();
    let again = persist().prepare(&proposal, &host).unwrap_err();
    assert!(again.why.contains("roll that change back first"), "{}", again.why);
    let runtime = actions::named("swappiness").unwrap();
    let other = runtime.propose(&scene::of("swappiness").world()).remove(0);
    host.put("/proc/sys/vm/swappiness", "60\n");
    assert_eq!(
        runtime.prepare(&other, &host).unwrap_err().kind,
        Obstacle::Owned,
        "what outlives boots is not set otherwise at runtime"
    );
}

#[test]
fn a_units_property_goes_into_a_drop_in_if_a_boot_knows_the_unit() {
    let (host, name) = (super::units::machine(), "cgroup-weight");
    let action = actions::named(name).unwrap();
    let scene = super::units::world_of(name);
    let proposal = action.propose(&scene.world()).remove(0);
    let plan = action.prepare(&proposal, &host).unwrap();
    action.apply(&plan, &host).unwrap();
    let change = after(proposal, scene.findings[0].clone(), (plan, Outcome::Better));
    let proposal = lasting::proposal(&change).unwrap();
    let refused = persist().prepare(&proposal, &host).unwrap_err();
    assert!(refused.why.contains("made for this run"), "{}", refused.why);
    host.put("/lib/systemd/system/app.service", "[Service]\nExecStart=/bin/app\n");
    let (before, plan) = (host.dump(), persist().prepare(&proposal, &host).unwrap());
    assert_eq!(plan.steps[0].knob.to_string(), "/etc/systemd/system/app.service.d/90-trimtab.conf");
    assert!(plan.steps[0].after.ends_with("[Service]\nCPUWeight=1\n"), "{}", plan.steps[0].after);
    persist().apply(&plan, &host).unwrap();
    assert_eq!(persist().rollback(&plan, &host).unwrap(), Undone::Undone);
    same(&host.dump(), &before, "dump");
    let weight = Knob::UnitProperty {
        unit: "app.service".into(),
        directory: trimtab::model::knob::Place::sys("x"),
        property: Property::CpuWeight,
    };
    assert_eq!(host.get(&weight).unwrap(), "1", "the runtime value is as it was");
}

#[test]
fn no_words_of_a_forged_proposal_reach_a_file() {
    let (host, proposal, _) = swappiness();
    for evil in ["vm/swappiness = 20\nkernel.panic = 1", "../../x = 1", "vm/swappiness=20", "vm/swappiness = $(x)"] {
        let mut forged = proposal.clone();
        forged.wants[0].to = evil.into();
        let refused = persist().prepare(&forged, &host);
        assert!(refused.is_err(), "{evil:?}: {refused:?}");
    }
}
