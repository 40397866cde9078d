//! The forecasts that are weighed against each other: simple ones, which are hard to beat on many series, and regressions.

use crate::{
    analysis::forecast::{
        regress::{Fit, Fits},
        rolling,
        seasonal::Seasonal,
        table::Table,
    },
    model::outlook::Method,
};
use ndarray::{Array1, Array2};
use std::ops::Range;

/// One forecast, on the bent scale: what it said of the past, and what it says now.
pub struct Candidate {
    /// How it is made.
    pub method: Method,
    /// For each horizon and step of the calibration.
    pub past: Array2<f32>,
    /// For each horizon from now.
    pub ahead: Array1<f32>,
}

/// Share by which exponential smoothing follows.
const SMOOTH: f32 = 0.3;
/// Steps of the mean.
const MEAN: usize = 12;

/// A series as candidates see it.
pub struct Ground<'a> {
    /// The values on the bent scale.
    pub values: &'a [f32],
    /// Its season.
    pub seasonal: Option<&'a Seasonal>,
    /// Its table.
    pub table: &'a Table,
    /// The first column of the calibration.
    pub calibration: usize,
}

impl Ground<'_> {
    /// All candidates.
    pub fn candidates(&self) -> Vec<Candidate> {
        let mut all = vec![
            self.flat(Method::LastValue, self.values),
            self.flat(Method::Smoothed, &rolling::smooth(self.values, SMOOTH)),
            self.flat(Method::Mean, &rolling::mean(self.values, MEAN)),
        ];
        if let Some(seasonal) = self.seasonal {
            let at = |course: &[f32], step: usize| course.get(step).copied().unwrap_or_default();
            all.push(self.candidate(Method::SeasonalLast, |step, ahead| at(&seasonal.last, step + ahead)));
            let moved = |step: usize, ahead: usize| at(&seasonal.profile, step + ahead) - at(&seasonal.profile, step);
            all.push(self.candidate(Method::Profile, |step, ahead| at(self.values, step) + moved(step, ahead)));
        }
        let fits = Fits::of(self.table, self.calibration);
        all.push(self.regression(Method::Ridge, &fits.ridge));
        all.push(self.regression(Method::Ridge, &fits.robust));
        all.push(self.regression(Method::ElasticNet, &fits.sparse));
        all
    }

    /// The steps of the calibration.
    pub fn steps(&self) -> Range<usize> {
        self.table.steps.start + self.calibration..self.table.steps.end
    }

    /// What a course came to, for each horizon and step of the calibration.
    pub fn came(&self, course: &[f32]) -> Array2<f32> {
        let (horizons, first) = (&self.table.horizons, self.steps().start);
        let ahead = |horizon: usize| horizons.get(horizon).copied().unwrap_or_default();
        Array2::from_shape_fn((horizons.len(), self.steps().len()), |(h, i)| {
            course.get(first + i + ahead(h)).copied().unwrap_or_default()
        })
    }

    fn candidate(&self, method: Method, says: impl Fn(usize, usize) -> f32) -> Candidate {
        let (horizons, first, now) = (&self.table.horizons, self.steps().start, self.values.len() - 1);
        let ahead = |horizon: usize| horizons.get(horizon).copied().unwrap_or_default();
        Candidate {
            method,
            past: Array2::from_shape_fn((horizons.len(), self.steps().len()), |(h, i)| says(first + i, ahead(h))),
            ahead: Array1::from_shape_fn(horizons.len(), |h| says(now, ahead(h))),
        }
    }

    /// The same for each horizon.
    fn flat(&self, method: Method, course: &[f32]) -> Candidate {
        self.candidate(method, |step, _| course.get(step).copied().unwrap_or_default())
    }

    /// Not further outside of what was ever seen than a quarter of its range.
    fn regression(&self, method: Method, [early, all]: &[Fit; 2]) -> Candidate {
        let (low, high) = self.values.iter().fold((f32::MAX, f32::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
        let more = (high - low) / 4.0;
        let level = Array1::from_iter(self.values.iter().skip(self.steps().start).take(self.steps().len()).copied());
        let keep = |v: f32| v.clamp(low - more, high + more);
        let past = early.past(self.table, self.calibration..self.table.columns()) + &level;
        let ahead = all.ahead(self.table) + self.values.last().copied().unwrap_or_default();
        Candidate { method, past: past.mapv(keep), ahead: ahead.mapv(keep) }
    }
}
