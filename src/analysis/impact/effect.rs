//! The effect on one metric: relative change of the mean, with an interval that knows how few independent points there are.

use crate::{
    analysis::impact::{
        counts, distribution,
        moments::{Moments, pooled},
    },
    model::{metric::Better, verdict::Effect},
};

/// A change from nothing has no ratio; this stands for it, and bounds all others.
const MOST: f64 = 1000.0;

/// Two means and what is known about their difference.
#[derive(Clone, Copy, Debug)]
pub struct Difference {
    /// Before.
    pub was: Moments,
    /// After.
    pub is: Moments,
    /// Variance of the mean before, and after.
    pub variances: (f64, f64),
    /// Degrees of freedom (Welch and Satterthwaite, of effective points).
    pub df: f64,
}

impl Difference {
    /// Of two windows of one series.
    pub fn of(before: &[f64], after: &[f64]) -> Difference {
        let (was, is) = (Moments::of(before), Moments::of(after));
        let rho = pooled(&was, &is);
        let variances = (was.variance_of_mean(rho), is.variance_of_mean(rho));
        let part = |m: &Moments, v: f64| v * v / (m.effective(rho) - 1.0).max(0.5);
        // As shares of the whole, so that tiny and huge variances square well.
        let whole = variances.0 + variances.1;
        let df = if whole > 0.0 { 1.0 / (part(&was, variances.0 / whole) + part(&is, variances.1 / whole)) } else { 1e6 };
        Difference { was, is, variances, df }
    }

    /// The same with so much more variance after: what is taken out by a control is not known exactly either.
    pub fn widened(self, more: f64) -> Difference {
        Difference { variances: (self.variances.0, self.variances.1 + more), ..self }
    }

    /// Standard error of the difference.
    pub fn error(&self) -> f64 {
        (self.variances.0 + self.variances.1).sqrt()
    }

    /// The chance of so large a change for the better, were nothing changed (one-sided t).
    pub fn chance(&self, better: Better) -> f64 {
        let gain = match better {
            Better::Higher => self.is.mean - self.was.mean,
            Better::Lower => self.was.mean - self.is.mean,
        };
        if self.error() == 0.0 {
            return if gain > 0.0 { f64::MIN_POSITIVE } else { 1.0 };
        }
        let beyond = distribution::beyond(gain / self.error(), self.df) / 2.0;
        if gain > 0.0 { beyond } else { 1.0 - beyond }
    }
}

/// The effect of a change, from the values before and after.
pub fn of(before: &[f64], after: &[f64]) -> Effect {
    if counts::are_rare(before, after) {
        return counts::effect(before, after);
    }
    from(&Difference::of(before, after))
}

/// The effect that two means and the spread of their difference amount to.
pub fn from(d: &Difference) -> Effect {
    let (was, is) = (d.was.mean, d.is.mean);
    let change = relative(was, is);
    // Delta method for the ratio of two means.
    let ratio = change.abs().min(MOST) + 1.0;
    let ratio = if change.abs() < MOST { (change + 1.0).powi(2) } else { ratio * ratio };
    let error = if was == 0.0 { 0.0 } else { (d.variances.1 + ratio * d.variances.0).sqrt() / was.abs() };
    let reach = (distribution::student(0.975, d.df) * error).min(2.0 * MOST);
    let bound = |v: f64| if v.is_finite() { v.clamp(-MOST, MOST) } else { MOST };
    Effect {
        before: was,
        after: is,
        change,
        interval: (bound(change - reach), bound(change + reach)),
        points: (d.was.count, d.is.count),
    }
}

/// Relative change, within bounds.
pub fn relative(was: f64, is: f64) -> f64 {
    if was == is {
        return 0.0;
    }
    let change = (is - was) / was.abs();
    if change.is_finite() { change.clamp(-MOST, MOST) } else { MOST.copysign(is - was) }
}
