//! Injected causes: machines with a known culprit among innocents, and machines with none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use crate::{
    analysis::cause::{
        simulation::{Course, GIB, Machine, Program, constant, from, program},
        story::{Applied, Scene, explain},
        symptom::Symptom,
    },
    model::{
        finding::{Finding, FindingId, FindingKind, Severity},
        metric::{Key, Metric},
        outlook::Story,
        snapshot::{Cgroup, Reading, Snapshot},
        subject::Subject,
        time::Wall,
    },
};

/// Machines of each family.
const SEEDS: u64 = 10;

fn told(machine: Machine, seconds: usize, key: &Key) -> Option<Story> {
    let (witness, snapshot) = machine.play(seconds);
    let scene = Scene { witness: &witness, snapshot: &snapshot, findings: &[], applied: &[] };
    explain(&Symptom { key: key.clone(), finding: None }, &scene)
}

fn host(metric: Metric) -> Key {
    Key::host(metric)
}

fn p95() -> Key {
    Key::new(Subject::Service("shop".into()), Metric::ServiceP95)
}

/// A family of scenes: what shows it, and a machine for each seed with the seconds to run.
struct Family {
    name: &'static str,
    symptom: Key,
    make: fn(u64) -> (Machine, usize),
    /// The name of who must come first begins, or ends, with one of these.
    culprit: &'static [&'static str],
}

fn begin(machine: &mut Machine) -> usize {
    machine.pick(60.0, 150.0) as usize
}

fn shop(machine: Machine) -> Machine {
    let mut machine = machine.with(Program { cpu: constant(0.35), cgroup: "/shop", listens: true, ..program("shopd") });
    machine.service = Some(("shopd", constant(100.0)));
    machine
}

fn neighbour(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(14));
    let (at, copies) = (begin(&mut machine), machine.pick(12.0, 20.0) as usize);
    (machine.with(Program { copies, lives: Box::new(move |t| t >= at), cpu: constant(1.0), ..program("xmrig") }), at + 40)
}

fn writer(seed: u64) -> (Machine, usize) {
    let mut machine = Machine::new(seed).innocents(12);
    let (at, rate) = (begin(&mut machine), machine.pick(120e6, 400e6));
    let reader = Program { storage: constant(80e6), cpu: constant(0.2), ..program("reader") };
    (machine.with(reader).with(Program { storage: from(at, 1e5, rate), cpu: constant(0.1), ..program("dump") }), at + 40)
}

fn leak(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(12));
    let (at, rate) = (begin(&mut machine), machine.pick(0.04, 0.1) * GIB);
    let grow: Course = Box::new(move |t| 0.3 * GIB + rate * t.saturating_sub(at) as f64);
    let seconds = at + (6.5 * GIB / rate) as usize;
    (machine.with(Program { memory: grow, ..program("leaky") }), seconds.min(500))
}

fn quota(seed: u64) -> (Machine, usize) {
    let mut machine = Machine::new(seed).innocents(8);
    let (at, most) = (begin(&mut machine), machine.pick(0.8, 1.6));
    machine.quotas = vec![("/web", 0.5)];
    (machine.with(Program { cpu: from(at, 0.3, most), cgroup: "/web", ..program("webapp") }), at + 40)
}

fn sidecar(seed: u64) -> (Machine, usize) {
    let mut machine = Machine::new(seed).innocents(8);
    let at = begin(&mut machine);
    machine.quotas = vec![("/web", 1.0)];
    let served = Program { cpu: constant(0.6), cgroup: "/web", ..program("webapp") };
    (machine.with(served).with(Program { cpu: from(at, 0.01, 1.5), cgroup: "/web", ..program("sidecar") }), at + 40)
}

fn cron(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(14));
    let (phase, width) = (machine.pick(0.0, 50.0) as usize, machine.pick(5.0, 20.0) as usize);
    let lives = move |t: usize| t >= 60 && (t + phase) % 60 < width;
    (machine.with(Program { copies: 6, lives: Box::new(lives), cpu: constant(1.0), ..program("backup") }), 400)
}

fn two(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(12));
    let at = begin(&mut machine);
    let hog = |name, at: usize| Program { copies: 8, lives: Box::new(move |t| t >= at), cpu: constant(1.0), ..program(name) };
    (machine.with(hog("ffmpeg", at)).with(hog("rustc", at + 1)), at + 40)
}

