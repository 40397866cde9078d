//! How changes are judged: the symptom on the victim's side, never the pressure that triggered them (reference: PSI is a trigger,
//! not a goal), and guardrails for the other side.

use crate::{
    actions::{action::ActionAbout, knob::rivals::Rivals},
    model::{
        finding::{Finding, FindingId},
        metric::{Better, Key, Metric},
        proposal::{Domain, Proposal},
        subject::{ProcessId, Subject},
        trial::{Guardrail, Trial},
        unit::Unit,
        world::World,
    },
};

/// The least effect worth having.
const LEAST: f64 = 0.10;

/// A trial of `primary` in its own good direction.
pub fn of(world: &World<'_>, primary: Key, guardrails: Vec<Guardrail>) -> Trial {
    let better = primary.metric.better();
    let controls = controls(world, &primary);
    Trial { primary, better, least: LEAST, guardrails, controls, windows: world.windows, prevents: None }
}

/// What may move the primary and is not the change's doing: the load (requests, bytes received), and a sibling that the change does not
/// touch. Which of them says anything is found out by the judge; here it only must not be the change's own effect.
fn controls(world: &World<'_>, primary: &Key) -> Vec<Key> {
    let requests = served(world, &[]).map(|name| Key::new(name, Metric::ServiceRate));
    let received = busiest(world, &|key| key.metric == Metric::NetReceive && is_physical(&key.subject));
    let all = [requests, received, sibling(world, primary)].into_iter().flatten();
    all.filter(|key| key != primary).collect()
}

/// Another disk, link or control group with the same metric. Layers (device mapper, arrays, bridges) share what is below them, and
/// processes share every cpu: those have no sibling that stays untouched.
fn sibling(world: &World<'_>, primary: &Key) -> Option<Key> {
    let involved = |subject: &Subject| {
        let of = |finding: &Finding| finding.culprits.iter().chain(&finding.victims).any(|share| share.subject == *subject);
        world.findings.iter().any(|finding| finding.id.subject == *subject || of(finding))
    };
    let kindred = |key: &Key| {
        key.metric == primary.metric
            && key.subject != primary.subject
            && !involved(&key.subject)
            && beside(&key.subject, &primary.subject)
    };
    busiest(world, &kindred)
}

/// Whether one is of the other's kind and neither is part of the other.
fn beside(one: &Subject, other: &Subject) -> bool {
    match (one, other) {
        (Subject::Disk(_), Subject::Disk(_)) | (Subject::Interface(_), Subject::Interface(_)) => {
            is_physical(one) && is_physical(other)
        }
        (Subject::Cgroup(one), Subject::Cgroup(other)) => {
            let parent = |path: &str| path.trim_end_matches('/').rsplit_once('/').map(|(parent, _)| parent.to_string());
            parent(one) == parent(other)
        }
        _ => false,
    }
}

/// False for disks and links that are made of others.
fn is_physical(subject: &Subject) -> bool {
    let made = |name: &str, of: &[&str]| of.iter().any(|prefix| name.starts_with(prefix));
    match subject {
        Subject::Disk(name) => !made(name, &["dm-", "md", "loop", "zram", "ram", "drbd", "bcache"]),
        Subject::Interface(name) => made(name, &["en", "eth", "ib", "wl"]) && !name.contains(['.', '@']),
        _ => false,
    }
}

/// The key of that kind with the greatest newest value above nothing.
fn busiest(world: &World<'_>, wanted: &dyn Fn(&Key) -> bool) -> Option<Key> {
    let all = world.series.iter().filter(|(key, _)| wanted(key)).filter_map(|(key, series)| Some((key, series.last()?.value)));
    let most = all.filter(|(_, value)| *value > 0.0).max_by(|(a, x), (b, y)| x.total_cmp(y).then_with(|| b.cmp(a)));
    most.map(|(key, _)| key.clone())
}

/// A guardrail of the host: `metric` may rise by that much of its unit.
pub fn rise(metric: Metric, absolute: f64) -> Guardrail {
    Guardrail { key: Key::host(metric), relative: 0.0, absolute }
}

/// A guardrail for one who gives way: it may lose nearly all, but not starve.
pub fn progress(process: ProcessId, metric: Metric) -> Guardrail {
    Guardrail { key: Key::new(Subject::Process(process), metric), relative: 0.95, absolute: 0.0 }
}

