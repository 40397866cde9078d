//! One forecast: a number's course goes to the models, and what they say is bounded, stretched by the track record, and put into words.

use crate::{
    analysis::forecast::forecast::{Past, Prediction},
    engine::seer::{
        ladder::{Course, Ladder, SCALES},
        record::{self, Book},
        schedule::{AHEAD, LEAST},
    },
    model::{
        limits::Foresight,
        metric::{Key, Metric},
        outlook::{Band, Forecast},
        snapshot::Snapshot,
        subject::Subject,
        time::Wall,
        unit::Unit,
    },
};

/// What a value cannot be beyond; `None` where nothing bounds it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Never below.
    pub floor: Option<f64>,
    /// Never above.
    pub ceiling: Option<f64>,
}

/// The models: what is known of a number, and the steps ahead.
pub type Model = fn(&Past<'_>, usize) -> Prediction;

/// Digits that are worth sending: a band is never surer than that.
const DIGITS: i32 = 6;

/// What bounds the values of a number.
pub fn bounds(key: &Key, snapshot: &Snapshot) -> Bounds {
    let memory = snapshot.vitals.memory.known();
    let ceiling = match (&key.subject, key.metric) {
        (Subject::Host, Metric::MemoryAvailable | Metric::MemoryUsed) => memory.map(|memory| memory.total as f64),
        (Subject::Host, Metric::SwapUsed) => memory.map(|memory| memory.swap_total as f64),
        (Subject::Cgroup(path), Metric::CgroupMemory | Metric::CgroupUnreclaimable) => {
            snapshot.cgroup(path).and_then(|group| group.memory_limit).map(|bytes| bytes as f64)
        }
        _ if key.metric.unit() == Unit::Share && key.metric != Metric::NetUsed => Some(1.0),
        _ => None,
    };
    let floor = (key.metric.unit() != Unit::Celsius).then_some(0.0);
    Bounds { floor, ceiling: ceiling.filter(|ceiling| *ceiling > 0.0) }
}

/// A question to the models.
#[derive(Clone, Copy, Debug)]
pub struct Question<'q> {
    /// Of which number.
    pub key: &'q Key,
    /// Its course.
    pub course: &'q Course,
    /// Steps ahead.
    pub steps: usize,
    /// What bounds its values.
    pub bounds: Bounds,
}

/// The forecast of a course, without its crossing. It has no bands where nothing can be said at all.
pub fn forecast(model: Model, book: &Book, question: Question<'_>) -> Forecast {
    let Question { key, course, steps, bounds } = question;
    let Bounds { floor, ceiling } = bounds;
    let past = Past { values: &course.values, start: course.start, step: course.step, floor, ceiling };
    let Prediction { mut bands, blend, skill, reliable, season, trained, changed } = model(&past, steps);
    let step = course.step as i64;
    book.stretch(key, step, &mut bands);
    bands.iter_mut().for_each(|band| *band = tidy(*band, bounds));
    let record = book.record(key, step);
    Forecast {
        key: key.clone(),
        made: Wall((course.end() * 1000.0) as i64),
        step: course.step,
        bands,
        blend,
        skill,
        reliable: reliable && !record::is_poor(record.as_ref()),
        season,
        trained,
        changed,
        record,
        crossing: None,
    }
}

/// The forecast of a number for so many seconds, from its finest resolution that reaches so far in few steps, or in more steps from a
/// finer one while the coarser ones have too little; why not, in words.
pub fn on_demand(
    model: Model,
    book: &Book,
    (key, ladder): (&Key, &Ladder),
    bounds: Bounds,
    horizon: f64,
) -> Result<Forecast, String> {
    if !(1.0..=Foresight::LONGEST).contains(&horizon) {
        return Err(format!("a forecast is for 1 s to {}", Unit::Seconds.show(Foresight::LONGEST)));
    }
    let steps = |rung: usize| SCALES.get(rung).map_or(usize::MAX, |scale| (horizon / scale.step as f64).ceil() as usize);
    let enough = |rung: &usize| LEAST.get(*rung).is_some_and(|least| ladder.length(*rung) >= *least);
    let all = 0..SCALES.len();
    let close = all.clone().filter(enough).find(|rung| AHEAD.get(*rung).is_some_and(|most| steps(*rung) <= *most));
    let rung = close.or_else(|| all.rev().find(enough));
    let Some((rung, course)) = rung.and_then(|rung| Some((rung, ladder.course(rung)?))) else {
        let known = Unit::Seconds.show(ladder.length(0) as f64);
        return Err(format!("trimtab is still learning: it knows {known} of {key}, which is too little"));
    };
    // What is known for minutes tells nothing of hours.
    let most = 4 * AHEAD.get(rung).copied().unwrap_or_default();
    let forecast = forecast(model, book, Question { key, course: &course, steps: steps(rung).clamp(1, most), bounds });
    if forecast.bands.is_empty() { Err(format!("nothing can be said of {key}: it has no values of late")) } else { Ok(forecast) }
}

fn tidy(band: Band, bounds: Bounds) -> Band {
    let within = |value: f64| {
        let value = bounds.floor.map_or(value, |floor| value.max(floor));
        round(bounds.ceiling.map_or(value, |ceiling| value.min(ceiling)))
    };
    Band {
        point: within(band.point),
        lo80: within(band.lo80),
        hi80: within(band.hi80),
        lo95: within(band.lo95),
        hi95: within(band.hi95),
    }
}

/// Rounded to what is worth sending.
fn round(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    let scale = 10_f64.powi(DIGITS - 1 - value.abs().log10().floor() as i32);
    if scale.is_finite() && scale > 0.0 { (value * scale).round() / scale } else { value }
}
