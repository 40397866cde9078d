//! The search for links: every pair, every lag within reach, at a stated rate of false discoveries.
//!
//! Cost: with 64 series of 300 points and 30 lags each way, 2016 pairs times 61 lags. The first pass is one product sum in single
//! precision per lag, which compilers turn into vector instructions; only pairs that could still pass go on to exact numbers. Measured on a
//! busy virtual core: 9 ms of processor time.

use crate::{
    analysis::correlate::{
        bartlett, kin,
        partial::{self, Companion},
        whiten,
    },
    model::{
        metric::{Key, Metric},
        outlook::Link,
    },
};

/// Series looked at in one round; those beyond are left out, so the caller puts what matters first.
pub const MOST_SERIES: usize = 64;
/// Points of each that are looked at, the newest.
pub const MOST_POINTS: usize = 300;
/// Lags of the memory that counts for [`bartlett::effective`].
const MEMORY: usize = 64;

/// A series: values one step apart, all ending at the same time, NaN for a gap.
#[derive(Clone, Debug)]
pub struct Strand<'a> {
    /// Of what.
    pub key: Key,
    /// The values, newest last.
    pub values: &'a [f64],
}

/// How to search.
#[derive(Clone, Copy, Debug)]
pub struct Search {
    /// Seconds per step.
    pub step: f64,
    /// Greatest lag either way, in steps.
    pub reach: usize,
    /// Share of false ones among the links that are named, at most.
    pub false_share: f64,
}

impl Default for Search {
    fn default() -> Search {
        Search { step: 1.0, reach: 30, false_share: 0.05 }
    }
}

/// Innovations of one series, ready to compare.
#[derive(Clone, Debug)]
pub(super) struct Trace {
    key: Key,
    pub(super) unit: Vec<f32>,
    memory: Vec<f64>,
    /// How much rarer the news is than in a normal sample: fourth moment over 3, at least 1. Sparse events keep ties even as scores.
    sparse: f64,
}

impl Trace {
    fn of(strand: &Strand<'_>) -> Option<Trace> {
        let newest = strand.values.len().saturating_sub(MOST_POINTS);
        let white = whiten::innovations(strand.values.get(newest..)?)?;
        let memory = bartlett::autocorrelation(&white, MEMORY.min(white.len() / 3));
        let fourth = white.iter().map(|v| v.powi(4)).sum::<f64>() / white.len() as f64;
        let unit = white.iter().map(|v| *v as f32).collect();
        Some(Trace { key: strand.key.clone(), unit, memory, sparse: (fourth / 3.0).max(1.0) })
    }
}

/// A pair with its best lag (positive: the first leads), correlation and chance.
#[derive(Clone, Copy, Debug)]
struct Pair {
    a: usize,
    b: usize,
    lag: i64,
    r: f64,
    points: f64,
    chance: f64,
}

