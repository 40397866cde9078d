//! The host's week from the history, where no file of it is kept yet: the first start of a trimtab that learns it.

use crate::{
    model::{
        hours::Offset,
        metric::{Key, Metric},
        past::Trend,
        time::Wall,
        week::Week,
    },
    planning::week::{Learner, Load},
    store::{error::StoreError, history::reader::History},
};
use std::path::Path;

/// Milliseconds of an hour.
const HOUR: i64 = 3_600_000;
/// Hours of the past that are read: fourteen days.
const PAST: usize = 14 * 24;

/// What the history tells; nothing where there is none, or none that can be read.
pub fn remembered(path: &Path, offset: Offset) -> Week {
    if !path.exists() {
        return Week::default();
    }
    read(path, offset).unwrap_or_else(|e| {
        log::warn!("the host's week is not read from the history: {e}");
        Week::default()
    })
}

fn read(path: &Path, offset: Offset) -> Result<Week, StoreError> {
    let history = History::open(path)?;
    let Some((_, newest)) = history.kept()? else { return Ok(Week::default()) };
    let to = Wall(newest.0 - newest.0.rem_euclid(HOUR));
    let from = Wall(to.0 - PAST as i64 * HOUR);
    let services = history.keys(from, newest)?.into_iter().filter(|key| key.metric == Metric::ServiceRate);
    let keys: Vec<Key> = std::iter::once(Key::host(Metric::CpuBusy)).chain(services).collect();
    let trace = history.trace(&keys, (from, to), PAST)?;
    let mean = |row: &[Option<Trend>], place: usize| row.get(place).copied().flatten().map(|trend| trend.mean);
    let mut learner = Learner::default();
    for (place, begins) in (0..PAST).zip((0..).map(|hour| from.0 + hour * HOUR)) {
        let mut rows = trace.rows.iter().map(|(_, row)| mean(row, place));
        let Some(busy) = rows.next().flatten() else { continue };
        let rates: Vec<f64> = rows.flatten().collect();
        let served = (!rates.is_empty()).then(|| rates.iter().sum());
        let hour = (offset.minute(Wall(begins)).0 / 60) as usize;
        learner.learn(hour, Wall(begins + HOUR), Load { busy, served });
    }
    Ok(learner.week)
}
