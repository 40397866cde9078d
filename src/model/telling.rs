//! An outlook in words: limits ahead, anomalies, links and patterns, a line each. Every number stands with its interval or its confidence.

use crate::model::{
    ahead::{about, seconds},
    change::Change,
    finding::Finding,
    outlook::{Anomaly, Crossing, Forecast, Link, Pattern, Shape, Unusual},
    time::Wall,
    unit::Unit,
    when,
};

/// Two values of one unit, which is said once where both have the same.
pub fn range(unit: Unit, low: f64, high: f64) -> String {
    let (low, high) = (unit.show(low), unit.show(high));
    match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        (Some((number, a)), Some((_, b))) if a == b => format!("{number} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

impl Forecast {
    /// The limit that it heads for, and when that is reached.
    pub fn limit(&self, now: Wall) -> Option<String> {
        let crossing: &Crossing = self.crossing.as_ref()?;
        let at = self.key.metric.unit().show(crossing.limit);
        let times = crossing.words(seconds(self.made, now).max(0.0));
        Some(format!("{at} ({}) {times}, confidence {:.2}", crossing.of, crossing.confidence))
    }
}

impl Change {
    /// For one that answers trouble that has not come yet: when it comes, as `finding` has it now, and how sure that is.
    pub fn foreseen(&self, finding: Option<&Finding>) -> Option<String> {
        let confidence = self.proposal.foreseen?;
        let crossing = finding.unwrap_or(&self.finding).crossing.as_ref();
        let comes = crossing.map_or_else(String::new, |crossing| {
            let limit = self.proposal.trial.primary.metric.unit().show(crossing.limit);
            format!("{limit} ({}) {}, ", crossing.of, crossing.words(0.0))
        });
        Some(format!("{comes}confidence {confidence:.2}"))
    }
}

impl Anomaly {
    /// What was odd, since when and how far.
    pub fn words(&self, now: Wall) -> String {
        let unit = self.key.metric.unit();
        let when = match self.until {
            None => format!("since {} ({})", when::show(self.since), about(seconds(self.since, now))),
            Some(until) => format!("{} for {}", when::show(self.since), about(seconds(self.since, until))),
        };
        let (low, high) = self.expected;
        let (value, expected) = (unit.show(self.value), range(unit, low, high));
        format!("{} {when}: {value}, expected {expected}, {:.1} times the threshold", self.key, self.score)
    }
}

impl Unusual {
    /// Since when, how odd, and what contributes most.
    pub fn words(&self, now: Wall) -> String {
        let by: Vec<String> = self.by.iter().take(5).map(|(key, share)| format!("{} {:.0} %", key.path(), share * 100.0)).collect();
        let age = about(seconds(self.since, now));
        format!("the host as a whole is unusual for {age}, {:.1} times the threshold: {}", self.score, by.join(", "))
    }
}

impl Link {
    /// Who leads, who follows, how much later and how closely.
    pub fn words(&self) -> String {
        let lag = if self.lag == 0.0 { "at once".into() } else { format!("{} later", about(self.lag)) };
        let (low, high) = self.interval;
        let partial = self.partial.map_or_else(String::new, |partial| format!(", {partial:+.2} without their common companion"));
        let q = if self.q < 0.001 { "below 0.001".into() } else { format!("{:.3}", self.q) };
        let strength = format!("r {:+.2} ({low:+.2} to {high:+.2}){partial}, q {q}", self.r);
        format!("{} leads {} {lag}: {strength}", self.leads.path(), self.follows.path())
    }
}

impl Pattern {
    /// What course its number takes, and how sure that is.
    pub fn words(&self) -> String {
        let unit = self.key.metric.unit();
        let course = match self.shape {
            Shape::Periodic { period, width } => format!("every {} for {}", about(period), about(width)),
            Shape::Bursts { per_hour } => format!("bursts, {} in an hour", Unit::Count.show(per_hour.round())),
            Shape::Step { at, from, to } => format!("a step at {} from {} to {}", when::show(at), unit.show(from), unit.show(to)),
            Shape::Ramp { slope } => {
                let way = if slope < 0.0 { "falls" } else { "grows" };
                format!("{way} by {} in an hour", unit.show(slope.abs() * 3600.0))
            }
        };
        format!("{}: {course}, confidence {:.2}", self.key.path(), self.confidence)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::metric::{Key, Metric};

    #[test]
    fn a_unit_is_said_once() {
        assert_eq!(range(Unit::Bytes, 2048.0, 3072.0), "2.00 to 3.00 KiB");
        assert_eq!(range(Unit::Bytes, 512.0, 3072.0), "512 B to 3.00 KiB");
        assert_eq!(range(Unit::PerSecond, 1.0, 2.0), "1/s to 2/s");
    }

    #[test]
    fn links_and_patterns_read_with_their_intervals() {
        let key = || Key::host(Metric::CpuBusy);
        let link = Link {
            leads: key(),
            follows: Key::host(Metric::Load),
            lag: 2.0,
            r: 0.914,
            interval: (0.84, 0.95),
            partial: Some(0.77),
            q: 0.0002,
        };
        let says =
            "cpu_busy leads load 2.00 s later: r +0.91 (+0.84 to +0.95), +0.77 without their common companion, q below 0.001";
        assert_eq!(link.words(), says);
        let pattern = |shape| Pattern { key: key(), shape, confidence: 0.9 }.words();
        assert_eq!(pattern(Shape::Periodic { period: 60.2, width: 8.0 }), "cpu_busy: every 1 min for 8.00 s, confidence 0.90");
        assert_eq!(pattern(Shape::Ramp { slope: -1e-5 }), "cpu_busy: falls by 3.6 % in an hour, confidence 0.90");
    }
}
