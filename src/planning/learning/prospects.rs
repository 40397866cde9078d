//! Return on investment of one proposal: what it is expected to bring, what trying it costs, and when that is paid back.

use crate::{
    model::{
        change::Change,
        lesson::{Gain, Prospects},
        metric::Better,
        snapshot::Snapshot,
        subject::Subject,
        time::Wall,
        unit::Unit,
    },
    planning::learning::{
        learned::Learned,
        outcomes::{Taught, chance},
    },
};

/// What may come of a change that is open. `snapshot` knows the rates of services.
pub fn of(learned: &Learned, change: &Change, snapshot: &Snapshot, now: Wall) -> Prospects {
    let (proposal, finding) = (&change.proposal, &change.finding);
    let belief = learned.belief(proposal, finding, now);
    let (win, harm) = (chance(belief, Taught::Win), chance(belief, Taught::Harm));
    let timings = learned.timings();
    let median = |spread: Option<crate::model::timing::Spread>| spread.map(|spread| spread.p50);
    let windows = proposal.trial.windows;
    let trial = windows.settle + windows.after;
    let gain = learned.is_measured(proposal).then(|| gain(learned, change, snapshot, now));
    let (apply, undo) = (median(timings.apply), median(timings.rollback));
    // A trial that harms is taken to cost all of its time; what does not help is written and undone in vain.
    let cost = harm.mean * trial + apply.unwrap_or(0.0) + (1.0 - win.mean) * undo.unwrap_or(0.0);
    let payback = gain.map(|gain| cost / (win.mean * gain.share.mean)).filter(|s| s.is_finite() && *s >= 0.0);
    Prospects {
        tally: learned.tally(proposal),
        win,
        harm,
        bound: learned.harm(proposal, now),
        gain,
        trial,
        decision: median(timings.decide),
        apply,
        undo,
        payback,
        nothing: learned.natural.rate(proposal.finding.kind, now),
        lean: learned.lean(proposal, finding, now),
    }
}

fn gain(learned: &Learned, change: &Change, snapshot: &Snapshot, now: Wall) -> Gain {
    let trial = &change.proposal.trial;
    let share = learned.share(&change.proposal, now);
    let level = change.foresight.map(|foresight| foresight.mean).filter(|mean| mean.is_finite() && *mean > 0.0);
    let amount = level.map(|level| share.map(|share| share * level));
    let saved = amount.zip(rate(change, snapshot)).map(|(amount, rate)| amount.map(|seconds| seconds * rate * 3600.0));
    Gain { share, amount, saved: saved.filter(|_| trial.better == Better::Lower) }
}

/// Requests per second, where the primary is the latency of a service.
fn rate(change: &Change, snapshot: &Snapshot) -> Option<f64> {
    let key = &change.proposal.trial.primary;
    let Subject::Service(name) = &key.subject else { return None };
    let service = snapshot.services.known()?.iter().find(|service| service.name == *name)?;
    (key.metric.unit() == Unit::Seconds && service.rate > 0.0).then_some(service.rate)
}
