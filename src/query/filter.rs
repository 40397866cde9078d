//! A filter that was understood: how it is asked and how it is written down again.

use crate::query::{
    error::QueryError,
    field::{Field, Row, Schema, Value},
    number::Number,
    parse,
    scan::Scanner,
    word::{Pattern, Word},
};
use std::fmt;

/// How numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Compare {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Compare::Equal => "=",
            Compare::Unequal => "!=",
            Compare::Less => "<",
            Compare::AtMost => "<=",
            Compare::Greater => ">",
            Compare::AtLeast => ">=",
        }
    }

    fn holds(self, left: f64, right: f64) -> bool {
        // What was typed in decimals is met by what was computed in binary.
        let same = (left - right).abs() <= 1e-9 * right.abs();
        match self {
            Compare::Equal => same,
            Compare::Unequal => !same,
            Compare::Less => left < right && !same,
            Compare::AtMost => left < right || same,
            Compare::Greater => left > right && !same,
            Compare::AtLeast => left > right || same,
        }
    }
}

/// A condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// Every row.
    All,
    /// All of these.
    And(Vec<Node>),
    /// One of these.
    Or(Vec<Node>),
    /// Not this.
    Not(Box<Node>),
    /// A word somewhere in the row.
    Word(Word),
    /// An expression somewhere in the row.
    Match(Pattern),
    /// A number compared.
    Number(Field, Compare, Number),
    /// A text equal to a word (true) or not.
    Text(Field, bool, Word),
    /// A text that an expression is found in (true) or not.
    Regex(Field, bool, Pattern),
    /// A flag that is so.
    Flag(Field, bool),
    /// A value that is known (true) or not.
    Known(Field, bool),
}

/// A filter for one kind of row.
#[derive(Clone, Debug)]
pub struct Filter {
    root: Node,
    schema: &'static Schema,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.root == other.root
    }
}

impl Filter {
    /// The filter that a text means. A text of blanks wants every row.
    pub fn parse(text: &str, schema: &'static Schema) -> Result<Filter, QueryError> {
        Ok(Filter { root: parse::parse(text, schema.fields)?, schema })
    }

    /// True when every row is wanted.
    pub fn is_all(&self) -> bool {
        self.root == Node::All
    }

    /// True when the row is certainly wanted.
    pub fn matches(&self, row: &impl Row) -> bool {
        self.holds(&self.root, row) == Some(true)
    }

    /// Whether a condition holds; `None` when a value that it asks for is not known (Kleene's logic).
    fn holds(&self, node: &Node, row: &impl Row) -> Option<bool> {
        match node {
            Node::All => Some(true),
            Node::And(all) => until(all.iter().map(|node| self.holds(node, row)), false),
            Node::Or(all) => until(all.iter().map(|node| self.holds(node, row)), true),
            Node::Not(node) => self.holds(node, row).map(|holds| !holds),
            Node::Word(word) => Some(self.schema.words.iter().any(|field| has(&row.field(*field), word))),
            Node::Match(pattern) => {
                Some(self.schema.words.iter().any(|field| text(&row.field(*field), |text| pattern.is_in(text)) == Some(true)))
            }
            Node::Number(field, compare, number) => match row.field(*field) {
                Value::Number(value) => Some(compare.holds(value, number.value)),
                _ => None,
            },
            Node::Text(field, wanted, word) => text(&row.field(*field), |text| word.is(text)).map(|is| is == *wanted),
            Node::Regex(field, wanted, pattern) => text(&row.field(*field), |text| pattern.is_in(text)).map(|is| is == *wanted),
            Node::Flag(field, wanted) => match row.field(*field) {
                Value::Flag(is) => Some(is == *wanted),
                _ => None,
            },
            Node::Known(field, wanted) => Some(!matches!(row.field(*field), Value::Missing) == *wanted),
        }
    }
}

/// `end` as soon as one is, otherwise unknown if one is, otherwise the opposite.
fn until(all: impl Iterator<Item = Option<bool>>, end: bool) -> Option<bool> {
    let mut result = Some(!end);
    for one in all {
        match one {
            Some(one) if one == end => return Some(end),
            None => result = None,
            Some(_) => {}
        }
    }
    result
}

/// What `fits` says about a text, or about one of its two names; `None` for what is no text.
fn text(value: &Value<'_>, fits: impl Fn(&str) -> bool) -> Option<bool> {
    match value {
        Value::Text(text) => Some(fits(text)),
        Value::Either(one, other) => Some(fits(one) || fits(other)),
        Value::Short(short) => Some(fits(short.as_str())),
        Value::Missing | Value::Number(_) | Value::Flag(_) => None,
    }
}

/// A part of a text, or a whole number.
fn has(value: &Value<'_>, word: &Word) -> bool {
    match value {
        Value::Number(number) => word.number() == Some(*number),
        value => text(value, |text| word.is_in(text)) == Some(true),
    }
}

impl fmt::Display for Filter {
    /// A text that means the same.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.root)
    }
}

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = |wanted: bool| if wanted { "=" } else { "!=" };
        match self {
            Node::All => Ok(()),
            Node::And(all) => joined(all, " and ", f),
            Node::Or(all) => joined(all, " or ", f),
            Node::Not(node) => {
                f.write_str("not ")?;
                grouped(node, f)
            }
            Node::Word(word) => f.write_str(&plain(word.as_str(), Scanner::word)),
            Node::Match(pattern) => write!(f, "/{}/", pattern.as_str()),
            Node::Number(field, compare, number) => write!(f, "{} {} {}", field.name(), compare.sign(), number.text),
            Node::Text(field, wanted, word) => {
                write!(f, "{} {} {}", field.name(), equal(*wanted), plain(word.as_str(), Scanner::word))
            }
            Node::Regex(field, wanted, pattern) => {
                let sign = if *wanted { "~" } else { "!~" };
                write!(f, "{} {sign} {}", field.name(), plain(pattern.as_str(), Scanner::pattern))
            }
            Node::Flag(field, true) => write!(f, "is {}", field.name()),
            Node::Flag(field, false) => write!(f, "{} = no", field.name()),
            Node::Known(field, true) => write!(f, "has {}", field.name()),
            Node::Known(field, false) => write!(f, "unknown {}", field.name()),
        }
    }
}

fn joined(all: &[Node], by: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (i, node) in all.iter().enumerate() {
        f.write_str(if i == 0 { "" } else { by })?;
        grouped(node, f)?;
    }
    Ok(())
}

fn grouped(node: &Node, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match node {
        Node::And(_) | Node::Or(_) => write!(f, "({node})"),
        node => write!(f, "{node}"),
    }
}

/// The text as it is where it can be read so, otherwise in quotes.
fn plain<'a>(text: &'a str, read: impl FnOnce(&mut Scanner<'a>) -> &'a str) -> String {
    let mut scanner = Scanner::new(text);
    let whole = read(&mut scanner) == text && !text.is_empty();
    let other = text.starts_with(['/', '!', '"', '\'']) || parse::is_keyword(text);
    if whole && !other { text.into() } else { format!("\"{}\"", text.replace('"', "\"\"")) }
}
