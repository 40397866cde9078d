//! Which rows of a tree are folded: survives refreshes, rows that go and come again, and rows that are yet to come.

use crate::ui::processes::row::RowId;
use std::collections::HashSet;

/// What holds for rows that were not folded or unfolded one by one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rule {
    /// They are open.
    #[default]
    Open,
    /// They are closed.
    Closed,
}

/// The folds of a tree.
#[derive(Clone, Debug, Default)]
pub struct Folds {
    rule: Rule,
    /// Rows for which the other rule holds.
    except: HashSet<RowId>,
}

impl Folds {
    /// Folds of which only the rule is known.
    pub fn new(rule: Rule) -> Folds {
        Folds { rule, except: HashSet::new() }
    }

    /// True where the rows below are not shown.
    pub fn is_closed(&self, id: &RowId) -> bool {
        (self.rule == Rule::Closed) != (!self.except.is_empty() && self.except.contains(id))
    }

    /// Closes or opens one.
    pub fn set(&mut self, id: &RowId, to: Rule) {
        if to == self.rule {
            self.except.remove(id);
        } else {
            self.except.insert(id.clone());
        }
    }

    /// Opens all; if all are open, closes all.
    pub fn turn(&mut self) {
        let open = self.rule == Rule::Open && self.except.is_empty();
        *self = Folds::new(if open { Rule::Closed } else { Rule::Open });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_folds_are_exceptions_from_the_rule() {
        let (a, b) = (RowId::Cgroup("/a".into()), RowId::Cgroup("/b".into()));
        let mut folds = Folds::default();
        let seen = |folds: &Folds| (folds.is_closed(&a), folds.is_closed(&b));
        folds.set(&a, Rule::Closed);
        assert_eq!(seen(&folds), (true, false));
        folds.turn();
        assert_eq!(seen(&folds), (false, false), "something was closed: all open");
        folds.turn();
        assert_eq!(seen(&folds), (true, true), "all were open: all closed, and what is yet to come");
        folds.set(&b, Rule::Open);
        assert_eq!(seen(&folds), (true, false));
        folds.set(&b, Rule::Closed);
        assert_eq!(seen(&folds), (true, true));
    }
}
