//! What was learned: the fold of every entry of the journal, of every boot, into what is believed of each action against each kind of
//! trouble. Pure, and the same for the same journal.

use crate::{
    analysis::impact::distribution::beta_below,
    model::{
        change::{Cause, Change, ChangeId, Deed, Entry, Who},
        finding::{Finding, FindingKind},
        lesson::{Chance, HarmBound, Tally},
        limits::Policy,
        metric::Better,
        note::Note,
        proposal::{Proposal, Risk},
        time::Wall,
        timing::Timings,
        verdict::{Effect, Outcome, Verdict},
    },
    planning::learning::{
        effects::{Effects, improvement},
        kin,
        natural::Natural,
        outcomes::{Outcomes, Shares, Taught, chance, prior, shrink},
        regret::Losses,
        stopwatch::Stopwatch,
        vetoes::Vetoes,
    },
};
use std::{collections::BTreeMap, sync::Arc};

/// Clean runs that an action owes after harm.
const OWED: u32 = 10;

/// Subjects remembered of each action against each kind of trouble; of more, the one tried least is forgotten.
const PARTS: usize = 64;

/// An action against a kind of trouble.
pub type Pair = (Arc<str>, FindingKind);

/// A class of subjects, or one subject of it.
pub type Scope = (Arc<str>, Option<Arc<str>>);

/// What is known of a pair.
#[derive(Debug)]
pub struct Record {
    /// Its risk.
    pub risk: Risk,
    /// Which way its primary is better.
    pub better: Better,
    /// All of its trials.
    pub whole: Outcomes,
    /// What those that helped brought.
    pub effects: Effects,
    /// It has done harm.
    pub harmed: bool,
    /// Clean runs that it owes since.
    pub owed: u32,
    /// Its trials by class and subject.
    pub parts: BTreeMap<Scope, Outcomes>,
}

/// A change that is being tried.
#[derive(Clone, Copy, Debug, Default)]
struct Trial {
    automatic: bool,
    /// It has taught something.
    taught: Option<Taught>,
}

/// What was learned.
#[derive(Debug, Default)]
pub struct Learned {
    pairs: BTreeMap<Pair, Record>,
    trials: BTreeMap<ChangeId, Trial>,
    /// What goes by itself.
    pub natural: Natural,
    /// What operators rejected.
    pub vetoes: Vetoes,
    /// What automatic trials cost.
    pub losses: Losses,
    stopwatch: Stopwatch,
    /// Kernel release that runs, as far as the journal says.
    pub kernel: String,
    /// When auto mode last tried something to learn.
    pub explored: Option<Wall>,
    /// Entries taken.
    pub entries: u64,
}

impl Learned {
    /// Nothing yet, under that policy.
    pub fn new(policy: &Policy) -> Learned {
        Learned { natural: Natural::outliving(policy.proposal), ..Learned::default() }
    }

    /// Takes one entry of a change, with the entry already folded in.
    pub fn take(&mut self, change: &Change, entry: &Entry) {
        self.entries += 1;
        self.stopwatch.take(change, entry);
        self.natural.take(change, entry);
        if change.proposal.asked {
            return;
        }
        let at = entry.now.wall;
        let operator = matches!(entry.who, Who::Operator { .. });
        match &entry.deed {
            Deed::Approved { .. } => {
                self.trials.insert(change.id, Trial { automatic: !operator, taught: None });
                if operator {
                    self.vetoes.accept(change);
                }
            }
            Deed::Rejected if operator => self.vetoes.reject(change, at),
            Deed::Judged(verdict) => self.teach(change, taught(verdict.outcome), at),
            Deed::RollbackStarted(cause) => self.undone(change, *cause, at),
            Deed::Stuck { .. } => self.teach(change, Taught::Harm, at),
            Deed::RolledBack | Deed::Yielded(_) => {
                let trial = self.trials.remove(&change.id);
                trial.filter(|trial| trial.automatic).into_iter().for_each(|_| self.losses.undone(change, entry.now));
            }
            Deed::Refused(_) | Deed::Expired | Deed::Done => {
                self.trials.remove(&change.id);
            }
            _ => {}
        }
    }

