//! Alerts on the screen: which one is meant, and what its keys ask of the engine. Nothing here touches the host.

use crate::{
    model::{
        alert::{Alert, AlertId, AlertState},
        message::{Ask, Command},
    },
    ui::{
        keys::Intent,
        pane::Page,
        state::{Over, State, UiCommand},
        time, update,
    },
};
use std::sync::Arc;

/// For how long an alert can be put off: words of the menu and seconds; without seconds until it clears.
pub const SNOOZES: [(&str, Option<u64>); 4] =
    [("15 minutes", Some(900)), ("1 hour", Some(3600)), ("4 hours", Some(14_400)), ("until it clears", None)];

/// Alerts that hold and that nobody has taken note of, the worst first.
pub fn firing(state: &State) -> impl Iterator<Item = &Arc<Alert>> {
    state.shown().alerts.iter().filter(|alert| alert.state == AlertState::Firing)
}

/// The alert of that number.
pub fn find(state: &State, id: AlertId) -> Option<&Arc<Alert>> {
    state.shown().alerts.iter().find(|alert| alert.id == id)
}

/// The alert that keys are about.
pub fn chosen(state: &State) -> Option<&Arc<Alert>> {
    match &state.page {
        Page::Alert(id) => find(state, *id),
        _ => state.alert.and_then(|id| find(state, id)).or_else(|| state.shown().alerts.first()),
    }
}

/// Why a key cannot do what it means here.
pub fn obstacle(state: &State, intent: Intent) -> Option<String> {
    let Some(alert) = chosen(state) else { return Some("there is no alert".into()) };
    match (alert.state, intent) {
        (AlertState::Pending, _) => Some(format!("{} is only pending: it may yet pass", alert.id)),
        (AlertState::Cleared, _) => Some(format!("{} is over", alert.id)),
        (AlertState::Acknowledged, Intent::Acknowledge) => Some(format!("{} is acknowledged already", alert.id)),
        _ => None,
    }
}

/// Asks the engine to note that somebody knows.
pub fn acknowledge(state: &State) -> Vec<UiCommand> {
    chosen(state).map(|alert| UiCommand::Ask(Ask::Do(Command::Acknowledge(alert.id)))).into_iter().collect()
}

/// Opens the menu of times; it is bound to the alert, not to the row.
pub fn ask_snooze(state: &mut State) {
    if let Some(alert) = chosen(state).map(|alert| alert.id) {
        state.over = Over::SnoozeMenu { alert, row: 0 };
    }
}

/// Shows the host as it was when the alert fired, or, while it waits, when it went beyond its limit.
pub fn then(state: &mut State) -> Vec<UiCommand> {
    let Some(at) = chosen(state).map(|alert| alert.fired.unwrap_or(alert.since)) else { return vec![] };
    update::open(state, Page::Overview);
    time::go(state, at)
}

/// Asks the engine to put it off.
pub fn snooze(alert: AlertId, row: usize) -> Vec<UiCommand> {
    let chosen = SNOOZES.get(row);
    chosen.map(|(_, seconds)| UiCommand::Ask(Ask::Do(Command::Snooze { alert, seconds: *seconds }))).into_iter().collect()
}
