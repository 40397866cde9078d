//! A line that is being typed: the filter, the palette.

use unicode_width::UnicodeWidthStr;

/// Bytes that a line takes.
const MOST: usize = 1000;

/// Text with a cursor in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    text: String,
    /// Bytes before the cursor.
    at: usize,
}

impl Entry {
    /// A line with the cursor at its end.
    pub fn new(text: &str) -> Entry {
        Entry { text: text.into(), at: text.len() }
    }

    /// What was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    pub fn before(&self) -> &str {
        self.text.get(..self.at).unwrap_or("")
    }

    /// What stands after it.
    fn after(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// Types something; what controls a terminal is left out.
    pub fn insert(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.text.len() + c.len_utf8() <= MOST {
                self.text.insert(self.at, c);
                self.at += c.len_utf8();
            }
        }
    }

    /// Takes the last `bytes` before the cursor away.
    pub fn erase(&mut self, bytes: usize) {
        let begin = self.at.saturating_sub(bytes);
        if self.text.is_char_boundary(begin) {
            self.text.drain(begin..self.at);
            self.at = begin;
        }
    }

    /// Does what an editing key means.
    pub fn edit(&mut self, edit: Edit) {
        let before = |text: &str| text.chars().next_back().map_or(0, char::len_utf8);
        match edit {
            Edit::Erase => self.erase(before(self.before())),
            Edit::EraseAhead => {
                if self.at < self.text.len() {
                    self.text.remove(self.at);
                }
            }
            Edit::EraseWord => {
                let kept = self.before().trim_end().rfind(char::is_whitespace).map_or(0, |at| at + 1);
                let kept = (kept..=self.at).find(|at| self.text.is_char_boundary(*at)).unwrap_or(self.at);
                self.erase(self.at - kept);
            }
            Edit::EraseAll => *self = Entry::default(),
            Edit::Left => self.at -= before(self.before()),
            Edit::Right => self.at += self.after().chars().next().map_or(0, char::len_utf8),
            Edit::Start => self.at = 0,
            Edit::End => self.at = self.text.len(),
        }
    }

    /// Columns before the cursor.
    pub fn column(&self) -> usize {
        self.before().width()
    }
}

/// What an editing key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Edit {
    Erase,
    EraseAhead,
    EraseWord,
    EraseAll,
    Left,
    Right,
    Start,
    End,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_is_edited_where_its_cursor_stands() {
        let mut line = Entry::new("cpu > 5");
        line.edit(Edit::EraseWord);
        line.insert("é9\u{1b}");
        assert_eq!((line.text(), line.column()), ("cpu > é9", 8));
        line.edit(Edit::Start);
        line.edit(Edit::Right);
        line.edit(Edit::EraseAhead);
        line.edit(Edit::Erase);
        assert_eq!((line.text(), line.before()), ("u > é9", ""));
    }

    proptest! {
        #[test]
        fn no_editing_breaks_it(steps in prop::collection::vec((0_usize..9, "\\PC{0,3}"), 0..40)) {
            use Edit::{End, Erase, EraseAhead, EraseAll, EraseWord, Left, Right, Start};
            let mut line = Entry::default();
            for (which, text) in steps {
                match [Erase, EraseAhead, EraseWord, EraseAll, Left, Right, Start, End].get(which) {
                    Some(edit) => line.edit(*edit),
                    None => line.insert(&text),
                }
                prop_assert!(line.text().starts_with(line.before()) && line.text().ends_with(line.after()));
            }
        }
    }
}
