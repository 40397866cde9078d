//! The mouse. It can do what keys can and nothing else: a click chooses, a second one on what is chosen opens it, the wheel moves, and
//! the bar's words are buttons. A question takes no click before it takes keys.

use crate::ui::{
    alerts, foresight,
    keys::{Intent, Motion},
    motion,
    pane::{Page, Pane},
    spots::Spot,
    state::{Over, State, UiCommand},
    update::{self, perform},
};

/// Rows per notch of the wheel.
const NOTCH: usize = 3;

/// A click on a spot.
pub fn click(state: &mut State, spot: Spot) -> Vec<UiCommand> {
    match (&state.over, spot) {
        (Over::Dialog(dialog), Spot::Key(intent)) => {
            if dialog.is_armed(state.now.tick) || intent == Intent::Cancel {
                perform(state, intent)
            } else {
                vec![]
            }
        }
        (Over::Dialog(_), _) => vec![],
        (Over::Nothing, spot) => on_page(state, spot),
        (_, Spot::Choice(row)) => choose(state, row),
        (_, Spot::Key(intent)) => perform(state, intent),
        (_, Spot::Over) => vec![],
        // Beside a menu: away with it.
        _ => perform(state, Intent::Cancel),
    }
}

fn on_page(state: &mut State, spot: Spot) -> Vec<UiCommand> {
    let again = match &spot {
        Spot::Row(id) => state.focus == Pane::Processes && state.processes.cursor.as_ref() == Some(id),
        Spot::Finding(id) => state.focus == Pane::Findings && state.chosen_finding().is_some_and(|f| f.id == *id),
        Spot::Change(id) => state.focus == Pane::Queue && state.chosen_change().is_some_and(|c| c.id == *id),
        Spot::Alert(id) => state.page == Page::Alerts && alerts::chosen(state).is_some_and(|alert| alert.id == *id),
        Spot::Forecast(key) => state.page == Page::Forecasts && foresight::chosen(state).as_ref() == Some(key),
        Spot::Cause(cause) => state.page == Page::Causes && foresight::chosen_cause(state).as_ref() == Some(cause),
        _ => false,
    };
    if again {
        return perform(state, Intent::Details);
    }
    match spot {
        Spot::Pane(pane) => update::focus(state, pane),
        Spot::Row(id) => {
            update::focus(state, Pane::Processes);
            state.processes.cursor = Some(id);
            state.processes.followed = None;
        }
        Spot::Finding(id) => {
            update::focus(state, Pane::Findings);
            state.finding = Some(id);
        }
        Spot::Change(id) => {
            update::focus(state, Pane::Queue);
            state.change = Some(id);
        }
        Spot::Alert(id) => {
            update::open(state, Page::Alerts);
            state.alert = Some(id);
        }
        Spot::Forecast(key) => state.foresight.chosen = Some(key),
        Spot::Cause(cause) => state.foresight.cause = Some(cause),
        Spot::Key(intent) => return perform(state, intent),
        Spot::Choice(_) | Spot::Over => {}
    }
    vec![]
}

fn choose(state: &mut State, row: usize) -> Vec<UiCommand> {
    match &mut state.over {
        Over::SortMenu(at)
        | Over::Marks(at)
        | Over::ModeMenu(at)
        | Over::IntervalMenu(at)
        | Over::SignalMenu(at)
        | Over::NiceMenu(at) => *at = row,
        Over::SnoozeMenu { row: at, .. } => *at = row,
        Over::ThemeMenu { row: at, .. } => {
            *at = row;
            state.look.chosen = row;
        }
        Over::LayoutMenu { row: at, .. } => {
            *at = row;
            state.look.layout = row;
            state.settle_focus();
        }
        Over::Palette(palette) => palette.row = row,
        Over::Nothing | Over::Dialog(_) | Over::Filter(_) | Over::Jump(_) => return vec![],
    }
    perform(state, Intent::Choose)
}

/// The wheel over a pane, or over whatever is in front.
pub fn wheel(state: &mut State, pane: Option<Pane>, motion: Motion) -> Vec<UiCommand> {
    if let (Over::Nothing, Page::Overview, Some(pane)) = (&state.over, &state.page, pane)
        && pane != state.focus
    {
        update::focus(state, pane);
    }
    for _ in 0..NOTCH {
        motion::go(state, motion);
    }
    vec![]
}
