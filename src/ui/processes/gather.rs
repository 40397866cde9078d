//! The entries of each form: which processes have a row, which groups stand above them, and what these sum up to.

use crate::{
    model::{snapshot::Process, subject::ProcessId},
    ui::{
        filter::Sieve,
        processes::{
            choices::{Choices, Form, KernelThreads},
            figures::Figures,
            filter, forest,
            row::{RowId, Sight},
        },
    },
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// What is to be gathered.
pub struct Wish<'a> {
    /// What the operator chose.
    pub choices: &'a Choices,
    /// The filter.
    pub filter: &'a Sieve,
    /// Marked processes.
    pub marks: &'a BTreeSet<ProcessId>,
    /// Rows that hold their places.
    pub held: &'a HashMap<RowId, u32>,
    /// What is seen.
    pub sight: &'a Sight<'a>,
}

impl Wish<'_> {
    /// Whether a process has a row of its own. One that holds its place keeps it, though its numbers may have left the filter.
    fn shows(&self, p: &Process) -> bool {
        !(p.kernel && self.choices.kernel == KernelThreads::Hidden)
            && (filter::matches(p, self.filter, self.marks, self.sight) || self.held.contains_key(&RowId::Process(p.id)))
    }
}

/// Who an entry is about: a process by its place in the snapshot, or a group by its place in [`Entries::groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A process.
    Process(u32),
    /// A group.
    Group(u32),
}

/// Entries with their parents.
#[derive(Clone, Debug, Default)]
pub struct Entries {
    /// Who.
    pub who: Vec<Who>,
    /// Those above.
    pub parents: forest::Parents,
    /// It matches the filter.
    pub matches: Vec<bool>,
    /// It has a row.
    pub keep: Vec<bool>,
    /// Groups.
    pub groups: Vec<(RowId, Figures)>,
}

impl Entries {
    fn clear(&mut self) {
        self.who.clear();
        self.parents.clear();
        self.matches.clear();
        self.keep.clear();
        self.groups.clear();
    }

    fn add(&mut self, who: Who, parent: Option<u32>, matches: bool) {
        self.who.push(who);
        self.parents.push(parent);
        self.matches.push(matches);
    }

    fn group(&mut self, id: RowId, parent: Option<u32>) -> u32 {
        let group = self.groups.len() as u32;
        self.groups.push((id, Figures::default()));
        let at = self.who.len() as u32;
        self.add(Who::Group(group), parent, false);
        at
    }

    /// Gathers the processes in the form that was chosen.
    pub fn gather(&mut self, all: &[Process], wish: &Wish<'_>) {
        self.clear();
        match wish.choices.form {
            Form::List => self.list(all, wish),
            Form::Parents => self.by_parent(all, wish),
            Form::Programs => self.by_name(all, wish),
            Form::Cgroups => self.by_cgroup(all, wish),
        }
        self.keep.extend_from_slice(&self.matches);
        if wish.choices.form != Form::List {
            forest::keep_above(&self.parents, &mut self.keep);
        }
    }

    fn list(&mut self, all: &[Process], wish: &Wish<'_>) {
        for (at, _) in (0..).zip(all).filter(|(_, p)| wish.shows(p)) {
            self.add(Who::Process(at), None, true);
        }
    }

    /// A parent that began after its child is another process with the pid of the one that ended: the child stands alone.
    fn by_parent(&mut self, all: &[Process], wish: &Wish<'_>) {
        let place = |child: &Process| {
            let at = all.binary_search_by_key(&child.parent, |p| p.id.pid).ok()?;
            let parent = all.get(at).filter(|p| p.id.start <= child.id.start && p.id != child.id)?;
            Some((at as u32).min(u32::MAX - 1)).filter(|_| parent.id.pid != 0)
        };
        for (at, process) in (0..).zip(all) {
            self.add(Who::Process(at), place(process), wish.shows(process));
        }
        forest::cut_circles(&mut self.parents);
    }

