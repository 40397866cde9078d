//! What a mouse can hit: where on the screen something stands that can be pointed at. Drawing notes it down, since only drawing knows.

use crate::{
    model::{alert::AlertId, change::ChangeId, finding::FindingId, metric::Key},
    ui::{foresight::Cause, keys::Intent, pane::Pane, processes::row::RowId},
};
use ratatui::layout::{Position, Rect};

/// Something that can be pointed at.
#[derive(Clone, Debug, PartialEq)]
pub enum Spot {
    /// A pane, where there is nothing more particular.
    Pane(Pane),
    /// A row of the processes.
    Row(RowId),
    /// A finding.
    Finding(FindingId),
    /// An alert.
    Alert(AlertId),
    /// A forecast.
    Forecast(Key),
    /// A row of causes.
    Cause(Cause),
    /// A change.
    Change(ChangeId),
    /// A key of the bottom bar, or the answer to a question.
    Key(Intent),
    /// A row of the menu or palette in front.
    Choice(usize),
    /// What lies over the page, where there is no choice.
    Over,
}

/// The spots of one drawing; what was drawn later lies above.
#[derive(Clone, Debug, Default)]
pub struct Spots(Vec<(Rect, Spot)>);

impl Spots {
    /// Notes one down.
    pub fn add(&mut self, at: Rect, spot: Spot) {
        if !at.is_empty() {
            self.0.push((at, spot));
        }
    }

    /// What stands there.
    pub fn at(&self, column: u16, row: u16) -> Option<&Spot> {
        let hit = Position::new(column, row);
        self.0.iter().rev().find(|(at, _)| at.contains(hit)).map(|(_, spot)| spot)
    }

    /// The pane that stands there, whatever is in it.
    pub fn pane(&self, column: u16, row: u16) -> Option<Pane> {
        let hit = Position::new(column, row);
        self.0.iter().rev().find_map(|(at, spot)| match spot {
            Spot::Pane(pane) if at.contains(hit) => Some(*pane),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_above_is_hit() {
        let mut spots = Spots::default();
        spots.add(Rect::new(0, 0, 10, 10), Spot::Pane(Pane::Queue));
        spots.add(Rect::new(2, 2, 5, 1), Spot::Change(ChangeId(7)));
        spots.add(Rect::new(3, 3, 0, 1), Spot::Over);
        assert_eq!(spots.at(4, 2), Some(&Spot::Change(ChangeId(7))));
        assert_eq!(spots.at(4, 3), Some(&Spot::Pane(Pane::Queue)));
        assert_eq!((spots.at(10, 0), spots.pane(4, 2)), (None, Some(Pane::Queue)));
    }
}
