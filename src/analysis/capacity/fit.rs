//! The scalability law fitted to observations of concurrency and throughput.
//!
//! Throughput varies by a share of itself, so logarithms are compared. The start is Gunther's linear regression of N / X on N - 1 and
//! N (N - 1); from there Gauss and Newton's steps, damped as by Levenberg and Marquardt, with contention and coherency held at 0 or above. Ranges come
//! from refits to resampled residuals.

use crate::analysis::{
    capacity::{
        bootstrap::{Draws, Ranged},
        law::{Law, drag},
    },
    impact::distribution,
};
use linfa::{Dataset, traits::Fit as _};
use linfa_linear::LinearRegression;
use ndarray::{Array1, Array2};

/// Different loads needed.
pub const LEAST_LOADS: usize = 5;
/// The greatest load must be so many times the least.
pub const LEAST_RANGE: f64 = 2.0;
/// Share of the variance of throughput that the law must explain.
pub const LEAST_FIT: f64 = 0.7;
/// Beyond so many times the greatest observed load an answer is a guess.
pub const FAR: f64 = 1.5;
/// Refits for the ranges.
const REPLICAS: usize = 300;
/// Coefficients.
const FREEDOM: f64 = 3.0;

/// Throughput at a concurrency.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Observation {
    /// Concurrency: in flight at once.
    pub n: f64,
    /// Throughput.
    pub x: f64,
}

/// The law as it fits.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// The law.
    pub law: Law,
    /// Share of the variance of throughput that it explains.
    pub explained: f64,
    /// Observations used.
    pub count: usize,
    /// Least and greatest concurrency observed.
    pub range: (f64, f64),
    /// The law as it fits resampled data.
    replicas: Vec<Law>,
    /// Logarithms of observed over fitted, spread as new observations are.
    residuals: Vec<f64>,
}

/// Fits the law; otherwise why the data cannot say.
pub fn fit(observations: &[Observation]) -> Result<Fit, String> {
    let usable = |o: &&Observation| o.n.is_finite() && o.x.is_finite() && o.n > 0.0 && o.x > 0.0 && o.n < 1e9 && o.x < 1e15;
    let all: Vec<Observation> = observations.iter().filter(usable).copied().collect();
    let range = suits(&all)?;
    let law = solve(&all);
    let raw: Vec<f64> = all.iter().map(|o| (o.x / law.at(o.n)).ln()).collect();
    let explained = explained(&all, &law);
    if explained < LEAST_FIT {
        let share = (explained * 100.0).max(0.0);
        return Err(format!(
            "throughput does not follow concurrency: the law explains {share:.0} % of it, {:.0} % are needed",
            LEAST_FIT * 100.0
        ));
    }
    // Residuals of a fit are smaller than the errors of new observations, and of a few of them the spread itself is uncertain.
    let free = (all.len() as f64 - FREEDOM).max(1.0);
    let wider = (all.len() as f64 / free).sqrt() * distribution::student(0.975, free) / 1.959_964;
    let residuals: Vec<f64> = raw.iter().map(|r| r * wider).collect();
    let replicas = replicas(&all, &law, &residuals);
    Ok(Fit { law, explained, count: all.len(), range, replicas, residuals })
}

/// The range of loads, if there are enough different ones.
fn suits(all: &[Observation]) -> Result<(f64, f64), String> {
    let mut loads: Vec<f64> = all.iter().map(|o| o.n).collect();
    loads.sort_by(f64::total_cmp);
    loads.dedup_by(|a, b| (*a - *b).abs() <= 1e-9 * b.abs());
    let (Some(first), Some(last)) = (loads.first().copied(), loads.last().copied()) else {
        return Err("there are no observations with load".into());
    };
    if loads.len() < LEAST_LOADS {
        return Err(format!("only {} different loads were observed, {LEAST_LOADS} are needed", loads.len()));
    }
    if last < LEAST_RANGE * first {
        return Err(format!("the load hardly varied: {first:.3} to {last:.3}; it must vary by a factor of {LEAST_RANGE:.0}"));
    }
    Ok((first, last))
}

fn explained(all: &[Observation], law: &Law) -> f64 {
    let mean = all.iter().map(|o| o.x).sum::<f64>() / all.len() as f64;
    let whole: f64 = all.iter().map(|o| (o.x - mean).powi(2)).sum();
    let rest: f64 = all.iter().map(|o| (o.x - law.at(o.n)).powi(2)).sum();
    if whole > 0.0 { 1.0 - rest / whole } else { 0.0 }
}

/// Gunther's regression; coefficients below zero are taken as zero.
fn start(all: &[Observation]) -> (f64, f64) {
    let others = |o: &Observation| (o.n - 1.0).max(0.0);
    let rows: Vec<f64> = all.iter().flat_map(|o| [others(o), o.n * others(o)]).collect();
    let Ok(records) = Array2::from_shape_vec((all.len(), 2), rows) else { return (0.0, 0.0) };
    let targets: Array1<f64> = all.iter().map(|o| o.n / o.x).collect();
    let Ok(line) = LinearRegression::default().fit(&Dataset::new(records, targets)) else { return (0.0, 0.0) };
    let alone = line.intercept();
    let [sigma, kappa] = [0, 1].map(|i| line.params().get(i).map_or(0.0, |c| c / alone));
    let sane = |c: f64| if c.is_finite() && alone > 0.0 { c.clamp(0.0, 1e3) } else { 0.0 };
    (sane(sigma), sane(kappa))
}

