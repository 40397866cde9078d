//! What the actions on processors must not do.

use super::{machine, of, proposal};
use trimtab::{
    actions,
    host::host::Host,
    model::{
        facts::Facts,
        knob::Knob,
        plan::{Obstacle, Undone},
        snapshot::{Quota, Reading},
    },
};

#[test]
fn a_cap_is_half_of_what_is_used_and_never_above_one_that_stands() {
    let (host, cap) = (machine("cpu-cap"), actions::named("cpu-cap").unwrap());
    let plan = cap.prepare(&proposal(cap), &host).unwrap();
    // 1.5 cores used of a period of 100 ms; the nearest 10 ms to 75.
    assert_eq!((plan.steps[0].before.as_str(), plan.steps[0].after.as_str()), ("-1", "80000"));
    host.set_family(vec![400]);
    assert_eq!(cap.prepare(&proposal(cap), &host).unwrap_err().kind, Obstacle::Protected);
    let mut tight = of("cpu-cap");
    if let Reading::Known(all) = &mut tight.snapshot.cgroups {
        all.iter_mut().for_each(|row| row.quota = Some(Quota { quota: Some(20_000), period: 100_000 }));
    }
    assert!(cap.propose(&tight.world()).is_empty());
    assert!(proposal(cap).fit < proposal(actions::named("cgroup-weight").unwrap()).fit, "a weight goes first");
}

#[test]
fn the_busiest_interrupt_stays_and_the_others_go_but_not_to_isolated_cpus() {
    let spread = actions::named("irq-affinity").unwrap();
    let wants: Vec<String> = proposal(spread).wants.into_iter().map(|want| want.to).collect();
    assert_eq!(wants, ["42 1"], "41 is the busiest, 43 is idle");
    let mut isolated = of("irq-affinity");
    if let Reading::Known(receive) = &mut isolated.snapshot.receive {
        receive.isolated = [1].into();
    }
    assert!(spread.propose(&isolated.world()).is_empty());
    let mut single = of("irq-affinity");
    if let Reading::Known(receive) = &mut single.snapshot.receive {
        receive.paths[0].interrupts.truncate(1);
    }
    assert!(spread.propose(&single.world()).is_empty(), "one that moves takes the trouble with it");
}

#[test]
fn who_else_sets_a_knob_is_named_and_keeps_it() {
    for (name, tuner) in [("irq-affinity", "irqbalance"), ("governor", "power-profiles-daemon")] {
        let (host, action) = (machine(name), actions::named(name).unwrap());
        host.set_facts(Facts { tuners: vec![tuner.into()], ..Facts::default() });
        let refusal = action.prepare(&proposal(action), &host).unwrap_err();
        assert!(refusal.kind == Obstacle::Owned && refusal.why.starts_with(tuner), "{}", refusal.why);
        let mut scene = of(name);
        scene.facts.tuners = vec![tuner.into()];
        assert!(action.propose(&scene.world()).is_empty(), "{name}");
    }
}

#[test]
fn each_policy_gets_the_word_that_it_knows_and_none_on_a_battery() {
    let (host, governor) = (machine("governor"), actions::named("governor").unwrap());
    let plan = governor.prepare(&proposal(governor), &host).unwrap();
    let files: Vec<String> = plan.steps.iter().map(|s| s.knob.to_string().rsplit_once("cpufreq/").unwrap().1.into()).collect();
    assert_eq!(files, ["policy0/scaling_governor", "policy1/energy_performance_preference"]);
    host.put("/sys/class/power_supply/BAT0/type", "Battery\n");
    assert_eq!(governor.prepare(&proposal(governor), &host).unwrap_err().kind, Obstacle::Unsupported);
    host.put("/sys/class/power_supply/AC/type", "Mains\n");
    host.put("/sys/class/power_supply/AC/online", "1\n");
    assert!(governor.prepare(&proposal(governor), &host).is_ok());
}

#[test]
fn steering_keeps_a_table_that_is_there_and_leaves_isolated_cpus_alone() {
    let (host, rps) = (machine("rps"), actions::named("rps").unwrap());
    let values = |host| rps.prepare(&proposal(rps), host).unwrap().steps.iter().map(|s| s.after.clone()).collect::<Vec<_>>();
    assert_eq!(values(&host), ["32768", "3", "32768"]);
    host.put("/proc/sys/net/core/rps_sock_flow_entries", "65536\n");
    assert_eq!(values(&host), ["3", "32768"]);
    let mut scene = of("rps");
    if let Reading::Known(receive) = &mut scene.snapshot.receive {
        receive.isolated = [1].into();
    }
    assert!(rps.propose(&scene.world()).is_empty(), "one cpu is left: nobody to hand on to");
    let mut steered = of("rps");
    if let Reading::Known(receive) = &mut steered.snapshot.receive {
        receive.paths[0].steered = true;
    }
    assert!(rps.propose(&steered.world()).is_empty());
}

#[test]
fn the_bound_on_waking_ends_with_its_holder() {
    let (host, wake) = (machine("wake-latency"), actions::named("wake-latency").unwrap());
    let plan = wake.prepare(&proposal(wake), &host).unwrap();
    assert!(matches!(&plan.steps[0].knob, Knob::WakeLatency { holder } if holder.pid == 100), "{plan:?}");
    wake.apply(&plan, &host).unwrap();
    assert_eq!(host.get(&plan.steps[0].knob).unwrap(), "2");
    host.remove("/proc/100");
    let writes = host.writes();
    assert_eq!((wake.rollback(&plan, &host).unwrap(), host.writes()), (Undone::Undone, writes));
}
