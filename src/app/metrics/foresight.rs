//! What is coming, as far as somebody else may want to act on it: when limits are reached, what is odd, and what looking ahead costs.

use crate::{
    app::metrics::page::{Family, Kind, Page, Row},
    model::{
        message::View,
        outlook::{Forecast, Outlook},
        time::Wall,
    },
};

/// Writes it; nothing where nobody looks ahead.
pub fn write(view: &View, page: &mut Page) {
    let Some(outlook) = view.outlook.as_ref().filter(|outlook| outlook.effort.series > 0) else { return };
    let effort = outlook.effort;
    let gauge = |name, unit, help| Family { name, kind: Kind::Gauge, unit, help };
    page.family(&gauge("foresight_cpu_cores", "cores", "Cpu that looking ahead uses"), [Row::plain(effort.cpu)]);
    page.family(&gauge("foresight_size_bytes", "bytes", "Memory that looking ahead uses"), [Row::plain(effort.bytes as f64)]);
    page.family(&gauge("foresight_series", "", "Numbers that are looked ahead at"), [Row::plain(effort.series as f64)]);
    page.family(&gauge("foresight_forecasts", "", "Forecasts that stand"), [Row::plain(effort.forecasts as f64)]);
    let odd = outlook.anomalies.iter().filter(|anomaly| anomaly.until.is_none()).count();
    page.family(&gauge("anomalies", "", "Numbers that are odd now"), [Row::plain(odd as f64)]);
    let now = view.now.wall;
    let due = |help| gauge("limit_due_seconds", "seconds", help);
    page.family(
        &due("Seconds until a limit is likely reached, and the ends of the range that holds in eight of ten cases"),
        times(outlook, now),
    );
    let sure = gauge("limit_due_confidence_ratio", "ratio", "Chance that a limit is reached within the horizon");
    let rows = heading(outlook).filter_map(|forecast| Some(Row::of(labels(forecast), forecast.crossing.as_ref()?.confidence)));
    page.family(&sure, rows);
}

/// Of each number the forecast that heads for its limit most surely.
fn heading(outlook: &Outlook) -> impl Iterator<Item = &Forecast> {
    let chief = outlook.keys().filter_map(|key| outlook.chief(key));
    chief.map(AsRef::as_ref).filter(|forecast| forecast.crossing.as_ref().is_some_and(|crossing| crossing.likely.is_some()))
}

fn times(outlook: &Outlook, now: Wall) -> impl Iterator<Item = Row<'_>> {
    heading(outlook).flat_map(move |forecast| {
        let gone = crate::model::ahead::seconds(forecast.made, now).max(0.0);
        let crossing = forecast.crossing.as_ref();
        let times = [
            ("earliest", crossing.and_then(|c| c.earliest)),
            ("likely", crossing.and_then(|c| c.likely)),
            ("latest", crossing.and_then(|c| c.latest)),
        ];
        times.into_iter().filter_map(move |(end, time)| {
            let [metric, subject] = labels(forecast);
            Some(Row::of([metric, subject, ("end", end.into())], (time? - gone).max(0.0)))
        })
    })
}

fn labels(forecast: &Forecast) -> [(&'static str, std::borrow::Cow<'_, str>); 2] {
    [("metric", forecast.key.metric.name().into()), ("subject", forecast.key.subject.to_string().into())]
}
