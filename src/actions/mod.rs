//! Actions: one file per knob, each with five verbs. No action imports a sibling; shared help is in [`knob`].

pub mod action;
pub mod autogroup;
pub mod knob;
pub mod nice;
pub mod quota;
pub mod writeback;

use crate::actions::action::Action;

/// Every action, in the order of the README's table.
pub fn all() -> &'static [&'static dyn Action] {
    &[&nice::Nice, &autogroup::Autogroup, &quota::Quota, &writeback::Writeback]
}

/// The action of that name.
pub fn named(name: &str) -> Option<&'static dyn Action> {
    all().iter().copied().find(|action| action.about().name == name)
}

/// The README's table of actions.
pub fn table() -> String {
    let mut table =
        String::from("| action | changes | helps when | hurts when | undone how | risk | needs |\n|---|---|---|---|---|---|---|\n");
    for about in all().iter().map(|action| action.about()) {
        let cells = [about.changes, about.helps, about.hurts, about.undone, about.risk.words(), about.needs];
        table.push_str(&format!("| `{}` ({}) | {} |\n", about.name, about.row, cells.join(" | ")));
    }
    table
}
