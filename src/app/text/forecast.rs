//! Forecasts: a table of horizons with ranges, when a limit is reached, and how far it can be trusted.

use crate::{
    app::text::rows::{clock, line},
    model::{
        ahead::{self, AHEAD},
        outlook::{Band, Forecast, Outlook},
        telling::range,
        time::Wall,
        unit::Unit,
    },
};

/// What can be asked, a line each, what reaches a limit first.
pub fn list(now: Wall, outlook: &Outlook) -> String {
    let mut out = String::new();
    let mut all: Vec<&Forecast> = outlook.keys().filter_map(|key| outlook.chief(key)).map(AsRef::as_ref).collect();
    all.sort_by(|a, b| a.due(now).unwrap_or(f64::INFINITY).total_cmp(&b.due(now).unwrap_or(f64::INFINITY)));
    if all.is_empty() {
        line(&mut out, "no forecasts yet: the engine learns from what it sees, the first come after some minutes");
    }
    for forecast in all {
        let limit = forecast.limit(now).filter(|_| forecast.due(now).is_some());
        let says = limit.or_else(|| forecast.doubt()).unwrap_or_else(|| furthest(forecast));
        line(&mut out, &format!("{:<34} {says}", forecast.key.path()));
    }
    out
}

/// The value at the end of its reach.
fn furthest(forecast: &Forecast) -> String {
    let unit = forecast.key.metric.unit();
    let Some(last) = forecast.bands.last() else { return "no values".into() };
    let range = range(unit, last.lo80, last.hi80);
    format!("{} in {} ({range} in 80 of 100 cases)", unit.show(last.point), ahead::stretch(forecast.reach()))
}

/// All about one forecast, up to so many seconds after now.
pub fn forecast(forecast: &Forecast, present: Option<f64>, (now, horizon): (Wall, f64)) -> String {
    let mut out = String::new();
    let unit = forecast.key.metric.unit();
    let present = present.map_or_else(String::new, |value| format!(": {} now", unit.show(value)));
    line(&mut out, &format!("{} ({}){present}", forecast.key, forecast.key.path()));
    if let Some(doubt) = forecast.doubt() {
        line(&mut out, &format!("{doubt}; the ranges are all that can be said"));
    }
    line(&mut out, &format!("   {:<9} {:>10}   {:<26} 95 of 100", "ahead", "likely", "80 of 100"));
    let left = forecast.left(now);
    let whole = forecast.ahead(now, horizon).is_some();
    for seconds in horizons(if whole { horizon } else { left }) {
        let says = forecast.ahead(now, seconds).map_or_else(|| "-".into(), |band| ranges(unit, &band));
        line(&mut out, &format!("   {:<9} {says}", ahead::about(seconds)));
    }
    if !whole {
        line(&mut out, &format!("   beyond {} nothing can be said yet", ahead::about(left.max(0.0))));
    }
    let mut row = |name: &str, value: &str| line(&mut out, &format!("   {name:<9} {value}"));
    if let Some(limit) = forecast.limit(now) {
        row("limit", &limit);
    }
    let skill = |skill: f64| format!("{skill:+.2} in its own past; 0 is as good as the last value, 1 perfect");
    row("skill", &forecast.skill.map_or_else(|| "not tested: too little history".into(), skill));
    row("record", &forecast.record.map_or_else(|| "none yet: no forecast has come due".into(), |record| record.words()));
    row("method", &forecast.methods());
    let trained = format!("{} of history, to {}", ahead::stretch(forecast.trained), clock(forecast.made));
    row("learnt", &format!("from {trained}, in steps of {}", ahead::stretch(forecast.step)));
    if let Some(season) = forecast.season {
        row("season", &ahead::stretch(season));
    }
    if let Some(changed) = forecast.changed {
        row("changed", &format!("its ways {} ago", ahead::stretch(changed)));
    }
    out
}

/// The horizons of the table: the usual ones up to the one asked for, and that one.
fn horizons(horizon: f64) -> Vec<f64> {
    let mut all: Vec<f64> = [60.0, 300.0].iter().chain(&AHEAD).copied().filter(|ahead| *ahead < horizon).collect();
    all.extend(Some(horizon).filter(|horizon| *horizon > 0.0));
    all
}

fn ranges(unit: Unit, band: &Band) -> String {
    let [narrow, wide] = [(band.lo80, band.hi80), (band.lo95, band.hi95)].map(|(low, high)| range(unit, low, high));
    format!("{:>10}   {narrow:<26} {wide}", unit.show(band.point))
}
