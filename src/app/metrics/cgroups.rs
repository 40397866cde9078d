//! Which control groups are exported: a host may have thousands, a time series costs somebody something for ever.
//!
//! They are chosen by what they have used since they began, so that the choice seldom changes and series do not come and go.

use crate::model::sample::{CgroupSample, Counters};
use std::{cmp::Reverse, collections::HashSet, sync::Arc};

/// So many by cpu time used, and so many by memory charged.
pub const MOST_BY_CPU: usize = 40;
/// See [`MOST_BY_CPU`].
pub const MOST_BY_MEMORY: usize = 20;

/// The chosen ones.
#[derive(Debug, Default)]
pub struct Chosen {
    paths: HashSet<Arc<str>>,
    /// How many there are besides.
    pub others: usize,
}

impl Chosen {
    /// Those that use most.
    pub fn of(counters: &Counters) -> Chosen {
        let all = &counters.cgroups;
        let mut paths = HashSet::new();
        for (most, by) in [(MOST_BY_CPU, (|row| row.cpu) as fn(&CgroupSample) -> Option<u64>), (MOST_BY_MEMORY, |row| row.memory)] {
            let mut rows: Vec<(u64, &Arc<str>)> = all.iter().filter_map(|row| Some((by(row)?, &row.path))).collect();
            rows.sort_by_key(|(used, path)| (Reverse(*used), *path));
            paths.extend(rows.into_iter().take(most).map(|(_, path)| path.clone()));
        }
        let others = all.len().saturating_sub(paths.len());
        Chosen { paths, others }
    }

    /// True when the control group of that path is exported.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greatest_users_are_chosen_and_no_more_than_fit() {
        let row =
            |i: u64| CgroupSample { path: format!("/{i}").into(), cpu: Some(i), memory: Some(1000 - i), ..CgroupSample::default() };
        let chosen = Chosen::of(&Counters { cgroups: (0..100).map(row).collect(), ..Counters::default() });
        assert!(chosen.has("/99") && chosen.has("/60") && !chosen.has("/59"), "by cpu");
        assert!(chosen.has("/0") && chosen.has("/19") && !chosen.has("/20"), "by memory");
        assert_eq!(chosen.others, 40);
    }
}
