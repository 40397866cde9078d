//! From text to conditions.
//!
//! ```text
//! or    := and (("or" | "||") and)*
//! and   := not (("and" | "&&")? not)*
//! not   := ("not" | "!") not | atom
//! atom  := "(" or ")" | "/" regex "/" | field op value | ("has" | "unknown" | "is") field | word | quoted
//! op    := "=" | "==" | "!=" | "~" | "!~" | "<" | "<=" | ">" | ">="
//! ```

use crate::{
    model::text::nearest,
    query::{
        error::QueryError,
        field::{Field, Kind},
        filter::{Compare, Node},
        number,
        scan::Scanner,
        word::{Pattern, Word},
    },
};
use std::ops::Range;

/// Bytes of a filter.
const LONGEST: usize = 2000;

/// Parentheses and negations within each other.
const DEEPEST: usize = 48;

/// Words of the language itself.
const KEYWORDS: [&str; 6] = ["and", "or", "not", "has", "is", "unknown"];

/// True for a word that must stand in quotes to be looked for.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// What stands between a field and a value.
#[derive(Clone, Copy, PartialEq)]
enum Operator {
    Number(Compare),
    Match(bool),
}

/// Longer signs before the shorter ones that they begin with.
const OPERATORS: &[(&str, Operator)] = &[
    ("==", Operator::Number(Compare::Equal)),
    ("=~", Operator::Match(true)),
    ("=", Operator::Number(Compare::Equal)),
    ("!=", Operator::Number(Compare::Unequal)),
    ("!~", Operator::Match(false)),
    ("~", Operator::Match(true)),
    ("<=", Operator::Number(Compare::AtMost)),
    ("<", Operator::Number(Compare::Less)),
    (">=", Operator::Number(Compare::AtLeast)),
    (">", Operator::Number(Compare::Greater)),
];

/// The conditions of a whole text.
pub(super) fn parse(text: &str, fields: &[Field]) -> Result<Node, QueryError> {
    if text.len() > LONGEST {
        return Err(QueryError { at: LONGEST..text.len(), why: format!("a filter has at most {LONGEST} bytes") });
    }
    let mut parser = Parser { scanner: Scanner::new(text), fields, depth: 0 };
    parser.scanner.skip_space();
    if parser.scanner.peek().is_none() {
        return Ok(Node::All);
    }
    let node = parser.or()?;
    match parser.scanner.peek() {
        None => Ok(node),
        Some(')') => Err(parser.here("no parenthesis is open here")),
        Some(_) => Err(parser.here("expected `and`, `or` or a condition")),
    }
}

struct Parser<'a> {
    scanner: Scanner<'a>,
    fields: &'a [Field],
    depth: usize,
}

type Parsed<T> = Result<T, QueryError>;

impl<'a> Parser<'a> {
    /// An error about the next character, or the end.
    fn here(&self, why: impl Into<String>) -> QueryError {
        let at = self.scanner.at();
        QueryError { at: at..at + self.scanner.peek().map_or(0, char::len_utf8), why: why.into() }
    }

    fn or(&mut self) -> Parsed<Node> {
        let mut all = vec![self.and()?];
        while self.scanner.eat("||") || self.scanner.eat("|") || self.scanner.eat_word("or") {
            all.push(self.and()?);
        }
        Ok(one_or(all, Node::Or))
    }

    fn and(&mut self) -> Parsed<Node> {
        let mut all = vec![self.not()?];
        loop {
            let said = self.scanner.eat("&&") || self.scanner.eat("&") || self.scanner.eat_word("and");
            let ends = matches!(self.scanner.peek(), None | Some(')' | '|')) || self.scanner.peek_word().eq_ignore_ascii_case("or");
            if ends && !said {
                return Ok(one_or(all, Node::And));
            }
            all.push(self.not()?);
        }
    }

    fn not(&mut self) -> Parsed<Node> {
        self.scanner.skip_space();
        let at = self.scanner.at();
        if self.scanner.eat("!") || self.scanner.eat_word("not") {
            return self.deeper(at, |parser| Ok(Node::Not(Box::new(parser.not()?))));
        }
        let node = self.atom()?;
        self.scanner.skip_space();
        Ok(node)
    }

    /// One level down, if there are any left.
    fn deeper(&mut self, at: usize, read: impl FnOnce(&mut Self) -> Parsed<Node>) -> Parsed<Node> {
        if self.depth == DEEPEST {
            return Err(QueryError { at: at..at + 1, why: format!("nested more than {DEEPEST} deep") });
        }
        self.depth += 1;
        let node = read(self);
        self.depth -= 1;
        node
    }

    fn atom(&mut self) -> Parsed<Node> {
        let at = self.scanner.at();
        if self.scanner.eat("(") {
            return self.deeper(at, |parser| {
                let node = parser.or()?;
                if parser.scanner.eat(")") { Ok(node) } else { Err(parser.here("expected `)`")) }
            });
        }
        if let Some(text) = self.scanner.quoted()? {
            return word(&text, at..self.scanner.at()).map(Node::Word);
        }
        if let Some((source, at)) = self.scanner.clone().slashed() {
            self.scanner.slashed();
            return Ok(Node::Match(pattern(source, at)?));
        }
        let name = self.scanner.word();
        match name.to_ascii_lowercase().as_str() {
            "" => Err(self.here("expected a word, a field, /a regular expression/ or `(`")),
            "and" | "or" => Err(QueryError { at: at..at + name.len(), why: format!("expected a condition before `{name}`") }),
            "has" => self.about(name, at, |field| Ok(Node::Known(field, true))),
            "unknown" => self.about(name, at, |field| Ok(Node::Known(field, false))),
            "is" => self.about(name, at, |field| match field.kind() {
                Kind::Flag => Ok(Node::Flag(field, true)),
                _ => Err(format!("{} is not yes or no: compare it", field.name())),
            }),
            _ => self.condition(name, at),
        }
    }

