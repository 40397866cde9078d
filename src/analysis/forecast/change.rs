//! Since when a series goes its present way: the newest step to another level that stayed. What came before tells of another machine.

use crate::analysis::pattern::step;

/// Blocks at most whose means are looked at.
const BLOCKS: usize = 256;

/// The first index after the newest step, if there was one.
pub fn since(values: &[f32]) -> Option<usize> {
    let length = values.len().div_ceil(BLOCKS).max(1);
    let off = values.len() % length;
    let mean = |block: &[f32]| block.iter().map(|v| f64::from(*v)).sum::<f64>() / block.len() as f64;
    let blocks: Vec<f64> = values.get(off..)?.chunks(length).map(mean).collect();
    step::find(&blocks).map(|step| off + step.at * length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_at_its_place_and_none_in_a_level() {
        let ripple = |i: usize| (i * 7919 % 101) as f32 / 101.0;
        let values: Vec<f32> = (0..3000).map(|i| ripple(i) + if i < 1800 { 0.0 } else { 5.0 }).collect();
        assert!(since(&values).unwrap().abs_diff(1800) <= 3000_usize.div_ceil(BLOCKS));
        assert_eq!(since(&values[..1800]), None);
        assert_eq!(since(&[]), None);
    }
}