    /// Takes a note about the engine.
    pub fn note(&mut self, note: &Note, at: Wall) {
        self.entries += 1;
        match note {
            Note::Started { kernel, .. } if !kernel.is_empty() && *kernel != self.kernel => {
                if !self.kernel.is_empty() {
                    self.forget();
                }
                self.kernel.clone_from(kernel);
            }
            Note::Chose(choice) if choice.explored => self.explored = Some(at),
            _ => {}
        }
    }

    /// Another kernel runs: knobs may do something else there.
    fn forget(&mut self) {
        for record in self.pairs.values_mut() {
            record.whole.forget();
            record.effects.forget();
            record.parts.values_mut().for_each(Outcomes::forget);
        }
        self.natural.forget();
    }

    /// A rollback that no verdict explains: harm that showed itself later, an operator who did not want it, or too little to say.
    fn undone(&mut self, change: &Change, cause: Cause, at: Wall) {
        let known = self.trials.get(&change.id).and_then(|trial| trial.taught);
        match cause {
            Cause::Hurt if known != Some(Taught::Harm) => self.teach(change, Taught::Harm, at),
            Cause::Operator => {
                self.vetoes.reject(change, at);
                if known.is_none() {
                    self.teach(change, Taught::Unclear, at);
                }
            }
            Cause::NotHeld | Cause::NoData | Cause::Deadline | Cause::LostWatcher | Cause::ApplyFailed if known.is_none() => {
                self.teach(change, Taught::Unclear, at);
            }
            _ => {}
        }
    }

    /// One trial's lesson.
    fn teach(&mut self, change: &Change, taught: Taught, at: Wall) {
        let trial = self.trials.entry(change.id).or_default();
        if trial.taught == Some(taught) {
            return;
        }
        trial.taught = Some(taught);
        let proposal = &change.proposal;
        let better = proposal.trial.better;
        let record = self.pairs.entry((proposal.action.clone(), proposal.finding.kind)).or_insert_with(|| Record {
            risk: proposal.risk,
            better,
            whole: Outcomes::default(),
            effects: Effects::default(),
            harmed: false,
            owed: 0,
            parts: BTreeMap::new(),
        });
        (record.risk, record.better) = (proposal.risk, better);
        record.whole.add(taught, at);
        match taught {
            Taught::Win | Taught::Neutral => record.owed = record.owed.saturating_sub(1),
            Taught::Harm => (record.harmed, record.owed) = (true, OWED),
            Taught::Unclear => {}
        }
        let effect = change.verdict.as_ref().and_then(measured);
        if let (Taught::Win, Some(log)) = (taught, effect.and_then(|effect| improvement(&effect, better))) {
            record.effects.add(log, at);
        }
        let class = kin::class(proposal);
        let subject = kin::names(proposal, &change.finding);
        for scope in [(class.clone(), None), (class, Some(subject))] {
            record.part(scope, taught, at);
        }
    }

    /// Every pair that was tried.
    pub fn pairs(&self) -> impl Iterator<Item = (&Pair, &Record)> {
        self.pairs.iter()
    }

    /// What is known of a proposal's pair, if it was tried.
    pub fn record(&self, proposal: &Proposal) -> Option<&Record> {
        self.pairs.get(&(proposal.action.clone(), proposal.finding.kind))
    }

    /// How its trials ended.
    pub fn tally(&self, proposal: &Proposal) -> Tally {
        self.record(proposal).map(|record| record.whole.tally).unwrap_or_default()
    }

    /// What is believed of a proposal, as pseudo-counts: of its subjects as far as they are known, else of their class, else of the
    /// action against this kind of trouble, else what the catalogue believes.
    pub fn belief(&self, proposal: &Proposal, finding: &Finding, now: Wall) -> Shares {
        let Some(record) = self.record(proposal) else { return prior(proposal.risk) };
        let class = kin::class(proposal);
        let subject = kin::names(proposal, finding);
        [(class.clone(), None), (class, Some(subject))]
            .iter()
            .fold(record.whole.posterior(prior(proposal.risk), now), |belief, scope| record.belief(belief, scope, now))
    }