fn slow(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(10));
    let (at, span) = (begin(&mut machine), machine.pick(40.0, 90.0));
    let ramp: Course = Box::new(move |t| (t.saturating_sub(at) as f64 / span).min(1.0));
    (machine.with(Program { copies: 6, cpu: ramp, ..program("indexer") }), at + 110)
}

fn retry(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(10));
    let at = begin(&mut machine);
    let hog = Program { copies: 5, lives: Box::new(move |t| t >= at), cpu: constant(1.0), ..program("miner") };
    // It tries again and again while it waits: more use and more waiting, a little later.
    let victim = Program { cpu: from(at + 5, 0.3, 0.8), ..program("client") };
    (machine.with(hog).with(victim), at + 45)
}

fn crowd(seed: u64) -> (Machine, usize) {
    let mut machine = Machine::new(seed).innocents(6);
    let (at, factor) = (begin(&mut machine), machine.pick(2.5, 4.0));
    machine.traffic = from(at, 1e6, 1e6 * factor);
    for name in ["nginx", "api", "auth", "cart", "search"] {
        machine = machine.with(Program {
            cpu: from(at, 0.3, 0.3 * factor * 1.1),
            received: from(at, 2e5, 2e5 * factor),
            listens: true,
            ..program(name)
        });
    }
    (machine, at + 40)
}

fn flood(seed: u64) -> (Machine, usize) {
    let mut machine = Machine::new(seed).innocents(10);
    let (at, rate) = (begin(&mut machine), machine.pick(40e6, 110e6));
    machine.traffic = from(at, 5e5, rate);
    (machine.with(Program { cpu: from(at, 0.1, 0.5), received: from(at, 1e5, 2e7), listens: true, ..program("named") }), at + 40)
}

fn stolen(seed: u64) -> (Machine, usize) {
    let mut machine = shop(Machine::new(seed).innocents(12));
    let (at, share) = (begin(&mut machine), machine.pick(0.3, 0.6));
    machine.steal = from(at, 0.0, share);
    (machine.with(Program { copies: 4, cpu: constant(0.8), ..program("batch") }), at + 40)
}

fn old_disk(seed: u64) -> (Machine, usize) {
    let mut machine = Machine::new(seed).innocents(12);
    let at = begin(&mut machine);
    machine.disk = from(at, 200e6, 60e6);
    (machine.with(Program { storage: constant(30e6), ..program("postmaster") }), at + 40)
}

fn families() -> Vec<Family> {
    let cpu = || host(Metric::PressureCpuSome);
    let io = || host(Metric::PressureIoSome);
    let latency = || Key::new(Subject::Disk("vda".into()), Metric::DiskLatency);
    let throttled = || Key::new(Subject::Cgroup("/web".into()), Metric::CgroupThrottled);
    vec![
        Family { name: "noisy neighbour", symptom: cpu(), make: neighbour, culprit: &["xmrig"] },
        Family { name: "noisy neighbour, seen by a service", symptom: p95(), make: neighbour, culprit: &["xmrig"] },
        Family { name: "writer beside reader", symptom: io(), make: writer, culprit: &["dump"] },
        Family { name: "writer, seen by latency", symptom: latency(), make: writer, culprit: &["dump"] },
        Family { name: "memory leak", symptom: host(Metric::PressureMemorySome), make: leak, culprit: &["leaky"] },
        Family { name: "memory leak, seen by io", symptom: io(), make: leak, culprit: &["leaky"] },
        Family { name: "quota", symptom: throttled(), make: quota, culprit: &["quota of /web"] },
        Family { name: "sidecar within a quota", symptom: throttled(), make: sidecar, culprit: &["sidecar"] },
        Family { name: "job by the clock", symptom: cpu(), make: cron, culprit: &["backup"] },
        Family { name: "job by the clock, seen by a service", symptom: p95(), make: cron, culprit: &["backup"] },
        Family { name: "two culprits", symptom: cpu(), make: two, culprit: &["ffmpeg", "rustc"] },
        Family { name: "slow start", symptom: cpu(), make: slow, culprit: &["indexer"] },
        Family { name: "a victim that correlates", symptom: cpu(), make: retry, culprit: &["miner"] },
        Family { name: "a common driver", symptom: cpu(), make: crowd, culprit: &["load: traffic"] },
        Family { name: "flood", symptom: host(Metric::CpuSoftirq), make: flood, culprit: &["traffic on eth0"] },
        Family { name: "steal", symptom: p95(), make: stolen, culprit: &["the hypervisor"] },
        Family { name: "steal, seen by pressure", symptom: cpu(), make: stolen, culprit: &["the hypervisor"] },
        Family { name: "a disk by itself", symptom: latency(), make: old_disk, culprit: &["disk vda itself"] },
    ]
}

