//! From numbers to a signal: levels, order, and the bounds on what a screen has to show.

use crate::model::{
    finding::{Evidence, Finding, FindingId, Level, Party, Severity, Signal},
    metric::Key,
    outlook::Crossing,
    time::Wall,
    unit::Unit,
};

/// Share of a threshold below which a condition is clear (catalogue B0: "clear at 0.7 x threshold").
const CLEAR: f64 = 0.7;

/// How far `value` stands against `threshold`, when more is worse.
pub(super) fn level(value: f64, threshold: f64) -> Level {
    match value {
        v if v >= threshold => Level::Over,
        v if v >= CLEAR * threshold => Level::Between,
        _ => Level::Clear,
    }
}

/// A measured fact with the threshold that it is held against.
pub(super) fn evidence(key: Key, value: f64, threshold: Option<f64>, from: &str) -> Evidence {
    Evidence { metric: key.metric, subject: key.subject, value, threshold, from: from.into() }
}

/// What a detector has found out; everything that a finding says but its age.
pub(super) struct Report {
    pub(super) id: FindingId,
    pub(super) level: Level,
    pub(super) severity: Severity,
    pub(super) headline: String,
    pub(super) evidence: Vec<Evidence>,
    pub(super) culprits: Vec<Party>,
    pub(super) victims: Vec<Party>,
    pub(super) ruled_out: Vec<String>,
    pub(super) advice: Option<String>,
    /// The share of time or space lost.
    pub(super) impact: f64,
    /// When a limit is reached, where that is foreseen.
    pub(super) crossing: Option<Crossing>,
}

impl Report {
    /// The signal; silence when the condition is clear.
    pub(super) fn signal(self) -> Option<Signal> {
        if self.level == Level::Clear {
            return None;
        }
        let impact = if self.impact.is_finite() { self.impact.clamp(0.0, 1.0) } else { 0.0 };
        let finding = Finding {
            id: self.id,
            severity: self.severity,
            headline: cut(self.headline),
            evidence: self.evidence,
            culprits: self.culprits,
            victims: self.victims,
            ruled_out: self.ruled_out,
            advice: self.advice,
            impact,
            priority: priority(self.severity, impact),
            since: Wall::default(),
            crossing: self.crossing,
        };
        Some(Signal { level: self.level, finding })
    }
}

/// Severity decides first, impact within it; 0 to 1.
fn priority(severity: Severity, impact: f64) -> f64 {
    let rank = match severity {
        Severity::Notice => 0.0,
        Severity::Warning => 1.0,
        Severity::Critical => 2.0,
    };
    (rank + impact) / 3.0
}

/// At most 100 characters.
fn cut(headline: String) -> String {
    if headline.chars().count() <= 100 { headline } else { headline.chars().take(97).chain("...".chars()).collect() }
}

/// `name` short enough to leave room for the rest of a headline.
pub(super) fn short(name: &str) -> String {
    if name.chars().count() <= 24 { name.into() } else { name.chars().take(22).chain("..".chars()).collect() }
}

/// When a limit is reached, with its range: `in 9.00 s (8.00 to 11.0 s)`; what is beyond the horizon is said to be later.
pub(super) fn when(crossing: &Crossing) -> String {
    let show = |seconds: f64| Unit::Seconds.show(seconds);
    match (crossing.earliest.map(show), crossing.likely.map(show), crossing.latest.map(show)) {
        (Some(earliest), Some(likely), Some(latest)) => format!("in {likely} ({} to {latest})", without_unit(&earliest, &latest)),
        (Some(earliest), Some(likely), None) => format!("in {likely} ({earliest} or more)"),
        (Some(earliest), None, _) => format!("in {earliest} at the earliest"),
        _ => "at no time that can be told".into(),
    }
}

/// The first of two spans, without its unit where the second has the same.
fn without_unit<'a>(first: &'a str, second: &str) -> &'a str {
    match (first.split_once(' '), second.split_once(' ')) {
        (Some((number, unit)), Some((_, other))) if unit == other => number,
        _ => first,
    }
}
