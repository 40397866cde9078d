//! The forecast of one series: several candidates, weighed by how they did on the newest part of its past, and ranges from the errors
//! that were made there.

use crate::{
    analysis::forecast::{
        blend::{self, Trial},
        candidates::Ground,
        change,
        fill::Filled,
        interval, rough,
        scale::Scale,
        season,
        seasonal::{AROUND, Seasonal},
        table::Table,
        unrest::{self, Signs},
    },
    model::outlook::{Band, Method},
};
use ndarray::Array2;

/// What is known of a number.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// One value for each step, oldest first; not finite: a gap.
    pub values: &'a [f64],
    /// Unix time of the first value, seconds.
    pub start: f64,
    /// Seconds from value to value.
    pub step: f64,
    /// It cannot be less than this.
    pub floor: Option<f64>,
    /// It cannot be more than this.
    pub ceiling: Option<f64>,
}

/// What is thought of its future.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
    /// For each step ahead.
    pub bands: Vec<Band>,
    /// The methods with their weights, greatest first; the weights add up to 1.
    pub blend: Vec<(Method, f64)>,
    /// 1 less the mean error over that of the last value, in the backtest; `None` with too little past for one.
    pub skill: Option<f64>,
    /// Something beats the last value.
    pub reliable: bool,
    /// Seconds of the season that was found.
    pub season: Option<f64>,
    /// Seconds of history that it learnt from.
    pub trained: f64,
    /// Seconds since the series changed its ways, if it did.
    pub changed: Option<f64>,
}

/// The newest part of the past that candidates are weighed on.
const CALIBRATION: f64 = 0.5;
/// At most so many steps of it, and at least so many if that is not more than half.
const STEPS: (f64, f64) = (1200.0, 100.0);
/// Less skill than this is chance.
const SKILL: f64 = 0.03;
/// No skill is told to be worse than this.
const WORST: f64 = -1000.0;
/// Steps of the past that are looked at, at most: two weeks of five minutes. The cost grows with them.
const LONGEST: usize = 4032;
/// Steps since a change from which on nothing before it is needed.
const ENOUGH: usize = 600;
/// Horizons that are learnt, at most; those in between follow from their neighbours.
const RUNGS: usize = 24;
/// A season needs so many steps more than twice its length to be learnt from.
const SPARE: usize = 200;

/// Looks `horizon` steps ahead of the last step of the past.
pub fn forecast(past: &Past<'_>, horizon: usize) -> Prediction {
    let newest = past.values.get(past.values.len().saturating_sub(LONGEST)..).unwrap_or_default();
    let Some(filled) = Filled::new(newest) else { return nothing() };
    let steps = horizon + filled.after;
    let since = change(&filled.values);
    let present = filled.values.get(since.unwrap_or_default()..).filter(|present| present.len() >= ENOUGH);
    let values = present.unwrap_or(&filled.values);
    let mut out = learnt(past, values, steps).unwrap_or_else(|| short(past, values, steps));
    out.changed = since.map(|since| (filled.values.len() - since + filled.after) as f64 * past.step);
    out.bands.drain(..filled.after);
    let non_negative = filled.values.iter().all(|v| *v >= 0.0).then_some(0.0);
    let (floor, ceiling) = (past.floor.or(non_negative).unwrap_or(f64::MIN), past.ceiling.unwrap_or(f64::MAX));
    for band in &mut out.bands {
        for value in [&mut band.point, &mut band.lo80, &mut band.hi80, &mut band.lo95, &mut band.hi95] {
            *value = value.max(floor).min(ceiling);
        }
    }
    out
}

fn nothing() -> Prediction {
    Prediction { bands: vec![], blend: vec![], skill: None, reliable: false, season: None, trained: 0.0, changed: None }
}

fn short(past: &Past<'_>, values: &[f64], steps: usize) -> Prediction {
    Prediction {
        bands: rough::bands(values, steps),
        blend: vec![(Method::LastValue, 1.0)],
        trained: values.len() as f64 * past.step,
        ..nothing()
    }
}

/// The first index of the present ways of a series, if it changed.
fn change(values: &[f64]) -> Option<usize> {
    let scale = Scale::of(values)?;
    change::since(&values.iter().map(|v| Scale::bend(scale.plain(*v))).collect::<Vec<f32>>())
}