    /// `has FIELD` and its like; without a word after it, the word itself is looked for.
    fn about(&mut self, keyword: &str, at: usize, node: impl Fn(Field) -> Result<Node, String>) -> Parsed<Node> {
        let before = self.scanner;
        self.scanner.skip_space();
        let begin = self.scanner.at();
        let name = self.scanner.word();
        if name.is_empty() || is_keyword(name) {
            self.scanner = before;
            return self.condition(keyword, at);
        }
        let field = self.field(name, begin)?;
        node(field).map_err(|why| QueryError { at: begin..begin + name.len(), why })
    }

    /// A comparison, or a word to look for.
    fn condition(&mut self, name: &str, at: usize) -> Parsed<Node> {
        let before = self.scanner;
        self.scanner.skip_space();
        let sign = OPERATORS.iter().find(|(sign, _)| self.scanner.eat(sign));
        let Some((sign, operator)) = sign else {
            self.scanner = before;
            return word(name, at..at + name.len()).map(Node::Word);
        };
        let field = self.field(name, at)?;
        let sign_at = self.scanner.at() - sign.len()..self.scanner.at();
        self.scanner.skip_space();
        let refuse = |why: &str| Err(QueryError { at: sign_at.clone(), why: format!("{} {why}", field.name()) });
        match (field.kind(), *operator) {
            (Kind::Text, Operator::Number(Compare::Equal)) => Ok(Node::Text(field, true, self.text(field)?)),
            (Kind::Text, Operator::Number(Compare::Unequal)) => Ok(Node::Text(field, false, self.text(field)?)),
            (Kind::Text, Operator::Match(wanted)) => Ok(Node::Regex(field, wanted, self.pattern(field)?)),
            (Kind::Text, _) => refuse("is text: it takes = != ~ or !~"),
            (Kind::Number(_), Operator::Number(compare)) => Ok(Node::Number(field, compare, self.number(field)?)),
            (Kind::Number(_), _) => refuse("is a number: it takes = != < <= > or >="),
            (Kind::Flag, Operator::Number(Compare::Equal)) => Ok(Node::Flag(field, self.flag(field)?)),
            (Kind::Flag, Operator::Number(Compare::Unequal)) => Ok(Node::Flag(field, !self.flag(field)?)),
            (Kind::Flag, _) => refuse("is yes or no: it takes = or !="),
        }
    }

    fn field(&self, name: &str, at: usize) -> Parsed<Field> {
        Field::find(name, self.fields).ok_or_else(|| {
            let names =
                self.fields.iter().flat_map(|field| field.aliases().iter().chain([&field.name()]).copied().collect::<Vec<_>>());
            let meant = nearest(name, names).map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
            QueryError { at: at..at + name.len(), why: format!("no field `{name}` here{meant}") }
        })
    }

    fn text(&mut self, field: Field) -> Parsed<Word> {
        let begin = self.scanner.at();
        if let Some(text) = self.scanner.quoted()? {
            return word(&text, begin..self.scanner.at());
        }
        match self.scanner.word() {
            "" => Err(self.here(format!("expected a text for {}", field.name()))),
            text => word(text, begin..self.scanner.at()),
        }
    }

    fn pattern(&mut self, field: Field) -> Parsed<Pattern> {
        let begin = self.scanner.at();
        if let Some(text) = self.scanner.quoted()? {
            return pattern(&text, begin..self.scanner.at());
        }
        if let Some((source, at)) = self.scanner.clone().slashed() {
            self.scanner.slashed();
            return pattern(source, at);
        }
        match self.scanner.pattern() {
            "" => Err(self.here(format!("expected a regular expression for {}", field.name()))),
            source => pattern(source, begin..self.scanner.at()),
        }
    }

    fn number(&mut self, field: Field) -> Parsed<number::Number> {
        let begin = self.scanner.at();
        let (digits, mut unit) = number::split(self.scanner.word());
        if digits.is_empty() {
            let end = self.scanner.at();
            return Err(QueryError { at: begin..end, why: format!("{} takes a number", field.name()) });
        }
        if unit.is_empty() {
            // The unit may stand by itself.
            let before = self.scanner;
            self.scanner.skip_space();
            unit = self.scanner.word();
            if !number::is_unit(unit) {
                (unit, self.scanner) = ("", before);
            }
        }
        number::read(digits, unit, field).map_err(|why| QueryError { at: begin..self.scanner.at(), why })
    }

    fn flag(&mut self, field: Field) -> Parsed<bool> {
        let begin = self.scanner.at();
        match self.scanner.word().to_ascii_lowercase().as_str() {
            "yes" | "true" => Ok(true),
            "no" | "false" => Ok(false),
            _ => Err(QueryError { at: begin..self.scanner.at(), why: format!("{} is yes or no", field.name()) }),
        }
    }
}

fn one_or(mut all: Vec<Node>, many: impl FnOnce(Vec<Node>) -> Node) -> Node {
    match all.pop() {
        Some(only) if all.is_empty() => only,
        Some(last) => {
            all.push(last);
            many(all)
        }
        None => Node::All,
    }
}

fn word(text: &str, at: Range<usize>) -> Parsed<Word> {
    Word::new(text).map_err(|why| QueryError { at, why })
}

fn pattern(source: &str, at: Range<usize>) -> Parsed<Pattern> {
    Pattern::new(source).map_err(|why| QueryError { at, why })
}
