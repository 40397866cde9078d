//! Reading an outlook: which forecast answers for a moment ahead, what it says there, and how its words go. Both the console and the
//! command line say the same, since both say it from here.

use crate::model::{
    metric::Key,
    outlook::{Anomaly, Band, Crossing, Forecast, Outlook, Record},
    time::Wall,
    unit::Unit,
};
use std::sync::Arc;

/// Seconds ahead for which tables tell a value.
pub const AHEAD: [f64; 3] = [900.0, 3600.0, 7200.0];

/// Of a stretch ahead, this share must be reached.
const NEARLY: f64 = 0.9;

/// Seconds from one moment to a later one; negative if it is earlier.
pub fn seconds(from: Wall, to: Wall) -> f64 {
    to.0.saturating_sub(from.0) as f64 / 1000.0
}

/// The moment so many seconds after another.
pub fn after(from: Wall, seconds: f64) -> Wall {
    Wall(from.0.saturating_add((seconds * 1000.0) as i64))
}

/// A stretch of time without what is zero: `15 min`, `2 h`, else as [`Unit::show`] has it.
pub fn stretch(seconds: f64) -> String {
    match seconds {
        s if s >= 3600.0 && s % 3600.0 == 0.0 => format!("{:.0} h", s / 3600.0),
        s if (60.0..7200.0).contains(&s) && s % 60.0 == 0.0 => format!("{:.0} min", s / 60.0),
        s if s < 120.0 && s.fract() == 0.0 => format!("{s:.0} s"),
        s => Unit::Seconds.show(s),
    }
}

/// As [`stretch`], of whole seconds from ten on, and of whole minutes from ten of these on.
pub fn about(seconds: f64) -> String {
    match seconds {
        s if s >= 600.0 => stretch((s / 60.0).round() * 60.0),
        s if s >= 10.0 => stretch(s.round()),
        s => Unit::Seconds.show(s),
    }
}

impl Forecast {
    /// Seconds after it was made up to which it says something.
    pub fn reach(&self) -> f64 {
        self.step * self.bands.len() as f64
    }

    /// Seconds from `now` up to which it says something.
    pub fn left(&self, now: Wall) -> f64 {
        self.reach() - seconds(self.made, now)
    }

    /// What it says for a moment, on straight lines between its steps; `None` before it was made and beyond its reach. Within the first
    /// step it is what it says for the end of that step.
    pub fn at(&self, when: Wall) -> Option<Band> {
        let step = self.step.max(f64::MIN_POSITIVE);
        let place = seconds(self.made, when) / step;
        // A millisecond of rounding is no reason to have nothing to say at the very end.
        if !(0.0..=self.bands.len() as f64 + 1e-3 / step).contains(&place) {
            return None;
        }
        let before = (place.floor() as usize).saturating_sub(1);
        let from = self.bands.get(before).or(self.bands.last())?;
        let to = self.bands.get(before + 1).unwrap_or(from);
        Some(between(from, to, (place - 1.0 - before as f64).clamp(0.0, 1.0)))
    }

    /// What it says for so many seconds after `now`. A forecast is a little old by the time that it is read: where hardly more than that
    /// is missing at its end, its end answers.
    pub fn ahead(&self, now: Wall, seconds: f64) -> Option<Band> {
        let left = self.left(now);
        if seconds > left && left >= seconds * NEARLY { self.bands.last().copied() } else { self.at(after(now, seconds)) }
    }

    /// Seconds from `now` until its limit is likely reached.
    pub fn due(&self, now: Wall) -> Option<f64> {
        let likely = self.crossing.as_ref()?.likely?;
        Some((likely - seconds(self.made, now)).max(0.0))
    }

    /// Why there is no reliable forecast, if so.
    pub fn doubt(&self) -> Option<String> {
        if self.reliable {
            return None;
        }
        let trained = stretch(self.trained);
        Some(match (self.skill, self.changed) {
            (None, _) => format!("no reliable forecast: {trained} of history are too few to test one"),
            (Some(_), Some(changed)) if changed < self.reach() => {
                format!("no reliable forecast: it changed its ways {} ago", stretch(changed))
            }
            (Some(_), _) => format!("no reliable forecast: nothing beats the last value over {trained} of its past"),
        })
    }

