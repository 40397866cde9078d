//! Moving: cursors of lists and menus by identity, pages of text by rows.

use crate::{
    model::{change::ChangeId, finding::FindingId, metric::Key, wish::Signal},
    ui::{
        act::{INTERVALS, MODES},
        alerts, foresight,
        keys::Motion,
        palette,
        pane::{Page, Pane},
        panels::{language, reader},
        processes::columns,
        state::{Over, State},
        wish,
    },
};

/// Moves whatever is in front.
pub fn go(state: &mut State, motion: Motion) {
    let page = usize::from(state.size.1.saturating_sub(6)).max(1);
    match (&mut state.over, &state.page) {
        (Over::SortMenu(row), _) => *row = step(Some(*row), columns::TABLE.len(), motion, page).unwrap_or(0),
        (Over::IntervalMenu(row), _) => *row = step(Some(*row), INTERVALS.len(), motion, page).unwrap_or(0),
        (Over::ModeMenu(row), _) => *row = step(Some(*row), MODES.len(), motion, page).unwrap_or(0),
        (Over::Palette(_), _) => palette(state, motion, page),
        (Over::Filter(field), _) => {
            let rows = language::rows(field.list, state.size.0);
            field.language = field.language.map(|at| step(Some(at), rows, motion, page).unwrap_or(0));
        }
        (Over::Marks(row), _) => *row = step(Some(*row), state.travel.marks.len(), motion, page).unwrap_or(0),
        (Over::SnoozeMenu { row, .. }, _) => *row = step(Some(*row), alerts::SNOOZES.len(), motion, page).unwrap_or(0),
        (Over::SignalMenu(row), _) => *row = step(Some(*row), Signal::ALL.len(), motion, page).unwrap_or(0),
        (Over::NiceMenu(row), _) => *row = step(Some(*row), wish::NICE.len(), motion, page).unwrap_or(0),
        (Over::ThemeMenu { row, .. }, _) => {
            *row = step(Some(*row), state.look.themes.len(), motion, page).unwrap_or(0);
            state.look.chosen = *row;
        }
        (Over::LayoutMenu { row, .. }, _) => {
            *row = step(Some(*row), state.look.layouts.len(), motion, page).unwrap_or(0);
            state.look.layout = *row;
            state.settle_focus();
        }
        (_, Page::Overview) => list(state, motion, page),
        (_, Page::Alerts) => {
            let all = &state.shown().alerts;
            let chosen = alerts::chosen(state).map(|alert| alert.id);
            let at = all.iter().position(|alert| Some(alert.id) == chosen);
            let to = step(at, all.len(), motion, page).and_then(|at| all.get(at)).map(|alert| alert.id);
            state.alert = to;
        }
        (_, Page::Forecasts) => {
            let all: Vec<Key> = foresight::listed(state).iter().map(|f| f.key.clone()).collect();
            let chosen = foresight::chosen(state);
            let at = all.iter().position(|key| Some(key) == chosen.as_ref());
            state.foresight.chosen = step(at, all.len(), motion, page / 2).and_then(|at| all.get(at)).cloned();
        }
        (_, Page::Causes) => {
            let all = foresight::causes(state);
            let chosen = foresight::chosen_cause(state);
            let at = all.iter().position(|cause| Some(cause) == chosen.as_ref());
            state.foresight.cause = step(at, all.len(), motion, page / 2).and_then(|at| all.get(at)).cloned();
        }
        _ => {
            let rows = reader::rows(state).saturating_sub(reader::height(state));
            state.scroll = step(Some(state.scroll), rows + 1, motion, page).unwrap_or(0);
        }
    }
}

fn palette(state: &mut State, motion: Motion, page: usize) {
    let Over::Palette(palette) = &state.over else { return };
    let to = step(Some(palette.row), palette::items(state, palette.entry.text()).len(), motion, page).unwrap_or(0);
    if let Over::Palette(palette) = &mut state.over {
        palette.row = to;
    }
}

fn list(state: &mut State, motion: Motion, page: usize) {
    match state.focus {
        Pane::Processes => {
            let list = &mut state.processes;
            let to = step(list.place(), list.rows.all.len(), motion, page / 2);
            list.cursor = to.and_then(|at| list.rows.all.get(at)).map(|row| row.id.clone());
            list.followed = None;
        }
        Pane::Findings => {
            let all: Vec<FindingId> = state.found().map(|f| f.id.clone()).collect();
            let chosen = state.chosen_finding().map(|f| f.id.clone());
            let at = all.iter().position(|id| Some(id) == chosen.as_ref());
            state.finding = step(at, all.len(), motion, page).and_then(|at| all.get(at)).cloned();
        }
        Pane::Queue => {
            let chosen = state.chosen_change().map(|c| c.id);
            let all: Vec<ChangeId> = state.queued().map(|c| c.id).collect();
            let at = all.iter().position(|id| Some(*id) == chosen);
            state.change = step(at, all.len(), motion, page).and_then(|at| all.get(at)).copied();
        }
        Pane::Log => state.log.go(motion),
        _ => {}
    }
}

/// The place after a motion among `count` rows; the first step of a list without a cursor puts it on the first row.
fn step(at: Option<usize>, count: usize, motion: Motion, page: usize) -> Option<usize> {
    let last = count.checked_sub(1)?;
    let Some(at) = at else { return Some(if motion == Motion::Bottom { last } else { 0 }) };
    let to = match motion {
        Motion::Up => at.saturating_sub(1),
        Motion::Down => at + 1,
        Motion::PageUp => at.saturating_sub(page),
        Motion::PageDown => at + page,
        Motion::HalfUp => at.saturating_sub(page.div_ceil(2)),
        Motion::HalfDown => at + page.div_ceil(2),
        Motion::Top => 0,
        Motion::Bottom => last,
    };
    Some(to.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_stays_within_its_list() {
        assert_eq!(step(None, 3, Motion::Down, 10), Some(0));
        assert_eq!(step(Some(0), 3, Motion::Up, 10), Some(0));
        assert_eq!(step(Some(1), 3, Motion::PageDown, 10), Some(2));
        assert_eq!(step(Some(1), 3, Motion::Top, 10), Some(0));
        assert_eq!(step(Some(1), 0, Motion::Down, 10), None);
    }
}
