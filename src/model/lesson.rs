//! Lessons: what changes and the lack of them taught on this host, in numbers that can be read. Chances are credible intervals of 90 %;
//! a tally counts whole trials, while the weight of a lesson fades with time and with another kernel.

use crate::model::{finding::FindingKind, limits::Trust, proposal::Risk, time::Wall, timing::Timings, unit::Unit};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A value that is believed, with the interval that holds it in 90 of 100 cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    /// Its mean.
    pub mean: f64,
    /// In 5 of 100 cases it is below this.
    pub low: f64,
    /// In 5 of 100 cases it is above this.
    pub high: f64,
}

impl Chance {
    /// Such as `58 % (24 to 88)`.
    pub fn percent(&self) -> String {
        let share = |v: f64| format!("{:.0}", v * 100.0);
        format!("{} % ({} to {})", share(self.mean), share(self.low), share(self.high))
    }

    /// The same in a unit.
    pub fn show(&self, unit: Unit) -> String {
        format!("{} ({} to {})", unit.show(self.mean), unit.show(self.low), unit.show(self.high))
    }

    /// Every end of it turned.
    pub fn map(self, turn: impl Fn(f64) -> f64) -> Chance {
        Chance { mean: turn(self.mean), low: turn(self.low), high: turn(self.high) }
    }
}

/// How trials ended, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// It helped and was kept.
    pub win: u32,
    /// No benefit was shown, and no harm.
    pub neutral: u32,
    /// It hurt, or could not be undone.
    pub harm: u32,
    /// Too little was measured to say: it teaches nothing about help or harm.
    pub unclear: u32,
}

impl Tally {
    /// Trials that taught something.
    pub fn runs(&self) -> u32 {
        self.win + self.neutral + self.harm
    }

    /// Such as `3 win / 1 neutral / 0 harm`.
    pub fn words(&self) -> String {
        let unclear = if self.unclear > 0 { format!(" / {} unclear", self.unclear) } else { String::new() };
        format!("{} win / {} neutral / {} harm{unclear}", self.win, self.neutral, self.harm)
    }
}

/// How likely harm may be at most.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct HarmBound {
    /// Upper 95 % bound of the chance of harm by the runs alone: without any, it is 95 %.
    pub upper: f64,
    /// The same bound with what the catalogue says of that risk counted in.
    pub vouched: f64,
    /// What the bound must stay below; `None` for what is never automatic.
    pub limit: Option<f64>,
    /// Runs without harm, as much as still counts of them.
    pub clean: f64,
    /// Runs, likewise.
    pub runs: f64,
    /// It has done harm here, ever.
    pub harmed: bool,
    /// Clean runs that are still owed since it last did harm.
    pub owed: u32,
}

impl HarmBound {
    /// True when the runs alone hold harm below its limit, and nothing is owed.
    pub fn is_proven(&self) -> bool {
        self.owed == 0 && self.limit.is_some_and(|limit| self.upper < limit)
    }

    /// Whether auto mode may trust it, and why, in words.
    pub fn trust(&self, risk: Risk, trust: Trust) -> Result<String, String> {
        let percent = |v: f64| format!("{:.0} %", v * 100.0);
        let Some(limit) = self.limit else { return Err("what risks much is never automatic".into()) };
        if self.owed > 0 {
            return Err(format!("it did harm here: {} more clean runs by hand come first", self.owed));
        }
        if self.is_proven() {
            return Ok(format!("{:.0} clean runs hold harm below {}", self.clean, percent(limit)));
        }
        let vouches = trust == Trust::Catalogue && risk == Risk::Low;
        match (vouches, self.harmed) {
            (true, false) => Ok("the catalogue vouches for it, and it has done no harm here".into()),
            (true, true) if self.vouched < limit => {
                Ok(format!("with the clean runs since, harm is below {} again", percent(limit)))
            }
            _ => {
                let bound = if vouches { self.vouched } else { self.upper };
                Err(format!(
                    "harm may be as likely as {}, and must be below {}: apply it by hand until it is proven",
                    percent(bound),
                    percent(limit)
                ))
            }
        }
    }
}

/// What a change of this kind brings when it helps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    /// As a share of the primary.
    pub share: Chance,
    /// In the primary's unit, from its present level.
    pub amount: Option<Chance>,
    /// Seconds of waiting that requests are spared in an hour, where the primary is the latency of a service with a known rate.
    pub saved: Option<Chance>,
}

/// What may come of one proposal, from what was measured here.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prospects {
    /// How this action did against this kind of trouble here.
    pub tally: Tally,
    /// Its chance to help.
    pub win: Chance,
    /// Its chance to harm.
    pub harm: Chance,
    /// The bound on that.
    pub bound: HarmBound,
    /// What it brings when it helps; `None` until it has once.
    pub gain: Option<Gain>,
    /// Seconds that its trial takes.
    pub trial: f64,
    /// Seconds that operators take to decide: median of those measured here.
    pub decision: Option<f64>,
    /// Seconds that applying takes, likewise.
    pub apply: Option<f64>,
    /// Seconds that undoing takes, likewise.
    pub undo: Option<f64>,
    /// Seconds in force after which it has brought more than trying it is expected to cost; `None` while the gain is not measured.
    pub payback: Option<f64>,
    /// The chance that trouble of this kind ends by itself within the time of the trial; `None` until that was watched often enough.
    pub nothing: Option<Chance>,
    /// How much what was seen here moves the action's own belief that it is the right knob: 1 is not at all.
    pub lean: f64,
}

