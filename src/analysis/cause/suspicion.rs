//! One suspect in the making: its evidence turned into weight, and into words for and against it.

use crate::{
    analysis::cause::{
        dose::{Dose, Timing},
        words,
    },
    model::{subject::Subject, unit::Unit},
};
use std::sync::Arc;

/// Of these weights confidence is made; the rest is nobody's.
#[derive(Clone, Debug)]
pub(super) struct Suspicion {
    pub(super) subject: Subject,
    pub(super) name: Arc<str>,
    /// Relative weight, 0 to about 1.
    pub(super) weight: f64,
    pub(super) supports: Vec<String>,
    pub(super) against: Vec<String>,
    /// In a few words, for the headline, such as `+190 % cpu`.
    pub(super) gist: String,
    /// Its dose, for comparing with others.
    pub(super) values: Vec<f64>,
    /// Its share of the whole rise.
    pub(super) share: f64,
}

/// What a dose is of, for words and weight.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    /// In words, such as `cpu`.
    pub(super) what: &'a str,
    pub(super) unit: Unit,
    /// Share of the whole rise, 0 to 1.
    pub(super) share: f64,
    /// How well the mechanism fits, 0 to 1.
    pub(super) fit: f64,
}

impl Suspicion {
    /// Somebody whose use rose.
    pub(super) fn of(subject: Subject, name: Arc<str>, dose: &Dose, part: &Part<'_>) -> Suspicion {
        let weight = part.share.clamp(0.0, 1.0).powf(0.8) * part.fit * timely(dose.timing) * (0.3 + 0.7 * dose.response.max(0.0));
        let mut made = Suspicion {
            subject,
            name,
            weight,
            supports: vec![words::rise(dose, part)],
            against: Vec::new(),
            gist: words::gist(dose, part),
            values: dose.values.clone(),
            share: part.share,
        };
        match words::timing(dose.timing) {
            (Some(phrase), true) => made.supports.push(phrase),
            (Some(phrase), false) => made.against.push(phrase),
            (None, _) => {}
        }
        if dose.before.is_some() && dose.response >= 0.3 {
            made.supports.push(words::response(dose));
        } else if dose.before.is_some() {
            made.against.push(words::response(dose));
        }
        if dose.pauses >= 1 {
            made.supports.push(format!("each time it paused the symptom fell: {}", words::times(dose.pauses)));
        }
        if part.share < 0.3 {
            made.against.push(format!("only {} of the rise", Unit::Share.show(part.share)));
        }
        made
    }

    /// Less likely by `factor`, for this reason.
    pub(super) fn weaken(&mut self, factor: f64, why: String) {
        self.weight *= factor;
        self.against.push(why);
    }

    /// More likely by `factor`, for this reason.
    pub(super) fn strengthen(&mut self, factor: f64, why: String) {
        self.weight = (self.weight * factor).min(1.0);
        self.supports.push(why);
    }
}

/// A cause does not come after its effect; one that was always there needs a trigger.
fn timely(timing: Timing) -> f64 {
    match timing {
        Timing::Before(lead) if lead <= 30.0 => 1.0,
        Timing::Before(_) => 0.85,
        Timing::Unknown => 0.7,
        Timing::Steady => 0.3,
        Timing::After(_) => 0.12,
    }
}