    /// The methods with their shares, greatest first.
    pub fn methods(&self) -> String {
        let all = self.blend.iter().filter(|(_, weight)| *weight >= 0.005);
        let all: Vec<String> = all.map(|(method, weight)| format!("{} {:.0} %", method.words(), weight * 100.0)).collect();
        if all.is_empty() { "-".into() } else { all.join(", ") }
    }
}

fn between(from: &Band, to: &Band, share: f64) -> Band {
    let mix = |a: f64, b: f64| a + (b - a) * share;
    Band {
        point: mix(from.point, to.point),
        lo80: mix(from.lo80, to.lo80),
        hi80: mix(from.hi80, to.hi80),
        lo95: mix(from.lo95, to.lo95),
        hi95: mix(from.hi95, to.hi95),
    }
}

impl Crossing {
    /// The time to the limit in words, with its range: seconds have gone by since the forecast was made.
    pub fn words(&self, gone: f64) -> String {
        let left = |time: f64| Unit::Seconds.show((time - gone).max(0.0).round());
        match (self.likely, self.earliest, self.latest) {
            (Some(likely), earliest, latest) => {
                let earliest = left(earliest.unwrap_or(likely).min(likely));
                let latest = latest.map_or_else(|| " or later".into(), |latest| format!(" to {}", left(latest.max(likely))));
                format!("in {} ({earliest}{latest})", left(likely))
            }
            (None, Some(earliest), _) => format!("hardly, at the earliest in {}", left(earliest)),
            (None, None, _) => "not within its reach".into(),
        }
    }
}

impl Record {
    /// How earlier forecasts did, in words.
    pub fn words(&self) -> String {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        format!(
            "{} scored: {} within the 80 % range, {} within the 95 %, skill {:+.2}",
            Unit::Count.show(self.scored as f64),
            percent(self.within80),
            percent(self.within95),
            self.skill
        )
    }
}

