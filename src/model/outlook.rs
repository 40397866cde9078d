//! What is coming, what is odd, what hangs together and who is suspected: all that is thought about the host beyond the present moment.
//! Every number here carries its interval, or says that it has none.

use crate::model::{
    finding::{FindingId, Severity},
    metric::Key,
    subject::Subject,
    time::Wall,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A value ahead, in the metric's unit: the most likely one, and the ranges that hold it in 80 and in 95 of 100 cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub struct Band {
    pub point: f64,
    pub lo80: f64,
    pub hi80: f64,
    pub lo95: f64,
    pub hi95: f64,
}

/// A way to forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Method {
    /// It stays as it is.
    LastValue,
    /// Exponential smoothing.
    Smoothed,
    /// The mean of the newest stretch.
    Mean,
    /// As one season ago.
    SeasonalLast,
    /// The mean course of a season.
    Profile,
    /// Linear regression with a ridge, robust against outliers.
    Ridge,
    /// Linear regression that leaves out what does not matter.
    ElasticNet,
}

impl Method {
    /// Its name in running text.
    pub fn words(self) -> &'static str {
        match self {
            Method::LastValue => "last value",
            Method::Smoothed => "smoothing",
            Method::Mean => "mean",
            Method::SeasonalLast => "last season",
            Method::Profile => "profile",
            Method::Ridge => "ridge",
            Method::ElasticNet => "elastic net",
        }
    }
}

/// How forecasts of one key and step did once their time came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Values that were compared.
    pub scored: u64,
    /// 1 less the mean error over that of the last value; above 0 is better than assuming that nothing changes.
    pub skill: f64,
    /// Share of values that fell into the 80 % range.
    pub within80: f64,
    /// Share of values that fell into the 95 % range.
    pub within95: f64,
}

/// When a limit is reached. Times are seconds after the forecast was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Crossing {
    /// The limit, in the metric's unit.
    pub limit: f64,
    /// What it is, such as `memory.max of /app`.
    pub of: Arc<str>,
    /// The most likely time; `None` if not within the horizon.
    pub likely: Option<f64>,
    /// Sooner than this in one of ten cases at most; `None` if not within the horizon.
    pub earliest: Option<f64>,
    /// Later than this in one of ten cases at most; `None` if not within the horizon.
    pub latest: Option<f64>,
    /// Chance that it is reached within the horizon, 0 to 1, lowered where the track record is poor.
    pub confidence: f64,
}

/// The course ahead of one number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// Of what.
    pub key: Key,
    /// When: the time of the last value that it knows.
    pub made: Wall,
    /// Seconds per step.
    pub step: f64,
    /// The band of each step; the first is one step after `made`.
    pub bands: Vec<Band>,
    /// The methods with their weights, greatest first; the weights add up to 1.
    pub blend: Vec<(Method, f64)>,
    /// 1 less the mean error over that of the last value, in a backtest on the series' own past; `None` with too little of it.
    pub skill: Option<f64>,
    /// Something beats the last value. Otherwise there is no reliable forecast, and the ranges are all that can be said.
    pub reliable: bool,
    /// Seconds of the season that was found.
    pub season: Option<f64>,
    /// Seconds of history that it learnt from.
    pub trained: f64,
    /// Seconds since the series changed its ways, if it did.
    pub changed: Option<f64>,
    /// What became of earlier ones.
    pub record: Option<Record>,
    /// The limit that it heads for.
    pub crossing: Option<Crossing>,
}

/// A value outside of what its own past lets one expect.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// Of what.
    pub key: Key,
    /// Since when.
    pub since: Wall,
    /// When it was over; `None` while it lasts.
    pub until: Option<Wall>,
    /// The value that was furthest out, in the metric's unit.
    pub value: f64,
    /// The range expected then: 95 of 100 values.
    pub expected: (f64, f64),
    /// How odd, in the detector's scale: 1 is its threshold.
    pub score: f64,
    /// How much it deserves attention.
    pub severity: Severity,
}

