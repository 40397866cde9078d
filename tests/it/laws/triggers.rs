//! The laws of what has no way back: written once, after everything is known, never undone, never by trimtab's own decision.

use super::{machine, of, proposal};
use trimtab::{
    actions,
    model::{
        plan::{Held, Obstacle, Plan, Undone},
        proposal::Risk,
        snapshot::Reading,
        subject::Subject,
    },
};

#[test]
fn a_trigger_says_that_it_cannot_be_taken_back_and_writes_once() {
    for action in actions::triggers() {
        let (name, host) = (action.about().name, machine(action.about().name));
        let proposal = proposal(*action);
        assert!(!proposal.reversible && proposal.undo.contains("cannot be taken back"), "{name}: auto mode would take it");
        let plan = action.prepare(&proposal, &host).unwrap();
        action.apply(&plan, &host).unwrap();
        assert_eq!(host.writes(), plan.steps.len(), "{name}");
        let after = host.dump();
        assert_eq!(action.verify(&plan, &host).unwrap(), Held::Holds);
        let Undone::Yielded(left) = action.rollback(&plan, &host).unwrap() else { panic!("{name} claims to be undone") };
        assert_eq!((left.len(), host.writes()), (plan.steps.len(), plan.steps.len()), "{name}: rollback writes nothing");
        assert_eq!(host.dump(), after);
        let again: Plan = serde_json::from_str(&serde_json::to_string(&plan).unwrap()).unwrap();
        assert_eq!(again, plan);
    }
}

#[test]
fn a_trigger_whose_target_ended_is_refused() {
    let (host, reclaim) = (machine("memory-reclaim"), actions::named("memory-reclaim").unwrap());
    let (proposal, plan) = (proposal(reclaim), reclaim.prepare(&proposal(reclaim), &host).unwrap());
    host.remove("/sys/fs/cgroup/unified/cold");
    assert_eq!(reclaim.prepare(&proposal, &host).unwrap_err().kind, Obstacle::Gone);
    assert_eq!(reclaim.apply(&plan, &host).unwrap_err().kind, Obstacle::Gone);
    assert_eq!(host.writes(), 0);
}

#[test]
fn reclaim_takes_a_hundredth_at_most_of_what_is_cold() {
    let (host, reclaim) = (machine("memory-reclaim"), actions::named("memory-reclaim").unwrap());
    let wish = proposal(reclaim);
    assert_eq!((&wish.wants[0].on, wish.wants[0].to.as_str()), (&Subject::Cgroup("/cold".into()), "33554432"));
    host.put("/sys/fs/cgroup/unified/cold/memory.current", "1073741824\n");
    assert_eq!(reclaim.prepare(&wish, &host).unwrap_err().kind, Obstacle::Moved, "it has shrunk since");
    let mut busy = of("memory-reclaim");
    if let Reading::Known(all) = &mut busy.snapshot.cgroups {
        all.iter_mut().for_each(|row| row.pressure = Some([0.0, 0.01, 0.0]));
    }
    assert!(reclaim.propose(&busy.world()).is_empty(), "whoever waits for memory has nothing cold");
    let mut swapless = of("memory-reclaim");
    if let Reading::Known(memory) = &mut swapless.vitals.memory {
        memory.swap_total = 0;
    }
    assert!(reclaim.propose(&swapless.world()).is_empty());
}

#[test]
fn caches_are_never_dropped_beside_a_database() {
    let (host, drop) = (machine("drop-caches"), actions::named("drop-caches").unwrap());
    let wish = proposal(drop);
    assert_eq!((wish.risk, drop.prepare(&wish, &host).unwrap().steps[0].after.as_str()), (Risk::High, "2"));
    host.put("/proc/777/stat", "777 (postgres) S 1 777 777 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 9 0 0\n");
    let refusal = drop.prepare(&wish, &host).unwrap_err();
    assert!(refusal.kind == Obstacle::Protected && refusal.why.contains("postgres"), "{}", refusal.why);
    let scene = of("drop-caches").with(|_, all| all[0].name = "mysqld".into());
    assert!(drop.propose(&scene.world()).is_empty());
    let scene = of("drop-caches").with(|memory, _| memory.slab_reclaimable = memory.total / 3);
    assert!(drop.propose(&scene.world()).is_empty(), "a third is not worth its price");
}
