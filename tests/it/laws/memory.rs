//! What the actions on memory must not do.

use super::{machine, of, proposal};
use std::sync::Arc;
use trimtab::{
    actions,
    model::{
        facts::Facts,
        plan::Obstacle,
        proposal::{Proposal, Risk, Want},
        snapshot::Reading,
        subject::Subject,
    },
};

fn refused(action: &str, proposal: &Proposal, host: &trimtab::host::recorded::RecordedHost) -> (Obstacle, String) {
    let refusal = actions::named(action).unwrap().prepare(proposal, host).unwrap_err();
    (refusal.kind, refusal.why)
}

#[test]
fn the_throttle_is_for_the_grower_and_never_below_95_percent_of_what_it_holds() {
    let (host, high) = (machine("memory-high"), actions::named("memory-high").unwrap());
    let wish = proposal(high);
    assert_eq!(wish.wants[0].on, Subject::Cgroup("/grower".into()));
    let mark = |host| high.prepare(&wish, host).unwrap().steps[0].after.parse::<f64>().unwrap();
    assert!(mark(&host) >= 0.95 * f64::from(1 << 30) * 2.0);
    host.put("/sys/fs/cgroup/unified/grower/memory.current", "4294967296\n");
    assert!(mark(&host) >= 0.95 * f64::from(1 << 30) * 4.0, "it has grown since: the mark goes with it");
    let mut calm = of("memory-high");
    calm.series = Default::default();
    assert!(high.propose(&calm.world()).is_empty(), "what does not grow is not held back");
}

#[test]
fn without_swap_the_throttle_says_that_it_may_stall_or_is_refused() {
    let (host, high) = (machine("memory-high"), actions::named("memory-high").unwrap());
    let with_swap = proposal(high);
    assert_eq!(with_swap.risk, Risk::Medium);
    host.put("/proc/meminfo", "MemTotal: 16777216 kB\nSwapTotal:       0 kB\n");
    let (kind, why) = refused("memory-high", &with_swap, &host);
    assert!(kind == Obstacle::Unsupported && why.contains("stall"), "{why}");
    let scene = of("memory-high").with(|memory, _| memory.swap_total = 0);
    let wish = high.propose(&scene.world()).remove(0);
    assert!(wish.risk == Risk::High && wish.why.contains("stall"), "{}", wish.why);
    assert!(high.prepare(&wish, &host).is_ok());
}

#[test]
fn version_1_is_refused_in_words_and_not_proposed() {
    for name in ["memory-high", "memory-low", "memory-reclaim"] {
        let (host, action) = (machine("nice"), actions::named(name).unwrap());
        let wish = Proposal { wants: vec![Want { on: Subject::Cgroup("/tenant".into()), to: "1".into() }], ..proposal(action) };
        let (kind, why) = refused(name, &wish, &host);
        assert!(kind == Obstacle::Unsupported && why.contains("cgroup v1"), "{name}: {why}");
        let mut scene = of(name);
        scene.facts.cgroup_v1 = vec![("memory".into(), "/sys/fs/cgroup/memory".into())];
        assert!(action.propose(&scene.world()).is_empty(), "{name}");
    }
}

#[test]
fn a_promise_is_made_by_all_groups_above_and_stays_below_60_percent() {
    let (host, low) = (machine("memory-low"), actions::named("memory-low").unwrap());
    let wish = proposal(low);
    let steps: Vec<String> = low.prepare(&wish, &host).unwrap().steps.iter().map(|s| s.knob.to_string()).collect();
    assert_eq!(steps, ["/sys/fs/cgroup/unified/app/memory.low", "/sys/fs/cgroup/unified/app/web/memory.low"]);
    // 4 GiB wished, and another group has 6 of 16.
    host.put("/sys/fs/cgroup/unified/grower/memory.low", "6442450944\n");
    let (kind, why) = refused("memory-low", &wish, &host);
    assert!(kind == Obstacle::Unsupported && why.contains("60 %"), "{why}");
}

#[test]
fn a_great_min_free_is_no_place_for_more_watermark() {
    let (host, watermark) = (machine("watermark"), actions::named("watermark").unwrap());
    // 2 % of 16 GiB are 335544 KiB.
    host.put("/proc/sys/vm/min_free_kbytes", "335000\n");
    assert!(watermark.prepare(&proposal(watermark), &host).is_ok());
    host.put("/proc/sys/vm/min_free_kbytes", "336000\n");
    assert!(refused("watermark", &proposal(watermark), &host).1.contains("2 %"));
    let mut scene = of("watermark");
    if let Reading::Known(paging) = &mut scene.snapshot.paging {
        paging.settings.watermark_scale_factor = Some(60);
    }
    assert_eq!(watermark.propose(&scene.world())[0].wants[0].to, "100", "the next one above what stands");
}

#[test]
fn caches_of_names_are_never_made_to_stay_for_good() {
    let (host, pressure) = (machine("cache-pressure"), actions::named("cache-pressure").unwrap());
    let wish = Proposal { wants: vec![Want { on: Subject::Host, to: "0".into() }], ..proposal(pressure) };
    assert_eq!(refused("cache-pressure", &wish, &host).0, Obstacle::Unsupported);
}

#[test]
fn the_sacrifice_is_what_fills_memory_and_only_where_the_kernel_would_choose_otherwise() {
    let (host, score) = (machine("oom-score"), actions::named("oom-score").unwrap());
    let wish = proposal(score);
    let plan = score.prepare(&wish, &host).unwrap();
    let made: Vec<_> = plan.steps.iter().map(|s| (s.knob.to_string(), s.after.as_str())).collect();
    assert_eq!(made, [("/proc/300/oom_score_adj".into(), "500"), ("/proc/310/oom_score_adj".into(), "500")]);
    let right = of("oom-score").with(|_, all| all.iter_mut().filter(|p| p.id.pid == 300).for_each(|p| p.resident = 9 << 30));
    assert!(score.propose(&right.world()).is_empty(), "the kernel's own choice is a culprit");
    assert!(wish.trial.windows.after >= 600.0, "it has no effect to show: it stands for a while");
}

#[test]
fn lowering_an_oom_score_needs_a_capability_that_is_named() {
    let (host, score) = (machine("oom-score"), actions::named("oom-score").unwrap());
    let mut wish = proposal(score);
    wish.wants.iter_mut().for_each(|want| want.to = "-500".into());
    let (kind, why) = refused("oom-score", &wish, &host);
    assert!(matches!(kind, Obstacle::Rights { needs, .. } if needs == "CAP_SYS_RESOURCE"), "{why}");
    host.set_facts(Facts { capabilities: vec![Arc::from("CAP_SYS_RESOURCE")], ..Facts::default() });
    assert!(score.prepare(&wish, &host).is_ok());
}

#[test]
fn nodes_are_for_machines_that_have_several() {
    for name in ["zone-reclaim", "numa-balancing"] {
        let (host, action) = (machine(name), actions::named(name).unwrap());
        host.put("/sys/devices/system/node/online", "0\n");
        assert_eq!(refused(name, &proposal(action), &host).0, Obstacle::Unsupported, "{name}");
        let mut scene = of(name);
        scene.facts.nodes = 1;
        assert!(action.propose(&scene.world()).is_empty(), "{name}");
    }
}
