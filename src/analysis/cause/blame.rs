//! Suspects that are no processes - quotas, the hypervisor, traffic, a disk by itself, our own changes - and who is cleared.

use crate::{
    analysis::{
        cause::{
            candidates::{Case, actors},
            dose::Dose,
            episode::Episode,
            resource::Resource,
            suspicion::{Part, Suspicion},
            witness::{Actor, Use},
        },
        correlate::bartlett::correlation,
    },
    model::{
        finding::Finding,
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
    },
};
use std::sync::Arc;

/// A share of throttled periods, and of stolen time, from which on it counts.
const THROTTLED: f64 = 0.05;
const STOLEN: f64 = 0.03;
/// Idle share of the host at which a quota is the reason for waiting.
const IDLE: f64 = 0.25;
/// Somebody who waits so much more than before is a victim, in seconds per second.
const WAITS: f64 = 0.05;
/// Seconds before an onset in which one of our changes may have caused it.
const JUST: f64 = 20.0;

/// The throttled shares of the groups that can be behind the symptom.
pub(super) fn groups(case: &Case<'_>) -> Vec<Key> {
    let snapshot = case.scene.snapshot;
    let served = |name: &str| snapshot.services.known().into_iter().flatten().find(|s| *s.name == *name).and_then(|s| s.process);
    let process = match &case.symptom.key.subject {
        Subject::Service(name) => served(name),
        Subject::Process(id) => Some(*id),
        _ => None,
    };
    let key = |path: &Arc<str>| Key::new(Subject::Cgroup(path.clone()), Metric::CgroupThrottled);
    if let Subject::Cgroup(path) = &case.symptom.key.subject {
        return vec![key(path)];
    }
    match process.and_then(|id| snapshot.process(id)) {
        Some(process) => snapshot.lineage(&process.cgroup).map(|group| key(&group.path)).collect(),
        None => case.scene.witness.keys().filter(|key| key.metric == Metric::CgroupThrottled).cloned().collect(),
    }
}

/// Quotas that hold back, or who uses them up.
pub(super) fn quotas(case: &Case<'_>, fit: f64) -> Vec<Suspicion> {
    groups(case).iter().flat_map(|key| quota(case, key, fit)).collect()
}

fn quota(case: &Case<'_>, key: &Key, fit: f64) -> Vec<Suspicion> {
    let Subject::Cgroup(path) = &key.subject else { return Vec::new() };
    let Some(dose) = case.number(key, Resource::Quota).filter(|d| d.rise >= THROTTLED) else { return Vec::new() };
    let part = Part { what: "throttled", unit: Unit::Share, share: 1.0, fit };
    let mut quota = Suspicion::of(key.subject.clone(), format!("quota of {path}").into(), &dose, &part);
    let cores = case.scene.snapshot.cgroup(path).and_then(|group| group.quota).and_then(|q| q.cores());
    if let Some(cores) = cores {
        quota.supports.push(format!("it allows {} cpu", Unit::Cores.show(cores)));
    }
    let busy =
        case.scene.witness.number(&Key::host(Metric::CpuBusy)).map(|raw| case.episode.levels(&super::episode::smooth(&raw)).1);
    match busy.map(|busy| 1.0 - busy) {
        Some(idle) if idle >= IDLE => quota.strengthen(1.1, format!("the host was {} idle meanwhile", Unit::Share.show(idle))),
        Some(idle) => quota.weaken(0.7, format!("the host was only {} idle", Unit::Share.show(idle))),
        None => {}
    }
    let within = |actor: &Actor| inside(path, &actor.cgroup);
    let others = case.scene.witness.actors().iter().filter(|a| within(a)).count();
    let (inner, _) = actors(case, (Resource::Quota, fit), within);
    let hog = inner.into_iter().max_by(|a, b| a.weight.total_cmp(&b.weight)).filter(|hog| others > 1 && hog.share >= 0.6);
    if let Some(hog) = &hog {
        quota.weaken(0.4, format!("it was enough until {} rose", hog.name));
    }
    std::iter::once(quota).chain(hog).collect()
}

