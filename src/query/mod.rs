//! The filter language: one line of text that says which rows of a list are wanted.
//!
//! ```text
//! nginx                               name or command contains it (in any case, unless it has a capital)
//! cpu > 5 and (user = root or mem > 1 gib)
//! name ~ ^ng.*x$        /worker-\d+/  regular expressions
//! not is kernel         !nginx        negation
//! has read              unknown read  whether the value is known at all
//! ```
//!
//! - Conditions are joined by `and`, `&&` or nothing at all, and by `or`, `||`; `and` binds closer; parentheses group.
//! - A number may carry a unit, which must fit the field's: `%`; `b k m g t` and `kib mib gib tib` (1024), `kb mb gb tb` (1000);
//!   `ns us ms s min h d`; each with `/s` where the field is a rate. Without a unit it counts as the column shows it: percent, bytes,
//!   seconds, and milliseconds for a time of waiting per second.
//! - A value that is not known answers no comparison, neither `=` nor `!=`, and `not` leaves that as it is (three-valued logic): a row
//!   is shown only if the whole expression is certainly true. `unknown FIELD` finds such rows.
//!
//! [`Filter::parse`](filter::Filter::parse) never panics and bounds what it takes: the length of the text, the depth of nesting, the
//! size of a regular expression. Evaluation allocates nothing.

pub mod complete;
pub mod error;
pub mod field;
pub mod filter;
pub mod number;
pub mod parse;
pub mod rows;
pub mod scan;
pub mod word;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
