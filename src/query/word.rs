//! Words and regular expressions: in any case, unless they have a capital.

use regex::{Regex, RegexBuilder};

/// Bytes that a compiled expression may take.
const SIZE: usize = 1 << 18;

/// Bytes of its cache: beyond that it becomes slower, never wrong.
const CACHE: usize = 1 << 20;

/// Nesting within an expression.
const DEPTH: u32 = 32;

/// A text to look for.
#[derive(Clone, Debug)]
pub struct Word {
    text: Box<str>,
    /// It has a capital: case counts.
    exact: bool,
    /// Its value, if it is a whole number.
    number: Option<u32>,
    /// Finds it: faster by far than comparing letter by letter.
    finder: Regex,
}

impl PartialEq for Word {
    fn eq(&self, other: &Word) -> bool {
        self.text == other.text
    }
}

impl Word {
    /// The word as it was typed.
    pub fn new(text: &str) -> Result<Word, String> {
        let exact = text.chars().any(char::is_uppercase);
        let finder = RegexBuilder::new(&regex::escape(text)).case_insensitive(!exact).build().map_err(|e| reason(&e))?;
        Ok(Word { text: text.into(), exact, number: text.parse().ok(), finder })
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its value, if it is a whole number.
    pub fn number(&self) -> Option<f64> {
        self.number.map(f64::from)
    }

    /// True when `text` is this word.
    pub fn is(&self, text: &str) -> bool {
        if self.exact { *self.text == *text } else { text.chars().flat_map(char::to_lowercase).eq(self.text.chars()) }
    }

    /// True when `text` contains this word.
    pub fn is_in(&self, text: &str) -> bool {
        self.finder.is_match(text)
    }
}

/// A regular expression with its source.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: Box<str>,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Pattern) -> bool {
        self.source == other.source
    }
}

impl Pattern {
    /// Compiles it, or says in a line why not. Matching takes time linear in the text (crate `regex`), whatever the expression.
    pub fn new(source: &str) -> Result<Pattern, String> {
        let regex = RegexBuilder::new(source)
            .case_insensitive(!has_capital(source))
            .size_limit(SIZE)
            .dfa_size_limit(CACHE)
            .nest_limit(DEPTH)
            .build()
            .map_err(|e| reason(&e))?;
        Ok(Pattern { source: source.into(), regex })
    }

    /// As it was typed.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// True when it is found in `text`.
    pub fn is_in(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// A capital that stands for itself: not the letter of a class such as `\S`.
fn has_capital(source: &str) -> bool {
    let mut escaped = false;
    source.chars().any(|c| {
        let counts = c.is_uppercase() && !escaped;
        escaped = c == '\\' && !escaped;
        counts
    })
}

/// The last line of the crate's message, which is the one that says why.
fn reason(e: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = e {
        return "this regular expression is too large".into();
    }
    let text = e.to_string();
    let last = text.lines().last().unwrap_or("").trim_start_matches("error: ");
    format!("no regular expression: {last}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn case_counts_only_with_a_capital() {
        for (word, text, is, is_in) in [
            ("nginx", "Nginx", true, true),
            ("Nginx", "nginx", false, false),
            ("éa", "xÉAx", false, true),
            ("", "a", false, true),
            ("abc", "ab", false, false),
        ] {
            assert_eq!((Word::new(word).unwrap().is(text), Word::new(word).unwrap().is_in(text)), (is, is_in), "{word} {text}");
        }
        assert!(Pattern::new(r"^ng\Sn").unwrap().is_in("NGinx") && !Pattern::new("^Ng").unwrap().is_in("nginx"));
    }

    #[test]
    fn what_would_cost_too_much_is_refused() {
        assert!(Pattern::new(r"\w{1000}").unwrap_err().contains("too large"));
        assert!(Pattern::new(&"(".repeat(100)).is_err());
        assert_eq!(Pattern::new("a(").unwrap_err(), "no regular expression: unclosed group");
    }
}
