//! What a row of the table is.

use crate::{
    model::{
        facts::Facts,
        snapshot::{Cgroup, Process, Snapshot},
        subject::ProcessId,
        time::Tick,
    },
    ui::{basis::Basis, processes::figures::Figures, state::State},
};
use std::sync::Arc;

/// Who a row is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RowId {
    /// A process.
    Process(ProcessId),
    /// All processes of a name.
    Program(Arc<str>),
    /// A control group by path; `/` is the processes right below the root.
    Cgroup(Arc<str>),
}

impl RowId {
    /// The process, if it is one.
    pub fn process(&self) -> Option<ProcessId> {
        match self {
            RowId::Process(id) => Some(*id),
            RowId::Program(_) | RowId::Cgroup(_) => None,
        }
    }
}

/// Whether rows stand below a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// None can.
    Leaf,
    /// They are shown.
    Open,
    /// They are not.
    Closed,
}

/// A row of the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Who.
    pub id: RowId,
    /// Place of its numbers among those of [`Rows::groups`], if it is more than one process.
    pub group: Option<u32>,
    /// Rows above it in the tree.
    pub depth: u16,
    /// Whether rows stand below it.
    pub fold: Fold,
    /// Rows that are folded away below it.
    pub below: u32,
    /// It matches the filter. A row that does not stands there for those below it.
    pub matches: bool,
}

/// The rows from the top, and the numbers of those that are groups.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    /// From the top.
    pub all: Vec<Row>,
    /// Numbers of groups.
    pub groups: Vec<Figures>,
}

impl Rows {
    /// What a row is about; `None` when it has ended.
    pub fn item<'a>(&'a self, row: &'a Row, snapshot: &'a Snapshot) -> Option<Item<'a>> {
        let figures = row.group.and_then(|at| self.groups.get(at as usize));
        Some(match (&row.id, figures) {
            (RowId::Process(id), _) => Item::Process(snapshot.process(*id)?),
            (RowId::Program(name), Some(figures)) => Item::Program(name, figures),
            (RowId::Cgroup(path), Some(figures)) => Item::Cgroup(path, figures, snapshot.cgroup(path)),
            (RowId::Program(_) | RowId::Cgroup(_), None) => return None,
        })
    }

    /// The place of a row.
    pub fn place(&self, id: &RowId) -> Option<usize> {
        self.all.iter().position(|row| row.id == *id)
    }
}

/// What a cell is made of.
#[derive(Clone, Copy, Debug)]
pub enum Item<'a> {
    /// A process.
    Process(&'a Process),
    /// All processes of a name.
    Program(&'a str, &'a Figures),
    /// A control group, and what is measured of it.
    Cgroup(&'a str, &'a Figures, Option<&'a Cgroup>),
}

impl Item<'_> {
    /// The name in the table.
    pub fn write_name(&self, out: &mut String) {
        match self {
            Item::Process(p) => out.push_str(&p.name),
            Item::Program(name, _) => out.push_str(name),
            Item::Cgroup(path, _, group) => write_group_name(path, *group, out),
        }
    }
}

/// What cells look at beside the row.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'a> {
    /// The newest sweep.
    pub snapshot: &'a Snapshot,
    /// The host.
    pub facts: &'a Facts,
    /// When.
    pub now: Tick,
    /// What 100 % of cpu is.
    pub basis: Basis,
}

impl<'a> Sight<'a> {
    /// What the screen shows.
    pub fn of(state: &'a State) -> Sight<'a> {
        let view = state.shown();
        Sight { snapshot: &view.snapshot, facts: &view.facts, now: view.snapshot.vitals.now.tick, basis: state.basis }
    }
}

/// The name of a control group: the container or unit whose group it is, else the last part of its path.
pub fn write_group_name(path: &str, group: Option<&Cgroup>, out: &mut String) {
    match group {
        _ if path == "/" => out.push_str("/ (directly)"),
        Some(Cgroup { container: Some(name), .. }) => {
            out.push_str(name);
            out.push_str(" (container)");
        }
        Some(Cgroup { unit: Some(name), .. }) => out.push_str(name),
        _ => out.push_str(path.rsplit('/').next().unwrap_or(path)),
    }
}
