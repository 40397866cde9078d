//! The list of processes: its order, its filter, its cursor. Rows are known by identity, never by place.

use crate::{
    model::{
        facts::Facts,
        snapshot::{Process, Snapshot},
        subject::ProcessId,
    },
    query::rows::process::{Around, ProcessRow},
    ui::filter::Sieve,
};
use std::cmp::Ordering;

/// What the list is ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Sort {
    #[default]
    Cpu,
    Wait,
    Memory,
    Read,
    Write,
    Threads,
    Name,
    Pid,
}

impl Sort {
    /// All, in the order of the menu.
    pub const ALL: [Sort; 8] = [Sort::Cpu, Sort::Wait, Sort::Memory, Sort::Read, Sort::Write, Sort::Threads, Sort::Name, Sort::Pid];

    /// Its name.
    pub fn words(self) -> &'static str {
        match self {
            Sort::Cpu => "cpu",
            Sort::Wait => "wait",
            Sort::Memory => "memory",
            Sort::Read => "read",
            Sort::Write => "write",
            Sort::Threads => "threads",
            Sort::Name => "name",
            Sort::Pid => "pid",
        }
    }

    /// Greatest first, but names and pids from the beginning. Shares of time count in the hundredths that are shown, so that rows which
    /// look alike do not change places.
    fn compare(self, a: &Process, b: &Process) -> Ordering {
        let number = |of: fn(&Process) -> f64| of(b).total_cmp(&of(a));
        let by = match self {
            Sort::Cpu => number(|p| hundredths(p.cpu)),
            Sort::Wait => number(|p| hundredths(p.wait)),
            Sort::Memory => b.resident.cmp(&a.resident),
            Sort::Read => number(|p| p.io.map_or(-1.0, |[read, _]| read)),
            Sort::Write => number(|p| p.io.map_or(-1.0, |[_, written]| written)),
            Sort::Threads => b.threads.cmp(&a.threads),
            Sort::Name => a.name.cmp(&b.name),
            Sort::Pid => Ordering::Equal,
        };
        by.then_with(|| if self == Sort::Cpu { b.resident.cmp(&a.resident) } else { Ordering::Equal }).then(a.id.cmp(&b.id))
    }
}

/// A share of time in whole hundredths; what is not known comes after zero.
fn hundredths(share: Option<f64>) -> f64 {
    share.map_or(-1.0, |share| (share * 100.0).round())
}

/// The list.
#[derive(Clone, Debug, Default)]
pub struct ProcessList {
    /// Rows, from the top.
    pub order: Vec<ProcessId>,
    /// The selected row. While there is one the order holds still: values move, rows do not.
    pub cursor: Option<ProcessId>,
    /// Ordered by.
    pub sort: Sort,
    /// The other way round.
    pub inverted: bool,
    /// Only rows that pass.
    pub filter: Sieve,
}

impl ProcessList {
    /// Takes the processes of a snapshot: in order, or, while a row is selected, where they were and new ones at the end.
    pub fn take(&mut self, snapshot: &Snapshot, facts: &Facts) {
        let Some(all) = snapshot.processes.known() else { return };
        if self.cursor.is_some_and(|id| snapshot.process(id).is_none()) {
            self.cursor = None;
        }
        if self.cursor.is_none() {
            self.arrange(snapshot, facts);
            return;
        }
        self.order.retain(|id| snapshot.process(*id).is_some());
        let mut known = self.order.clone();
        known.sort_unstable();
        let around = Around { facts, snapshot, now: snapshot.vitals.now.tick };
        let is_new = |p: &&Process| known.binary_search(&p.id).is_err() && self.shows(p, around);
        let new: Vec<ProcessId> = all.iter().filter(is_new).map(|p| p.id).collect();
        self.order.extend(new);
    }

    /// Puts everything in order anew, though a row is selected: the operator changed the order or the filter.
    pub fn arrange(&mut self, snapshot: &Snapshot, facts: &Facts) {
        let Some(all) = snapshot.processes.known() else { return };
        let around = Around { facts, snapshot, now: snapshot.vitals.now.tick };
        let mut rows: Vec<&Process> = all.iter().filter(|p| self.shows(p, around)).collect();
        rows.sort_unstable_by(|a, b| self.sort.compare(a, b));
        if self.inverted {
            rows.reverse();
        }
        self.order.clear();
        self.order.extend(rows.iter().map(|p| p.id));
    }

    fn shows(&self, process: &Process, around: Around<'_>) -> bool {
        self.filter.is_empty() || self.filter.passes(&ProcessRow { process, around, marked: false })
    }

    /// The place of the selected row.
    pub fn place(&self) -> Option<usize> {
        let id = self.cursor?;
        self.order.iter().position(|other| *other == id)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{model::snapshot::Reading, query::rows::process::PROCESSES};
    use std::sync::Arc;

    fn snapshot(rows: &[(u32, &str, f64)]) -> Snapshot {
        let process = |(pid, name, cpu): &(u32, &str, f64)| Process {
            id: ProcessId { pid: *pid, start: 1 },
            name: (*name).into(),
            cpu: Some(*cpu),
            ..Process::default()
        };
        Snapshot { processes: Reading::Known(Arc::new(rows.iter().map(process).collect())), ..Snapshot::default() }
    }

    fn pids(list: &ProcessList) -> Vec<u32> {
        list.order.iter().map(|id| id.pid).collect()
    }

    #[test]
    fn rows_hold_still_while_one_is_selected() {
        let mut list = ProcessList::default();
        let facts = Facts::default();
        list.take(&snapshot(&[(1, "a", 0.1), (2, "b", 0.9), (3, "c", 0.5)]), &facts);
        assert_eq!(pids(&list), [2, 3, 1]);
        list.cursor = Some(ProcessId { pid: 3, start: 1 });
        list.take(&snapshot(&[(1, "a", 0.9), (3, "c", 0.1), (4, "d", 1.0)]), &facts);
        assert_eq!(pids(&list), [3, 1, 4]);
        assert_eq!(list.place(), Some(0));
        // The selected process ends: the list is free again.
        list.take(&snapshot(&[(1, "a", 0.2), (4, "d", 1.0)]), &facts);
        assert_eq!((pids(&list), list.cursor), (vec![4, 1], None));
    }

    #[test]
    fn rows_that_look_alike_stand_in_the_order_of_their_pids() {
        let mut list = ProcessList::default();
        for noise in [[0.001, 0.002, 0.004], [0.004, 0.0, 0.001]] {
            let [a, b, c] = noise;
            list.take(&snapshot(&[(3, "a", a), (1, "b", b), (2, "c", c), (9, "d", 0.02)]), &Facts::default());
            assert_eq!(pids(&list), [9, 1, 2, 3]);
        }
    }

    #[test]
    fn a_filter_looks_at_names_whatever_their_case() {
        let mut list = ProcessList::default();
        list.filter.set("py", &PROCESSES).unwrap();
        list.take(&snapshot(&[(1, "Python3", 0.1), (2, "bash", 0.9)]), &Facts::default());
        assert_eq!(pids(&list), [1]);
    }
}
