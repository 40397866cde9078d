//! All that was learned, in a form that can be read.

use crate::{
    model::{
        lesson::{Lesson, Lessons, Part},
        limits::Policy,
        time::Wall,
    },
    planning::learning::{
        learned::{Learned, Pair, Record, Scope, bound, of_whole},
        outcomes::{Outcomes, Taught, chance, prior},
    },
};

/// What was learned, as of now.
pub fn of(learned: &Learned, policy: &Policy, now: Wall) -> Lessons {
    let mut lessons: Vec<Lesson> = learned.pairs().map(|(pair, record)| lesson(pair, record, policy, now)).collect();
    lessons.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    Lessons {
        at: now,
        kernel: learned.kernel.clone(),
        trust: policy.trust,
        lessons,
        idle: learned.natural.list(now),
        vetoes: learned.vetoes.list(policy, now),
        regret: learned.losses.standing(policy.regret, now),
        timings: learned.timings(),
    }
}

fn lesson((action, kind): &Pair, record: &Record, policy: &Policy, now: Wall) -> Lesson {
    let bound = bound(record.risk, Some(record), now);
    let trust = bound.trust(record.risk, policy.trust);
    Lesson {
        action: action.clone(),
        kind: *kind,
        risk: record.risk,
        tally: record.whole.tally,
        weight: record.whole.counts(now).iter().sum(),
        win: of_whole(record, Taught::Win, now),
        neutral: of_whole(record, Taught::Neutral, now),
        harm: of_whole(record, Taught::Harm, now),
        gain: (!record.effects.is_empty()).then(|| record.effects.share(record.better, now)),
        bound,
        trusted: trust.is_ok(),
        why: trust.unwrap_or_else(|why| why),
        parts: record.parts.iter().map(|(scope, outcomes)| part(record, (scope, outcomes), now)).collect(),
    }
}

fn part(record: &Record, (scope, outcomes): (&Scope, &Outcomes), now: Wall) -> Part {
    let mut belief = record.whole.posterior(prior(record.risk), now);
    belief = record.belief(belief, &(scope.0.clone(), None), now);
    if scope.1.is_some() {
        belief = record.belief(belief, scope, now);
    }
    Part {
        class: scope.0.clone(),
        subject: scope.1.clone(),
        tally: outcomes.tally,
        win: chance(belief, Taught::Win),
        harm: chance(belief, Taught::Harm),
    }
}
