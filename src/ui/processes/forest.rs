//! Trees in flat arrays: parents are places, and every entry is met exactly once, whatever the parents say. Parents come from outside
//! and at different moments, so that they may be missing, or go round in a circle.

/// No entry.
const NONE: u32 = u32::MAX;

/// Parents by place; `None` is a root.
pub type Parents = Vec<Option<u32>>;

/// What a walk knows of an entry when it meets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Met {
    /// Which.
    pub at: u32,
    /// Entries above it.
    pub depth: u16,
    /// Some stand below it.
    pub has_children: bool,
}

/// What is to be done after an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Those below it are next.
    Into,
    /// Those below it are only counted.
    Over,
}

/// Memory of the walks, used again and again.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    first: Vec<u32>,
    next: Vec<u32>,
}

fn get(all: &[u32], at: u32) -> u32 {
    all.get(at as usize).copied().unwrap_or(NONE)
}

fn set(all: &mut [u32], at: u32, to: u32) {
    if let Some(slot) = all.get_mut(at as usize) {
        *slot = to;
    }
}

fn above(parents: &[Option<u32>], at: u32) -> u32 {
    parents.get(at as usize).copied().flatten().filter(|up| (*up as usize) < parents.len()).unwrap_or(NONE)
}

/// Makes the entry at which a circle is noticed a root.
pub fn cut_circles(parents: &mut [Option<u32>]) {
    // 0: not met; n: met on the n-th way up.
    let mut met = vec![0_u32; parents.len()];
    for (way, start) in (1_u32..).zip(0..parents.len() as u32) {
        let mut at = start;
        while get(&met, at) == 0 {
            set(&mut met, at, way);
            let up = above(parents, at);
            if up == NONE {
                break;
            }
            if get(&met, up) == way {
                if let Some(link) = parents.get_mut(at as usize) {
                    *link = None;
                }
                break;
            }
            at = up;
        }
    }
}

/// Lets everything above an entry that is kept be kept as well.
pub fn keep_above(parents: &[Option<u32>], keep: &mut [bool]) {
    for at in 0..keep.len() as u32 {
        if !keep.get(at as usize).copied().unwrap_or(false) {
            continue;
        }
        let mut up = above(parents, at);
        while let Some(kept) = keep.get_mut(up as usize).filter(|kept| !**kept) {
            *kept = true;
            up = above(parents, up);
        }
    }
}

impl Forest {
    /// Goes through the entries of `order`, which has none twice and with each its parent: siblings as they stand there, children after
    /// their parent. `counted` gets, for each closed entry in the order in which they are met, the number of those below it.
    pub fn walk(
        &mut self,
        parents: &[Option<u32>],
        order: &[u32],
        mut meet: impl FnMut(Met) -> Step,
        mut counted: impl FnMut(u32),
    ) {
        let root = self.link(parents, order);
        let (mut at, mut depth) = (root, 0_u16);
        // The closed entry that we are below, and how many were counted.
        let mut closed: Option<(u32, u32)> = None;
        while at != NONE {
            let child = get(&self.first, at);
            if let Some((_, count)) = &mut closed {
                *count += 1;
            } else if meet(Met { at, depth, has_children: child != NONE }) == Step::Over && child != NONE {
                closed = Some((at, 0));
            }
            if child != NONE {
                (at, depth) = (child, depth.saturating_add(1));
                continue;
            }
            while at != NONE && get(&self.next, at) == NONE {
                at = above(parents, at);
                depth = depth.saturating_sub(1);
                if let Some((_, count)) = closed.filter(|(which, _)| *which == at) {
                    counted(count);
                    closed = None;
                }
            }
            if at != NONE {
                at = get(&self.next, at);
            }
        }
    }

    /// Links siblings in order; returns the first root.
    fn link(&mut self, parents: &[Option<u32>], order: &[u32]) -> u32 {
        for list in [&mut self.first, &mut self.next] {
            list.clear();
            list.resize(parents.len(), NONE);
        }
        let mut root = NONE;
        for at in order.iter().rev() {
            let up = above(parents, *at);
            let head = if up == NONE { std::mem::replace(&mut root, *at) } else { get(&self.first, up) };
            set(&mut self.next, *at, head);
            if up != NONE {
                set(&mut self.first, up, *at);
            }
        }
        root
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn walk(parents: &[Option<u32>], order: &[u32], closed: &[u32]) -> (Vec<(u32, u16)>, Vec<u32>) {
        let (mut met, mut counts) = (Vec::new(), Vec::new());
        let step = |m: Met| {
            met.push((m.at, m.depth));
            if closed.contains(&m.at) { Step::Over } else { Step::Into }
        };
        Forest::default().walk(parents, order, step, |count| counts.push(count));
        (met, counts)
    }

    #[test]
    fn children_follow_their_parent_in_the_order_of_siblings() {
        let parents = [None, Some(0), Some(0), None, Some(2)];
        let (met, counts) = walk(&parents, &[3, 2, 1, 4, 0], &[]);
        assert_eq!(met, [(3, 0), (0, 0), (2, 1), (4, 2), (1, 1)]);
        assert!(counts.is_empty());
        let (met, counts) = walk(&parents, &[0, 1, 2, 3, 4], &[0]);
        assert_eq!((met, counts), (vec![(0, 0), (3, 0)], vec![3]));
        let (met, counts) = walk(&parents, &[0, 1, 2, 3, 4], &[2, 3]);
        assert_eq!((met, counts), (vec![(0, 0), (1, 1), (2, 1), (3, 0)], vec![1]));
    }

    #[test]
    fn a_chain_of_ten_thousand_is_no_deeper_than_memory() {
        let parents: Parents = (0..10_000_u32).map(|n| n.checked_sub(1)).collect();
        let order: Vec<u32> = (0..10_000).collect();
        assert_eq!(walk(&parents, &order, &[]).0.last(), Some(&(9999, 9999)));
    }

    proptest! {
        #[test]
        fn everything_is_met_once_or_counted_once(
            mut parents in prop::collection::vec(prop::option::of(0_u32..40), 0..40),
            closed in prop::collection::vec(0_u32..40, 0..10),
            turn in 0_usize..40,
        ) {
            cut_circles(&mut parents);
            let mut order: Vec<u32> = (0..parents.len() as u32).collect();
            if !order.is_empty() {
                let turn = turn % order.len();
                order.rotate_left(turn);
            }
            let (met, counts) = walk(&parents, &order, &closed);
            let mut seen: Vec<u32> = met.iter().map(|(at, _)| *at).collect();
            let hidden: u32 = counts.iter().sum();
            prop_assert_eq!(seen.len() + hidden as usize, parents.len());
            seen.sort_unstable();
            seen.dedup();
            prop_assert_eq!(seen.len(), met.len());
            for (at, depth) in met {
                prop_assert_eq!(depth == 0, above(&parents, at) == NONE);
            }
        }

        #[test]
        fn what_stands_above_what_is_kept_is_kept(
            mut parents in prop::collection::vec(prop::option::of(0_u32..30), 1..30),
            mut keep in prop::collection::vec(any::<bool>(), 30),
        ) {
            cut_circles(&mut parents);
            keep.truncate(parents.len());
            keep.resize(parents.len(), false);
            keep_above(&parents, &mut keep);
            for at in 0..parents.len() as u32 {
                let up = above(&parents, at);
                prop_assert!(!keep[at as usize] || up == NONE || keep[up as usize]);
            }
        }
    }
}
