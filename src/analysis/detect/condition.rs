//! Conditions of custom actions: a number that an operator has named is beyond its limit for as long as they said.

use crate::{
    analysis::detect::report::{Report, evidence, short},
    model::{
        custom::Condition,
        finding::{FindingId, FindingKind, Level, Severity, Signal},
        metric::{Better, Key},
        subject::Subject,
        world::World,
    },
};
use std::collections::BTreeMap;

/// The look: one finding for each subject, with all conditions that hold on it.
pub(super) fn look(world: &World<'_>) -> Vec<Signal> {
    let mut found: BTreeMap<Subject, Report> = BTreeMap::new();
    for condition in &world.thresholds.conditions {
        for (key, standing) in condition.look(world.series, world.now.tick) {
            let level = if standing.holds { Level::Over } else { Level::Between };
            let new = report(condition, key, standing.value, level);
            match found.get_mut(&key.subject) {
                None => drop(found.insert(key.subject.clone(), new)),
                Some(known) => {
                    known.evidence.extend(new.evidence);
                    if level > known.level {
                        (known.level, known.headline) = (level, new.headline);
                    }
                }
            }
        }
    }
    found.into_values().filter_map(Report::signal).collect()
}

fn report(condition: &Condition, key: &Key, value: f64, level: Level) -> Report {
    let unit = key.metric.unit();
    let side = if condition.side == Better::Lower { "above" } else { "below" };
    let (now, limit) = (unit.show(value), unit.show(condition.limit));
    Report {
        id: FindingId { kind: FindingKind::Condition, subject: key.subject.clone() },
        level,
        severity: Severity::Warning,
        headline: format!("{key} is {now}, {side} {limit} (condition of {})", short(&condition.action)),
        evidence: vec![evidence(key.clone(), value, Some(condition.limit), "the configuration")],
        culprits: Vec::new(),
        victims: Vec::new(),
        ruled_out: Vec::new(),
        advice: None,
        impact: 0.5,
        crossing: None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        metric::Metric,
        series::{Point, SeriesSet},
        time::Tick,
    };
    use std::time::Duration;

    fn condition() -> Condition {
        let pick = "pressure_cpu_some".parse().unwrap();
        Condition { action: "drain".into(), pick, limit: 0.5, side: Better::Lower, span: Duration::from_secs(10) }
    }

    fn series(values: &[f64]) -> (SeriesSet, Tick) {
        let mut all = SeriesSet::default();
        let tick = |n: usize| Tick(1_000_000_000 * (100 + n as u64));
        for (n, value) in values.iter().enumerate() {
            all.push(Key::host(Metric::PressureCpuSome), Point { at: tick(n), value: *value }, 100);
        }
        (all, tick(values.len() - 1))
    }

    #[test]
    fn it_holds_once_every_value_of_its_span_was_beyond() {
        let looked = |values: &[f64]| {
            let (all, now) = series(values);
            condition().look(&all, now).map(|(_, standing)| standing).next()
        };
        assert!(looked(&[0.6; 12]).unwrap().holds);
        assert!(!looked(&[0.6; 5]).unwrap().holds, "for too short a time");
        let mut dip = [0.6; 12];
        dip[8] = 0.4;
        assert!(!looked(&dip).unwrap().holds);
        assert_eq!(looked(&[0.4; 12]), None);
        let (all, now) = series(&[0.6; 12]);
        assert_eq!(condition().look(&all, now + Duration::from_secs(60)).count(), 0, "old numbers say nothing");
    }
}