#[test]
fn the_culprit_comes_first() {
    let mut all = Vec::new();
    for family in families() {
        let mut right = 0;
        for seed in 0..SEEDS {
            let (machine, seconds) = (family.make)(seed * 7717 + 3);
            let story = told(machine, seconds, &family.symptom);
            let first = story.as_ref().and_then(|s| s.suspects.first());
            let hit = first.is_some_and(|s| family.culprit.iter().any(|c| s.name.contains(c)) && s.confidence >= 0.3);
            right += usize::from(hit);
            if let Some(story) = story {
                assert!(story.headline.chars().count() <= 100, "{}", story.headline);
                let sum: f64 = story.suspects.iter().map(|s| s.confidence).sum();
                assert!(sum <= 1.0 + 1e-9 && story.suspects.iter().all(|s| s.confidence.is_finite()), "{story:?}");
            }
        }
        all.push((family.name, right));
    }
    let least = (SEEDS * 9).div_ceil(10) as usize;
    assert!(all.iter().all(|(_, right)| *right >= least), "at least nine of ten in each family: {all:?}");
}

#[test]
fn both_of_two_culprits_are_named_and_victims_are_cleared() {
    for seed in 0..5 {
        let (machine, seconds) = two(seed);
        let story = told(machine, seconds, &host(Metric::PressureCpuSome)).unwrap();
        let names: Vec<&str> = story.suspects.iter().take(2).map(|s| &*s.name).collect();
        assert!(names.iter().any(|n| n.contains("ffmpeg")) && names.iter().any(|n| n.contains("rustc")), "{names:?}");
        let cleared = story.suspects.iter().filter(|s| s.confidence == 0.0);
        let mut why = cleared.flat_map(|s| &s.against);
        assert!(why.any(|w| w.contains("a victim")), "{story:#?}");
        assert!(story.headline.starts_with("cpu pressure"), "{}", story.headline);
    }
}

#[test]
fn nobody_is_blamed_for_noise() {
    let keys =
        [host(Metric::PressureCpuSome), host(Metric::CpuBusy), host(Metric::PressureIoSome), p95(), host(Metric::MemoryUsed)];
    let (mut blamed, mut looks) = (0, 0);
    for seed in 0..20 {
        let (witness, snapshot) = shop(Machine::new(seed * 31 + 7).innocents(14)).play(240);
        for key in &keys {
            looks += 1;
            let scene = Scene { witness: &witness, snapshot: &snapshot, findings: &[], applied: &[] };
            let story = explain(&Symptom { key: key.clone(), finding: None }, &scene);
            blamed += usize::from(story.as_ref().and_then(|s| s.suspects.first()).is_some_and(|s| s.confidence >= 0.3));
        }
    }
    assert!(blamed * 20 <= looks, "{blamed} of {looks}");
}

fn finding(kind: FindingKind) -> Finding {
    Finding {
        id: FindingId { kind, subject: Subject::Host },
        severity: Severity::Warning,
        headline: String::new(),
        evidence: vec![],
        culprits: vec![],
        victims: vec![],
        ruled_out: vec![],
        advice: None,
        impact: 0.5,
        priority: 1.0,
        since: Wall(0),
        crossing: None,
    }
}

#[test]
fn a_finding_always_has_a_story_and_says_when_nobody_stands_out() {
    let (witness, snapshot) = Machine::new(5).innocents(10).play(120);
    let findings = [finding(FindingKind::CpuContention)];
    let scene = Scene { witness: &witness, snapshot: &snapshot, findings: &findings, applied: &[] };
    let story = explain(&Symptom::of_finding(&findings[0]), &scene).unwrap();
    assert!(story.suspects.iter().all(|s| s.confidence < 0.3), "{story:#?}");
    assert!(story.headline.ends_with("nobody stands out"), "{}", story.headline);
}

