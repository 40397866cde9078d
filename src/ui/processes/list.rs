//! The table between two sweeps: what the operator chose, the rows, the cursor, the marks.
//!
//! The rows are made anew once for each snapshot and each choice, and only while the pane can be seen. While a row is selected they hold
//! still: values move, rows do not, and what is new comes after what was there. A row that is *followed* is selected as well, but wanders
//! with the order.

use crate::{
    model::subject::ProcessId,
    ui::{
        filter::Sieve,
        processes::{
            choices::{Choices, Form},
            column::{Value, Worth},
            columns::{self, TABLE},
            fold::{Folds, Rule},
            forest::{Forest, Met, Step},
            gather::{Entries, Who, Wish},
            order::Order,
            row::{Fold, Item, Row, RowId, Rows, Sight},
        },
    },
};
use std::collections::{BTreeSet, HashMap};

/// The table.
#[derive(Clone, Debug)]
pub struct ProcessList {
    /// What the operator chose.
    pub choices: Choices,
    /// Only rows that match this.
    pub filter: Sieve,
    /// The last filter, for the keys that go from match to match.
    pub sought: Sieve,
    /// The rows.
    pub rows: Rows,
    /// The selected row.
    pub cursor: Option<RowId>,
    /// The name of the selected row, if it is followed.
    pub followed: Option<String>,
    /// Marked processes.
    pub marks: BTreeSet<ProcessId>,
    /// Columns of which no process has a value.
    pub unknown: Vec<&'static str>,
    /// Folds of the trees of control groups, parents and programs.
    folds: [Folds; 3],
    /// The rows are older than what they show.
    stale: bool,
    /// They may leave their places: the operator changed what they stand by.
    anew: bool,
    work: Work,
}

/// Memory that is used again and again.
#[derive(Clone, Debug, Default)]
struct Work {
    entries: Entries,
    order: Order,
    forest: Forest,
    held: HashMap<RowId, u32>,
}

impl Default for ProcessList {
    fn default() -> Self {
        ProcessList {
            choices: Choices::default(),
            filter: Sieve::default(),
            sought: Sieve::default(),
            rows: Rows::default(),
            cursor: None,
            followed: None,
            marks: BTreeSet::new(),
            unknown: Vec::new(),
            folds: [Folds::default(), Folds::default(), Folds::new(Rule::Closed)],
            stale: true,
            anew: true,
            work: Work::default(),
        }
    }
}

impl ProcessList {
    /// There is something new to show.
    pub fn refresh(&mut self) {
        self.stale = true;
    }

    /// The operator changed what rows stand by: they leave their places, though one is selected.
    pub fn arrange(&mut self) {
        self.stale = true;
        self.anew = true;
    }

    /// Begins with these choices.
    pub fn choose(&mut self, choices: Choices) {
        self.choices = choices;
        self.arrange();
    }

    /// Takes the filter away; what it was is still found by the keys that go from match to match.
    pub fn clear_filter(&mut self) {
        if !self.filter.is_empty() {
            self.sought = std::mem::take(&mut self.filter);
        }
        self.arrange();
    }

    /// True when the rows have to be made anew before they are shown.
    pub fn is_stale(&self) -> bool {
        self.stale
    }

    /// The folds of the present form.
    pub fn folds(&mut self) -> &mut Folds {
        let [cgroups, parents, programs] = &mut self.folds;
        match self.choices.form {
            Form::Cgroups => cgroups,
            Form::Parents | Form::List => parents,
            Form::Programs => programs,
        }
    }

    /// The place of the selected row.
    pub fn place(&self) -> Option<usize> {
        self.rows.place(self.cursor.as_ref()?)
    }

    /// The processes that a key is about: those marked, else the selected one.
    pub fn targets(&self) -> Vec<ProcessId> {
        if self.marks.is_empty() {
            return self.cursor.iter().filter_map(RowId::process).collect();
        }
        self.marks.iter().copied().collect()
    }

    /// Nothing is selected any more; the rows may move.
    pub fn release(&mut self) {
        self.cursor = None;
        self.followed = None;
        self.stale = true;
    }

