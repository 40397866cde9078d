//! The scale on which everything is fitted: distance from the median in units of the median absolute deviation, bent by the inverse
//! hyperbolic sine, which is linear near zero and logarithmic far out. Bursts of a thousand times the usual then weigh like a few times
//! the usual, and values may be negative, which the logarithm does not allow (Burbidge, Magee and Robb 1988).

/// From the units of the metric to the bent scale and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    centre: f64,
    unit: f64,
}

/// Where the bend begins, in units of the median absolute deviation.
const BEND: f64 = 1.0;

/// Moves below this part of the level are rounding: ladders keep single precision, and means of equal values differ in the last digits.
const FLAT: f64 = 1e-6;

/// The bent scale ends here: sinh of it is still far inside of f32.
const MOST: f32 = 40.0;

/// Makes the median absolute deviation of a normal distribution its standard deviation.
const NORMAL: f64 = 1.4826;

impl Scale {
    /// The scale of a series; `None` if all its values are the same but for rounding.
    pub fn of(values: &[f64]) -> Option<Scale> {
        let centre = median(values.to_vec())?;
        let distances: Vec<f64> = values.iter().map(|v| (v - centre).abs()).collect();
        let most = distances.iter().copied().fold(0.0, f64::max);
        if most <= FLAT * centre.abs() {
            return None;
        }
        let square = distances.iter().map(|d| (d / most).powi(2)).sum::<f64>() / distances.len() as f64;
        let spread = most * square.sqrt();
        let near = NORMAL * median(distances)?;
        Some(Scale { centre, unit: if near > 1e-3 * spread { near } else { spread } })
    }

    /// In units around the centre, not bent.
    pub fn plain(self, value: f64) -> f32 {
        ((value - self.centre) / self.unit) as f32
    }

    /// Bends what [`Self::plain`] gives.
    pub fn bend(plain: f32) -> f32 {
        (f64::from(plain) / BEND).asinh() as f32 * BEND as f32
    }

    /// Undoes [`Self::bend`].
    pub fn straighten(bent: f32) -> f32 {
        (bent / BEND as f32).clamp(-MOST, MOST).sinh() * BEND as f32
    }

    /// Undoes [`Self::plain`].
    pub fn value(self, plain: f32) -> f64 {
        f64::from(plain) * self.unit + self.centre
    }
}

/// The middle value (the upper of two); `None` without values.
pub fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> Option<T> {
    let middle = values.len() / 2;
    let order = |a: &T, b: &T| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal);
    (middle < values.len()).then(|| *values.select_nth_unstable_by(middle, order).1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back() {
        let scale = Scale::of(&[1.0, 2.0, 3.0, 4.0, 1e6]).unwrap();
        for value in [-5.0, 0.0, 3.0, 1e6] {
            let bent = Scale::bend(scale.plain(value));
            let back = scale.value(Scale::straighten(bent));
            assert!((back - value).abs() <= 1e-4 * value.abs().max(1.0), "{value} {back}");
        }
    }

    #[test]
    fn a_constant_has_no_scale_and_mostly_the_same_has_one() {
        assert_eq!(Scale::of(&[7.0; 5]), None);
        assert_eq!(Scale::of(&[0.0; 5]), None);
        let rounded: Vec<f64> = (0..200).map(|i| 1.2e-5 * (1.0 + 1e-7 * f64::from(i % 3))).collect();
        assert_eq!(Scale::of(&rounded), None, "the last digits of a mean are no moves");
        let scale = Scale::of(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e300]).unwrap();
        assert!(scale.plain(1e300).is_finite() && scale.plain(1e300) > 1.0);
    }
}
