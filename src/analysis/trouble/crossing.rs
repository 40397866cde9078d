//! When a limit is reached, with its range and how sure that is.

use crate::{
    analysis::trouble::{
        limits::Limit,
        line::LEAST,
        trend::{self, Rise},
    },
    model::{
        outlook::{Band, Crossing, Forecast, Record},
        series::Series,
        time::Tick,
    },
};

/// Quantiles of a band: below `lo95` is one of forty, and so on.
const SHARES: [f64; 5] = [0.025, 0.1, 0.5, 0.9, 0.975];
/// The most that a straight line is believed.
const SUREST: f64 = 0.98;
/// A pace that takes longer than so many horizons is not looked at more closely.
const HURRY: f64 = 3.0;
/// Values that were compared before a track record counts.
const SCORED: u64 = 20;
/// Share of values that the 80 % range of a forecast is to hold.
const WITHIN: f64 = 0.8;
/// What is left of the confidence where nothing beats the last value.
const UNRELIABLE: f64 = 0.5;

/// When the course of a forecast reaches the limit, in seconds after it was made: its point for the most likely time, the ends of its
/// 80 % range for the others, interpolated between steps. What is not reached within the horizon has no time. The confidence is the
/// share of cases beyond the limit at the step where that is greatest, lowered where earlier forecasts did poorly. `None` when not even
/// the 95 % range reaches it.
pub fn ahead(forecast: &Forecast, limit: &Limit) -> Option<Crossing> {
    let bands: Vec<[f64; 5]> = forecast.bands.iter().map(|band| rooms(band, limit)).collect();
    let share = bands.iter().map(beyond).fold(0.0, f64::max);
    if share <= 0.0 {
        return None;
    }
    let reach = |quantile: usize| first(&bands, quantile).map(|steps| steps * forecast.step);
    let (earliest, likely, latest) = (reach(1), reach(2), reach(3));
    let trust = forecast.record.as_ref().map_or(1.0, trust) * if forecast.reliable { 1.0 } else { UNRELIABLE };
    Some(Crossing { limit: limit.limit, of: limit.of.clone(), likely, earliest, latest, confidence: share * trust })
}

/// The room that is left at each quantile, least first; not above 0 is beyond the limit.
fn rooms(band: &Band, limit: &Limit) -> [f64; 5] {
    let ends = [band.lo95, band.lo80, band.point, band.hi80, band.hi95];
    let mut rooms = ends.map(|value| limit.room(value));
    if !limit.floor {
        rooms.reverse();
    }
    rooms
}

/// Steps until the room at that quantile is gone, interpolated within the step; the first step has nothing before it.
fn first(bands: &[[f64; 5]], quantile: usize) -> Option<f64> {
    let room = |at: usize| bands.get(at).and_then(|rooms| rooms.get(quantile)).copied();
    let at = (0..bands.len()).find(|at| room(*at).is_some_and(|room| room <= 0.0))?;
    let (now, before) = (room(at)?, at.checked_sub(1).and_then(room));
    // How far into the step; with the step before unknown, at its end.
    let into = before.map_or(1.0, |before| before / (before - now));
    Some(at as f64 + if into.is_finite() { into.clamp(0.0, 1.0) } else { 1.0 })
}

/// Share of cases without any room left, from the quantiles of the room; outside of the 95 % range it falls to nothing over as much
/// again as lies between its end and that of the 80 % range.
fn beyond(rooms: &[f64; 5]) -> f64 {
    if rooms.iter().any(|room| !room.is_finite()) {
        return 0.0;
    }
    let [least, low, .., high, most] = *rooms;
    let edges = [least - (low - least).abs(), most + (most - high).abs()];
    let (first, last) = (edges[0], edges[1]);
    let all = std::iter::once((first, 0.0)).chain(rooms.iter().copied().zip(SHARES)).chain([(last, 1.0)]);
    let mut before: Option<(f64, f64)> = None;
    for (room, share) in all {
        if room > 0.0 {
            return before.map_or(0.0, |(under, from)| from + (share - from) * (0.0 - under) / (room - under));
        }
        before = Some((room, share));
    }
    1.0
}

/// How far a track record is believed: ranges that hold too little, and errors greater than those of the last value, count against it.
fn trust(record: &Record) -> f64 {
    if record.scored < SCORED {
        return 1.0;
    }
    let held = (record.within80 / WITHIN).clamp(0.0, 1.0);
    held * if record.skill < 0.0 { 1.0 / (1.0 - record.skill) } else { 1.0 }
}