#[test]
fn a_trouble_older_than_the_record_is_blamed_on_who_holds_the_resource() {
    let machine = shop(Machine::new(9).innocents(8)).with(Program { copies: 6, cpu: constant(1.0), ..program("stress") });
    let (witness, snapshot) = machine.play(20);
    let findings = [finding(FindingKind::CpuContention)];
    let scene = Scene { witness: &witness, snapshot: &snapshot, findings: &findings, applied: &[] };
    let story = explain(&Symptom::of_finding(&findings[0]), &scene).unwrap();
    assert!(story.suspects[0].name.contains("stress"), "{story:#?}");
}

#[test]
fn nothing_known_is_no_story_and_hostile_numbers_break_nothing() {
    let witness = crate::analysis::cause::witness::Witness::default();
    let snapshot = Snapshot::default();
    let scene = Scene { witness: &witness, snapshot: &snapshot, findings: &[], applied: &[] };
    assert!(explain(&Symptom { key: p95(), finding: None }, &scene).is_none());
    let mut machine = Machine::new(1).innocents(3);
    machine.traffic = Box::new(|t| if t % 2 == 0 { f64::NAN } else { 1e300 });
    machine.steal = Box::new(|t| if t == 50 { f64::NAN } else { 0.0 });
    let machine = machine.with(Program { cpu: Box::new(|t| if t > 40 { f64::INFINITY } else { f64::NAN }), ..program("odd") });
    for metric in [Metric::PressureCpuSome, Metric::CpuSoftirq, Metric::CpuBusy] {
        let mut same = Machine::new(1).innocents(3);
        same.traffic = Box::new(|t| if t % 2 == 0 { f64::NAN } else { 1e300 });
        if let Some(story) = told(same, 100, &host(metric)) {
            assert!(story.suspects.iter().all(|s| (0.0..=1.0).contains(&s.confidence)), "{story:?}");
        }
    }
    let _whatever = told(machine, 100, &host(Metric::PressureCpuSome));
}

#[test]
fn one_of_our_own_changes_is_suspected_when_it_came_just_before() {
    let mut machine = shop(Machine::new(3).innocents(8));
    machine.quotas = vec![("/shop", 4.0)];
    let (witness, snapshot) = machine.with(Program { cpu: from(100, 0.2, 0.9), copies: 6, ..program("batch") }).play(140);
    let at = |second: i64| Wall(1_700_000_000_000 + second * 1000);
    let applied =
        |second| [Applied { at: at(second), name: "quota of /batch lifted".into(), on: Subject::Cgroup("/batch".into()) }];
    let symptom = Symptom { key: host(Metric::PressureCpuSome), finding: None };
    let named = |applied: &[Applied]| {
        let story = explain(&symptom, &Scene { witness: &witness, snapshot: &snapshot, findings: &[], applied }).unwrap();
        story.suspects.iter().any(|s| s.name.starts_with("our change"))
    };
    assert!(named(&applied(97)), "three seconds before");
    assert!(!named(&applied(40)) && !named(&applied(120)), "long before, and after");
}

#[test]
fn where_the_host_has_memory_to_spare_it_is_short_within_a_group() {
    let mut machine = Machine::new(3).innocents(12);
    let at = begin(&mut machine);
    let grows = |rate: f64| -> Course { Box::new(move |t| 0.3 * GIB + rate * GIB * t.saturating_sub(at) as f64) };
    let machine = machine.with(Program { memory: grows(0.09), ..program("compiler") }).with(Program {
        memory: grows(0.015),
        cgroup: "/app",
        ..program("leaky")
    });
    let (witness, mut snapshot) = machine.play(at + 70);
    let first = |snapshot: &Snapshot| {
        let findings = [finding(FindingKind::MemoryPressure)];
        let scene = Scene { witness: &witness, snapshot, findings: &findings, applied: &[] };
        let symptom = Symptom { key: host(Metric::PressureMemorySome), finding: Some(findings[0].id.clone()) };
        explain(&symptom, &scene).unwrap().suspects[0].name.to_string()
    };
    assert_eq!(first(&snapshot), "compiler", "it grows most, and all of the host is short");
    if let Reading::Known(memory) = &mut snapshot.vitals.memory {
        memory.available = memory.total / 2;
    }
    let group = Cgroup { path: "/app".into(), memory: Some(95), memory_limit: Some(100), ..Cgroup::default() };
    snapshot.cgroups = Reading::Known(vec![group]);
    assert_eq!(first(&snapshot), "leaky", "what is outside of the group cannot have filled it");
}
