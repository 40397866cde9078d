//! Looking ahead without an engine: from what a history keeps, and nothing else.

use crate::{
    analysis::{
        forecast::forecast,
        trouble::{crossing, limits},
    },
    engine::{
        past,
        seer::{ahead, record::Book, refill},
    },
    model::{metric::Key, outlook::Forecast, snapshot::Snapshot},
    store::{error::StoreError, foresight::Row, history::reader::History},
};

/// The forecast of a number for so many seconds after the end of a history, and its last value; `rows` is how earlier ones did. Why there
/// is none, in words.
pub fn forecast(history: &History, key: &Key, horizon: f64, rows: Vec<Row>) -> Result<(Forecast, Option<f64>), String> {
    let told = |e: StoreError| e.to_string();
    let ladder = refill::ladder(history, key).map_err(told)?;
    let ladder = ladder.ok_or_else(|| format!("nothing of {key} is kept in {}", history.path().display()))?;
    let snapshot = newest(history).map_err(told)?;
    let bounds = ahead::bounds(key, &snapshot);
    let mut forecast = ahead::on_demand(forecast::forecast, &Book::new(rows), (key, &ladder), bounds, horizon)?;
    let limit = limits::limits(&snapshot).into_iter().find(|limit| limit.key == *key);
    forecast.crossing = limit.and_then(|limit| crossing::ahead(&forecast, &limit));
    Ok((forecast, ladder.course(1).and_then(|course| course.last())))
}

/// The newest sweep, for what bounds a number.
fn newest(history: &History) -> Result<Snapshot, StoreError> {
    let Some((_, newest)) = history.kept()? else { return Ok(Snapshot::default()) };
    Ok(past::past(history, newest)?.map(|past| (*past.view.snapshot).clone()).unwrap_or_default())
}
