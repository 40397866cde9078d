//! Where a number is heading as the history of this host tells it, where no engine runs.

use crate::{
    analysis::forecast::forecast::forecast as model,
    app::{
        cli::{Common, Forecast as Wish},
        env::Env,
        failure::Failure,
        forecast::ask,
        out, snapshot,
        text::rows::clock,
    },
    engine::seer::{
        ahead::{self, Question},
        ladder::{Course, SCALES, Scale},
        record::Book,
        schedule::AHEAD,
    },
    model::{ahead::after, limits::Foresight, metric::Key, outlook::Forecast, pick::Pick, snapshot::Snapshot, time::Wall},
    store::history::reader::History,
};

/// Seconds before its end in which the history must know of a number for it to be of interest.
const PRESENT: f64 = 3600.0;

/// Whether there is a history.
pub fn is_kept(common: &Common, env: &Env) -> bool {
    snapshot::local(common, env).is_ok_and(|path| path.exists())
}

/// Prints what was wished for.
pub fn run(wish: &Wish, common: &Common, env: &Env, horizon: f64) -> Result<(), Failure> {
    let history = History::open(&snapshot::local(common, env)?).map_err(Failure::new)?;
    let (_, newest) = history.kept().map_err(Failure::new)?.ok_or_else(|| Failure::new("nothing is kept yet"))?;
    let mut keys = history.keys(after(newest, -PRESENT), after(newest, 1.0)).map_err(Failure::new)?;
    keys.sort_by_key(Key::path);
    if !wish.json {
        out::say(&format!("no engine runs; this is what the history tells, up to {}\n", clock(newest)))?;
    }
    let Some(name) = &wish.metric else {
        let paths: Vec<String> = keys.iter().map(Key::path).collect();
        return if wish.json { out::json(&paths) } else { out::say(&(paths.join("\n") + "\n")) };
    };
    let pick: Pick = name.parse().map_err(Failure::usage)?;
    let of_host = keys.contains(&Key::host(pick.metric));
    keys.retain(|key| pick.means(key, of_host));
    if keys.is_empty() {
        return Err(Failure::new(format!("the history knows no {name}; `trimtab forecast` lists what can be asked")));
    }
    let all = look(&history, &keys, (newest, horizon))?;
    let present: Vec<(Key, Option<f64>)> = all.iter().map(|(forecast, last)| (forecast.key.clone(), *last)).collect();
    let all: Vec<Forecast> = all.into_iter().map(|(forecast, _)| forecast).collect();
    let last = |key: &Key| present.iter().find(|(of, _)| of == key).and_then(|(_, last)| *last);
    ask::print(&all, wish, (newest, horizon), last)
}

/// The forecast of each number, with its last value.
fn look(history: &History, keys: &[Key], (newest, horizon): (Wall, f64)) -> Result<Vec<(Forecast, Option<f64>)>, Failure> {
    let Scale { step, most } = scale(horizon);
    let each = step as f64;
    // Steps are counted from 1970, as the engine counts them.
    let end = newest.0.div_euclid(1000 * step) * 1000 * step;
    let trace = history.trace(keys, (Wall(end - 1000 * step * most as i64), Wall(end)), most).map_err(Failure::new)?;
    let steps = (horizon.min(Foresight::LONGEST) / each).ceil().max(1.0) as usize;
    let one = |(key, row): (Key, Vec<Option<crate::model::past::Trend>>)| {
        let values = row.iter().map(|trend| trend.map_or(f64::NAN, |trend| trend.mean)).collect();
        let course = Course { start: trace.from.0 as f64 / 1000.0, step: each, values };
        let bounds = ahead::bounds(&key, &Snapshot::default());
        let question = Question { key: &key, course: &course, steps, bounds };
        (ahead::forecast(model, &Book::default(), question), course.last())
    };
    Ok(trace.rows.into_iter().map(one).collect())
}

/// The finest resolution that reaches so far; the history has none of one second.
fn scale(horizon: f64) -> Scale {
    let all = SCALES.iter().zip(AHEAD).skip(1);
    let reaching = all.clone().find(|(scale, ahead)| scale.step as f64 * *ahead as f64 >= horizon);
    reaching.or_else(|| all.last()).map_or(Scale { step: 300, most: 4032 }, |(scale, _)| *scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_resolution_is_the_finest_that_reaches_the_horizon() {
        assert_eq!([60.0, 300.0, 301.0, 1800.0, 7200.0, 1e6].map(|horizon| scale(horizon).step), [10, 10, 60, 60, 300, 300]);
    }
}