/// The logarithm of lambda that fits best with these two, and the squares that are left.
fn rest(all: &[Observation], (sigma, kappa): (f64, f64)) -> (f64, f64) {
    let scaled = || all.iter().map(|o| (o.x / o.n * drag(o.n, sigma, kappa)).ln());
    let mean = scaled().sum::<f64>() / all.len() as f64;
    (mean, scaled().map(|v| (v - mean).powi(2)).sum())
}

fn solve(all: &[Observation]) -> Law {
    let (mut at, mut damping) = (start(all), 1e-3);
    let (_, mut left) = rest(all, at);
    for _ in 0..60 {
        let Some(next) = stride(all, at, damping) else { break };
        let (_, then) = rest(all, next);
        if then < left {
            let done = left - then < 1e-12 * left;
            (at, left, damping) = (next, then, damping * 0.3);
            if done {
                break;
            }
        } else {
            damping *= 5.0;
            if damping > 1e9 {
                break;
            }
        }
    }
    Law { lambda: rest(all, at).0.exp(), sigma: at.0, kappa: at.1 }
}

/// One damped step; a coefficient at its bound that would go below stays, and the other one goes alone.
fn stride(all: &[Observation], (sigma, kappa): (f64, f64), damping: f64) -> Option<(f64, f64)> {
    let n = all.len() as f64;
    let slopes: Vec<[f64; 3]> = all
        .iter()
        .map(|o| {
            let (drag, others) = (drag(o.n, sigma, kappa), (o.n - 1.0).max(0.0));
            [others / drag, o.n * others / drag, (o.x / o.n * drag).ln()]
        })
        .collect();
    let means = [0, 1, 2].map(|i| slopes.iter().filter_map(|s| s.get(i)).sum::<f64>() / n);
    let [mut ss, mut sk, mut kk, mut sr, mut kr] = [0.0; 5];
    for [s, k, r] in slopes {
        let (s, k, r) = (s - means[0], k - means[1], r - means[2]);
        (ss, sk, kk, sr, kr) = (ss + s * s, sk + s * k, kk + k * k, sr + s * r, kr + k * r);
    }
    let (held_s, held_k) = (sigma <= 0.0 && sr > 0.0, kappa <= 0.0 && kr > 0.0);
    let (ds, dk) = (ss * (1.0 + damping) + 1e-30, kk * (1.0 + damping) + 1e-30);
    let step = match (held_s, held_k) {
        (true, true) => return None,
        (true, false) => (0.0, -kr / dk),
        (false, true) => (-sr / ds, 0.0),
        (false, false) => {
            let whole = ds * dk - sk * sk;
            (-(sr * dk - kr * sk) / whole, -(kr * ds - sr * sk) / whole)
        }
    };
    let next = ((sigma + step.0).max(0.0), (kappa + step.1).max(0.0));
    (next.0.is_finite() && next.1.is_finite() && next != (sigma, kappa)).then_some(next)
}

fn replicas(all: &[Observation], law: &Law, residuals: &[f64]) -> Vec<Law> {
    let mut draws = Draws::new(all.len() as u64);
    let mut again = || -> Vec<Observation> {
        let drawn =
            |o: &Observation, draws: &mut Draws| residuals.get(draws.index(residuals.len())).map_or(0.0, |r| *r) + law.at(o.n).ln();
        all.iter().map(|o| Observation { n: o.n, x: drawn(o, &mut draws).exp() }).collect()
    };
    (0..REPLICAS).map(|_| solve(&again())).collect()
}

impl Fit {
    /// A number that follows from the law, with its range; `None` where it does not exist for most refits.
    pub fn ranged(&self, of: impl Fn(&Law) -> Option<f64>) -> Option<Ranged> {
        let value = of(&self.law)?;
        let all: Vec<f64> = self.replicas.iter().filter_map(of).collect();
        (2 * all.len() >= self.replicas.len()).then(|| Ranged::of(value, all))
    }

    /// Share of the refits for which something exists.
    pub fn share(&self, holds: impl Fn(&Law) -> bool) -> f64 {
        self.replicas.iter().filter(|law| holds(law)).count() as f64 / self.replicas.len().max(1) as f64
    }

    /// Throughput that an observation at concurrency `n` would show.
    pub fn at(&self, n: f64) -> Ranged {
        let mut draws = Draws::new(7);
        let with_error = |law: &Law, draws: &mut Draws| {
            let error = self.residuals.get(draws.index(self.residuals.len())).copied().unwrap_or(0.0);
            law.at(n) * error.exp()
        };
        Ranged::of(self.law.at(n), self.replicas.iter().map(|law| with_error(law, &mut draws)))
    }

    /// Concurrency `n` is so far beyond what was observed that the answer is a guess.
    pub fn is_far(&self, n: f64) -> bool {
        n > FAR * self.range.1
    }
}