/// A path is that of a group, or of one in it.
pub(super) fn inside(outer: &str, inner: &str) -> bool {
    inner.strip_prefix(outer.trim_end_matches('/')).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Time that goes to others outside of this host.
pub(super) fn hypervisor(case: &Case<'_>, fit: f64) -> Vec<Suspicion> {
    let dose = case.number(&Key::host(Metric::CpuSteal), Resource::Steal).filter(|d| d.rise >= STOLEN);
    let part = Part { what: "steal", unit: Unit::Share, share: 1.0, fit };
    let blame = |dose: Dose| {
        let mut made = Suspicion::of(Subject::Host, "the hypervisor".into(), &dose, &part);
        made.supports.push("nobody on this host can take time in this way".into());
        made
    };
    dose.map(blame).into_iter().collect()
}

/// Interfaces whose traffic rose, and who sends it.
pub(super) fn traffic(case: &Case<'_>, fit: f64) -> Vec<Suspicion> {
    let keys = case.scene.witness.keys().filter(|key| matches!(key.metric, Metric::NetReceive | Metric::NetTransmit));
    let material = Resource::Network.material(case.cpus, 0.0);
    let rising: Vec<(&Key, f64)> =
        keys.filter_map(|key| Some((key, case.rise(key)?))).filter(|(_, rise)| *rise >= material).collect();
    let whole: f64 = rising.iter().map(|(_, rise)| rise).sum();
    let looked_at = rising.len() + case.scene.witness.actors().len();
    let (mut senders, _) = actors(case, (Resource::Network, fit), |_| true);
    let sent: f64 = rising.iter().filter(|(key, _)| key.metric == Metric::NetTransmit).map(|(_, rise)| rise).sum();
    // What is sent must be most of what the interfaces move more, or it is no flood from here.
    senders.iter_mut().filter(|_| sent < 0.3 * whole).for_each(|s| s.weaken(0.4, "most of the traffic comes from outside".into()));
    let mut found: Vec<Suspicion> = Vec::new();
    for (key, rise) in &rising {
        let Some(dose) = case.number(key, Resource::Network).filter(|d| d.is_clear(looked_at)) else { continue };
        let what = if key.metric == Metric::NetReceive { "receives" } else { "sends" };
        let part = Part { what, unit: Unit::BytesPerSecond, share: rise / whole, fit };
        let mut made = Suspicion::of(key.subject.clone(), format!("traffic on {}", key.subject.name()).into(), &dose, &part);
        if let Some(sender) = senders.iter().find(|s| s.share >= 0.5 && sent >= 0.3 * whole) {
            made.weaken(0.4, format!("it is sent by {}", sender.name));
        }
        found.push(made);
    }
    found.extend(senders);
    found
}

/// A disk that answers more slowly without being asked for more.
pub(super) fn slow_disks(case: &Case<'_>) -> Vec<Suspicion> {
    if !Resource::Storage.is_measured_by(case.symptom.key.metric) {
        return Vec::new();
    }
    let disks = case.scene.witness.keys().filter(|key| key.metric == Metric::DiskLatency);
    let slow = disks.filter_map(|key| {
        let moved = |metric| {
            let raw = case.scene.witness.number(&Key::new(key.subject.clone(), metric))?;
            Some(case.episode.levels(&super::episode::smooth(&raw)))
        };
        let ((read, reads), (write, writes)) = (moved(Metric::DiskRead)?, moved(Metric::DiskWrite)?);
        let (before, during) = (read? + write?, reads + writes);
        let dose = case.number(key, Resource::Storage).filter(|d| d.is_clear(1) && d.before.is_some_and(|b| d.during > 2.0 * b))?;
        let part = Part { what: "latency", unit: Unit::Seconds, share: 1.0, fit: 0.8 };
        let mut made = Suspicion::of(key.subject.clone(), format!("{} itself", key.subject).into(), &dose, &part);
        let show = |v| Unit::BytesPerSecond.show(v);
        made.supports.push(format!("though it moved no more: {} before, {} now", show(before), show(during)));
        (during <= 1.15 * before).then_some(made)
    });
    slow.collect()
}

/// What we ourselves applied just before.
pub(super) fn applied(case: &Case<'_>) -> Vec<Suspicion> {
    let now = case.scene.witness.now().wall;
    let Some(onset) = case.episode.onsets.last() else { return Vec::new() };
    let ago = case.episode.bad.len().saturating_sub(onset + 1) as f64 * case.step;
    let lead = |at: i64| (now.0 - at) as f64 / 1000.0 - ago;
    let near = case.scene.applied.iter().filter(|a| (-1.0..=JUST).contains(&lead(a.at.0)));
    near.map(|a| Suspicion {
        subject: a.on.clone(),
        name: format!("our change: {}", a.name).into(),
        weight: 0.35,
        supports: vec![format!("applied {} before it (within 3 s)", Unit::Seconds.show(lead(a.at.0).max(0.0)))],
        against: vec!["only the time speaks for it".into()],
        gist: "applied just before".into(),
        values: Vec::new(),
        share: 0.0,
    })
    .collect()
}

/// Weakens those that only go along with the first one.
pub(super) fn bystanders(suspicions: &mut [Suspicion], episode: &Episode) {
    suspicions.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let Some((lead, others)) = suspicions.split_first_mut() else { return };
    for other in others.iter_mut().filter(|o| o.share < 0.4 * lead.share && o.values.len() == lead.values.len()) {
        if lead.values.is_empty() || without(&other.values, &episode.values, &lead.values).abs() >= 0.25 {
            continue;
        }
        other.weaken(0.6, format!("says nothing beyond what {} says", lead.name));
    }
}

/// Correlation of `a` and `b` with `c` taken out of both.
pub(super) fn without(a: &[f64], b: &[f64], c: &[f64]) -> f64 {
    let (ab, ac, bc) = (correlation(a, b), correlation(a, c), correlation(b, c));
    let rest = ((1.0 - ac * ac) * (1.0 - bc * bc)).sqrt();
    if rest > 1e-6 { (ab - ac * bc) / rest } else { 0.0 }
}

/// Weakens suspects that wait more than they gain, and tells of those that were cleared altogether, the worst off first.
pub(super) fn victims(case: &Case<'_>, suspicions: &mut [Suspicion], finding: Option<&Finding>) -> Vec<Suspicion> {
    let mut cleared: Vec<(f64, Suspicion)> = Vec::new();
    for actor in case.scene.witness.actors() {
        let subject = Subject::Process(actor.chief);
        let level = |which| case.episode.levels(&case.scene.witness.used(actor, which));
        let (before, during) = [level(Use::Wait), level(Use::Blocked)]
            .into_iter()
            .fold((0.0, 0.0), |(a, b), (was, is)| (a + was.unwrap_or(0.0), b + is));
        let (was_cpu, cpu) = level(Use::Cpu);
        let gained = cpu - was_cpu.unwrap_or(0.0);
        // Who never sleeps waits for its like; that is no excuse.
        let hungry = cpu + during >= 0.85 * f64::from(actor.count.max(1)) && gained > WAITS;
        let named = finding.is_some_and(|f| f.victims.iter().any(|party| party.subject == subject));
        // Whom the finding names as the cause is no victim for waiting in a queue of its own making.
        let blamed = finding.is_some_and(|f| f.culprits.iter().any(|party| party.subject == subject));
        let waits = !blamed && during - before >= WAITS && during - before > gained && !hungry;
        if !waits && !named {
            continue;
        }
        let show = |v| Unit::SecondsPerSecond.show(v);
        let why = format!("waits itself: {} before, {} now: a victim", show(before), show(during));
        match suspicions.iter_mut().find(|s| s.subject == subject) {
            Some(suspect) => suspect.weaken(if named { 0.1 } else { 0.3 }, why),
            None => cleared.push((during - before, acquitted(case, actor, why))),
        }
    }
    let culprits = finding.map(|f| f.culprits.as_slice()).unwrap_or_default();
    for suspect in suspicions.iter_mut() {
        if let Some(party) = culprits.iter().find(|party| party.subject == suspect.subject) {
            suspect.strengthen(1.2, format!("the finding names it: {} of the use", Unit::Share.show(party.share)));
        }
    }
    cleared.sort_by(|a, b| b.0.total_cmp(&a.0));
    cleared.into_iter().map(|(_, suspicion)| suspicion).collect()
}

fn acquitted(case: &Case<'_>, actor: &Actor, why: String) -> Suspicion {
    Suspicion {
        subject: Subject::Process(actor.chief),
        name: case.name(actor),
        weight: 0.0,
        supports: Vec::new(),
        against: vec![why],
        gist: String::new(),
        values: Vec::new(),
        share: 0.0,
    }
}
