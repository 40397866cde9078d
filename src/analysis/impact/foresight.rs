//! Before the write: how small an effect could the data at hand show, and is the history fit to compare with?

use crate::{
    analysis::impact::{
        case::{LEAST_POINTS, back, means},
        distribution,
        moments::Moments,
    },
    model::{
        series::{Point, SeriesSet},
        time::Tick,
        trial::Trial,
        verdict::Foresight,
    },
};

/// Power and size of the test that is foreseen: 80 % at 5 %.
const POWER: f64 = 0.8;
const SIZE: f64 = 0.975;
/// Halves of the history that differ by more than this are not one regime (catalogue C3.2).
const DRIFT: f64 = 0.20;
/// Seconds of the blocks that change points are looked for in.
const BLOCK: f64 = 5.0;
/// Largest bridge of partial sums that chance gives in one of twenty histories (Kolmogorov).
const BRIDGE: f64 = 1.358;
/// A relative effect beyond which nothing can be seen; keeps the number finite.
const BLIND: f64 = 1000.0;

/// What the primary's history before `now` (of one regime: since `since`) would let a verdict see; `None` with too few points.
pub fn foresee(trial: &Trial, series: &SeriesSet, since: Tick, now: Tick) -> Option<Foresight> {
    let windows = &trial.windows;
    let from = back(now, windows.before).max(since);
    let points: Vec<Point> = series.get(&trial.primary)?.points().filter(|p| p.at >= from && p.at <= now).collect();
    if points.len() < LEAST_POINTS {
        return None;
    }
    let values: Vec<f64> = points.iter().map(|p| p.value).collect();
    let m = Moments::of(&values);
    let span = points.first().zip(points.last()).map_or(0.0, |(a, b)| b.at.seconds_since(a.at));
    let pace = if span > 0.0 { (m.count - 1) as f64 / span } else { 1.0 };
    let after = Moments { count: ((windows.after * pace) as usize).max(1), ..m };
    let error = (m.variance_of_mean(m.rho) + after.variance_of_mean(m.rho)).sqrt();
    let df = (m.effective(m.rho) + after.effective(m.rho) - 2.0).max(1.0);
    let reach = distribution::student(SIZE, df) + distribution::student(POWER, df);
    let detectable = if error == 0.0 { 0.0 } else { (reach * error / m.mean.abs()).min(BLIND) };
    Some(Foresight {
        history: span,
        mean: m.mean,
        rho: m.rho,
        detectable: if detectable.is_finite() { detectable } else { BLIND },
        short: span < 0.9 * windows.before,
        unstable: drifted(&values) || has_change_point(&means(points.iter().copied(), BLOCK)),
    })
}

/// True when the two halves of the values differ by more than 20 %.
pub fn drifted(values: &[f64]) -> bool {
    let (first, second) = values.split_at(values.len() / 2);
    let (a, b) = (Moments::of(first).mean, Moments::of(second).mean);
    (a - b).abs() > DRIFT * a.abs().max(b.abs())
}

/// CUSUM over block means: the partial sums of a stable series stay within a bridge as wide as its long-run spread.
fn has_change_point(blocks: &[f64]) -> bool {
    let m = Moments::of(blocks);
    if m.count < LEAST_POINTS || m.variance == 0.0 {
        return false;
    }
    let spread = (m.variance * (1.0 + m.rho) / (1.0 - m.rho)).sqrt() * (m.count as f64).sqrt();
    let widest = blocks.iter().scan(0.0, |sum: &mut f64, v| {
        *sum += v - m.mean;
        Some(sum.abs())
    });
    widest.fold(0.0, f64::max) > BRIDGE * spread
}