impl Outlook {
    /// Every key that is forecast, each once.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        let keys = self.forecasts.iter().map(|forecast| &forecast.key);
        keys.scan(None, |last, key| Some((last.replace(key) != Some(key)).then_some(key))).flatten()
    }

    /// The forecast that answers for so many seconds after `now`: of those that reach it a reliable one, the finest of these.
    pub fn answer<'o>(&'o self, key: &Key, now: Wall, ahead: f64) -> Option<&'o Arc<Forecast>> {
        let reaching = || self.of(key).filter(move |forecast| forecast.ahead(now, ahead).is_some());
        reaching().find(|forecast| forecast.reliable).or_else(|| reaching().next())
    }

    /// The forecast that tells most of a key as a whole: one that heads for a limit, the likeliest to reach it first; else a reliable
    /// one, the furthest first; else the furthest.
    pub fn chief<'o>(&'o self, key: &Key) -> Option<&'o Arc<Forecast>> {
        let rank = |f: &Forecast| {
            let crossing = f.crossing.as_ref().filter(|crossing| crossing.likely.is_some());
            (crossing.map_or(-1.0, |crossing| crossing.confidence), f.reliable, f.reach())
        };
        self.of(key).max_by(|a, b| {
            let ((a, a_reliable, a_reach), (b, b_reliable, b_reach)) = (rank(a), rank(b));
            a.total_cmp(&b).then(a_reliable.cmp(&b_reliable)).then(a_reach.total_cmp(&b_reach))
        })
    }

    /// The anomalies of a key, newest first.
    pub fn odd<'o>(&'o self, key: &'o Key) -> impl Iterator<Item = &'o Anomaly> {
        self.anomalies.iter().filter(move |anomaly| anomaly.key == *key)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::{metric::Metric, outlook::Method};

    fn band(point: f64) -> Band {
        Band { point, lo80: point - 1.0, hi80: point + 1.0, lo95: point - 2.0, hi95: point + 2.0 }
    }

    fn forecast(step: f64, points: &[f64], reliable: bool) -> Arc<Forecast> {
        Arc::new(Forecast {
            key: Key::host(Metric::MemoryUsed),
            made: Wall(1_000_000),
            step,
            bands: points.iter().map(|point| band(*point)).collect(),
            blend: vec![(Method::Ridge, 0.7), (Method::ElasticNet, 0.299), (Method::Mean, 0.001)],
            skill: Some(0.3),
            reliable,
            season: None,
            trained: 600.0,
            changed: None,
            record: None,
            crossing: None,
        })
    }

    fn at(after: f64) -> Wall {
        Wall(1_000_000 + (after * 1000.0) as i64)
    }

    #[test]
    fn a_forecast_says_what_it_says_at_its_steps_and_nothing_outside() {
        let forecast = forecast(10.0, &[10.0, 20.0, 40.0], true);
        for (after, point) in [(0.0, 10.0), (9.0, 10.0), (10.0, 10.0), (15.0, 15.0), (20.0, 20.0), (25.0, 30.0), (30.0, 40.0)] {
            assert_eq!(forecast.at(at(after)).map(|band| band.point), Some(point), "{after}");
        }
        assert_eq!((forecast.at(at(30.1)), forecast.at(at(-0.1))), (None, None));
        assert_eq!(forecast.at(at(15.0)).unwrap().hi95, 17.0);
        let nothing = Forecast { bands: vec![], step: 0.0, ..(*forecast).clone() };
        assert_eq!(nothing.at(at(0.0)), None);
    }

    #[test]
    fn the_end_answers_where_hardly_more_than_its_age_is_missing() {
        let forecast = forecast(10.0, &[10.0, 20.0, 40.0], true);
        let point = |age, ahead| forecast.ahead(at(age), ahead).map(|band| band.point);
        assert_eq!([point(2.0, 30.0), point(4.0, 30.0), point(2.0, 18.0)], [Some(40.0), None, Some(20.0)]);
        assert_eq!(forecast.left(at(4.0)), 26.0);
    }

    #[test]
    fn the_finest_reliable_forecast_that_reaches_a_moment_answers_for_it() {
        let outlook = |all: &[(f64, bool)]| Outlook {
            forecasts: all.iter().map(|(step, reliable)| forecast(*step, &[1.0; 10], *reliable)).collect(),
            ..Outlook::default()
        };
        let key = Key::host(Metric::MemoryUsed);
        let step = |all: &[(f64, bool)], after| outlook(all).answer(&key, at(0.0), after).map(|f| f.step);
        let all = [(1.0, true), (10.0, true), (60.0, true)];
        assert_eq!([5.0, 50.0, 500.0, 5000.0].map(|after| step(&all, after)), [Some(1.0), Some(10.0), Some(60.0), None]);
        assert_eq!(step(&[(1.0, false), (10.0, true)], 5.0), Some(10.0));
        assert_eq!(step(&[(1.0, false), (10.0, false)], 5.0), Some(1.0));
        assert_eq!(outlook(&all).keys().count(), 1);
        assert_eq!(outlook(&all).chief(&key).unwrap().step, 60.0);
    }

    #[test]
    fn a_crossing_tells_its_range_or_that_it_has_none() {
        let crossing =
            |likely, earliest, latest| Crossing { limit: 1.0, of: "x".into(), likely, earliest, latest, confidence: 0.9 };
        for (crossing, words) in [
            (crossing(Some(2280.0), Some(1860.0), Some(3060.0)), "in 37 min (30 min to 50 min)"),
            (crossing(Some(2280.0), Some(1860.0), None), "in 37 min (30 min or later)"),
            (crossing(None, Some(6060.0), None), "hardly, at the earliest in 100 min"),
            (crossing(None, None, None), "not within its reach"),
            (crossing(Some(10.0), Some(5.0), Some(20.0)), "in 0 s (0 s to 0 s)"),
        ] {
            assert_eq!(crossing.words(60.0), words);
        }
    }

    #[test]
    fn whole_hours_have_no_minutes() {
        let cases = [
            (1.0, "1 s"),
            (70.0, "70 s"),
            (300.0, "5 min"),
            (3600.0, "1 h"),
            (5400.0, "90 min"),
            (86_400.0, "24 h"),
            (7000.0, "117 min"),
            (9000.0, "2.5 h"),
        ];
        for (seconds, words) in cases {
            assert_eq!(stretch(seconds), words);
        }
    }

    #[test]
    fn what_is_not_reliable_says_why() {
        let plain = forecast(10.0, &[1.0], false);
        assert_eq!(forecast(10.0, &[1.0], true).doubt(), None);
        assert!(plain.doubt().unwrap().contains("nothing beats"));
        assert!(Forecast { skill: None, ..(*plain).clone() }.doubt().unwrap().contains("too few"));
        assert!(Forecast { changed: Some(5.0), ..(*plain).clone() }.doubt().unwrap().contains("5 s ago"));
        assert_eq!(plain.methods(), "ridge 70 %, elastic net 30 %");
    }
}
