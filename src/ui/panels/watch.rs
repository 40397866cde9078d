//! A change that is being watched: how far the watch is, and how the primary does so far. The verdict is the engine's alone.

use crate::{
    model::{
        change::{Change, ChangeState},
        series::Point,
        time::Now,
    },
    ui::{chart, state::State, words},
};
use std::time::Duration;

/// Cells of the bar.
const BAR: usize = 12;

/// Since when it is watched, while it is.
fn applied(change: &Change) -> Option<Now> {
    change.applied.filter(|_| matches!(change.state, ChangeState::Applied | ChangeState::Watching) && change.verdict.is_none())
}

/// A bar and words for how much of the watch is over.
pub fn progress(state: &State, change: &Change) -> Option<String> {
    let windows = &change.proposal.trial.windows;
    let elapsed = state.shown().now.tick.seconds_since(applied(change)?.tick).max(0.0);
    let total = windows.settle + windows.after;
    let bar = chart::bar(elapsed / total.max(1.0), BAR, state.look.ink);
    let (now, planned) = (words::span(elapsed), words::span(total));
    if let Some((_, leg)) = change.legs.last() {
        return Some(format!("{now}, switched off and on by turns, now {}", leg.words()));
    }
    Some(match elapsed {
        e if e < windows.settle => format!("{bar} {now} of {planned}, settling"),
        e if e <= total => format!("{bar} {now} of {planned}"),
        _ => format!("{bar} {now}, not clear after {planned}"),
    })
}

/// The mean of the primary before the change and since it has settled.
pub fn so_far(state: &State, change: &Change) -> Option<String> {
    let applied = applied(change)?;
    let trial = &change.proposal.trial;
    let now = state.shown().now.tick;
    // What was before the trouble is not what the change is to be better than.
    let troubled = (applied.wall.0.saturating_sub(change.finding.since.0) as f64 / 1000.0).max(0.0);
    let wanted = trial.windows.before.min(troubled.max(1.0));
    let (mut before, mut after) = (Mean::default(), Mean::default());
    let mut take = |point: Point| {
        if point.at >= applied.tick + seconds(trial.windows.settle) && point.at <= now {
            after.add(point.value);
        } else if point.at < applied.tick && applied.tick.seconds_since(point.at) <= wanted {
            before.add(point.value);
        }
    };
    match state.history.get(&trial.primary) {
        Some(series) => series.points().for_each(&mut take),
        None => change.track.iter().copied().for_each(&mut take),
    }
    let metric = trial.primary.metric;
    let (before, after) = (before.value()?, after.value());
    let unit = metric.unit();
    Some(match after {
        Some(after) => format!("{} {} → {} so far", metric.words(), unit.show(before), unit.show(after)),
        None => format!("{} was {}", metric.words(), unit.show(before)),
    })
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn value(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / f64::from(self.count))
    }
}
