//! The verdict on a change that prevents: there was no trouble to improve, so before and after cannot be compared. What can be asked is
//! whether the limit before was passed alive, or is still headed for; if neither, the change was not needed and is undone.

use crate::{
    analysis::{
        impact::case::Case,
        trouble::{crossing, limits::Limit},
    },
    model::{
        trial::{Prevention, Trial},
        verdict::Outcome,
    },
};

/// As near to the limit before as this, it would have been reached by the next swing.
const THERE: f64 = 0.95;
/// Values after the change at least: where it stands needs no statistics.
const SEEN: usize = 3;
/// How many times the watch the limit before may be away to count as still headed for.
const AHEAD: f64 = 10.0;

/// What came of it, in words with the numbers.
pub fn decide(trial: &Trial, prevention: &Prevention, case: &Case<'_>) -> (Outcome, String) {
    let (_, after) = case.values(trial, &trial.primary);
    let show = |v: f64| trial.primary.metric.unit().show(v);
    let time = |v: f64| crate::model::unit::Unit::Seconds.show(v);
    if after.len() < SEEN {
        return (Outcome::Unclear, format!("too few points of {}: {} after", trial.primary, after.len()));
    }
    let most = after.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let (before, limit) =
        (show(prevention.limit), |at| Limit { key: trial.primary.clone(), limit: at, of: "".into(), floor: false });
    if most >= THERE * prevention.limit {
        let told = format!("{} came to {}, where the limit before of {before} would have ended it", trial.primary, show(most));
        return (Outcome::Better, told);
    }
    let ahead = |at: f64| {
        let series = case.series.get(&trial.primary)?;
        crossing::along(series, &limit(at), case.now, AHEAD * trial.windows.after)?.likely
    };
    match ahead(prevention.limit) {
        Some(old) => {
            let new = ahead(prevention.moved).map_or_else(|| "beyond the horizon".into(), time);
            (
                Outcome::Better,
                format!("{} still grows: the limit before is {} away, the present one {new}", trial.primary, time(old)),
            )
        }
        None => (
            Outcome::Neutral,
            format!("{} stopped at {}, below the limit before of {before}: not needed", trial.primary, show(most)),
        ),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        analysis::impact::{
            guard::{self, Watch},
            judge::judge,
        },
        model::{
            metric::{Better, Key, Metric},
            series::{Point, SeriesSet},
            subject::Subject,
            time::Tick,
            trial::Windows,
        },
    };

    const SECOND: u64 = 1_000_000_000;
    const APPLIED: u64 = 20;

    fn trial() -> Trial {
        Trial {
            primary: Key::new(Subject::Cgroup("/app".into()), Metric::CgroupUnreclaimable),
            better: Better::Lower,
            least: 0.1,
            guardrails: Vec::new(),
            controls: Vec::new(),
            windows: Windows { before: 120.0, settle: 3.0, after: 60.0 },
            prevents: Some(Prevention { limit: 250.0, moved: 1000.0 }),
        }
    }

    /// The outcome for a course of one value a second, the change written after [`APPLIED`] of them, 63 seconds ago.
    fn outcome(value: impl Fn(u64) -> f64) -> (Outcome, String) {
        let mut series = SeriesSet::default();
        for second in 0..APPLIED + 64 {
            let point = Point { at: Tick(second * SECOND), value: value(second) };
            if point.value > 0.0 {
                series.push(trial().primary, point, 1000);
            }
        }
        let now = Tick((APPLIED + 63) * SECOND);
        let case = Case { series: &series, since: Tick(0), applied: Tick(APPLIED * SECOND), now, others: &[], off: &[] };
        let verdict = judge(&trial(), &case);
        assert_eq!(guard::guard_look(&trial(), &case, &mut Watch::default()), None, "growth is no harm here");
        (verdict.outcome, verdict.why)
    }

    #[test]
    fn what_passed_its_old_limit_alive_was_saved() {
        let (outcome, why) = outcome(|second| 12.0 * second as f64);
        assert_eq!(outcome, Outcome::Better);
        assert!(why.contains("where the limit before of 250 B would have ended it"), "{why}");
    }

    #[test]
    fn what_still_heads_there_keeps_its_room() {
        let (outcome, why) = outcome(|second| 100.0 + second as f64);
        assert_eq!(outcome, Outcome::Better, "{why}");
        assert!(why.contains("still grows: the limit before is"), "{why}");
    }

    #[test]
    fn what_stopped_growing_did_not_need_it() {
        let (outcome, why) = outcome(|second| 12.0 * second.min(15) as f64);
        assert_eq!(outcome, Outcome::Neutral);
        assert!(why.contains("stopped at 180 B, below the limit before of 250 B"), "{why}");
    }

    #[test]
    fn what_ended_cannot_be_judged() {
        assert_eq!(outcome(|second| if (24..=81).contains(&second) { 0.0 } else { 12.0 }).0, Outcome::Unclear);
    }
}
