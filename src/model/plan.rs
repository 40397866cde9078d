//! Plans: all that apply, verify and rollback will ever need, written down before the first write.

use crate::model::{knob::Knob, subject::Subject};
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, collections::BTreeSet};

/// One write: where, what stood there, what will stand there, and what a human would type.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Step {
    /// Where.
    pub knob: Knob,
    /// Canonical value before; undo writes it back, absolute.
    pub before: String,
    /// Canonical value after.
    pub after: String,
    /// The shell command for the way there.
    pub apply: String,
    /// The shell command for the way back.
    pub undo: String,
}

impl Step {
    /// Value before and after, each in one line.
    pub fn lines(&self) -> (Cow<'_, str>, Cow<'_, str>) {
        (line(&self.before), line(&self.after))
    }
}

/// A value in one line: of a document what it says, without its remarks.
fn line(value: &str) -> Cow<'_, str> {
    if !value.contains('\n') {
        return value.into();
    }
    let said = value.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.collect::<Vec<_>>().join("; ").into()
}

/// The whole of a change to the machine, in order. Undo goes last in, first out unless the action says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Plan {
    /// Name of the action that made it and will undo it.
    pub action: String,
    /// The boot it was made in: volatile knobs of an older boot have evaporated.
    pub boot: String,
    /// The writes.
    pub steps: Vec<Step>,
}

impl Plan {
    /// What an approval is bound to: action, subjects, values. Threads that come and go within a process do not change it.
    pub fn essence(&self) -> String {
        let lines: BTreeSet<String> = self
            .steps
            .iter()
            .map(|step| {
                let place = match &step.knob {
                    Knob::Nice(t) | Knob::Policy(t) | Knob::Affinity(t) | Knob::IoPriority(t) => {
                        format!("{}@{} {}", t.process.pid, t.process.start, kind(&step.knob))
                    }
                    other => format!("{other:?}"),
                };
                format!("{place} {} -> {}", step.before, step.after)
            })
            .collect();
        format!("{} {}", self.action, lines.into_iter().collect::<Vec<_>>().join("; "))
    }

    /// True when all that it writes outlives a boot.
    pub fn outlives_boot(&self) -> bool {
        !self.steps.is_empty() && self.steps.iter().all(|step| step.knob.outlives_boot())
    }

    /// The subjects touched, without repeats, in order.
    pub fn subjects(&self) -> Vec<Subject> {
        let mut all: Vec<Subject> = Vec::new();
        for step in &self.steps {
            let subject = step.knob.subject();
            if !all.contains(&subject) {
                all.push(subject);
            }
        }
        all
    }
}

fn kind(knob: &Knob) -> &'static str {
    match knob {
        Knob::Nice(_) => "nice",
        Knob::Policy(_) => "policy",
        Knob::Affinity(_) => "affinity",
        _ => "io priority",
    }
}

/// Why an action will not (or cannot) act, in words for the operator, with what to do about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// What kind of obstacle.
    pub kind: Obstacle,
    /// One sentence: what, where, what to do.
    pub why: String,
}

/// How the refusal of a dry run begins.
const DRY: &str = "dry run: ";

impl Refusal {
    /// What is said at the end of a dry run: what would have been written.
    pub fn dry(plan: &Plan) -> Refusal {
        let step = |step: &Step| format!("{}: {} -> {}", step.knob, step.before, step.after);
        let shown: Vec<String> = plan.steps.iter().take(4).map(step).collect();
        let more = plan.steps.len().checked_sub(4).filter(|n| *n > 0).map_or_else(String::new, |n| format!(" and {n} more"));
        Refusal { kind: Obstacle::Policy, why: format!("{DRY}would have written {}{more}", shown.join(", ")) }
    }

    /// Whether it is the end of a dry run.
    pub fn is_dry(&self) -> bool {
        is_dry(&self.why)
    }
}

/// Whether these are the words of a dry run's end.
pub fn is_dry(why: &str) -> bool {
    why.starts_with(DRY)
}

/// Kinds of obstacle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Obstacle {
    /// Missing rights: errno, and the capability or owner that would do.
    Rights {
        /// As the kernel said it, such as `EPERM`.
        errno: String,
        /// Such as `CAP_SYS_NICE`, or `root` for a file of root.
        needs: String,
    },
    /// The target ended.
    Gone,
    /// The value is not what the decision was made on.
    Moved,
    /// On the protected list.
    Protected,
    /// Somebody else owns the knob.
    Owned,
    /// This kernel, device or target has no such knob or value.
    Unsupported,
    /// Already so.
    Nothing,
    /// Forbidden by policy: mode, budget, cool-down, another change in the same domain.
    Policy,
    /// Anything else that the machine answered.
    Failed,
}

/// What `verify` saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Held {
    /// Every step stands as written (targets that ended aside).
    Holds,
    /// A value is not ours any more: which knob, what was found.
    Drifted {
        /// The knob, as shown.
        knob: String,
        /// The value found.
        found: String,
    },
    /// Every target has ended.
    Gone,
}

/// What rollback did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Undone {
    /// Every knob is at its prior value (or its target has ended).
    Undone,
    /// These knobs were set by somebody else since; they were left alone, all others are undone.
    Yielded(Vec<String>),
}
