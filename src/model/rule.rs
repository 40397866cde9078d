//! Rules of policy: what may be done to whom, when, and by whose word; and what they decided on a change.

use crate::model::{
    finding::FindingKind,
    hours::Hours,
    limits::Mode,
    pick::Pattern,
    proposal::{Proposal, Risk},
    snapshot::Snapshot,
    subject::Subject,
};
use serde::{Deserialize, Serialize};

/// How much a subject matters, what matters most first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Tier {
    /// Never touched by itself, unless a rule says so.
    Critical,
    /// What no tier is named for.
    #[default]
    Stable,
    /// May be tuned.
    Advanced,
    /// May be tried on.
    Experimental,
    /// There to be tried on.
    Research,
}

impl Tier {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Tier::Critical => "critical",
            Tier::Stable => "stable",
            Tier::Advanced => "advanced",
            Tier::Experimental => "experimental",
            Tier::Research => "research",
        }
    }
}

/// Which subjects are of a tier. Of several that fit, the first counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tiering {
    /// A pattern of names.
    #[serde(rename = "match")]
    pub fits: String,
    /// Their tier.
    pub tier: Tier,
}

/// A time that is not written as hours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// One of the configured maintenance windows.
    Maintenance,
    /// An hour of the week that is quiet here, by the host's own past.
    LowTraffic,
}

impl Window {
    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Window::Maintenance => "maintenance",
            Window::LowTraffic => "low traffic",
        }
    }
}

/// One rule. It fits a change of which all that it names holds; the first that fits decides, and the mode stays the ceiling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Names of actions, or patterns of them; any, when there are none.
    #[serde(default)]
    pub families: Vec<String>,
    /// Patterns of names; any, when there are none. A rule that allows auto fits when each subject of the change is meant, any other
    /// when one is.
    #[serde(default)]
    pub subjects: Vec<String>,
    /// The tier of what matters most among the subjects.
    #[serde(default)]
    pub tier: Option<Tier>,
    /// Just this risk.
    #[serde(default)]
    pub risk: Option<Risk>,
    /// Kinds of finding that it answers; any, when there are none.
    #[serde(default)]
    pub kinds: Vec<FindingKind>,
    /// Within these hours.
    #[serde(default)]
    pub hours: Option<Hours>,
    /// Within this window.
    #[serde(default)]
    pub window: Option<Window>,
    /// The forecast that it stands on is at least so sure. Trouble that is there is sure.
    #[serde(default)]
    pub confidence: Option<f64>,
    /// The most that is allowed.
    pub allow: Mode,
    /// It may be automatic without having proven itself here.
    #[serde(default)]
    pub promoted: bool,
    /// People who must approve it: 1 or 2.
    #[serde(default)]
    pub approvals: Option<u8>,
}

/// What policy says of a change, and by which rule.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The most that is allowed, the mode aside.
    pub level: Mode,
    /// Number of the rule, from 1; `None` is what is built in.
    pub rule: Option<usize>,
    /// Tier of what matters most among its subjects.
    pub tier: Tier,
    /// People who must approve it.
    pub approvals: u8,
    /// An operator's rule says that it need not have proven itself here.
    pub promoted: bool,
    /// The window that the rule names, and that is open.
    pub window: Option<Window>,
    /// Why it is not automatic; `None` when it may be.
    pub manual: Option<String>,
    /// What each of its subjects is called.
    pub names: Vec<Vec<String>>,
}

impl Decision {
    /// Level, rule, tier and approvals, in a line.
    pub fn words(&self) -> String {
        let by = self.rule.map_or_else(|| "no rule fits, so as built in".into(), |rule| format!("by rule {rule}"));
        let people = if self.approvals > 1 { format!(", {} people approve", self.approvals) } else { String::new() };
        let window = self.window.map_or_else(String::new, |window| format!(", in the window of {}", window.words()));
        let promoted = if self.promoted { ", promoted" } else { "" };
        format!("{} at most, {by}; tier {}{people}{window}{promoted}", self.level.words(), self.tier.words())
    }

    /// Whether it is automatic, and why not, in a line.
    pub fn automatic(&self) -> String {
        self.manual.as_ref().map_or_else(|| "yes".into(), |why| format!("no: {why}"))
    }
}

/// What rules may call each subject of a proposal: `host`, `cgroup:/a/b`, `disk:vda`, `process:NAME`, and the units that a control group
/// or a process belongs to, such as `nginx.service`.
pub fn names(proposal: &Proposal, snapshot: &Snapshot) -> Vec<Vec<String>> {
    let mut subjects: Vec<&Subject> = proposal.wants.iter().map(|want| &want.on).collect();
    subjects.sort_unstable();
    subjects.dedup();
    subjects.into_iter().map(|subject| called(subject, snapshot)).collect()
}

fn called(subject: &Subject, snapshot: &Snapshot) -> Vec<String> {
    match subject {
        Subject::Host => vec!["host".into()],
        Subject::Cgroup(path) => of_group(path),
        Subject::Process(id) => match snapshot.process(*id) {
            Some(row) => std::iter::once(format!("process:{}", row.name)).chain(of_group(&row.cgroup)).collect(),
            None => vec![format!("process:{}", id.pid)],
        },
        other => vec![format!("{}:{}", other.kind(), other.name())],
    }
}

fn of_group(path: &str) -> Vec<String> {
    let unit = |part: &&str| [".service", ".slice", ".scope"].iter().any(|end| part.ends_with(end));
    std::iter::once(format!("cgroup:{path}")).chain(path.split('/').filter(unit).map(Into::into)).collect()
}

/// True when one of the names is meant.
pub fn fits(pattern: &str, names: &[String]) -> bool {
    let pattern = Pattern::new(pattern);
    names.iter().any(|name| pattern.fits(name))
}
