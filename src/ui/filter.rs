//! Filters of lists: what is typed, what is in force, what was used before.
//!
//! While a filter is typed it is in force as soon as it can be understood; until then the last one that could be stays.

use crate::{
    query::{
        complete::complete,
        error::QueryError,
        field::{Row, Schema},
        filter::Filter,
        rows::{
            change::CHANGES,
            entry::ENTRIES,
            finding::FINDINGS,
            forecast::FORECASTS,
            line::{LINES, LOG},
            process::PROCESSES,
        },
    },
    ui::{
        entry::{Edit, Entry},
        keys::Motion,
        pane::{Page, Pane},
        state::State,
    },
};

/// Filters remembered.
const MOST: usize = 50;

/// A list that can be filtered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum List {
    Processes,
    Findings,
    Queue,
    Forecasts,
    Log,
    Audit,
    Help,
}

impl List {
    /// The list in front, if it can be filtered.
    pub fn in_front(page: &Page, focus: Pane) -> Option<List> {
        match (page, focus) {
            (Page::Overview, Pane::Processes) => Some(List::Processes),
            (Page::Overview, Pane::Findings) => Some(List::Findings),
            (Page::Overview, Pane::Queue) => Some(List::Queue),
            (Page::Overview, Pane::Log) => Some(List::Log),
            (Page::Forecasts, _) => Some(List::Forecasts),
            (Page::Audit, _) => Some(List::Audit),
            (Page::Help, _) => Some(List::Help),
            _ => None,
        }
    }

    /// What can be asked about its rows.
    pub fn schema(self) -> &'static Schema {
        match self {
            List::Processes => &PROCESSES,
            List::Findings => &FINDINGS,
            List::Queue => &CHANGES,
            List::Forecasts => &FORECASTS,
            List::Log => &LOG,
            List::Audit => &ENTRIES,
            List::Help => &LINES,
        }
    }
}

/// A filter in force, with its text.
#[derive(Clone, Debug, Default)]
pub struct Sieve {
    text: String,
    /// `None` lets everything through.
    filter: Option<Filter>,
}

impl Sieve {
    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// True when everything passes.
    pub fn is_empty(&self) -> bool {
        self.filter.is_none()
    }

    /// Lets everything pass.
    pub fn clear(&mut self) {
        *self = Sieve::default();
    }

    /// Puts a filter in force, or leaves the one that is and says what is wrong with the text.
    pub fn set(&mut self, text: &str, schema: &'static Schema) -> Result<(), QueryError> {
        let filter = Filter::parse(text, schema)?;
        self.text = text.trim().into();
        self.filter = Some(filter).filter(|filter| !filter.is_all());
        Ok(())
    }

    /// Whether a row passes.
    pub fn passes(&self, row: &impl Row) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.matches(row))
    }
}

/// The filters of all lists but that of the processes, which has its own, and what was used before.
#[derive(Clone, Debug, Default)]
#[allow(missing_docs)]
pub struct Filters {
    pub findings: Sieve,
    pub queue: Sieve,
    pub forecasts: Sieve,
    pub log: Sieve,
    pub audit: Sieve,
    pub help: Sieve,
    /// The newest last.
    used: Vec<String>,
}

impl Filters {
    fn remember(&mut self, text: &str) {
        if !text.is_empty() {
            self.used.retain(|other| other != text);
            self.used.push(text.into());
            let over = self.used.len().saturating_sub(MOST);
            self.used.drain(..over);
        }
    }
}

/// The filter of a list.
pub fn of(state: &State, list: List) -> &Sieve {
    match list {
        List::Processes => &state.processes.filter,
        List::Findings => &state.filters.findings,
        List::Queue => &state.filters.queue,
        List::Forecasts => &state.filters.forecasts,
        List::Log => &state.filters.log,
        List::Audit => &state.filters.audit,
        List::Help => &state.filters.help,
    }
}

/// The filter of a list, to change it; the list has to be made anew then.
fn of_mut(state: &mut State, list: List) -> &mut Sieve {
    match list {
        List::Processes => &mut state.processes.filter,
        List::Findings => &mut state.filters.findings,
        List::Queue => &mut state.filters.queue,
        List::Forecasts => &mut state.filters.forecasts,
        List::Log => &mut state.filters.log,
        List::Audit => &mut state.filters.audit,
        List::Help => &mut state.filters.help,
    }
}