    /// How much what was seen here moves an action's own belief in itself: the expected chance to help over the one that the catalogue
    /// expects, and that for not doing harm, squared, since harm counts double. 1 before any trial.
    pub fn lean(&self, proposal: &Proposal, finding: &Finding, now: Wall) -> f64 {
        if self.record(proposal).is_none() {
            return 1.0;
        }
        let promise = |counts: Shares| {
            let [win, neutral, harm] = counts;
            let sum = win + neutral + harm;
            win / sum * (1.0 - harm / sum).powi(2)
        };
        promise(self.belief(proposal, finding, now)) / promise(prior(proposal.risk))
    }

    /// How likely harm may be at most, of this action against this kind of trouble.
    pub fn harm(&self, proposal: &Proposal, now: Wall) -> HarmBound {
        bound(proposal.risk, self.record(proposal), now)
    }

    /// What it brings when it helps, as a share of the primary.
    pub fn share(&self, proposal: &Proposal, now: Wall) -> Chance {
        let nothing = Effects::default();
        self.record(proposal).map_or(&nothing, |record| &record.effects).share(proposal.trial.better, now)
    }

    /// True once an effect of it was measured here.
    pub fn is_measured(&self, proposal: &Proposal) -> bool {
        self.record(proposal).is_some_and(|record| !record.effects.is_empty())
    }

    /// How long things take here.
    pub fn timings(&self) -> Timings {
        self.stopwatch.timings()
    }

    /// Before when this advice is not given, because operators rejected it, if so.
    pub fn vetoed(&self, proposal: &Proposal, finding: &Finding, policy: &Policy, now: Wall) -> Option<Wall> {
        self.vetoes.until(&kin::advice(proposal, finding), policy, now)
    }
}

impl Record {
    fn part(&mut self, scope: Scope, taught: Taught, at: Wall) {
        self.parts.entry(scope.clone()).or_default().add(taught, at);
        if self.parts.len() > PARTS {
            let tried = |(_, outcomes): &(&Scope, &Outcomes)| outcomes.tally.runs() + outcomes.tally.unclear;
            let least = self.parts.iter().filter(|(other, _)| **other != scope && other.1.is_some()).min_by_key(tried);
            if let Some(least) = least.map(|(scope, _)| scope.clone()) {
                self.parts.remove(&least);
            }
        }
    }

    /// The belief about a part, from that about the whole of it.
    pub fn belief(&self, whole: Shares, scope: &Scope, now: Wall) -> Shares {
        self.parts.get(scope).copied().unwrap_or_default().posterior(shrink(whole), now)
    }
}

/// What was measured, adjusted for load where a control explained a part of it.
pub fn measured(verdict: &Verdict) -> Option<Effect> {
    verdict.adjusted.as_ref().map(|adjusted| adjusted.effect).or(verdict.effect)
}

fn taught(outcome: Outcome) -> Taught {
    match outcome {
        Outcome::Better => Taught::Win,
        Outcome::Worse => Taught::Harm,
        Outcome::Neutral => Taught::Neutral,
        Outcome::Unclear => Taught::Unclear,
    }
}

/// The bound on harm from a record. By the runs alone the chance of harm begins as anything from 0 to 1 (Beta(1, 1)), so that its upper
/// bound after `n` clean runs is `1 - 0.05^(1 / (n + 1))`: 10 % takes 28 of them, 5 % takes 58.
pub fn bound(risk: Risk, record: Option<&Record>, now: Wall) -> HarmBound {
    let [win, neutral, harm] = record.map(|record| record.whole.counts(now)).unwrap_or_default();
    let clean = win + neutral;
    let [win_before, neutral_before, harm_before] = prior(risk);
    HarmBound {
        upper: beta_below(0.95, 1.0 + harm, 1.0 + clean),
        vouched: beta_below(0.95, harm_before + harm, win_before + neutral_before + clean),
        limit: match risk {
            Risk::Low => Some(0.10),
            Risk::Medium => Some(0.05),
            Risk::High => None,
        },
        clean,
        runs: clean + harm,
        harmed: record.is_some_and(|record| record.harmed),
        owed: record.map_or(0, |record| record.owed),
    }
}

/// The chance of one outcome of a record as a whole.
pub fn of_whole(record: &Record, outcome: Taught, now: Wall) -> Chance {
    chance(record.whole.posterior(prior(record.risk), now), outcome)
}