/// The trial of a cpu change between rivals: p95 of the service that suffers, else the victim's run delay.
pub fn contention(world: &World<'_>, rivals: &Rivals<'_>, slowed: Option<ProcessId>) -> Trial {
    let victims: Vec<&Subject> = rivals.finding.victims.iter().map(|v| &v.subject).collect();
    let primary = match served(world, &victims) {
        Some(service) => Key::new(service, Metric::ServiceP95),
        None => Key::new(Subject::Process(rivals.sufferer.id), Metric::ProcessRunDelay),
    };
    let mut guardrails = vec![rise(Metric::PressureMemoryFull, 0.05)];
    guardrails.extend(slowed.map(|process| progress(process, Metric::ProcessCpu)));
    of(world, primary, guardrails)
}

/// The trial of a change for want of memory: p95 of a measured service, else the faults that need I/O.
pub fn memory(world: &World<'_>, victims: &[&Subject]) -> Trial {
    let guardrails = vec![rise(Metric::PressureMemoryFull, 0.05), rise(Metric::PressureIoFull, 0.05)];
    for_service(world, victims, (Key::host(Metric::MajorFaults), guardrails))
}

/// The trial of a change for the good of a service: p95 of one that is measured, of the victims before others, else `otherwise`.
pub fn for_service(world: &World<'_>, victims: &[&Subject], (otherwise, guardrails): (Key, Vec<Guardrail>)) -> Trial {
    let primary = served(world, victims).map_or(otherwise, |service| Key::new(service, Metric::ServiceP95));
    of(world, primary, guardrails)
}

/// The measured service whose process is among the victims, else the first one with values.
fn served(world: &World<'_>, victims: &[&Subject]) -> Option<Subject> {
    let all = world.snapshot.services.known()?;
    let suffers = |id: Option<ProcessId>| id.is_some_and(|id| victims.iter().any(|v| **v == Subject::Process(id)));
    let found = all.iter().find(|s| suffers(s.process)).or_else(|| all.iter().find(|s| s.latency.is_some()))?;
    Some(Subject::Service(found.name.clone()))
}

/// A proposal of that action with its fixed parts; the words are left to the action.
pub fn proposal(about: &ActionAbout, finding: &FindingId, domain: Domain, trial: Trial) -> Proposal {
    Proposal {
        action: about.name.into(),
        finding: finding.clone(),
        title: String::new(),
        why: String::new(),
        mechanism: String::new(),
        expect: String::new(),
        undo: String::new(),
        wants: Vec::new(),
        risk: about.risk,
        reversible: true,
        domain,
        trial,
        fit: 0.0,
        cooldown: about.cooldown,
        asked: false,
        foreseen: None,
        course: crate::model::proposal::Course::Judged,
    }
}

/// How sure it is that trouble which has not come yet will come; `None` for trouble that is here.
pub fn foreseen(finding: &Finding) -> Option<f64> {
    finding.crossing.as_ref().filter(|_| finding.id.kind.is_predicted()).map(|crossing| crossing.confidence)
}

/// The number that the primary has now, in words, and what `factor` of it would be: `p95 of web from 80.0 ms to about 20.0 ms`.
pub fn outlook(world: &World<'_>, trial: &Trial, factor: f64) -> String {
    let key = &trial.primary;
    let unit = key.metric.unit();
    let verb = if trial.better == Better::Lower { "fall" } else { "rise" };
    match world.series.get(key).and_then(|series| series.last()).map(|point| point.value).filter(|value| *value > 0.0) {
        Some(now) => format!("{key} should {verb} from {} to about {}.", unit.show(now), unit.show(now * factor)),
        None => format!("{key} should {verb} to about {} of what it is.", Unit::Share.show(factor)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn disk(name: &str) -> Subject {
        Subject::Disk(name.into())
    }

    fn link(name: &str) -> Subject {
        Subject::Interface(name.into())
    }

    fn group(path: &str) -> Subject {
        Subject::Cgroup(path.into())
    }

    #[test]
    fn what_shares_a_layer_is_no_sibling() {
        assert!(beside(&disk("sdb"), &disk("sda")));
        assert!(!beside(&disk("dm-0"), &disk("sda")) && !beside(&disk("sda"), &disk("md127")));
        assert!(beside(&link("eth1"), &link("enp3s0")));
        assert!(!beside(&link("br0"), &link("eth0")) && !beside(&link("eth0.7"), &link("eth0")));
        assert!(beside(&group("/app/b"), &group("/app/a")));
        assert!(!beside(&group("/app"), &group("/app/a")) && !beside(&group("/app/a/b"), &group("/app/a")));
        assert!(!beside(&Subject::Host, &Subject::Host) && !beside(&disk("sda"), &link("eth0")));
    }
}