    fn by_name(&mut self, all: &[Process], wish: &Wish<'_>) {
        let mut programs: BTreeMap<&Arc<str>, Vec<u32>> = BTreeMap::new();
        for (at, process) in (0..).zip(all).filter(|(_, p)| wish.shows(p)) {
            programs.entry(&process.name).or_default().push(at);
        }
        for (name, members) in programs {
            let group = self.group(RowId::Program(name.clone()), None);
            for at in members {
                if let (Some(process), Some((_, figures))) = (all.get(at as usize), self.groups.last_mut()) {
                    figures.add(process);
                }
                self.add(Who::Process(at), Some(group), true);
            }
        }
    }

    /// Numbers of a group are those of all its processes, whether the filter lets them through or not.
    fn by_cgroup(&mut self, all: &[Process], wish: &Wish<'_>) {
        let measured = wish.sight.snapshot.cgroups.known().map_or(&[][..], |groups| groups);
        let mut paths: HashMap<&str, u32> = HashMap::with_capacity(measured.len());
        let mut before: Option<(&str, u32)> = None;
        for group in measured.iter().filter(|g| &*g.path != "/") {
            self.path(&group.path, Some(&group.path), &mut paths);
        }
        for (at, process) in (0..).zip(all) {
            // Neighbours are often of one group.
            let group = match before {
                Some((path, group)) if path == &*process.cgroup => group,
                _ => self.path(&process.cgroup, Some(&process.cgroup), &mut paths),
            };
            before = Some((&process.cgroup, group));
            if let Some((_, figures)) = self.figures(group) {
                figures.add(process);
            }
            self.add(Who::Process(at), Some(group), wish.shows(process));
        }
        self.sum_up(wish);
    }

    fn figures(&mut self, at: u32) -> Option<&mut (RowId, Figures)> {
        match self.who.get(at as usize)? {
            Who::Group(group) => self.groups.get_mut(*group as usize),
            Who::Process(_) => None,
        }
    }

    /// The entry of a path, made with those above it if it is new. `/` is one of them, beside the others: it holds what belongs to none.
    fn path<'a>(&mut self, path: &'a str, shared: Option<&Arc<str>>, paths: &mut HashMap<&'a str, u32>) -> u32 {
        let path = normal(path);
        if let Some(at) = paths.get(path) {
            return *at;
        }
        let above = path.rfind('/').and_then(|end| path.get(..end)).filter(|above| !above.is_empty());
        let parent = above.map(|above| self.path(above, None, paths));
        let name = shared.filter(|shared| &***shared == path).cloned().unwrap_or_else(|| path.into());
        let at = self.group(RowId::Cgroup(name), parent);
        paths.insert(path, at);
        at
    }

    /// Takes what is measured of each group, or else the sum of what stands below it. A group comes after those above it.
    fn sum_up(&mut self, wish: &Wish<'_>) {
        for at in (0..self.who.len()).rev() {
            let Some(Who::Group(group)) = self.who.get(at).copied() else { continue };
            let Some((RowId::Cgroup(path), figures)) = self.groups.get_mut(group as usize) else { continue };
            if let Some(measured) = wish.sight.snapshot.cgroup(path).filter(|_| &**path != "/") {
                figures.measure(measured);
                // What was left behind without a process is of interest as long as it holds memory.
                if let Some(matches) = self.matches.get_mut(at).filter(|_| wish.filter.is_empty()) {
                    *matches = measured.memory.is_some_and(|bytes| bytes > 0);
                }
            }
            let figures = *figures;
            if let Some(parent) = self.parents.get(at).copied().flatten()
                && let Some((_, sums)) = self.figures(parent)
            {
                sums.add_all(&figures);
            }
        }
    }
}

/// A path without a slash at its end; the root, and what could not be read, is `/`.
fn normal(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    if path.is_empty() { "/" } else { path }
}