/// Puts a filter in force.
pub fn set(state: &mut State, list: List, text: &str) -> Result<(), QueryError> {
    of_mut(state, list).set(text, list.schema())?;
    state.scroll = 0;
    if list == List::Processes {
        state.processes.arrange();
    }
    Ok(())
}

/// Lets every row of a list through.
pub fn clear(state: &mut State, list: List) {
    match list {
        List::Processes => state.processes.clear_filter(),
        other => of_mut(state, other).clear(),
    }
}

/// The field in which a filter is typed.
#[derive(Clone, Debug)]
pub struct Field {
    /// Of which list.
    pub list: List,
    /// The line.
    pub entry: Entry,
    /// Why it is not in force.
    pub error: Option<QueryError>,
    /// Steps back in what was used before.
    back: usize,
    /// Rows that the page about the language is scrolled, while it is shown.
    pub language: Option<usize>,
}

impl Field {
    /// With the filter in force to begin with.
    pub fn open(state: &State, list: List) -> Field {
        Field { list, entry: Entry::new(of(state, list).text()), error: None, back: 0, language: None }
    }

    /// Names that the word before the cursor may become; none while that word is a whole name.
    pub fn names(&self) -> (&str, Vec<&'static str>) {
        let (word, names) = complete(self.entry.before(), self.list.schema());
        if names.contains(&word) { (word, Vec::new()) } else { (word, names) }
    }

    /// Edits the line.
    pub fn edit(&mut self, edit: Edit) {
        self.entry.edit(edit);
    }

    /// Completes the word before the cursor as far as it is certain.
    fn complete(&mut self) {
        let (word, names) = self.names();
        let Some(first) = names.first().filter(|_| !word.is_empty()) else { return };
        let same = |name: &&str| name.chars().zip(first.chars()).take_while(|(a, b)| a == b).count();
        let certain = names.iter().map(same).min().unwrap_or(0);
        let (typed, whole) = (word.len(), names.len() == 1);
        let name: String = first.chars().take(certain).collect();
        self.entry.erase(typed);
        self.entry.insert(&name);
        if whole {
            self.entry.insert(" ");
        }
    }
}

/// Changes the field that is open, and puts what it says in force if it can be understood.
pub fn type_into(state: &mut State, mut field: Field, change: impl FnOnce(&mut Field)) -> Field {
    change(&mut field);
    let text = field.entry.text().to_string();
    field.error = set(state, field.list, &text).err();
    field
}

/// A filter used before (up) or after that (down).
pub fn recall(state: &mut State, mut field: Field, motion: Motion) -> Field {
    let used = &state.filters.used;
    field.back = match motion {
        Motion::Up => (field.back + 1).min(used.len()),
        _ => field.back.saturating_sub(1),
    };
    let text = used.iter().rev().nth(field.back.wrapping_sub(1)).cloned().unwrap_or_default();
    type_into(state, field, |field| field.entry = Entry::new(&text))
}

/// Completes the name before the cursor.
pub fn complete_name(state: &mut State, field: Field) -> Field {
    type_into(state, field, Field::complete)
}

/// Closes the field; what is in force stays and is remembered.
pub fn accept(state: &mut State, field: &Field) {
    let text = of(state, field.list).text().to_string();
    state.filters.remember(&text);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_understood_leaves_the_filter_in_force() {
        let mut sieve = Sieve::default();
        sieve.set(" cpu > 5 ", &PROCESSES).unwrap();
        assert_eq!(sieve.set("cpu >", &PROCESSES).unwrap_err().at, 5..5);
        assert_eq!(sieve.text(), "cpu > 5");
        sieve.set("  ", &PROCESSES).unwrap();
        assert!(sieve.is_empty());
    }

    #[test]
    fn a_filter_is_remembered_once_and_only_so_many() {
        let mut filters = Filters::default();
        for i in 0..60 {
            filters.remember(&format!("{i}"));
        }
        filters.remember("30");
        assert_eq!((filters.used.len(), filters.used.last().unwrap().as_str()), (MOST, "30"));
        assert_eq!(filters.used.iter().filter(|text| *text == "30").count(), 1);
    }
}