/// The host as a whole behaves unlike before: many numbers a little odd, or together as they never were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unusual {
    /// Since when.
    pub since: Wall,
    /// How odd: 1 is the threshold.
    pub score: f64,
    /// The numbers that contribute most, with their shares of it.
    pub by: Vec<(Key, f64)>,
}

/// Two numbers that move together more than chance allows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// The one that moves first.
    pub leads: Key,
    /// The one that follows.
    pub follows: Key,
    /// Seconds by which it follows; 0 within the same step.
    pub lag: f64,
    /// Correlation of their changes at that lag.
    pub r: f64,
    /// 95 % interval of `r`, respecting autocorrelation.
    pub interval: (f64, f64),
    /// What is left of `r` once the strongest common companion is taken out; `None` without one.
    pub partial: Option<f64>,
    /// Chance of a link at least as strong by accident among all that were looked at (Benjamini and Hochberg 1995).
    pub q: f64,
}

/// Somebody who may have caused a symptom.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Suspect {
    /// Who.
    pub subject: Subject,
    /// Its name, cleaned.
    pub name: Arc<str>,
    /// Share of belief, 0 to 1; those of one story add up to at most 1.
    pub confidence: f64,
    /// What speaks for it, each in one phrase with its number.
    pub supports: Vec<String>,
    /// What speaks against it.
    pub against: Vec<String>,
}

/// From a symptom to its suspects, most likely first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Story {
    /// The finding that it explains, if there is one.
    pub finding: Option<FindingId>,
    /// The number in which the symptom shows.
    pub symptom: Key,
    /// When the symptom began.
    pub began: Wall,
    /// One line: what happened, and who is most likely behind it. At most 100 characters.
    pub headline: String,
    /// Who may be behind it; empty when nobody stands out.
    pub suspects: Vec<Suspect>,
}

/// A course that a number takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Shape {
    /// It repeats, such as a job by the clock.
    Periodic {
        /// Seconds from one time to the next.
        period: f64,
        /// Seconds that each time lasts.
        width: f64,
    },
    /// Short times far above the rest, at no regular times.
    Bursts {
        /// How many in an hour.
        per_hour: f64,
    },
    /// It moved to another level and stayed.
    Step {
        /// When.
        at: Wall,
        /// Level before.
        from: f64,
        /// Level after.
        to: f64,
    },
    /// It grows or falls along a line.
    Ramp {
        /// Change per second.
        slope: f64,
    },
}

/// A pattern that was recognised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pattern {
    /// In what.
    pub key: Key,
    /// Which.
    pub shape: Shape,
    /// How sure, 0 to 1.
    pub confidence: f64,
}

/// What looking ahead costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effort {
    /// Series that are watched.
    pub series: usize,
    /// Forecasts that stand.
    pub forecasts: usize,
    /// Share of one core over the last minutes.
    pub cpu: f64,
    /// Share of one core that it may take.
    pub budget: f64,
    /// Bytes that the series and models hold.
    pub bytes: usize,
}

/// Everything thought about the host beyond the present moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Sorted by key, then by step. A key has one forecast for each resolution that it has history for.
    pub forecasts: Vec<Arc<Forecast>>,
    /// Newest first.
    pub anomalies: Vec<Anomaly>,
    /// The host as a whole, while it is unusual.
    pub unusual: Option<Unusual>,
    /// Strongest first.
    pub links: Vec<Link>,
    /// Newest first.
    pub stories: Vec<Story>,
    /// Surest first.
    pub patterns: Vec<Pattern>,
    /// What it costs.
    pub effort: Effort,
}

impl Outlook {
    /// The forecasts of a key, finest first.
    pub fn of<'o>(&'o self, key: &Key) -> impl Iterator<Item = &'o Arc<Forecast>> + use<'o> {
        let start = self.forecasts.partition_point(|f| f.key < *key);
        let end = self.forecasts.partition_point(|f| f.key <= *key);
        self.forecasts.get(start..end).unwrap_or_default().iter()
    }
}
