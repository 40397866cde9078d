//! Layouts as they are written: which panes stand beside and below each other, in which proportions. RON, like themes.

use crate::ui::pane::Pane;
use ratatui::layout::{Constraint, Layout, Rect};
use serde::Deserialize;

/// How much of the room a part gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Size {
    /// A share of what the others leave.
    Share(u16),
    /// Exactly so many rows or columns.
    Lines(u16),
    /// A percentage, but at least and at most so many; a pane that would get less than three gets nothing.
    Of(u16, u16, u16),
    /// As much as it has to show, at most a third; nothing when it has nothing.
    Needed,
}

/// One pane, or parts beside or below each other.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub enum Split {
    /// A pane.
    Pane(Pane),
    /// Side by side.
    Columns(Vec<(Size, Split)>),
    /// One below the other.
    Rows(Vec<(Size, Split)>),
}

/// A layout.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Arrangement {
    /// Shown when it is chosen.
    pub name: String,
    /// A line for the menu.
    pub about: String,
    /// All between header and bottom bar.
    pub body: Split,
}

/// The built-in layouts; the first is the default.
const BUILT_IN: &[(&str, &str)] = &[
    ("overview", include_str!("../../assets/layouts/overview.ron")),
    ("processes", include_str!("../../assets/layouts/processes.ron")),
    ("changes", include_str!("../../assets/layouts/changes.ron")),
    ("charts", include_str!("../../assets/layouts/charts.ron")),
    ("disks", include_str!("../../assets/layouts/disks.ron")),
];

impl Arrangement {
    /// Reads a layout. The error names `file`, line and column, or what is wrong with the whole.
    pub fn parse(file: &str, text: &str) -> Result<Arrangement, String> {
        let read: Arrangement =
            ron::from_str(text).map_err(|e| format!("{file}:{}:{}: {}", e.span.start.line, e.span.start.col, e.code))?;
        let panes = read.panes();
        let twice = panes.iter().enumerate().find(|(i, pane)| panes.iter().take(*i).any(|other| other == *pane));
        match twice {
            Some((_, pane)) => Err(format!("{file}: the pane {pane:?} stands in it twice")),
            None if panes.is_empty() => Err(format!("{file}: it has no pane")),
            None => Ok(read),
        }
    }

    /// The built-in layouts, in the order of the menu.
    pub fn built_in() -> Vec<Arrangement> {
        BUILT_IN.iter().filter_map(|(name, text)| Arrangement::parse(name, text).ok()).collect()
    }

    /// Its panes, in the order in which they are written.
    pub fn panes(&self) -> Vec<Pane> {
        let mut all = Vec::new();
        self.body.panes(&mut all);
        all
    }

    /// Where each pane stands; those without room are left out. `needed` tells the rows that a pane has to show.
    pub fn places(&self, area: Rect, needed: &dyn Fn(Pane) -> u16) -> Vec<(Pane, Rect)> {
        let mut all = Vec::new();
        self.body.place(area, needed, &mut all);
        all
    }

    /// The part that stands beside the others and holds the pane: what is shown where there is room for one column only.
    pub fn column(&self, pane: Pane) -> Arrangement {
        let holds = |split: &Split| {
            let mut panes = Vec::new();
            split.panes(&mut panes);
            panes.contains(&pane)
        };
        match &self.body {
            Split::Columns(parts) => match parts.iter().find(|(_, split)| holds(split)) {
                Some((_, split)) => Arrangement { body: split.clone(), ..self.clone() },
                None => self.clone(),
            },
            _ => self.clone(),
        }
    }
}

impl Split {
    fn panes(&self, all: &mut Vec<Pane>) {
        match self {
            Split::Pane(pane) => all.push(*pane),
            Split::Columns(parts) | Split::Rows(parts) => parts.iter().for_each(|(_, split)| split.panes(all)),
        }
    }

    fn place(&self, area: Rect, needed: &dyn Fn(Pane) -> u16, all: &mut Vec<(Pane, Rect)>) {
        let (parts, upright) = match self {
            Split::Pane(pane) => {
                if area.height > 0 && area.width > 0 {
                    all.push((*pane, area));
                }
                return;
            }
            Split::Columns(parts) => (parts, false),
            Split::Rows(parts) => (parts, true),
        };
        let length = if upright { area.height } else { area.width };
        let constraints = parts.iter().map(|(size, split)| size.constraint(length, split.needs(needed)));
        let layout = if upright { Layout::vertical(constraints) } else { Layout::horizontal(constraints) };
        for ((_, split), at) in parts.iter().zip(layout.split(area).iter()) {
            split.place(*at, needed, all);
        }
    }

    /// Rows that all of its panes have to show, the greatest of those that stand beside each other.
    fn needs(&self, needed: &dyn Fn(Pane) -> u16) -> u16 {
        match self {
            Split::Pane(pane) => needed(*pane),
            Split::Columns(parts) => parts.iter().map(|(_, split)| split.needs(needed)).max().unwrap_or(0),
            Split::Rows(parts) => parts.iter().map(|(_, split)| split.needs(needed)).fold(0, u16::saturating_add),
        }
    }
}

impl Size {
    fn constraint(self, length: u16, needed: u16) -> Constraint {
        match self {
            Size::Share(share) => Constraint::Fill(share.max(1)),
            Size::Lines(lines) => Constraint::Length(lines),
            Size::Of(percent, least, most) => {
                let part = (u32::from(length) * u32::from(percent) / 100) as u16;
                let part = part.max(least).min(most.max(least));
                Constraint::Length(if part < 3 { 0 } else { part })
            }
            Size::Needed => Constraint::Length(needed.min(length / 3)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_layout_reads_and_bears_its_name() {
        for (name, text) in BUILT_IN {
            let read = Arrangement::parse(name, text).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(read.name, *name);
        }
        assert_eq!(Arrangement::built_in().len(), BUILT_IN.len());
    }

    #[test]
    fn no_layout_lets_panes_overlap_or_leave_the_screen() {
        for layout in Arrangement::built_in() {
            for (width, height) in [(160, 46), (120, 36), (90, 26), (60, 16), (24, 6), (3, 3), (1, 1)] {
                let area = Rect::new(0, 1, width, height);
                let places = layout.places(area, &|_| 9);
                for (i, (pane, at)) in places.iter().enumerate() {
                    assert_eq!(at.intersection(area), *at, "{} {pane:?}", layout.name);
                    let overlap = places.iter().take(i).any(|(_, other)| !other.intersection(*at).is_empty());
                    assert!(!overlap, "{} {pane:?} at {width}x{height}", layout.name);
                }
            }
        }
    }

    #[test]
    fn mistakes_are_told() {
        let told = |body: &str| Arrangement::parse("my.ron", &format!("(name: \"a\", about: \"\", body: {body})")).unwrap_err();
        assert!(told("Rows([(Share(1), Pane(Cpu)), (Share(1), Pane(Cpu))])").contains("Cpu stands in it twice"));
        assert!(told("Rows([])").contains("no pane"));
        assert!(told("Pane(Cpus)").starts_with("my.ron:1:"));
    }

    #[test]
    fn where_there_is_room_for_one_column_it_is_that_of_the_pane() {
        let overview = Arrangement::built_in().remove(0);
        let right = overview.column(Pane::Queue).places(Rect::new(0, 0, 100, 30), &|_| 0);
        assert!(right.iter().all(|(pane, at)| pane.is_right() && at.width == 100), "{right:?}");
    }
}
