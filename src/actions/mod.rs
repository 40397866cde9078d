//! Actions: one file per knob, each with five verbs. No action imports a sibling; shared help is in [`knob`].

pub mod action;
pub mod knob;

use crate::actions::action::Action;

/// Every action, in the order of the README's table.
pub fn all() -> &'static [&'static dyn Action] {
    &[]
}

/// The action of that name.
pub fn named(name: &str) -> Option<&'static dyn Action> {
    all().iter().copied().find(|action| action.about().name == name)
}
