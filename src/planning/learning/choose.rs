//! What auto mode does next: among all changes that it may carry out, the one with the best score, where nothing is known better than
//! doing nothing.
//!
//! The score of a change is what it brings, times how bad the trouble is, less what it risks and costs. By expectation the best one is
//! taken; at most once an hour, where something is known and nothing is critical, scores are drawn from what is believed instead (Thompson
//! 1933), so that what was tried little is tried again at times. The draws come from a seed, so that the same journal gives the same choice.

use crate::{
    model::{
        change::Change,
        finding::Severity,
        limits::Policy,
        note::{Arm, Choice},
        proposal::Risk,
        time::{Now, Wall},
    },
    planning::learning::{dice::Dice, learned::Learned, outcomes::Shares},
};
use std::cmp::Ordering;

/// How much harm weighs beside gain.
const HARM: f64 = 2.0;

/// Draws by which a propensity is measured.
const DRAWS: u32 = 200;

/// Between two tries that are made to learn: an hour, in milliseconds.
const PAUSE: i64 = 3_600_000;

/// One change that could be carried out, with what its score is made of.
struct Candidate<'a> {
    change: &'a Change,
    belief: Shares,
    /// The action's own belief in itself.
    own: f64,
    gain: f64,
    severity: f64,
    blast: f64,
    cost: f64,
    /// Pseudo-counts of trouble that ends by itself, while that may still happen.
    nothing: Option<(f64, f64)>,
}

/// A score, and that of doing nothing about the same trouble.
#[derive(Clone, Copy)]
struct Score {
    acting: f64,
    nothing: Option<f64>,
}

impl Score {
    fn is_worth_it(self) -> bool {
        self.acting > self.nothing.unwrap_or(0.0)
    }
}

impl<'a> Candidate<'a> {
    fn of(change: &'a Change, learned: &Learned, now: Wall) -> Candidate<'a> {
        let (proposal, finding) = (&change.proposal, &change.finding);
        let windows = proposal.trial.windows;
        let trial = windows.settle + windows.after;
        let waited = (now.0 - change.proposed.0) as f64 / 1000.0;
        let natural = learned.natural.counts(proposal.finding.kind, now);
        Candidate {
            change,
            belief: learned.belief(proposal, finding, now),
            own: (proposal.fit / learned.lean(proposal, finding, now)).clamp(0.0, 1.0),
            gain: learned.share(proposal, now).mean.max(0.0),
            severity: f64::from(finding.severity as u8) + 1.0,
            blast: match proposal.risk {
                Risk::Low => 0.25,
                Risk::Medium | Risk::High => 1.0,
            },
            // Nothing else may be tried in its domain meanwhile.
            cost: trial / 3600.0,
            // What did not end by itself within the time of the trial was not that kind of trouble.
            nothing: natural.filter(|_| waited < trial),
        }
    }

    fn score(&self, [win, _, harm]: Shares, nothing: Option<f64>) -> Score {
        let worth = self.gain * self.severity;
        Score { acting: win * self.own * worth - HARM * harm * self.blast - self.cost, nothing: nothing.map(|rate| rate * worth) }
    }

    fn expected(&self) -> Score {
        let sum: f64 = self.belief.iter().sum();
        self.score(self.belief.map(|count| count / sum), self.nothing.map(|(ends, stays)| ends / (ends + stays)))
    }

    fn drawn(&self, dice: &mut Dice) -> Score {
        let chances = dice.dirichlet(self.belief);
        let nothing = self.nothing.map(|(ends, stays)| dice.beta(ends, stays));
        self.score(chances, nothing)
    }
}

/// The choice among changes that auto mode may carry out; `None` where doing nothing is better than each of them.
pub fn choose(may: &[&Change], learned: &Learned, policy: &Policy, now: Now) -> Option<Choice> {
    let wall = now.wall;
    let regret = learned.losses.standing(policy.regret, wall);
    // Beyond its budget, auto mode does only what is proven.
    let sure = |change: &&&Change| regret.spent < regret.budget || learned.harm(&change.proposal, wall).is_proven();
    let options: Vec<Candidate<'_>> = may.iter().filter(sure).map(|change| Candidate::of(change, learned, wall)).collect();
    let expected: Vec<Score> = options.iter().map(Candidate::expected).collect();
    let seed = seed(may, learned.entries);
    let learning = may_learn(&options, learned, wall);
    let mut dice = Dice::new(seed);
    let drawn: Vec<Score> = if learning { options.iter().map(|o| o.drawn(&mut dice)).collect() } else { expected.clone() };
    let chosen = best(&options, &drawn)?;
    let explored = best(&options, &expected) != Some(chosen);
    let often =
        if learning { propensities(&options, &mut dice) } else { (0..options.len()).map(|i| f64::from(i == chosen)).collect() };
    let arms = options.iter().zip(expected.iter().zip(&drawn)).zip(often).map(|((option, (mean, drawn)), propensity)| Arm {
        change: option.change.id,
        action: option.change.proposal.action.clone(),
        kind: option.change.proposal.finding.kind,
        fit: option.change.proposal.fit,
        severity: option.severity,
        mean: mean.acting,
        drawn: drawn.acting,
        propensity,
    });
    Some(Choice {
        chosen: options.get(chosen)?.change.id,
        arms: arms.collect(),
        nothing: drawn.get(chosen)?.nothing,
        explored,
        seed,
    })
}

/// Tries to learn are seldom, begin with something known, and never while trouble is critical.
fn may_learn(options: &[Candidate<'_>], learned: &Learned, now: Wall) -> bool {
    let rested = learned.explored.is_none_or(|at| now.0 - at.0 >= PAUSE);
    let known = options.iter().any(|o| learned.tally(&o.change.proposal).runs() > 0);
    let calm = options.iter().all(|o| o.change.finding.severity < Severity::Critical);
    rested && known && calm
}

/// The best of those that are better than doing nothing; of equals, the one that risks less, then the one that is undone sooner judged,
/// then the older one.
fn best(options: &[Candidate<'_>], scores: &[Score]) -> Option<usize> {
    let worth = options.iter().zip(scores).enumerate().filter(|(_, (_, score))| score.is_worth_it());
    let order = |(_, (o, s)): &(usize, (&Candidate<'_>, &Score)), (_, (p, t)): &(usize, (&Candidate<'_>, &Score))| -> Ordering {
        let (a, b) = (&o.change.proposal, &p.change.proposal);
        s.acting.total_cmp(&t.acting).then(b.risk.cmp(&a.risk)).then(p.cost.total_cmp(&o.cost)).then(p.change.id.cmp(&o.change.id))
    };
    worth.max_by(order).map(|(i, _)| i)
}

/// How often draws would take each.
fn propensities(options: &[Candidate<'_>], dice: &mut Dice) -> Vec<f64> {
    let mut taken = vec![0.0; options.len()];
    for _ in 0..DRAWS {
        let scores: Vec<Score> = options.iter().map(|o| o.drawn(dice)).collect();
        if let Some(count) = best(options, &scores).and_then(|i| taken.get_mut(i)) {
            *count += 1.0 / f64::from(DRAWS);
        }
    }
    taken
}

/// From the changes and the length of the journal.
fn seed(may: &[&Change], entries: u64) -> u64 {
    may.iter().fold(entries, |seed, change| (seed ^ change.id.0).wrapping_mul(0x0100_0000_01B3))
}