    /// Makes the rows. Returns news for the operator.
    pub fn rebuild(&mut self, sight: &Sight<'_>) -> Option<String> {
        let all = sight.snapshot.processes.known()?;
        let ended = self.let_go(sight);
        self.marks.retain(|id| sight.snapshot.process(*id).is_some());
        let above = self.above_cursor();
        self.hold();
        let mut work = std::mem::take(&mut self.work);
        let wish = Wish { choices: &self.choices, filter: &self.filter, marks: &self.marks, held: &work.held, sight };
        work.entries.gather(all, &wish);
        self.sort(&mut work, sight);
        self.lay_out(&mut work, sight);
        self.work = work;
        self.find_unknown(sight);
        (self.stale, self.anew) = (false, false);
        ended.or(self.keep_cursor(&above))
    }

    /// Lets go of a selected process that has ended: its row is gone, and the others need not stand still for it.
    fn let_go(&mut self, sight: &Sight<'_>) -> Option<String> {
        let id = self.cursor.as_ref().and_then(RowId::process)?;
        if sight.snapshot.process(id).is_some() {
            return None;
        }
        self.cursor = None;
        self.followed.take().map(|name| format!("{name} has ended: it is no longer followed"))
    }

    /// Notes where the rows stand, if they are to stay there.
    fn hold(&mut self) {
        let held = &mut self.work.held;
        held.clear();
        if self.cursor.is_some() && self.followed.is_none() && !self.anew {
            held.extend(self.rows.all.iter().zip(0..).map(|(row, at)| (row.id.clone(), at)));
        }
    }

    fn sort(&self, work: &mut Work, sight: &Sight<'_>) {
        let (Work { entries, order, held, .. }, way) = (work, self.choices.way);
        let Some(column) = columns::find(&self.choices.sort).or_else(|| columns::find("cpu")) else { return };
        let all = sight.snapshot.processes.known().map_or(&[][..], |all| all);
        order.clear();
        for ((at, who), _) in (0..).zip(&entries.who).zip(&entries.keep).filter(|(_, keep)| **keep) {
            match *who {
                Who::Process(place) => {
                    let Some(process) = all.get(place as usize) else { continue };
                    let before = if held.is_empty() { None } else { held.get(&RowId::Process(process.id)).copied() };
                    order.add(at, &Item::Process(process), before, (column, way), sight);
                }
                Who::Group(place) => {
                    let Some((id, figures)) = entries.groups.get(place as usize) else { continue };
                    let item = match id {
                        RowId::Cgroup(path) => Item::Cgroup(path, figures, None),
                        RowId::Program(name) => Item::Program(name, figures),
                        RowId::Process(_) => continue,
                    };
                    order.add(at, &item, held.get(id).copied(), (column, way), sight);
                }
            }
        }
        order.sort(column, way);
    }

    fn lay_out(&mut self, work: &mut Work, sight: &Sight<'_>) {
        let Work { entries, order, forest, .. } = work;
        let all = sight.snapshot.processes.known().map_or(&[][..], |all| all);
        let mut rows = std::mem::take(&mut self.rows);
        rows.all.clear();
        let mut closed: Vec<usize> = Vec::new();
        let id_of = |who: Who| match who {
            Who::Process(place) => all.get(place as usize).map(|p| RowId::Process(p.id)),
            Who::Group(place) => entries.groups.get(place as usize).map(|(id, _)| id.clone()),
        };
        let folds = self.folds();
        let meet = |met: Met| {
            let Some((who, id)) = entries.who.get(met.at as usize).and_then(|who| Some((*who, id_of(*who)?))) else {
                return Step::Into;
            };
            let fold = match met.has_children {
                false => Fold::Leaf,
                true if folds.is_closed(&id) => Fold::Closed,
                true => Fold::Open,
            };
            let group = if let Who::Group(place) = who { Some(place) } else { None };
            let matches = group.is_some() || entries.matches.get(met.at as usize).copied().unwrap_or(false);
            if fold == Fold::Closed {
                closed.push(rows.all.len());
            }
            rows.all.push(Row { id, group, depth: met.depth, fold, below: 0, matches });
            if fold == Fold::Closed { Step::Over } else { Step::Into }
        };
        let mut counts: Vec<u32> = Vec::new();
        forest.walk(&entries.parents, &order.sorted, meet, |count| counts.push(count));
        // Closed entries are counted in the order in which they are met.
        for (row, count) in closed.iter().zip(counts) {
            if let Some(row) = rows.all.get_mut(*row) {
                row.below = count;
            }
        }
        rows.groups.clear();
        rows.groups.extend(entries.groups.iter().map(|(_, figures)| *figures));
        self.rows = rows;
    }

