//! Swap, compressed memory and nodes: states as they are, allocations of the nodes as rates.

use super::delta::rate;
use crate::model::backing::{Backing, BackingSample, Node, NodeSample};

/// What the newest sample says; `old` is the one before.
pub(super) fn backing(old: Option<&BackingSample>, new: &BackingSample, seconds: f64) -> Backing {
    let before = |number: u32| old?.nodes.iter().find(|node| node.number == number);
    Backing {
        swaps: new.swaps.clone(),
        zrams: new.zrams.clone(),
        zswap: new.zswap.clone(),
        nodes: new.nodes.iter().map(|row| node(before(row.number), row, seconds)).collect(),
    }
}

fn node(old: Option<&NodeSample>, new: &NodeSample, seconds: f64) -> Node {
    let given = old.map(|old| {
        let per = |field: fn(&NodeSample) -> u64| rate(field(old), field(new), seconds);
        [per(|n| n.hit), per(|n| n.miss), per(|n| n.foreign)]
    });
    Node { number: new.number, total: new.total, free: new.free, anon: new.anon, file: new.file, given }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_node_has_rates_from_its_second_sample_on_even_when_another_came() {
        let sample = |nodes: &[(u32, u64, u64)]| BackingSample {
            nodes: nodes
                .iter()
                .map(|(number, hit, miss)| NodeSample { number: *number, hit: *hit, miss: *miss, ..NodeSample::default() })
                .collect(),
            ..BackingSample::default()
        };
        let old = sample(&[(1, 100, 10)]);
        assert_eq!(backing(None, &old, 0.0).nodes[0].given, None);
        let new = backing(Some(&old), &sample(&[(0, 9, 9), (1, 300, 20)]), 5.0);
        assert_eq!((new.nodes[0].given, new.nodes[1].given), (None, Some([40.0, 2.0, 0.0])));
    }
}
