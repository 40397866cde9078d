//! More to do: when servers use more because they are asked for more, the requests are the cause, not the servers.

use crate::{
    analysis::{
        cause::{
            candidates::Case,
            dose::Dose,
            resource::Resource,
            suspicion::{Part, Suspicion},
            witness::{Actor, Use},
        },
        correlate::bartlett::correlation,
    },
    model::{
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
    },
};

/// How closely use goes with requests, to be only their follower.
const FOLLOWS: f64 = 0.6;
/// Requests must grow by this factor.
const GROWS: f64 = 1.3;
/// Use may grow by this much more than requests do: the last percents of a machine are dear.
const DEARER: f64 = 2.0;

/// The demand that drives the suspects that serve it, if there is one; those are weakened.
pub(super) fn driver(case: &Case<'_>, suspicions: &mut [Suspicion]) -> Option<Suspicion> {
    let mut best: Option<(f64, Key, Dose, Vec<usize>)> = None;
    for key in keys(case) {
        let Some(dose) = case.number(&key, Resource::Network) else { continue };
        let Some(before) = dose.before.filter(|b| dose.during > GROWS * b && dose.is_clear(8)) else { continue };
        let factor = dose.during / before.max(1e-9);
        let follows = |s: &&(usize, &Suspicion)| {
            serves(case, s.1, &key) && correlation(&s.1.values, &dose.values) >= FOLLOWS && grown(case, s.1) <= DEARER * factor
        };
        let numbered: Vec<(usize, &Suspicion)> = suspicions.iter().enumerate().collect();
        let followers: Vec<usize> = numbered.iter().filter(follows).map(|(i, _)| *i).collect();
        let weight: f64 = followers.iter().filter_map(|i| suspicions.get(*i)).map(|s| s.weight).sum();
        if weight > 0.0 && best.as_ref().is_none_or(|(most, ..)| weight > *most + 1e-9) {
            best = Some((weight, key, dose, followers));
        }
    }
    let (weight, key, dose, followers) = best?;
    let factor = dose.during / dose.before.unwrap_or(1.0).max(1e-9);
    let share: f64 = followers.iter().filter_map(|i| suspicions.get(*i)).map(|s| s.share).sum();
    let followed = suspicions.iter_mut().enumerate().filter(|(i, _)| followers.contains(i));
    for (_, suspect) in followed {
        suspect.weaken(0.25, format!("only follows what it is asked for: {factor:.1} times as much"));
    }
    let part = Part { what: word(&key), unit: key.metric.unit(), share: share.min(1.0), fit: 1.0 };
    let mut made = Suspicion::of(key.subject.clone(), format!("load: {} of {}", word(&key), key.subject).into(), &dose, &part);
    made.supports.push(format!("{} that serve it grew with it", Unit::Count.show(followers.len() as f64)));
    made.weight = weight.min(1.0).max(made.weight);
    Some(made)
}

/// What is asked of the host: requests of services first, then what comes in from outside.
fn keys(case: &Case<'_>) -> Vec<Key> {
    let mut keys: Vec<Key> = case.scene.witness.keys().filter(|key| is_demand(key)).cloned().collect();
    keys.sort_by_key(|key| match key.metric {
        Metric::ServiceRate => 0,
        Metric::NetReceive => 1,
        _ => 2,
    });
    keys
}

fn is_demand(key: &Key) -> bool {
    match (&key.subject, key.metric) {
        (Subject::Interface(name), Metric::NetReceive) => &**name != "lo",
        (_, metric) => matches!(metric, Metric::ServiceRate | Metric::TcpAccepts),
    }
}

fn word(key: &Key) -> &'static str {
    match key.metric {
        Metric::ServiceRate => "requests",
        Metric::TcpAccepts => "connections",
        _ => "traffic",
    }
}

fn actor<'a>(case: &Case<'a>, suspicion: &Suspicion) -> Option<&'a Actor> {
    let id = suspicion.subject.process()?;
    case.scene.witness.actors().iter().find(|actor| actor.chief == id)
}

/// It is the one that answers this demand: the service's own process, or one that receives more, or holds a listening socket.
fn serves(case: &Case<'_>, suspicion: &Suspicion, key: &Key) -> bool {
    let Some(actor) = actor(case, suspicion) else { return false };
    let snapshot = case.scene.snapshot;
    let is_of = |id| snapshot.process(id).and_then(|p| case.scene.witness.actor_of(p)).is_some_and(|a| a.chief == actor.chief);
    if let Subject::Service(name) = &key.subject {
        let service = snapshot.services.known().into_iter().flatten().find(|s| s.name == *name);
        return service.and_then(|s| s.process).is_some_and(is_of);
    }
    let (before, during) = case.episode.levels(&case.scene.witness.used(actor, Use::Received));
    let receives = during >= 16_384.0 && during > GROWS * before.unwrap_or(0.0);
    let rows = snapshot.tcp.known().into_iter().flatten();
    receives || rows.flat_map(|row| row.listeners.iter().filter_map(|l| l.owner)).any(is_of)
}

/// By what factor its cpu time grew.
fn grown(case: &Case<'_>, suspicion: &Suspicion) -> f64 {
    let Some(actor) = actor(case, suspicion) else { return f64::INFINITY };
    let (before, during) = case.episode.levels(&case.scene.witness.used(actor, Use::Cpu));
    during / before.unwrap_or(0.0).max(0.005)
}
