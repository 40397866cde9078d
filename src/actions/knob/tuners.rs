//! Programs that set one kind of knob by themselves and would set it back, asked where that knob is turned.

use crate::{
    actions::knob::refuse::refusal,
    host::host::Host,
    model::{
        facts::Facts,
        plan::{Obstacle, Refusal},
    },
};
use std::sync::Arc;

/// The first of `names` that was found running.
pub fn running<'a>(facts: &'a Facts, names: &[&str]) -> Option<&'a Arc<str>> {
    facts.tuners.iter().find(|tuner| names.contains(&&***tuner))
}

/// Refuses while one of `names` runs. `what` it sets, and `cure`, are the rest of the sentence.
pub fn refuse(host: &dyn Host, names: &[&str], (what, cure): (&str, &str)) -> Result<(), Refusal> {
    match running(&host.facts(), names) {
        Some(tuner) => Err(refusal(Obstacle::Owned, format!("{tuner} sets {what} and would set them back: {cure}."))),
        None => Ok(()),
    }
}