/// When the robust line through the newest regime of `series` reaches the limit, in seconds after `now`, at the peaks of what swings
/// around it. `None` while it does not rise, or would take longer than `horizon` seconds even at its fastest.
///
/// A line knows nothing of why it rises. What has lasted for T goes on for another L with a chance of the square root of T/(T+L)
/// (durations without a scale of their own, as with Gott 1993, but half as fast to end): a minute of growth says little about an hour.
pub fn along(series: &Series, limit: &Limit, now: Tick, horizon: f64) -> Option<Crossing> {
    let last = series.last()?;
    let age = now.seconds_since(last.at);
    let found = |times: [Option<f64>; 3], confidence| Crossing {
        limit: limit.limit,
        of: limit.of.clone(),
        earliest: times[0],
        likely: times[1],
        latest: times[2],
        confidence,
    };
    if limit.room(last.value) <= 0.0 {
        return Some(found([Some(0.0); 3], 1.0));
    }
    let Rise { line, lasted } = heading(series, limit, horizon)?;
    let time = |room: f64, slope: f64| if slope > 0.0 { (room / slope - age).max(0.0) } else { f64::INFINITY };
    let room = limit.room(limit.turn(line.end));
    let likely = time(room - line.above, line.slope);
    let earliest = time(room - line.most, line.range.1).min(likely);
    let latest = time(room, line.range.0).max(likely);
    let within = |seconds: f64| (seconds <= horizon).then_some(seconds);
    within(earliest)?;
    let lasts = (lasted / (lasted + likely)).sqrt();
    let sure = SUREST * by(horizon, [earliest, likely, latest]) * if lasts.is_finite() { lasts } else { 0.0 };
    Some(found([earliest, likely, latest].map(within), sure))
}

/// How the series rises towards the limit, turned upwards for one that is reached from above.
fn heading(series: &Series, limit: &Limit, horizon: f64) -> Option<Rise> {
    let last = series.last()?;
    if !hurries(series, limit, horizon) {
        return None;
    }
    let points: Vec<(f64, f64)> = series.points().map(|p| (-last.at.seconds_since(p.at), limit.turn(p.value))).collect();
    trend::rising(&points, limit.turn(limit.limit))
}

/// False for what could not get there in a multiple of the horizon at the fastest pace that it ever had over its newest minute or over
/// all: most numbers, found out with one look at each point.
fn hurries(series: &Series, limit: &Limit, horizon: f64) -> bool {
    let Some(last) = series.last() else { return false };
    let (mut room, mut pace) = (f64::INFINITY, 0.0_f64);
    for (i, point) in series.points().rev().enumerate() {
        let here = limit.room(point.value);
        if i < LEAST {
            room = room.min(here);
        }
        let span = last.at.seconds_since(point.at);
        if i + 1 >= LEAST && span > 0.0 {
            pace = pace.max((here - room) / span);
        }
    }
    room <= HURRY * horizon * pace
}