fn learnt(past: &Past<'_>, values: &[f64], steps: usize) -> Option<Prediction> {
    let scale = Scale::of(values)?;
    let plain: Vec<f32> = values.iter().map(|v| scale.plain(*v)).collect();
    let bent: Vec<f32> = plain.iter().map(|v| Scale::bend(*v)).collect();
    let horizons = rungs(steps);
    let season = season::find(&bent, past.step);
    let seasonal = [season::day(past.step), season].into_iter().flatten().find_map(|period| seasonal(&bent, period, steps));
    let table = Table::new(&bent, seasonal.as_ref(), &horizons)?;
    let columns = table.columns() as f64;
    let kept = (columns * CALIBRATION).min(STEPS.0).max((columns / 2.0).min(STEPS.1)) as usize;
    let ground = Ground { values: &bent, seasonal: seasonal.as_ref(), table: &table, calibration: table.columns() - kept };
    let candidates = ground.candidates();
    let first = ground.steps().start;
    let came = |course: &[f32]| ground.came(course);
    let trial = Trial { candidates: &candidates, truth: came(&bent) };
    let halves = trial.errors();
    let [older, newer] = &halves;
    let weights = blend::weights(&(older + newer));
    let crossed = trial.crossed(&halves);
    let mut errors = came(&plain) - crossed.mapv(Scale::straighten);
    let signs = Signs { plain: &plain, bent: &bent, period: seasonal.as_ref().map(|s| s.period), middle: steps / 2 };
    let unrest = unrest::expected(&signs, &errors, first);
    for (mut column, unrest) in errors.columns_mut().into_iter().zip(unrest.iter().skip(first)) {
        column.mapv_inplace(|error| error / unrest);
    }
    let unrest = unrest.last()? * interval::better(table.shared, table.columns() - kept, table.columns());
    let point = blend::ahead(&candidates, &weights).mapv(Scale::straighten);
    let band = |(point, ends): (&f32, [f32; 4])| {
        let [lo95, lo80, hi80, hi95] = ends.map(|end| scale.value(point + end * unrest));
        Band { point: scale.value(*point), lo80, hi80, lo95, hi95 }
    };
    let bands: Vec<Band> = point.iter().zip(interval::ends(&errors)).map(band).collect();
    let bands = climb(&horizons, &bands, steps);
    let missed = |said: &Array2<f32>| f64::from((said - &trial.truth).mapv(f32::abs).sum());
    // Where sums ran over all bounds it is as bad as it gets, and no number: `max` takes the other.
    let skill = (1.0 - missed(&crossed) / candidates.first().map_or(1.0, |c| missed(&c.past)).max(1e-9)).max(WORST);
    Some(Prediction {
        bands,
        blend: mean_weights(&candidates.iter().map(|c| c.method).collect::<Vec<_>>(), &weights),
        skill: Some(skill),
        reliable: skill > SKILL,
        season: season.map(|period| period as f64 * past.step),
        trained: values.len() as f64 * past.step,
        changed: None,
    })
}

/// What a season says, if the series is long enough to learn from it. The day is asked about even where it does not show: that is the
/// calendar, and what it is worth is for the regressions and the backtest to say.
fn seasonal(bent: &[f32], period: usize, steps: usize) -> Option<Seasonal> {
    // It must reach past the horizon; its multiples are seasons too.
    let period = period * (steps + AROUND + 1).div_ceil(period);
    (bent.len() >= 2 * period + SPARE).then(|| Seasonal::new(bent, period, steps))
}

/// The horizons that are learnt: all of them, or so many at equal distances.
fn rungs(steps: usize) -> Vec<usize> {
    let count = steps.min(RUNGS);
    (1..=count).map(|i| (i * steps).div_ceil(count)).collect()
}

/// A band for each step from those of the rungs, along straight lines.
fn climb(rungs: &[usize], bands: &[Band], steps: usize) -> Vec<Band> {
    let mut out = Vec::with_capacity(steps);
    let mut below: Option<(usize, Band)> = None;
    for (rung, band) in rungs.iter().copied().zip(bands.iter().copied()) {
        let (from, start) = below.unwrap_or((rung.saturating_sub(1), band));
        let between = |step: usize| (step - from) as f64 / (rung - from) as f64;
        out.extend((out.len() + 1..=rung).map(|step| if step < from { start } else { mix(start, band, between(step)) }));
        below = Some((rung, band));
    }
    out
}

fn mix(from: Band, to: Band, share: f64) -> Band {
    let mix = |from: f64, to: f64| from * (1.0 - share) + to * share;
    Band {
        point: mix(from.point, to.point),
        lo80: mix(from.lo80, to.lo80),
        hi80: mix(from.hi80, to.hi80),
        lo95: mix(from.lo95, to.lo95),
        hi95: mix(from.hi95, to.hi95),
    }
}

/// Weights by method, averaged over the horizons.
fn mean_weights(methods: &[Method], weights: &blend::Weights) -> Vec<(Method, f64)> {
    let mut out: Vec<(Method, f64)> = Vec::new();
    for (method, line) in methods.iter().zip(weights.rows()) {
        let weight = f64::from(line.sum()) / line.len().max(1) as f64;
        match out.iter_mut().find(|(known, _)| known == method) {
            Some((_, sum)) => *sum += weight,
            None => out.push((*method, weight)),
        }
    }
    out.sort_by(|a, b| b.1.total_cmp(&a.1));
    out
}