/// The links among `strands`, strongest first; series of other lengths than most are cut to the shortest that has enough points.
pub fn links(strands: &[Strand<'_>], search: &Search) -> Vec<Link> {
    let mut traces: Vec<Trace> = strands.iter().filter_map(Trace::of).take(MOST_SERIES).collect();
    let shortest = traces.iter().map(|t| t.unit.len()).min().unwrap_or(0);
    for trace in &mut traces {
        trace.unit.drain(..trace.unit.len() - shortest);
    }
    let field = Field::of(traces, search.reach);
    let (pairs, all) = candidates(&field, search);
    let kept = controlled(pairs, all, search.false_share);
    let mut links: Vec<Link> = kept.iter().filter_map(|(pair, q)| link(&field, pair, *q, search)).collect();
    links.sort_by(|a, b| b.r.abs().total_cmp(&a.r.abs()));
    links
}

/// All traces, with the best lag and correlation of each pair; `None` for kin.
struct Field {
    traces: Vec<Trace>,
    met: Vec<Option<(i64, f64)>>,
}

impl Field {
    fn of(traces: Vec<Trace>, reach: usize) -> Field {
        let mut met = Vec::with_capacity(traces.len() * traces.len() / 2);
        for (place, first) in traces.iter().enumerate() {
            let others = traces.iter().take(place);
            met.extend(others.map(|second| (!kin::are_kin(&first.key, &second.key)).then(|| best(first, second, reach))));
        }
        Field { traces, met }
    }

    /// The best lag (positive: `a` goes first) and correlation of two traces that are no kin.
    fn meet(&self, a: usize, b: usize) -> Option<(i64, f64)> {
        let (late, early) = (a.max(b), a.min(b));
        let (lag, r) = (*self.met.get(late * late.saturating_sub(1) / 2 + early)?).filter(|_| a != b)?;
        Some((if a == late { lag } else { -lag }, r))
    }
}

/// The pairs that could pass, and how many were looked at.
fn candidates(field: &Field, search: &Search) -> (Vec<Pair>, usize) {
    let (mut pairs, mut all) = (Vec::new(), 0);
    for (a, first) in field.traces.iter().enumerate() {
        for (b, second) in field.traces.iter().enumerate().skip(a + 1) {
            let Some((lag, r)) = field.meet(a, b) else { continue };
            all += 1;
            let n = first.unit.len().saturating_sub(lag.unsigned_abs() as usize);
            let lags = (2 * search.reach + 1) as f64;
            // Independent points at first: the chance can only grow.
            if sidak(bartlett::chance(r, n as f64), lags) > search.false_share {
                continue;
            }
            let points = (bartlett::effective(n, &first.memory, &second.memory) / (first.sparse * second.sparse).sqrt()).max(4.0);
            let chance = sidak(bartlett::chance(r, points), lags);
            pairs.push(Pair { a, b, lag, r, points, chance });
        }
    }
    (pairs, all)
}

/// The chance that the best of so many independent tries is as good as this one.
fn sidak(chance: f64, tries: f64) -> f64 {
    -(tries * (-chance.min(1.0 - 1e-16)).ln_1p()).exp_m1()
}

/// The lag with the strongest correlation, and that correlation. Positive: `a` goes first.
fn best(a: &Trace, b: &Trace, reach: usize) -> (i64, f64) {
    let mut best = (0, 0.0);
    for lag in 0..=reach.min(a.unit.len() / 4) {
        let (cut_a, cut_b) = (a.unit.get(lag..).unwrap_or_default(), b.unit.get(lag..).unwrap_or_default());
        let n = cut_a.len().max(1) as f32;
        for (sign, r) in [(1, product(&a.unit, cut_b) / n), (-1, product(cut_a, &b.unit) / n)] {
            if r.abs() > f32::abs(best.1) {
                best = (sign * lag as i64, r);
            }
        }
    }
    (best.0, f64::from(best.1).clamp(-0.999_999, 0.999_999))
}

/// Sum of products over the common length, in eight lanes.
fn product(a: &[f32], b: &[f32]) -> f32 {
    let n = a.len().min(b.len());
    let (a, b) = (a.get(..n).unwrap_or_default(), b.get(..n).unwrap_or_default());
    let (a8, b8) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f32 = a8.remainder().iter().zip(b8.remainder()).map(|(x, y)| x * y).sum();
    let mut lanes = [0.0_f32; 8];
    for (x, y) in a8.zip(b8) {
        for (lane, (x, y)) in lanes.iter_mut().zip(x.iter().zip(y)) {
            *lane += x * y;
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// The pairs whose rate of false discoveries stays below `most`, with that rate (Benjamini and Hochberg's step-up over `all` pairs).
fn controlled(mut pairs: Vec<Pair>, all: usize, most: f64) -> Vec<(Pair, f64)> {
    pairs.sort_by(|a, b| b.chance.total_cmp(&a.chance));
    let count = pairs.len();
    let mut lowest = 1.0_f64;
    let rated = pairs.into_iter().enumerate().map(|(i, pair)| {
        lowest = lowest.min(pair.chance * all as f64 / (count - i) as f64);
        (pair, lowest)
    });
    rated.filter(|(_, q)| *q <= most).collect()
}

fn link(field: &Field, pair: &Pair, q: f64, search: &Search) -> Option<Link> {
    let (lead, follow) = if pair.lag >= 0 { (pair.a, pair.b) } else { (pair.b, pair.a) };
    let (leader, follower) = (field.traces.get(lead)?, field.traces.get(follow)?);
    let lag = pair.lag.abs();
    let left = companions(field, lead, follow).map(|c| partial::partial(leader, follower, lag, &c));
    Some(Link {
        leads: leader.key.clone(),
        follows: follower.key.clone(),
        lag: lag as f64 * search.step,
        r: pair.r,
        interval: bartlett::interval(pair.r, pair.points),
        partial: left.min_by(|a, b| a.abs().total_cmp(&b.abs())),
        q,
    })
}

/// The strongest common companion, and the host's cpu time, which drives much of everything.
fn companions(field: &Field, leader: usize, follower: usize) -> impl Iterator<Item = Companion<'_>> {
    let met = field.traces.iter().enumerate().filter_map(|(place, trace)| {
        Some(Companion { trace, to_leader: field.meet(place, leader)?, to_follower: field.meet(place, follower)? })
    });
    let met: Vec<Companion<'_>> = met.filter(|c| c.strength() > 0.0).collect();
    let strongest = met.iter().copied().max_by(|a, b| a.strength().total_cmp(&b.strength()));
    let driver = met.iter().copied().find(|c| c.trace.key == Key::host(Metric::CpuBusy));
    strongest.into_iter().chain(driver)
}