impl Prospects {
    /// What an operator reads, as labels and lines. `unit` is the primary's.
    pub fn rows(&self, unit: Unit) -> Vec<(&'static str, String)> {
        let mut rows = vec![("history", self.history())];
        rows.push(("helps", format!("in {} of cases", self.win.percent())));
        let bound = format!("at most {:.0} % by the runs alone, 95 % sure", self.bound.upper * 100.0);
        rows.push(("harms", format!("in {} of cases; {bound}", self.harm.percent())));
        rows.push(("gain", self.gain.map_or_else(|| "not measured here yet".into(), |gain| gain.words(unit))));
        rows.push(("cost", self.cost()));
        rows.push((
            "pays back",
            self.payback.map_or_else(
                || "not known before a gain is measured".into(),
                |s| format!("after {} in force", Unit::Seconds.show(s)),
            ),
        ));
        let nothing = self.nothing.map_or_else(
            || "not seen often enough how this trouble goes when nothing is done".into(),
            |chance| format!("it ends by itself within {} in {} of cases", Unit::Seconds.show(self.trial), chance.percent()),
        );
        rows.push(("or wait", nothing));
        rows
    }

    fn history(&self) -> String {
        if self.tally.runs() + self.tally.unclear == 0 {
            return "never tried here; what follows is the catalogue's belief".into();
        }
        let moved = match self.lean {
            lean if lean > 1.02 => format!("; ranked higher for it (x {lean:.2})"),
            lean if lean < 0.98 => format!("; ranked lower for it (x {lean:.2})"),
            _ => String::new(),
        };
        format!("of this action here: {}{moved}", self.tally.words())
    }

    fn cost(&self) -> String {
        let spell = |seconds: Option<f64>| seconds.map_or_else(|| "not measured yet".into(), |s| Unit::Seconds.show(s));
        format!(
            "trial {}, decision {}, apply {}, undo {} (medians here)",
            Unit::Seconds.show(self.trial),
            spell(self.decision),
            spell(self.apply),
            spell(self.undo)
        )
    }
}

impl Gain {
    fn words(&self, unit: Unit) -> String {
        let mut words = format!("when it helps, {}", self.share.percent());
        if let Some(amount) = &self.amount {
            words.push_str(&format!(", that is {}", amount.show(unit)));
        }
        if let Some(saved) = &self.saved {
            words.push_str(&format!("; {} request-seconds of waiting less in an hour", saved.show(Unit::Count)));
        }
        words
    }
}

/// What is known of one action against one kind of trouble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lesson {
    /// The action.
    pub action: Arc<str>,
    /// The kind of trouble.
    pub kind: FindingKind,
    /// Its risk.
    pub risk: Risk,
    /// Trials.
    pub tally: Tally,
    /// How much of them still counts, in trials.
    pub weight: f64,
    /// The chance to help.
    pub win: Chance,
    /// The chance of neither.
    pub neutral: Chance,
    /// The chance to harm.
    pub harm: Chance,
    /// The share by which the primary gets better when it helps; `None` until it has.
    pub gain: Option<Chance>,
    /// The bound on harm.
    pub bound: HarmBound,
    /// Auto mode trusts it.
    pub trusted: bool,
    /// Why, or why not.
    pub why: String,
    /// The same by class of subject, and below each by subject.
    pub parts: Vec<Part>,
}

/// A lesson about some subjects only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The class of subject, such as `process` or `cgroup /system.slice`.
    pub class: Arc<str>,
    /// The subject by its lasting name; `None` for the whole class.
    pub subject: Option<Arc<str>>,
    /// Trials.
    pub tally: Tally,
    /// The chance to help.
    pub win: Chance,
    /// The chance to harm.
    pub harm: Chance,
}

/// How one kind of trouble goes when nothing is done about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Idle {
    /// The kind.
    pub kind: FindingKind,
    /// It ended by itself within the time of a trial.
    pub ended: u32,
    /// It did not.
    pub stayed: u32,
    /// The chance that it ends; `None` until it was seen often enough.
    pub rate: Option<Chance>,
}

/// Advice that operators rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Veto {
    /// Its lasting number: of action, subjects and kind of trouble.
    pub advice: String,
    /// The action.
    pub action: Arc<str>,
    /// The kind of trouble.
    pub kind: FindingKind,
    /// The subjects, by their lasting names.
    pub on: Arc<str>,
    /// Rejections that count.
    pub rejections: u32,
    /// It is not proposed before this; `None` while there were too few.
    pub until: Option<Wall>,
}

/// What automatic trials have cost within a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Regret {
    /// Seconds by which primaries were worse than without the trial, weighted by how much worse: a minute twice as slow is a minute.
    pub spent: f64,
    /// What may be spent.
    pub budget: f64,
}

/// All that was learned.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Lessons {
    /// When this was read.
    pub at: Wall,
    /// Kernel release that it holds for.
    pub kernel: String,
    /// Whom auto mode trusts.
    pub trust: Trust,
    /// Each action against each kind of trouble that was tried.
    pub lessons: Vec<Lesson>,
    /// Each kind of trouble left alone.
    pub idle: Vec<Idle>,
    /// Rejected advice.
    pub vetoes: Vec<Veto>,
    /// What automatic trials cost.
    pub regret: Regret,
    /// How long things take.
    pub timings: Timings,
}
