//! Trials of nothing: while the host is quiet, a window pair in which nothing is done goes through the same guard and the same judge. What
//! they would have kept or blamed is a false alarm, written down like any deed of the house; with too many, automatic mode only suggests
//! ([`trust`](crate::analysis::impact::trust)).

use crate::{
    analysis::impact::{
        case::{Case, seconds},
        guard::{self, guard_look},
        judge::judge,
    },
    engine::brain::office::Office,
    model::{
        change::{Change, Who},
        limits::Mode,
        metric::{Key, Metric},
        note::Note,
        series::SeriesSet,
        snapshot::Snapshot,
        time::Tick,
        trial::{Guardrail, Trial},
        verdict::Outcome,
    },
};
use std::time::Duration;

/// From the start of the engine to the first.
const FIRST: Duration = Duration::from_secs(900);
/// Between two while verdicts are believed, and while they are not.
const EVERY: Duration = Duration::from_secs(3600);
const DOUBTED: Duration = Duration::from_secs(1200);
/// When the host is too busy for one: again after this time.
const AGAIN: Duration = Duration::from_secs(60);
/// Busy share of all cores below which the host is quiet.
const QUIET: f64 = 0.5;
/// What changes are judged by.
const PRIMARIES: [Metric; 10] = [
    Metric::ServiceP95,
    Metric::ProcessRunDelay,
    Metric::PressureCpuSome,
    Metric::PressureIoSome,
    Metric::PressureMemorySome,
    Metric::DiskLatency,
    Metric::DiskFlushLatency,
    Metric::CgroupThrottled,
    Metric::ListenOverflows,
    Metric::SwapIn,
];
/// What they must not harm, and by how much.
const RAILS: [(Metric, f64); 2] = [(Metric::PressureMemoryFull, 0.05), (Metric::PressureCpuSome, 0.25)];

/// One that is under way.
#[derive(Clone, Debug)]
struct Running {
    trial: Trial,
    began: Tick,
    looked: Tick,
    watch: guard::Watch,
}

/// Tests the judge.
#[derive(Debug)]
pub struct SelfTest {
    running: Option<Running>,
    next: Tick,
    /// Keys tried so far: each gets its turn.
    turn: usize,
}

impl SelfTest {
    /// For an engine that starts now.
    pub fn new(now: Tick) -> SelfTest {
        SelfTest { running: None, next: now + FIRST, turn: 0 }
    }

    /// Once per sweep; `calm` while nothing is found wrong.
    pub fn tend(&mut self, series: &SeriesSet, (snapshot, calm): (&Snapshot, bool), office: &mut Office) {
        let now = office.now.tick;
        if now < self.next {
            return;
        }
        if !(calm && quiet(snapshot, office)) {
            (self.running, self.next) = (None, now + AGAIN);
            return;
        }
        match &mut self.running {
            None => self.begin(series, office),
            Some(running) => {
                let Some(outcome) = running.look(series, office) else { return };
                let key = running.trial.primary.clone();
                let pause = if office.ledger.trust.is_lost() { DOUBTED } else { EVERY };
                (self.running, self.next) = (None, now + pause);
                office.house(Note::Tested { key, outcome }, Who::Engine);
            }
        }
    }

    /// Begins with the next number that moved in the window before: one that stands still tests nothing.
    fn begin(&mut self, series: &SeriesSet, office: &Office) {
        let (now, windows) = (office.now.tick, office.policy.windows);
        let from = Tick(now.0.saturating_sub(u64::try_from(seconds(windows.before).as_nanos()).unwrap_or(u64::MAX)));
        let lives = |key: &Key| series.get(key).is_some_and(|s| is_alive(&s.values(from, now), windows.before));
        let mut keys: Vec<&Key> =
            series.iter().map(|(key, _)| key).filter(|key| PRIMARIES.contains(&key.metric) && lives(key)).collect();
        keys.sort();
        let Some(primary) = keys.get(self.turn % keys.len().max(1)).copied().cloned() else {
            self.next = now + AGAIN;
            return;
        };
        self.turn += 1;
        let rails = RAILS.iter().filter(|(metric, _)| primary.metric != *metric);
        let rail = |(metric, absolute): &(Metric, f64)| Guardrail { key: Key::host(*metric), relative: 0.0, absolute: *absolute };
        let guardrails: Vec<Guardrail> = rails.map(rail).collect();
        let load = series.iter().map(|(key, _)| key).filter(|key| key.metric == Metric::ServiceRate).min().cloned();
        let trial = Trial {
            better: primary.metric.better(),
            primary,
            least: 0.1,
            guardrails,
            controls: load.into_iter().collect(),
            windows,
            prevents: None,
        };
        self.running = Some(Running { trial, began: now, looked: now, watch: guard::Watch::default() });
    }
}

impl Running {
    /// The same looks as at a change, and the same verdict at the end; `None` until then.
    fn look(&mut self, series: &SeriesSet, office: &Office) -> Option<Outcome> {
        let (now, windows) = (office.now.tick, self.trial.windows);
        let others: Vec<(Tick, Tick)> = Vec::new();
        let case = Case { series, since: Tick(0), applied: self.began, now, others: &others, off: &[] };
        let settled = self.began + seconds(windows.settle);
        if now >= settled + seconds(windows.after) {
            return Some(judge(&self.trial, &case).outcome);
        }
        if now < settled || now.since(self.looked) < seconds(guard::LOOK) {
            return None;
        }
        self.looked = now;
        guard_look(&self.trial, &case, &mut self.watch).map(|_| Outcome::Worse)
    }
}

/// Points enough, and not all of one value.
fn is_alive(values: &[f64], span: f64) -> bool {
    values.len() as f64 >= span / 2.0 && values.iter().any(|v| Some(v) != values.first())
}

/// Nobody would wonder at a change of anything: little load, and no change of ours that is being watched.
fn quiet(snapshot: &Snapshot, office: &Office) -> bool {
    let idle = snapshot.vitals.cpu.known().is_some_and(|cpu| cpu.total.busy() < QUIET);
    let watched = |change: &Change| change.state.is_unconfirmed();
    idle && office.mode != Mode::Observe && office.journal.is_none() && !office.ledger.live().any(watched)
}
