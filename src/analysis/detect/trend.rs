//! A straight line through a series (least squares), and how well it fits.

use crate::model::{series::Point, time::Tick};
use linfa::{Dataset, traits::Fit};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

/// Points that a line is laid through at most; longer series are averaged into so many spans first.
const MOST: usize = 60;

/// A line through a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Line {
    /// Change per second.
    pub(super) slope: f64,
    /// R squared: share of the variance that the line explains.
    pub(super) fit: f64,
    /// Seconds from the first to the last point.
    pub(super) span: f64,
    /// Where the line stands at the last point.
    pub(super) end: f64,
}

impl Line {
    /// The line through `points`, oldest first; `None` with fewer than five, or where nothing varies.
    pub(super) fn through(points: impl ExactSizeIterator<Item = Point>) -> Option<Line> {
        let (times, values) = spans(points)?;
        let (first, last) = (*times.first()?, *times.last()?);
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let total: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        if times.len() < 5 || last <= first || total <= 0.0 || !total.is_finite() {
            return None;
        }
        // In units of the span and of the spread, so that the least squares are well conditioned.
        let (width, spread) = (last - first, (total / values.len() as f64).sqrt());
        let x: Vec<f64> = times.iter().map(|t| (t - first) / width).collect();
        let y: Array1<f64> = values.iter().map(|v| (v - mean) / spread).collect();
        let records = Array2::from_shape_vec((x.len(), 1), x.clone()).ok()?;
        let model = LinearRegression::default().fit(&Dataset::new(records, y.clone())).ok()?;
        let (slope, start) = (*model.params().first()?, model.intercept());
        let missed: f64 = x.iter().zip(&y).map(|(x, y)| (y - start - slope * x).powi(2)).sum();
        let line = Line {
            slope: slope * spread / width,
            fit: 1.0 - missed / values.len() as f64,
            span: width,
            end: mean + (start + slope) * spread,
        };
        line.slope.is_finite().then_some(line)
    }
}

/// At most [`MOST`] means, with their times in seconds after the first point.
fn spans(points: impl ExactSizeIterator<Item = Point>) -> Option<(Vec<f64>, Vec<f64>)> {
    let per = points.len().div_ceil(MOST).max(1);
    let (mut times, mut values) = (Vec::with_capacity(MOST), Vec::with_capacity(MOST));
    let mut origin: Option<Tick> = None;
    let (mut count, mut time, mut value) = (0usize, 0.0, 0.0);
    let left = points.len();
    for (i, point) in points.enumerate() {
        time += point.at.seconds_since(*origin.get_or_insert(point.at));
        value += point.value;
        count += 1;
        if count == per || i + 1 == left {
            times.push(time / count as f64);
            values.push(value / count as f64);
            (count, time, value) = (0, 0.0, 0.0);
        }
    }
    origin.map(|_| (times, values))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    fn points(values: impl ExactSizeIterator<Item = f64>) -> impl ExactSizeIterator<Item = Point> {
        values.enumerate().map(|(i, value)| Point { at: Tick(i as u64 * 1_000_000_000), value })
    }

    #[test]
    fn a_line_is_found_at_any_scale() {
        for scale in [1e-9, 1.0, 1e12] {
            let line = Line::through(points((0..600).map(|i| scale * (5.0 + 0.5 * f64::from(i))))).unwrap();
            assert!((line.slope / scale - 0.5).abs() < 1e-6 && line.fit > 0.999_999, "{line:?}");
        }
    }

    #[test]
    fn no_line_goes_through_a_constant_or_a_few_points() {
        assert_eq!(Line::through(points((0..600).map(|_| 7.0))), None);
        assert_eq!(Line::through(points((0..4).map(f64::from))), None);
        assert_eq!(Line::through(points((0..0).map(f64::from))), None);
    }

    #[test]
    fn a_saw_has_a_poor_fit() {
        let line = Line::through(points((0..600).map(|i| f64::from(i % 60)))).unwrap();
        assert!(line.fit < 0.5, "{line:?}");
    }
}
