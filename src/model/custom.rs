//! Custom actions: what an operator's own programs do, when, and how that is seen and undone. Words of configuration and plan.

use crate::model::{
    metric::{Better, Key},
    pick::Pick,
    proposal::{Domain, Risk},
    series::SeriesSet,
    time::Tick,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// A custom action as it is configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CustomAction {
    /// Its name: letters, digits and dashes.
    pub name: String,
    /// When it is proposed.
    pub when: When,
    /// The program that does it, with its arguments.
    #[serde(rename = "do")]
    pub apply: Vec<String>,
    /// The program that says whether it is done: exit code 0 is yes, any other no.
    #[serde(default)]
    pub verify: Vec<String>,
    /// The program that undoes it. Without `verify` and `undo` it is proposed, but never automatic and never taken back.
    #[serde(default)]
    pub undo: Vec<String>,
    /// Seconds that a program may run; then it is killed with all its children.
    #[serde(default = "usual_timeout")]
    pub timeout: u32,
    /// User to run as, by name or number; `nobody` where trimtab is root, else our own.
    #[serde(default)]
    pub user: Option<String>,
    /// Its environment, besides a plain `PATH`.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// How much can go wrong.
    #[serde(default = "usual_risk")]
    pub risk: Risk,
    /// What else must not change meanwhile.
    #[serde(default = "usual_domain")]
    pub domain: Domain,
    /// Seconds before it may be done again.
    #[serde(default = "usual_cooldown")]
    pub cooldown: f64,
    /// The number that it is judged by, such as `service_p95:shop`.
    pub watch: String,
    /// Which way is better; the metric's own unless said.
    #[serde(default)]
    pub better: Option<Better>,
}

fn usual_timeout() -> u32 {
    20
}

fn usual_risk() -> Risk {
    Risk::High
}

fn usual_domain() -> Domain {
    Domain::Cpu
}

fn usual_cooldown() -> f64 {
    600.0
}

/// When a custom action is proposed: a number is beyond a limit for a while.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A metric, perhaps of certain subjects: `pressure_cpu_some`, `disk_read:vd*`.
    pub metric: String,
    /// Above this.
    #[serde(default)]
    pub above: Option<f64>,
    /// Or below this.
    #[serde(default)]
    pub below: Option<f64>,
    /// For so many seconds.
    #[serde(default = "usual_span", rename = "for")]
    pub span: f64,
}

fn usual_span() -> f64 {
    30.0
}

/// A condition, understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition {
    /// Of which action.
    pub action: String,
    /// Which numbers.
    pub pick: Pick,
    /// The limit.
    pub limit: f64,
    /// It is one from above.
    pub side: Better,
    /// How long.
    pub span: Duration,
}

impl CustomAction {
    /// Its condition; `None` where the metric or the limit is none, which the configuration complains about.
    pub fn condition(&self) -> Option<Condition> {
        let (limit, side) = match (self.when.above, self.when.below) {
            (Some(limit), None) => (limit, Better::Lower),
            (None, Some(limit)) => (limit, Better::Higher),
            _ => return None,
        };
        let span = Duration::try_from_secs_f64(self.when.span).ok()?;
        Some(Condition { action: self.name.clone(), pick: self.when.metric.parse().ok()?, limit, side, span })
    }

    /// The programs, as a plan carries them.
    pub fn program(&self, pins: Vec<u64>) -> Program {
        Program {
            name: self.name.clone(),
            apply: self.apply.clone(),
            verify: self.verify.clone(),
            undo: self.undo.clone(),
            timeout: self.timeout,
            user: self.user.clone(),
            env: self.env.clone(),
            pins,
        }
    }
}

/// How a condition stands for one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Standing {
    /// The newest value.
    pub value: f64,
    /// It has been beyond the limit for as long as the condition says.
    pub holds: bool,
}

impl Condition {
    /// Whether a value is beyond the limit.
    pub fn is_beyond(&self, value: f64) -> bool {
        match self.side {
            Better::Lower => value > self.limit,
            Better::Higher => value < self.limit,
        }
    }

    /// The numbers that are beyond the limit now.
    pub fn look<'a>(&'a self, series: &'a SeriesSet, now: Tick) -> impl Iterator<Item = (&'a Key, Standing)> {
        let host = Key::host(self.pick.metric);
        let of_host = series.get(&host).is_some();
        let from = Tick(now.0.saturating_sub(u64::try_from(self.span.as_nanos()).unwrap_or(u64::MAX)));
        let meant = series.iter().filter(move |(key, _)| key.metric == self.pick.metric && self.pick.means(key, of_host));
        meant.filter_map(move |(key, series)| {
            let last = series.last().filter(|point| self.is_beyond(point.value) && now.since(point.at) < STALE)?;
            let old_enough = series.points().next().is_some_and(|first| first.at <= from + SLACK);
            let all = series.points().filter(|point| point.at >= from).all(|point| self.is_beyond(point.value));
            Some((key, Standing { value: last.value, holds: old_enough && all }))
        })
    }
}

/// A number that did not come for so long says nothing.
const STALE: Duration = Duration::from_secs(15);

/// By how much the history may be shorter than the span: sweeps are not to the millisecond.
const SLACK: Duration = Duration::from_millis(1500);

/// The programs of a custom action: all that doing, reading back and undoing will ever need.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Program {
    /// Name of the action.
    pub name: String,
    /// Does it.
    pub apply: Vec<String>,
    /// Says whether it is done.
    pub verify: Vec<String>,
    /// Undoes it.
    pub undo: Vec<String>,
    /// Seconds for each.
    pub timeout: u32,
    /// User to run as.
    pub user: Option<String>,
    /// Environment.
    pub env: BTreeMap<String, String>,
    /// Inodes of the programs when the plan was made: a program that is replaced makes it another plan.
    pub pins: Vec<u64>,
}

impl Program {
    /// Its value while it is not done.
    pub const UNDONE: &'static str = "undone";
    /// Its value while it is done.
    pub const DONE: &'static str = "done";

    /// The command line that gives it that value.
    pub fn to(&self, value: &str) -> &[String] {
        if value == Program::DONE { &self.apply } else { &self.undo }
    }

    /// Whether it can be told apart and taken back.
    pub fn is_reversible(&self) -> bool {
        !self.verify.is_empty() && !self.undo.is_empty()
    }

    /// The paths of its programs.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        [&self.apply, &self.verify, &self.undo].into_iter().filter_map(|command| command.first()).map(String::as_str)
    }
}
