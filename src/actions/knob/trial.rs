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
    let controls = served(world, &[]).map(|name| Key::new(name, Metric::ServiceRate)).into_iter().collect();
    Trial { primary, better, least: LEAST, guardrails, controls, windows: world.windows, prevents: None }
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
