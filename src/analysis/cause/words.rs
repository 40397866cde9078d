//! The phrases of a story, each with its number and that number's interval.

use crate::{
    analysis::cause::{
        dose::{Dose, Timing},
        suspicion::{Part, Suspicion},
    },
    model::{metric::Key, unit::Unit},
};

/// `2 x`, or `once`.
pub(super) fn times(count: usize) -> String {
    if count == 1 { "once".into() } else { format!("{count} times") }
}

/// Such as `cpu +190 % (180 % to 200 %), 95.0 % of the rise`.
pub(super) fn rise(dose: &Dose, part: &Part<'_>) -> String {
    let show = |value| part.unit.show(value);
    let share = Unit::Share.show(part.share);
    match dose.before {
        None => format!("{} {}, {share} of the whole; nothing known of before", part.what, show(dose.during)),
        Some(before) => {
            let reach = 1.96 * dose.error;
            let (low, high) = (show(dose.rise - reach), show(dose.rise + reach));
            format!(
                "{} {} -> {}: +{} ({low} to {high}), {share} of the rise",
                part.what,
                show(before),
                show(dose.during),
                show(dose.rise)
            )
        }
    }
}

/// Such as `cpu +190 %`.
pub(super) fn gist(dose: &Dose, part: &Part<'_>) -> String {
    let sign = if dose.before.is_some() { "+" } else { "" };
    format!("{} {sign}{}", part.what, part.unit.show(dose.rise))
}

/// The phrase, and whether it speaks for the suspect.
pub(super) fn timing(timing: Timing) -> (Option<String>, bool) {
    match timing {
        Timing::Before(lead) if lead < 1.0 => (Some("rose at the same time (within 3 s)".into()), true),
        Timing::Before(lead) => (Some(format!("rose {} before it (within 3 s)", Unit::Seconds.show(lead))), true),
        Timing::After(late) => (Some(format!("rose only {} after it began", Unit::Seconds.show(late))), false),
        Timing::Steady => (Some("did the same before it began".into()), false),
        Timing::Unknown => (None, true),
    }
}

/// Such as `the symptom follows it: r 0.93 (0.71 to 0.98)`.
pub(super) fn response(dose: &Dose) -> String {
    let (low, high) = dose.interval;
    let text = if dose.response >= 0.3 { "the symptom follows it" } else { "the symptom does not follow it" };
    format!("{text}: r {:.2} ({low:.2} to {high:.2})", dose.response)
}

/// The one line: at most 100 characters.
pub(super) fn headline(key: &Key, value: f64, first: Option<(&Suspicion, f64)>) -> String {
    let what = format!("{} {}", shown(key), key.metric.unit().show(value));
    let line = match first {
        None => format!("{what}: nobody stands out"),
        Some((suspect, confidence)) => {
            let sure = if confidence >= 0.6 { "most likely" } else { "perhaps" };
            format!("{what}: {sure} {} ({})", cut(&suspect.name, 28), suspect.gist)
        }
    };
    cut(&line, 100)
}

fn shown(key: &Key) -> String {
    use crate::model::subject::Subject;
    match &key.subject {
        Subject::Host => key.metric.words().into(),
        other => format!("{} of {}", key.metric.words(), cut(&other.to_string(), 24)),
    }
}

/// At most `most` characters.
pub(super) fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.into() } else { text.chars().take(most.saturating_sub(2)).chain("..".chars()).collect() }
}