/// Chance that it is reached by then, from the three times.
fn by(horizon: f64, [earliest, likely, latest]: [f64; 3]) -> f64 {
    let between = |from: f64, to: f64| if to > from { ((horizon - from) / (to - from)).clamp(0.0, 1.0) } else { 1.0 };
    match horizon {
        h if h >= latest => 1.0,
        h if h >= likely => 0.5 + 0.4 * if latest.is_finite() { between(likely, latest) } else { 0.0 },
        _ => 0.1 + 0.4 * between(earliest, likely),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{
        metric::{Key, Metric},
        outlook::Method,
        series::Point,
        time::Wall,
    };
    use proptest::prelude::*;

    const SECOND: u64 = 1_000_000_000;

    fn ceiling(at: f64) -> Limit {
        Limit { key: Key::host(Metric::SwapUsed), limit: at, of: "swap".into(), floor: false }
    }

    fn floor(at: f64) -> Limit {
        Limit { key: Key::host(Metric::MemoryAvailable), limit: at, of: "memory".into(), floor: true }
    }

    /// Values one second apart, the last one now.
    fn series(values: &[f64]) -> (Series, Tick) {
        let mut series = Series::default();
        for (i, value) in values.iter().enumerate() {
            series.push(Point { at: Tick((i as u64 + 1) * SECOND), value: *value }, 10_000);
        }
        (series, Tick(values.len() as u64 * SECOND))
    }

    fn line(values: impl IntoIterator<Item = f64>, limit: &Limit) -> Option<Crossing> {
        let (series, now) = series(&values.into_iter().collect::<Vec<_>>());
        along(&series, limit, now, 7200.0)
    }

    /// A leak of 12 a second with teeth of 15, seen once a second at some phase of them, dies at 250.
    fn leak(seconds: usize, phase: f64) -> Vec<f64> {
        let tooth = |t: f64| if (t * 0.97 + phase).fract() < 0.5 { 15.0 } else { 0.0 };
        (1..=seconds).map(|i| 11.5 * i as f64 + tooth(i as f64)).collect()
    }

    #[test]
    fn half_way_of_a_fast_leak_its_end_is_known_within_15_percent() {
        // The peaks reach 250 at (250 - 15) / 11.5 s.
        let dies = 235.0 / 11.5;
        let mut within = 0;
        for phase in 0..20 {
            let found = line(leak(10, f64::from(phase) / 20.0), &ceiling(250.0)).unwrap();
            let (likely, off) = (found.likely.unwrap(), 10.0 + found.likely.unwrap() - dies);
            within += usize::from(off.abs() <= 0.15 * dies);
            assert!(off.abs() <= 0.18 * dies, "{phase}: {found:?} {off}");
            assert!(found.earliest.unwrap() <= likely && found.latest.is_none_or(|latest| likely <= latest));
            assert!(found.confidence > 0.5 && found.confidence < 0.85, "{}", found.confidence);
        }
        assert!(within >= 18, "{within} of 20 phases of the teeth");
    }

    #[test]
    fn the_nearer_the_end_the_surer() {
        let sure = |seconds| line(leak(seconds, 0.2), &ceiling(250.0)).unwrap().confidence;
        assert!(sure(8) < sure(12) && sure(12) < sure(17) && sure(17) > 0.85, "{} {} {}", sure(8), sure(12), sure(17));
        assert_eq!(line(leak(5, 0.2), &ceiling(250.0)), None, "five points say nothing");
    }

    #[test]
    fn what_is_reached_from_above_is_reached_too() {
        let found = line((0..60).map(|i| 1000.0 - 5.0 * f64::from(i)), &floor(100.0)).unwrap();
        assert!((found.likely.unwrap() - 121.0).abs() < 0.5, "{found:?}");
        assert_eq!(line((0..60).map(|i| 1000.0 + 5.0 * f64::from(i)), &floor(100.0)), None);
    }

    #[test]
    fn a_limit_that_is_passed_is_reached_now_and_one_beyond_the_horizon_has_no_time() {
        let passed = line([1.0, 2.0, 11.0], &ceiling(10.0)).unwrap();
        assert_eq!((passed.earliest, passed.likely, passed.latest, passed.confidence), (Some(0.0), Some(0.0), Some(0.0), 1.0));
        assert_eq!(line((0..600).map(f64::from), &ceiling(1e6)), None);
        let near = line((0..600).map(f64::from), &ceiling(600.0 + 7210.0));
        assert!(near.as_ref().is_none_or(|c| c.likely.is_none() && c.confidence < 0.5), "{near:?}");
    }

    fn forecast(bands: Vec<Band>) -> Forecast {
        Forecast {
            key: Key::host(Metric::SwapUsed),
            made: Wall(0),
            step: 10.0,
            bands,
            blend: vec![(Method::Ridge, 1.0)],
            skill: Some(0.5),
            reliable: true,
            season: None,
            trained: 600.0,
            changed: None,
            record: None,
            crossing: None,
        }
    }

    /// A point with as much to either side of it, and twice that for the 95 % range.
    fn band(point: f64, by: f64) -> Band {
        Band { point, lo80: point - by, hi80: point + by, lo95: point - 2.0 * by, hi95: point + 2.0 * by }
    }

    fn ramp() -> Forecast {
        forecast((1..=20).map(|step| band(10.0 * f64::from(step), 20.0)).collect())
    }

    #[test]
    fn times_are_read_off_the_bands_and_interpolated_between_steps() {
        let found = ahead(&ramp(), &ceiling(125.0)).unwrap();
        assert_eq!((found.earliest, found.likely, found.latest), (Some(105.0), Some(125.0), Some(145.0)));
        assert_eq!((found.confidence, &*found.of), (1.0, "swap"));
    }

    #[test]
    fn what_is_not_reached_within_the_horizon_has_no_time() {
        let found = ahead(&ramp(), &ceiling(210.0)).unwrap();
        assert_eq!((found.earliest, found.likely, found.latest), (Some(190.0), None, None));
        assert!((found.confidence - 0.3).abs() < 1e-9, "halfway from the point to the end of the 80 % range: {}", found.confidence);
        assert_eq!(ahead(&ramp(), &ceiling(1000.0)), None);
        assert!(ahead(&ramp(), &ceiling(242.0)).unwrap().confidence < 0.025, "beyond the 95 % range");
    }

    #[test]
    fn a_floor_is_reached_by_the_lower_ends_first() {
        let falls = forecast((1..=20).map(|step| band(200.0 - 10.0 * f64::from(step), 20.0)).collect());
        let found = ahead(&falls, &floor(75.0)).unwrap();
        assert_eq!((found.earliest, found.likely, found.latest), (Some(105.0), Some(125.0), Some(145.0)));
    }

    #[test]
    fn a_poor_record_and_nothing_better_than_the_last_value_lower_the_confidence() {
        let with = |record, reliable| ahead(&Forecast { record, reliable, ..ramp() }, &ceiling(125.0)).unwrap().confidence;
        let record = |scored, skill, within80| Some(Record { scored, skill, within80, within95: 0.95 });
        assert_eq!(with(record(100, 0.4, 0.8), true), 1.0);
        assert_eq!(with(record(100, 0.4, 0.4), true), 0.5);
        assert_eq!(with(record(100, -1.0, 0.8), true), 0.5);
        assert_eq!(with(record(5, -1.0, 0.1), true), 1.0, "too few to count");
        assert_eq!(with(None, false), 0.5);
    }

    fn values() -> impl Strategy<Value = Vec<f64>> {
        let any = proptest::collection::vec(proptest::num::f64::ANY, 0..200);
        let plain = proptest::collection::vec(-1e3..1e3, 0..200);
        let constant = (proptest::num::f64::ANY, 0usize..200).prop_map(|(v, n)| vec![v; n]);
        let ramp = (0.0..1e12, 0.0..1e9, 0usize..200).prop_map(|(a, b, n)| (0..n).map(|i| a + b * i as f64).collect());
        prop_oneof![any, plain, constant, ramp]
    }

    fn in_order(found: &Crossing) -> bool {
        let far = |time: Option<f64>| time.unwrap_or(f64::INFINITY);
        let (earliest, likely, latest) = (far(found.earliest), far(found.likely), far(found.latest));
        (0.0..=1.0).contains(&found.confidence) && earliest >= 0.0 && earliest <= likely && likely <= latest
    }

    proptest! {
        #[test]
        fn a_line_never_panics_and_its_times_are_in_order(values in values(), at in proptest::num::f64::ANY, down: bool, horizon in 0.0..1e5) {
            let (series, now) = series(&values);
            let limit = if down { floor(at) } else { ceiling(at) };
            if let Some(found) = along(&series, &limit, now, horizon) {
                prop_assert!(in_order(&found), "{:?}", found);
                prop_assert!(found.latest.is_none_or(|latest| latest <= horizon));
                let passed = series.last().is_some_and(|p| limit.room(p.value) <= 0.0);
                prop_assert!(!passed || found.likely == Some(0.0));
            }
        }

        #[test]
        fn bands_never_panic_and_their_times_are_in_order(
            all in proptest::collection::vec((proptest::num::f64::ANY, proptest::num::f64::ANY), 0..50), plain in proptest::collection::vec((-10.0..10.0, 0.0..10.0), 0..50),
            at in proptest::num::f64::ANY, near in -20.0..20.0, down: bool,
        ) {
            let limit = |at| if down { floor(at) } else { ceiling(at) };
            let bands = |all: &[(f64, f64)]| forecast(all.iter().map(|(point, by)| band(*point, *by)).collect());
            if let Some(found) = ahead(&bands(&all), &limit(at)) {
                prop_assert!((0.0..=1.0).contains(&found.confidence), "{:?}", found);
            }
            if let Some(found) = ahead(&bands(&plain), &limit(near)) {
                prop_assert!(in_order(&found), "{:?}", found);
            }
        }
    }
}