    fn find_unknown(&mut self, sight: &Sight<'_>) {
        let all = sight.snapshot.processes.known().map_or(&[][..], |all| all);
        self.unknown.clear();
        for column in TABLE.iter().filter(|column| matches!(column.worth, Worth::Known(_))) {
            if let Value::Number(_, of, _) = column.value
                && !all.iter().any(|p| of(p, sight).is_some())
            {
                self.unknown.push(column.name);
            }
        }
    }

    /// The rows above the selected one in the tree, nearest first.
    fn above_cursor(&self) -> Vec<RowId> {
        let mut above = Vec::new();
        let Some(place) = self.place().filter(|_| self.choices.form.is_tree()) else { return above };
        let mut depth = self.rows.all.get(place).map_or(0, |row| row.depth);
        for row in self.rows.all.iter().take(place).rev() {
            if row.depth < depth {
                depth = row.depth;
                above.push(row.id.clone());
            }
        }
        above
    }

    /// The cursor of a row that was folded away goes to what it was folded into; that of one that is gone is gone.
    fn keep_cursor(&mut self, above: &[RowId]) -> Option<String> {
        let cursor = self.cursor.clone()?;
        if self.rows.place(&cursor).is_some() {
            return None;
        }
        let name = self.followed.take();
        self.cursor = above.iter().find(|id| self.rows.all.iter().any(|row| row.id == **id && row.fold == Fold::Closed)).cloned();
        name.map(|name| format!("{name} has no row any more: it is no longer followed"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        model::{
            facts::Facts,
            snapshot::{Cgroup, Process, Reading, Snapshot},
            time::Tick,
        },
        query::rows::process::PROCESSES,
        ui::{
            basis::Basis,
            processes::choices::{KernelThreads, Way},
        },
    };
    use proptest::prelude::*;
    use std::sync::Arc;

    fn process(pid: u32, parent: u32, name: &str, cpu: f64, cgroup: &str) -> Process {
        Process {
            id: ProcessId { pid, start: 1 },
            parent,
            name: name.into(),
            cpu: Some(cpu),
            resident: 100,
            cgroup: cgroup.into(),
            ..Process::default()
        }
    }

    fn snapshot(mut all: Vec<Process>, cgroups: Vec<Cgroup>) -> Snapshot {
        all.sort_by_key(|p| p.id);
        Snapshot { processes: Reading::Known(Arc::new(all)), cgroups: Reading::Known(cgroups), ..Snapshot::default() }
    }

    fn rows(rows: &[(u32, &str, f64)]) -> Snapshot {
        snapshot(rows.iter().map(|(pid, name, cpu)| process(*pid, 0, name, *cpu, "/")).collect(), vec![])
    }

    fn take(list: &mut ProcessList, snapshot: &Snapshot) -> Option<String> {
        let facts = Facts::default();
        list.refresh();
        list.rebuild(&Sight { snapshot, facts: &facts, now: Tick(0), basis: Basis::Usual })
    }

    fn of(form: Form) -> ProcessList {
        ProcessList { choices: Choices { form, ..Choices::default() }, ..ProcessList::default() }
    }

    fn id(pid: u32) -> RowId {
        RowId::Process(ProcessId { pid, start: 1 })
    }

    fn group(path: &str) -> RowId {
        RowId::Cgroup(path.into())
    }

    fn pids(list: &ProcessList) -> Vec<u32> {
        list.rows.all.iter().filter_map(|row| Some(row.id.process()?.pid)).collect()
    }

    /// `depth name+hidden`, a line for each row.
    fn told(list: &ProcessList) -> Vec<String> {
        let tell = |row: &Row| {
            let name = match &row.id {
                RowId::Process(id) => id.pid.to_string(),
                RowId::Program(name) | RowId::Cgroup(name) => name.to_string(),
            };
            let more = if row.below > 0 { format!("+{}", row.below) } else { String::new() };
            format!("{} {name}{more}", row.depth)
        };
        list.rows.all.iter().map(tell).collect()
    }

    #[test]
    fn rows_hold_still_while_one_is_selected() {
        let mut list = ProcessList::default();
        take(&mut list, &rows(&[(1, "a", 0.1), (2, "b", 0.9), (3, "c", 0.5)]));
        assert_eq!(pids(&list), [2, 3, 1]);
        list.cursor = Some(id(3));
        take(&mut list, &rows(&[(1, "a", 0.9), (3, "c", 0.1), (4, "d", 1.0)]));
        assert_eq!((pids(&list), list.place()), (vec![3, 1, 4], Some(0)));
        // The selected process ends: the table is free again.
        assert_eq!(take(&mut list, &rows(&[(1, "a", 0.2), (4, "d", 1.0)])), None);
        assert_eq!((pids(&list), &list.cursor), (vec![4, 1], &None));
    }

    #[test]
    fn a_followed_row_wanders_with_the_order_and_its_end_is_told() {
        let mut list = ProcessList::default();
        take(&mut list, &rows(&[(1, "a", 0.9), (2, "b", 0.1)]));
        (list.cursor, list.followed) = (Some(id(2)), Some("b (2)".into()));
        take(&mut list, &rows(&[(1, "a", 0.1), (2, "b", 0.9)]));
        assert_eq!((pids(&list), list.place()), (vec![2, 1], Some(0)));
        assert!(take(&mut list, &rows(&[(1, "a", 0.1)])).unwrap().contains("b (2) has ended"));
        assert_eq!((&list.cursor, &list.followed), (&None, &None));
    }

    #[test]
    fn a_pid_used_again_is_somebody_else() {
        let mut list = ProcessList { cursor: Some(id(2)), ..ProcessList::default() };
        list.marks.insert(ProcessId { pid: 2, start: 1 });
        let mut again = process(2, 0, "b", 0.1, "/");
        again.id.start = 9;
        take(&mut list, &snapshot(vec![again], vec![]));
        assert_eq!((&list.cursor, list.targets()), (&None, vec![]));
    }

    #[test]
    fn rows_that_look_alike_stand_in_the_order_of_their_pids() {
        let mut list = ProcessList::default();
        for [a, b, c] in [[0.001, 0.002, 0.004], [0.004, 0.0, 0.001]] {
            take(&mut list, &rows(&[(3, "a", a), (1, "b", b), (2, "c", c), (9, "d", 0.02)]));
            assert_eq!(pids(&list), [9, 1, 2, 3]);
        }
    }

    #[test]
    fn any_column_gives_an_order_and_what_is_not_known_comes_last_both_ways() {
        let mut all = vec![process(1, 0, "b", 0.5, "/"), process(2, 0, "A", 0.1, "/"), process(3, 0, "c", 0.3, "/")];
        all[0].cpu = None;
        let world = snapshot(all, vec![]);
        let mut list = ProcessList::default();
        for (sort, way, order) in [
            ("cpu", Way::Usual, [3, 2, 1]),
            ("cpu", Way::Inverted, [2, 3, 1]),
            ("name", Way::Usual, [2, 1, 3]),
            ("name", Way::Inverted, [3, 1, 2]),
            ("pid", Way::Usual, [1, 2, 3]),
            ("no such column", Way::Usual, [3, 2, 1]),
        ] {
            (list.choices.sort, list.choices.way) = (sort.into(), way);
            take(&mut list, &world);
            assert_eq!(pids(&list), order, "{sort} {way:?}");
        }
    }

    #[test]
    fn kernel_threads_can_be_left_out() {
        let mut all = vec![process(1, 0, "init", 0.5, "/"), process(2, 0, "kthreadd", 0.1, "/")];
        all[1].kernel = true;
        let mut list = ProcessList::default();
        list.choices.kernel = KernelThreads::Hidden;
        take(&mut list, &snapshot(all, vec![]));
        assert_eq!(pids(&list), [1]);
    }

    #[test]
    fn children_stand_below_their_parents_whatever_the_parents_are() {
        let mut late = process(7, 9, "child of a pid that was used again", 0.0, "/");
        late.id.start = 0;
        let all = vec![
            process(1, 0, "init", 0.0, "/"),
            process(2, 1, "a", 0.1, "/"),
            process(3, 1, "b", 0.2, "/"),
            process(4, 99, "orphan", 0.3, "/"),
            process(5, 6, "round", 0.0, "/"),
            process(6, 5, "round", 0.0, "/"),
            process(8, 8, "its own parent", 0.0, "/"),
            process(9, 2, "later", 0.0, "/"),
            late,
        ];
        let mut list = of(Form::Parents);
        take(&mut list, &snapshot(all, vec![]));
        let mut seen = pids(&list);
        assert_eq!(told(&list)[..5], ["0 4", "0 1", "1 3", "1 2", "2 9"]);
        seen.sort_unstable();
        assert_eq!(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert_eq!(list.rows.all.iter().find(|row| row.id.process().unwrap().pid == 7).unwrap().depth, 0);
    }

    #[test]
    fn a_filter_keeps_what_stands_above_a_match_and_says_that_it_is_none() {
        let all = vec![process(1, 0, "init", 0.0, "/"), process(2, 1, "sh", 0.1, "/"), process(3, 2, "Python3", 0.2, "/")];
        let mut list = of(Form::Parents);
        list.filter.set("py", &PROCESSES).unwrap();
        take(&mut list, &snapshot(all, vec![]));
        assert_eq!(told(&list), ["0 1", "1 2", "2 3"]);
        assert_eq!(list.rows.all.iter().map(|row| row.matches).collect::<Vec<_>>(), [false, false, true]);
    }

    fn measured(path: &str, cpu: f64, memory: u64) -> Cgroup {
        Cgroup { path: path.into(), cpu: Some(cpu), memory: Some(memory), ..Cgroup::default() }
    }

    fn world() -> Snapshot {
        let all = vec![
            process(1, 0, "init", 0.0, ""),
            process(10, 1, "nginx", 0.2, "/system.slice/nginx.service"),
            process(11, 10, "nginx", 0.3, "/system.slice/nginx.service"),
            process(12, 1, "web", 0.4, "/system.slice/docker.service/abc/"),
            process(13, 1, "bash", 0.1, "/user.slice/session-1.scope"),
        ];
        let left = measured("/system.slice/left.service", 0.0, 4096);
        let empty = measured("/system.slice/empty.service", 0.0, 0);
        snapshot(all, vec![measured("/", 9.0, 9), empty, left, measured("/system.slice/nginx.service", 0.9, 5000)])
    }

    #[test]
    fn control_groups_stand_above_their_processes_and_sum_up() {
        let mut list = of(Form::Cgroups);
        take(&mut list, &world());
        let expect = [
            "0 /system.slice",
            "1 /system.slice/nginx.service",
            "2 11",
            "2 10",
            "1 /system.slice/docker.service",
            "2 /system.slice/docker.service/abc",
            "3 12",
            "1 /system.slice/left.service",
            "0 /user.slice",
            "1 /user.slice/session-1.scope",
            "2 13",
            "0 /",
            "1 1",
        ];
        assert_eq!(told(&list), expect);
        let figures = |path: &str| {
            let row = list.rows.all.iter().find(|row| row.id == group(path)).unwrap();
            list.rows.groups[row.group.unwrap() as usize]
        };
        assert_eq!(figures("/system.slice").processes, 3);
        assert!((figures("/system.slice").cpu.unwrap() - 1.3).abs() < 1e-9, "not measured: the sum of what is below");
        assert_eq!(
            (figures("/system.slice/nginx.service").cpu, figures("/system.slice/nginx.service").memory),
            (Some(0.9), 5000.0)
        );
        assert_eq!(figures("/").processes, 1, "only what belongs to no other");
    }

    #[test]
    fn folds_outlive_refreshes_and_the_cursor_goes_where_its_row_went() {
        let mut list = of(Form::Cgroups);
        take(&mut list, &world());
        list.cursor = Some(id(11));
        list.folds().set(&group("/system.slice"), Rule::Closed);
        for _ in 0..2 {
            take(&mut list, &world());
            assert_eq!(told(&list)[..2], ["0 /system.slice+7", "0 /user.slice"]);
            assert_eq!(list.cursor, Some(group("/system.slice")));
        }
        // A group that goes and comes again is still folded.
        take(&mut list, &rows(&[(1, "init", 0.0)]));
        assert_eq!(list.cursor, None);
        take(&mut list, &world());
        assert!(told(&list).contains(&"0 /system.slice+7".to_string()));
    }

    #[test]
    fn programs_are_folded_until_asked_for() {
        let mut list = of(Form::Programs);
        take(&mut list, &world());
        assert_eq!(told(&list), ["0 nginx+2", "0 web+1", "0 bash+1", "0 init+1"]);
        list.folds().set(&RowId::Program("nginx".into()), Rule::Open);
        take(&mut list, &world());
        assert_eq!(told(&list)[..3], ["0 nginx", "1 11", "1 10"]);
    }

    #[test]
    fn marks_outlive_refreshes_and_filters_but_not_their_process() {
        let mut list = ProcessList::default();
        list.marks.extend([10, 13].map(|pid| ProcessId { pid, start: 1 }));
        list.filter.set("web", &PROCESSES).unwrap();
        take(&mut list, &world());
        assert_eq!((pids(&list), list.targets().len()), (vec![12], 2));
        take(&mut list, &rows(&[(13, "bash", 0.0)]));
        assert_eq!(list.targets(), [ProcessId { pid: 13, start: 1 }]);
    }

    fn any_process() -> impl Strategy<Value = Process> {
        let paths = prop::sample::select(vec!["", "/", "/a", "/a/b", "/a/b/", "//a", "/..", "/../x", "/a/b/c/d", "no slash"]);
        (1_u32..30, 0_u32..30, 0_u64..3, "\\PC{0,3}", 0.0..1.0, paths, any::<bool>()).prop_map(
            |(pid, parent, start, name, cpu, path, kernel)| {
                let mut process = process(pid, parent, &name, cpu, path);
                (process.id.start, process.kernel) = (start, kernel);
                process
            },
        )
    }

    proptest! {
        #[test]
        fn each_process_has_one_row_in_every_form(
            all in prop::collection::vec(any_process(), 0..40),
            next in prop::collection::vec(any_process(), 0..40),
            form in prop::sample::select(vec![Form::List, Form::Cgroups, Form::Parents, Form::Programs]),
            sort in prop::sample::select(TABLE.iter().map(|column| column.name).collect::<Vec<_>>()),
            cursor in 0_usize..40,
        ) {
            let mut list = of(form);
            list.folds = Default::default();
            list.choices.sort = sort.into();
            for mut all in [all, next] {
                all.sort_by_key(|p| p.id);
                all.dedup_by_key(|p| p.id.pid);
                let world = snapshot(all.clone(), vec![measured("/a/b", 0.1, 7), measured("/z", 0.1, 7)]);
                take(&mut list, &world);
                let mut seen: Vec<ProcessId> = list.rows.all.iter().filter_map(|row| row.id.process()).collect();
                seen.sort_unstable();
                prop_assert_eq!(seen, all.iter().map(|p| p.id).collect::<Vec<_>>());
                list.cursor = list.rows.all.get(cursor).map(|row| row.id.clone());
            }
        }
    }
}
