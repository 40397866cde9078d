//! Reading a filter from left to right. What ends a word depends on what is expected, so that there are no tokens beforehand.

use crate::query::error::QueryError;
use std::ops::Range;

/// A place in a text.
#[derive(Clone, Copy, Debug)]
pub struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

/// True for what can follow a closed regular expression.
fn is_boundary(next: Option<char>) -> bool {
    next.is_none_or(|c| c.is_whitespace() || c == ')')
}

impl<'a> Scanner<'a> {
    /// At the beginning.
    pub fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, at: 0 }
    }

    /// Bytes read.
    pub fn at(&self) -> usize {
        self.at
    }

    /// What is left.
    pub fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The next character.
    pub fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Passes blanks.
    pub fn skip_space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Passes `what`, if it comes next.
    pub fn eat(&mut self, what: &str) -> bool {
        let comes = self.rest().starts_with(what);
        if comes {
            self.at += what.len();
        }
        comes
    }

    /// Passes characters for as long as they fit; each is judged with the one after it.
    fn take(&mut self, mut fits: impl FnMut(char, Option<char>) -> bool) -> &'a str {
        let rest = self.rest();
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((i, c)) = chars.next() {
            if !fits(c, chars.peek().map(|(_, next)| *next)) {
                end = i;
                break;
            }
        }
        self.at += end;
        rest.get(..end).unwrap_or("")
    }

    /// A word; empty when none comes next.
    pub fn word(&mut self) -> &'a str {
        self.take(|c, next| {
            let ends = c.is_whitespace() || "()\"'=<>~&|".contains(c);
            let differs = c == '!' && matches!(next, Some('=' | '~'));
            !(ends || differs)
        })
    }

    /// The word that comes next, without passing it.
    pub fn peek_word(&self) -> &'a str {
        self.clone().word()
    }

    /// Passes the word `keyword` in any case, if it comes next.
    pub fn eat_word(&mut self, keyword: &str) -> bool {
        let comes = self.peek_word().eq_ignore_ascii_case(keyword);
        if comes {
            self.at += keyword.len();
        }
        comes
    }

    /// A regular expression without quotes: up to a blank, or to a parenthesis that was opened before it.
    pub fn pattern(&mut self) -> &'a str {
        let (mut open, mut escaped) = (0_usize, false);
        self.take(|c, _| {
            let plain = !escaped;
            escaped = c == '\\' && plain;
            match c {
                '(' if plain => open += 1,
                ')' if plain && open == 0 => return false,
                ')' if plain => open -= 1,
                _ => {}
            }
            !c.is_whitespace()
        })
    }

    /// A text in quotes, if one comes next; a doubled quote stands for itself.
    pub fn quoted(&mut self) -> Result<Option<String>, QueryError> {
        let begin = self.at;
        let Some(quote @ ('"' | '\'')) = self.peek() else { return Ok(None) };
        self.at += 1;
        let mut text = String::new();
        loop {
            text.push_str(self.take(|c, _| c != quote));
            self.at += 1;
            if self.at > self.text.len() {
                self.at = self.text.len();
                return Err(QueryError { at: begin..self.at, why: "this quote is not closed".into() });
            }
            if self.peek() != Some(quote) {
                return Ok(Some(text));
            }
            text.push(quote);
            self.at += 1;
        }
    }

    /// What stands between slashes, if a slash comes next and another one closes it before a blank, a parenthesis or the end. A path
    /// such as `/usr/bin` is none.
    pub fn slashed(&mut self) -> Option<(&'a str, Range<usize>)> {
        let inner = self.rest().strip_prefix('/')?;
        let mut escaped = false;
        let mut chars = inner.char_indices().peekable();
        while let Some((i, c)) = chars.next() {
            let closes = c == '/' && !escaped && is_boundary(chars.peek().map(|(_, next)| *next));
            escaped = c == '\\' && !escaped;
            if closes {
                let from = self.at + 1;
                self.at = from + i + 1;
                return inner.get(..i).filter(|source| !source.is_empty()).map(|source| (source, from..from + i));
            }
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_word_depends_on_what_is_expected() {
        assert_eq!(Scanner::new("cpu>5").word(), "cpu");
        assert_eq!(Scanner::new("a!=b").word(), "a");
        assert_eq!(Scanner::new("wow! b").word(), "wow!");
        assert_eq!(Scanner::new("^(a|b)$) or").pattern(), "^(a|b)$");
        assert_eq!(Scanner::new("/usr/bin x").slashed(), None);
        assert_eq!(Scanner::new("/a b\\/ c/)").slashed().unwrap().0, "a b\\/ c");
        assert_eq!(Scanner::new("'it''s' x").quoted().unwrap().unwrap(), "it's");
        assert_eq!(Scanner::new("\"open").quoted().unwrap_err().at, 0..5);
    }
}
