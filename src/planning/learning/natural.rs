//! The arm that does nothing: how often trouble ends by itself within the time of a trial. Findings whose proposals nobody applied are the
//! natural control; without it an action would be praised for what time alone does (regression to the mean).
//!
//! An episode is one finding from its first proposal on. It *ended* when its proposals expired so early that the finding was over within
//! the time of the trial; it *stayed* when it was still there after that time; what was touched, rejected or lost sight of before is left
//! out.

use crate::{
    model::{
        change::{Change, ChangeId, Deed, Entry, Who},
        finding::{FindingId, FindingKind},
        lesson::{Chance, Idle},
        time::Wall,
    },
    planning::learning::outcomes::{Outcomes, Taught, beta_chance},
};
use std::collections::{BTreeMap, BTreeSet};

/// Episodes that must have been seen before anything is said.
const LEAST: u32 = 5;

/// Seconds after which nobody repeats a proposal that expired.
const SETTLED: f64 = 300.0;

/// Episodes under way at most.
const MOST: usize = 256;

#[derive(Debug)]
struct Episode {
    since: Wall,
    proposed: Wall,
    /// Seconds of the trial that was proposed.
    span: f64,
    open: BTreeSet<ChangeId>,
    /// Its last proposal expired.
    closed: Option<Wall>,
    /// It has taught what it can.
    over: bool,
}

/// Episodes, and what those that are over taught.
#[derive(Debug)]
pub struct Natural {
    episodes: BTreeMap<FindingId, Episode>,
    seen: BTreeMap<FindingKind, Outcomes>,
    /// Seconds that a proposal outlives its finding.
    outlives: f64,
}

impl Default for Natural {
    fn default() -> Self {
        Natural { episodes: BTreeMap::new(), seen: BTreeMap::new(), outlives: 60.0 }
    }
}

fn seconds(from: Wall, to: Wall) -> f64 {
    (to.0 - from.0) as f64 / 1000.0
}

impl Natural {
    /// Proposals outlive their findings by so many seconds (`policy.proposal`).
    pub fn outliving(outlives: f64) -> Natural {
        Natural { outlives, ..Natural::default() }
    }

    /// Takes one entry; `change` is what it belongs to.
    pub fn take(&mut self, change: &Change, entry: &Entry) {
        if change.proposal.asked {
            return;
        }
        let (id, at) = (&change.proposal.finding, entry.now.wall);
        self.settle(at);
        match &entry.deed {
            Deed::Proposed { .. } => self.proposed(change, at),
            Deed::Expired if entry.who == Who::Engine => self.expired(id, entry.change, at),
            Deed::Expired => self.lose(id),
            Deed::ApplyStarted { .. } => self.touched(id, at),
            Deed::Rejected | Deed::Refused(_) => {
                if let Some(episode) = self.episodes.get_mut(id) {
                    episode.open.remove(&entry.change);
                    if episode.open.is_empty() {
                        self.touched(id, at);
                    }
                }
            }
            _ => {}
        }
    }

    fn proposed(&mut self, change: &Change, at: Wall) {
        let (id, since) = (change.proposal.finding.clone(), change.finding.since);
        if self.episodes.get(&id).is_some_and(|episode| episode.since != since) {
            self.close(&id);
        }
        let windows = change.proposal.trial.windows;
        let fresh = || Episode {
            since,
            proposed: at,
            span: windows.settle + windows.after,
            open: BTreeSet::new(),
            closed: None,
            over: false,
        };
        let episode = self.episodes.entry(id).or_insert_with(fresh);
        episode.open.insert(change.id);
        episode.closed = None;
        if self.episodes.len() > MOST
            && let Some(oldest) = self.episodes.iter().min_by_key(|(_, e)| e.proposed).map(|(id, _)| id.clone())
        {
            self.close(&oldest);
        }
    }

    fn expired(&mut self, id: &FindingId, change: ChangeId, at: Wall) {
        let Some(episode) = self.episodes.get_mut(id) else { return };
        episode.open.remove(&change);
        if episode.open.is_empty() {
            episode.closed = Some(at);
        }
    }

    /// From here on it is not left alone any more: what it did until then counts only if that was long enough.
    fn touched(&mut self, id: &FindingId, at: Wall) {
        let Some(episode) = self.episodes.get_mut(id).filter(|episode| !episode.over) else { return };
        episode.over = true;
        if seconds(episode.proposed, at) >= episode.span {
            self.seen.entry(id.kind).or_default().add(Taught::Neutral, at);
        }
    }

    /// Nobody looked any more.
    fn lose(&mut self, id: &FindingId) {
        if let Some(episode) = self.episodes.get_mut(id) {
            episode.over = true;
        }
    }

    /// Ends an episode: what it taught is counted.
    fn close(&mut self, id: &FindingId) {
        let Some(episode) = self.episodes.remove(id) else { return };
        if let Some((taught, at)) = episode.taught(self.outlives) {
            self.seen.entry(id.kind).or_default().add(taught, at);
        }
    }

    fn settle(&mut self, now: Wall) {
        let settled = |e: &Episode| e.closed.is_some_and(|closed| seconds(closed, now) > SETTLED);
        let done: Vec<FindingId> = self.episodes.iter().filter(|(_, e)| settled(e)).map(|(id, _)| id.clone()).collect();
        done.iter().for_each(|id| self.close(id));
    }

    /// Another kernel runs.
    pub fn forget(&mut self) {
        self.seen.values_mut().for_each(Outcomes::forget);
    }

    /// The chance that trouble of that kind ends by itself within the time of a trial; `None` until that was seen often enough.
    pub fn rate(&self, kind: FindingKind, now: Wall) -> Option<Chance> {
        let seen = self.of(kind);
        let [ended, stayed, _] = seen.counts(now);
        (seen.tally.runs() >= LEAST).then(|| beta_chance(1.0 + ended, 1.0 + stayed))
    }

    /// Pseudo-counts of ending and staying, likewise.
    pub fn counts(&self, kind: FindingKind, now: Wall) -> Option<(f64, f64)> {
        let seen = self.of(kind);
        let [ended, stayed, _] = seen.counts(now);
        (seen.tally.runs() >= LEAST).then_some((1.0 + ended, 1.0 + stayed))
    }

    /// What was seen of a kind, with the episodes that are over but may still be taken up again.
    fn of(&self, kind: FindingKind) -> Outcomes {
        let mut seen = self.seen.get(&kind).copied().unwrap_or_default();
        let of_kind = self.episodes.iter().filter(|(id, _)| id.kind == kind);
        for (taught, at) in of_kind.filter_map(|(_, episode)| episode.taught(self.outlives)) {
            seen.add(taught, at);
        }
        seen
    }

    /// Every kind that was left alone.
    pub fn list(&self, now: Wall) -> Vec<Idle> {
        let kinds: BTreeSet<FindingKind> = self.seen.keys().copied().chain(self.episodes.keys().map(|id| id.kind)).collect();
        let idle = |kind: FindingKind| {
            let tally = self.of(kind).tally;
            Idle { kind, ended: tally.win, stayed: tally.neutral, rate: self.rate(kind, now) }
        };
        kinds.into_iter().map(idle).filter(|idle| idle.ended + idle.stayed > 0).collect()
    }
}

impl Episode {
    fn taught(&self, outlives: f64) -> Option<(Taught, Wall)> {
        let closed = self.closed.filter(|_| !self.over)?;
        let lasted = seconds(self.proposed, closed) - outlives;
        Some((if lasted < self.span { Taught::Win } else { Taught::Neutral }, closed))
    }
}
