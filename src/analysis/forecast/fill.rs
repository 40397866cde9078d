//! Gaps. Regressions need a value in every step: a gap is bridged by the straight line between its neighbours, and what lies before the
//! first value is left out.

/// Beyond this a number is taken for this: sums of differences stay finite.
const MOST: f64 = 1e300;

/// A series without gaps.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// Values, oldest first; never empty.
    pub values: Vec<f64>,
    /// Steps without a value before the first one.
    pub before: usize,
    /// Steps without a value after the last one.
    pub after: usize,
}

impl Filled {
    /// Bridges the gaps; `None` if no value is finite.
    pub fn new(values: &[f64]) -> Option<Filled> {
        let first = values.iter().position(|v| v.is_finite())?;
        let last = values.iter().rposition(|v| v.is_finite())?;
        let mut out: Vec<f64> = Vec::with_capacity(last + 1 - first);
        let mut missing = 0;
        for value in values.get(first..=last)? {
            if !value.is_finite() {
                missing += 1;
                continue;
            }
            let value = value.clamp(-MOST, MOST);
            let from = out.last().copied().unwrap_or(value);
            let share = |i: usize| i as f64 / (missing + 1) as f64;
            out.extend((1..=missing).map(|i| from * (1.0 - share(i)) + value * share(i)));
            out.push(value);
            missing = 0;
        }
        Some(Filled { values: out, before: first, after: values.len() - 1 - last })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    const GAP: f64 = f64::NAN;

    #[test]
    fn a_gap_is_bridged_and_the_edges_are_counted() {
        let filled = Filled::new(&[GAP, 1.0, GAP, GAP, 4.0, 5.0, GAP, f64::INFINITY]).unwrap();
        assert_eq!(filled, Filled { values: vec![1.0, 2.0, 3.0, 4.0, 5.0], before: 1, after: 2 });
    }

    #[test]
    fn nothing_comes_of_nothing() {
        assert_eq!(Filled::new(&[]), None);
        assert_eq!(Filled::new(&[GAP, f64::NEG_INFINITY]), None);
    }

    #[test]
    fn huge_values_stay_finite() {
        let filled = Filled::new(&[f64::MAX, GAP, f64::MIN]).unwrap();
        assert!(filled.values.iter().all(|v| v.abs() <= MOST), "{filled:?}");
    }
}
