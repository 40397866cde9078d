//! How far off one has to expect to be at each step. Errors come in calm and in wild times; what tells them apart is learnt: a regression
//! of the logarithm of the error on how much the series moved of late (at several paces), how far it is from its usual level,
//! where it stands, and how much it moved at this time of the season (multiplicative heteroscedasticity, Harvey 1976).

use crate::analysis::forecast::{rolling, scale::median, seasonal::Seasonal};
use linfa::{Dataset, traits::Fit};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2, Axis};

/// Paces at which volatility is followed.
const PACES: [f32; 4] = [0.3, 0.1, 0.03, 0.005];
/// Paces of the levels that a value's distance is taken from.
const LEVELS: [f32; 2] = [0.1, 0.01];
/// Pace of the volatility whose season is looked at.
const SEASON: f32 = 0.1;
/// Every so many steps of the calibration are learnt from: neighbours tell the same.
const EVERY: usize = 3;
/// The ridge, for each step that is learnt from.
const RIDGE: f64 = 0.1;
/// A feature is believed up to so many standard deviations, the result up to this logarithm.
const MOST: (f32, f32) = (4.0, 3.0);

/// What the features come from.
pub struct Signs<'a> {
    /// The series around its median.
    pub plain: &'a [f32],
    /// The same on the bent scale.
    pub bent: &'a [f32],
    /// Steps of its season.
    pub period: Option<usize>,
    /// Horizon in the middle, steps.
    pub middle: usize,
}

/// The expected error at each step of the series, up to a common factor. `errors`: by horizon and step of the calibration, which begins at
/// step `first` of the series. All the same where nothing can be learnt.
pub fn expected(signs: &Signs<'_>, errors: &Array2<f32>, first: usize) -> Vec<f32> {
    learnt(signs, errors, first).unwrap_or_else(|| vec![1.0; signs.plain.len()])
}

fn learnt(signs: &Signs<'_>, errors: &Array2<f32>, first: usize) -> Option<Vec<f32>> {
    let mut features = signs.features();
    let target = size(errors);
    let mean = target.mean()?;
    let steps = || (first..).step_by(EVERY).take(target.len());
    for feature in &mut features {
        let at = |i: usize| feature.get(i).copied().unwrap_or_default();
        let (middle, spread) = (steps().map(at).sum::<f32>() / target.len() as f32, rolling::spread(steps().map(at)) + 1e-6);
        feature.iter_mut().for_each(|v| *v = ((*v - middle) / spread).clamp(-MOST.0, MOST.0));
    }
    let (rows, columns) = (target.len(), features.len());
    let ridge = (RIDGE * rows as f64).sqrt();
    let mut x = Array2::zeros((rows + columns, columns));
    let mut y = Array1::zeros(rows + columns);
    y.iter_mut().zip(&target).for_each(|(y, size)| *y = f64::from(size - mean));
    for (i, (mut column, feature)) in x.axis_iter_mut(Axis(1)).zip(&features).enumerate() {
        column.iter_mut().zip(feature.iter().skip(first).step_by(EVERY)).take(rows).for_each(|(x, v)| *x = f64::from(*v));
        column.iter_mut().skip(rows + i).take(1).for_each(|x| *x = ridge);
    }
    let model = LinearRegression::default().with_intercept(false).fit(&Dataset::new(x, y)).ok()?;
    let mut out = vec![0.0; signs.plain.len()];
    for (feature, factor) in features.iter().zip(model.params()) {
        out.iter_mut().zip(feature).for_each(|(out, v)| *out += *factor as f32 * v);
    }
    let out: Vec<f32> = out.iter().map(|v| v.clamp(-MOST.1, MOST.1).exp()).collect();
    out.iter().all(|v| v.is_finite()).then_some(out)
}

/// The logarithm of the error at each step that is learnt from: the mean over the horizons, each in units of its own mean.
fn size(errors: &Array2<f32>) -> Array1<f32> {
    let steps = errors.ncols().max(1) as f32;
    let usual: Vec<f32> = errors.rows().into_iter().map(|row| row.iter().map(|v| v.abs()).sum::<f32>() / steps + 1e-9).collect();
    let of =
        |column: ndarray::ArrayView1<'_, f32>| column.iter().zip(&usual).map(|(error, usual)| error.abs() / usual).sum::<f32>();
    errors.columns().into_iter().step_by(EVERY).map(|column| (of(column) / usual.len().max(1) as f32 + 0.05).ln()).collect()
}

impl Signs<'_> {
    fn features(&self) -> Vec<Vec<f32>> {
        let least = 1e-3 * rolling::spread(self.plain.iter().copied()) + 1e-9;
        let logarithm = |course: Vec<f32>| {
            let floor = median(course.clone()).unwrap_or_default() / 4.0 + least;
            course.iter().map(|v| (v + floor).ln()).collect::<Vec<f32>>()
        };
        let moves = PACES.map(|pace| logarithm(rolling::volatility(self.plain, pace)));
        let apart =
            |pace: f32| rolling::smooth(self.plain, pace).iter().zip(self.plain).map(|(level, v)| (level - v).abs()).collect();
        let mut all: Vec<Vec<f32>> = moves.into_iter().chain(LEVELS.map(|pace| logarithm(apart(pace)))).collect();
        all.push(self.bent.to_vec());
        if let Some(period) = self.period {
            let profile = Seasonal::new(&rolling::volatility(self.plain, SEASON), period, self.middle).profile;
            all.push(logarithm(profile.into_iter().skip(self.middle).collect()));
        }
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn wild_times_are_told_from_calm_ones() {
        // Every second hundred of steps moves ten times as much, and errors are as large as the moves.
        let wild = |i: usize| if (i / 100).is_multiple_of(2) { 1.0 } else { 10.0 };
        let plain: Vec<f32> = (0..1200).map(|i| if i % 2 == 0 { wild(i) } else { -wild(i) }).collect();
        let errors = Array2::from_shape_fn((3, 800), |(_, i)| plain[400 + i]);
        let signs = Signs { plain: &plain, bent: &plain, period: None, middle: 1 };
        let expected = expected(&signs, &errors, 400);
        assert!(expected[1190] > 4.0 * expected[1090], "{} {}", expected[1190], expected[1090]);
    }
}
