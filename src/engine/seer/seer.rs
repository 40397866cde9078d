//! The seer: takes views, thinks for as long as it may, and has an outlook to give. Pure: no thread, no clock, no file; time comes with
//! the views.

use crate::{
    analysis::trouble::{
        crossing,
        limits::{self, Limit},
    },
    engine::seer::{
        ahead::{self, Model, Question},
        anomalies::Anomalies,
        ladder::SCALES,
        record::{Book, Said},
        refill::Refill,
        relations::Relations,
        schedule::{self, AHEAD, Bucket},
        shelf::Shelf,
    },
    model::{
        change::ChangeId,
        limits::Foresight,
        message::View,
        metric::Key,
        outlook::{Effort, Forecast, Outlook},
        time::Now,
    },
    store::foresight::Row,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Seconds from one outlook to the next: when something is urgent, and otherwise.
const URGENT: f64 = 2.0;
const USUAL: f64 = 10.0;

/// The wall clock may be off by so many seconds before it counts as set.
const SET: f64 = 5.0;

/// A forecast that stands.
struct Standing {
    forecast: Arc<Forecast>,
    /// Number of the step that was open when it was made.
    open: i64,
}

/// How much an outlook is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    #[default]
    None,
    Some,
    Urgent,
}

/// Wall time in seconds since 1970, that only goes forward by the monotonic clock until somebody sets it by more than a little.
#[derive(Clone, Copy, Debug, Default)]
struct Clock(Option<f64>);

impl Clock {
    /// The time of an instant, and by how many seconds the clock was set.
    fn place(&mut self, now: Now) -> (f64, Option<f64>) {
        let (tick, wall) = (now.tick.0 as f64 / 1e9, now.wall.0 as f64 / 1e3);
        let known = *self.0.get_or_insert(wall - tick);
        if (wall - tick - known).abs() <= SET {
            return (known + tick, None);
        }
        self.0 = Some(wall - tick);
        (wall, Some(wall - tick - known))
    }
}

/// The seer.
pub struct Seer {
    wish: Foresight,
    model: Model,
    clock: Clock,
    now: f64,
    view: Option<Arc<View>>,
    shelf: Shelf,
    book: Book,
    bucket: Bucket,
    refill: Option<Refill>,
    standing: BTreeMap<(Key, usize), Standing>,
    limits: BTreeMap<Key, Limit>,
    anomalies: Anomalies,
    relations: Relations,
    /// Changes to the machine, and whether they are in force; `None` before the first view.
    deeds: Option<BTreeSet<(ChangeId, bool)>>,
    news: News,
    told: Option<f64>,
}

impl Seer {
    /// Nothing is known yet but how earlier forecasts did.
    pub fn new(wish: Foresight, model: Model, rows: Vec<Row>) -> Seer {
        Seer {
            wish,
            model,
            clock: Clock::default(),
            now: 0.0,
            view: None,
            shelf: Shelf::default(),
            book: Book::new(rows),
            bucket: Bucket::new(wish.cpu),
            refill: None,
            standing: BTreeMap::new(),
            limits: BTreeMap::new(),
            anomalies: Anomalies::default(),
            relations: Relations::default(),
            deeds: None,
            news: News::None,
            told: None,
        }
    }

    /// What was before is to be read from there.
    pub fn remember(&mut self, refill: Refill) {
        self.refill = Some(refill);
    }

    /// The time of the newest view, in seconds since 1970.
    pub fn now(&self) -> f64 {
        self.now
    }

    /// Takes what was seen.
    pub fn take(&mut self, view: Arc<View>) {
        let (now, set) = self.clock.place(view.now);
        if let Some(seconds) = set {
            self.shift(seconds);
        }
        self.now = now;
        self.limits = limits::limits(&view.snapshot).into_iter().map(|limit| (limit.key.clone(), limit)).collect();
        let evidence = view.findings.iter().flat_map(|finding| &finding.evidence);
        let vital: BTreeSet<Key> =
            evidence.map(|e| Key::new(e.subject.clone(), e.metric)).chain(self.limits.keys().cloned()).collect();
        self.shelf.take(now, &view.snapshot, &vital);
        self.note_deeds(&view);
        self.settle();
        if self.refill.is_none() && self.anomalies.take(&self.shelf, now) {
            self.news = News::Urgent;
        }
        self.bucket.pass(now);
        // A story of what has just come costs a millisecond, and somebody waits for it.
        if self.relations.take(&view, now, &self.anomalies.told()) {
            while self.relations.explain(now) {}
            self.news = News::Urgent;
        }
        self.view = Some(view);
    }

    /// Does one thing that is due, if there is time for it; false when there is none of either.
    pub fn think(&mut self) -> bool {
        self.bucket.may()
            && (self.recall()
                || self.relations.explain(self.now)
                || self.relations.search(&self.shelf, self.now)
                || self.foresee()
                || self.anomalies.learn(&self.shelf)
                || self.relations.shape(&self.shelf, self.now))
    }

    /// So many nanoseconds of cpu time were used.
    pub fn spend(&mut self, nanos: u64) {
        self.bucket.spend(nanos);
    }

    /// The outlook, if it is another one than before and its time has come.
    pub fn outlook(&mut self) -> Option<Arc<Outlook>> {
        let pause = match (self.news, self.told) {
            (News::None, _) => return None,
            (News::Urgent, _) | (_, None) => URGENT,
            (News::Some, Some(_)) => USUAL,
        };
        if self.told.is_some_and(|told| self.now - told < pause) {
            return None;
        }
        (self.news, self.told) = (News::None, Some(self.now));
        Some(Arc::new(Outlook {
            forecasts: self.standing.values().filter(|s| !s.forecast.bands.is_empty()).map(|s| s.forecast.clone()).collect(),
            anomalies: self.anomalies.told(),
            unusual: self.anomalies.unusual.clone(),
            links: self.relations.links(),
            stories: self.relations.stories(),
            patterns: self.relations.patterns(),
            effort: self.effort(),
        }))
    }

    /// The forecast of the number of that path for so many seconds, made now; why there is none, in words.
    pub fn answer(&self, of: &str, horizon: f64) -> Result<Forecast, String> {
        let Some((key, row)) = self.shelf.iter().find(|(key, _)| key.path() == of) else {
            return Err(format!("trimtab does not look ahead at {of}: it knows no such number, or too many that matter more"));
        };
        let bounds = self.view.as_ref().map(|view| ahead::bounds(key, &view.snapshot)).unwrap_or_default();
        let mut forecast = ahead::on_demand(self.model, &self.book, (key, &row.ladder), bounds, horizon)?;
        self.cross(&mut forecast);
        Ok(forecast)
    }

    /// What is to outlive a restart.
    pub fn kept(&self) -> Vec<Row> {
        self.book.kept()
    }

    /// What it costs.
    pub fn effort(&self) -> Effort {
        let bands: usize = self.standing.values().map(|standing| size_of_val(standing.forecast.bands.as_slice())).sum();
        let standing = self.standing.len() * (size_of::<Forecast>() + size_of::<((Key, usize), Standing)>()) + bands;
        Effort {
            series: self.shelf.len(),
            forecasts: self.standing.len(),
            cpu: self.bucket.used(),
            budget: self.bucket.budget(),
            bytes: self.shelf.bytes() + self.book.bytes() + self.anomalies.bytes() + self.relations.bytes() + standing,
        }
    }

    /// Reads a piece of the past; false when there is none to read.
    fn recall(&mut self) -> bool {
        let Some(refill) = &mut self.refill else { return false };
        match refill.step(&mut self.shelf) {
            Ok(true) => {}
            Ok(false) => self.refill = None,
            Err(e) => {
                log::warn!(target: "engine", "what was before is not known to foresight: {e}");
                self.refill = None;
            }
        }
        true
    }

    /// Makes the forecast that is most overdue; false when none is.
    fn foresee(&mut self) -> bool {
        let made = |key: &Key, rung: usize| self.standing.get(&(key.clone(), rung)).map(|standing| standing.open);
        let Some((key, rung)) = schedule::next(&self.shelf, self.now, made) else { return false };
        let Some((view, row)) = self.view.as_ref().zip(self.shelf.get(&key)) else { return false };
        let Some(course) = row.ladder.course(rung) else { return false };
        let bounds = ahead::bounds(&key, &view.snapshot);
        let steps = self.steps(rung);
        let mut forecast = ahead::forecast(self.model, &self.book, Question { key: &key, course: &course, steps, bounds });
        let open = row.ladder.open(rung);
        if let Some(last) = course.last() {
            let said = Said { key: &key, step: course.step as i64, first: open, last, bands: &forecast.bands };
            self.book.expect(said);
        }
        self.cross(&mut forecast);
        self.news = self.news.max(News::Some);
        self.standing.insert((key, rung), Standing { forecast: Arc::new(forecast), open });
        true
    }

    fn steps(&self, rung: usize) -> usize {
        let (ahead, step) = (AHEAD.get(rung).copied().unwrap_or(1), SCALES.get(rung).map_or(1, |scale| scale.step));
        ahead.min((self.wish.horizon / step as f64).ceil() as usize).max(1)
    }

    /// Says when the limit is reached, where there is one.
    fn cross(&self, forecast: &mut Forecast) {
        forecast.crossing = self.limits.get(&forecast.key).and_then(|limit| crossing::ahead(forecast, limit));
    }

    /// Compares what is due, and drops what time has overtaken.
    fn settle(&mut self) {
        let Seer { shelf, book, standing, now, .. } = self;
        let rung = |step: i64| SCALES.iter().position(|scale| scale.step == step).unwrap_or_default();
        book.keep_only(|key| shelf.get(key).is_some());
        book.settle(|key, step, number| match shelf.get(key).map(|row| &row.ladder) {
            None => Some(None),
            Some(ladder) if number >= ladder.open(rung(step)) => None,
            Some(ladder) => Some(ladder.at(rung(step), number)),
        });
        let before = standing.len();
        standing.retain(|(key, _), standing| {
            let forecast = &standing.forecast;
            let reach = if forecast.bands.is_empty() { forecast.step } else { forecast.reach() };
            shelf.get(key).is_some() && forecast.made.0 as f64 / 1000.0 + reach > *now
        });
        if standing.len() != before {
            self.news = self.news.max(News::Some);
        }
    }

    /// What trimtab itself does to the machine is no failure of a forecast.
    fn note_deeds(&mut self, view: &View) {
        let applied = view.changes.iter().filter(|change| change.applied.is_some());
        let deeds: BTreeSet<(ChangeId, bool)> = applied.map(|change| (change.id, change.state.is_live())).collect();
        if self.deeds.as_ref().is_some_and(|known| !deeds.is_subset(known)) {
            self.book.forget_waiting();
        }
        self.deeds = Some(deeds);
    }

    fn shift(&mut self, seconds: f64) {
        self.shelf.shift(seconds);
        self.book.shift(seconds);
        self.anomalies.shift(seconds);
        self.relations.shift(seconds);
        self.standing.clear();
        self.told = None;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        analysis::forecast::forecast::{Past, Prediction},
        engine::seer::shelf::Weight,
        model::{
            finding::{Evidence, Finding, FindingId, FindingKind, Severity},
            limits::Mode,
            message::{Cost, GuardState},
            metric::Metric,
            outlook::{Band, Method},
            snapshot::{Disk, Reading, Snapshot, Vitals},
            subject::Subject,
            time::{Tick, Wall},
        },
    };

    const START: i64 = 1_700_000_100;
    /// What a forecast costs here, in nanoseconds.
    const COST: u64 = 8_000_000;

    /// The last value, give or take one; it believes in itself.
    fn flat(past: &Past<'_>, horizon: usize) -> Prediction {
        let last = past.values.iter().copied().rfind(|value| value.is_finite()).unwrap_or_default();
        let band = Band { point: last, lo80: last - 1.0, hi80: last + 1.0, lo95: last - 2.0, hi95: last + 2.0 };
        Prediction {
            bands: vec![band; horizon],
            blend: vec![(Method::LastValue, 1.0)],
            skill: Some(0.5),
            reliable: true,
            season: None,
            trained: past.values.len() as f64 * past.step,
            changed: None,
        }
    }

    /// Always twice as much as there is.
    fn wrong(past: &Past<'_>, horizon: usize) -> Prediction {
        let mut said = flat(past, horizon);
        said.bands.iter_mut().for_each(|band| *band = Band { point: 2.0 * band.point, hi80: 3.0 * band.point, ..*band });
        said
    }

    fn view(second: i64, read: f64) -> View {
        let disk = Disk { name: "d".into(), read, busy: 0.5, latency: Some(0.05), ..Disk::default() };
        let now = Now { tick: Tick((second as u64 + 500) * 1_000_000_000), wall: Wall((START + second) * 1000) };
        let vitals = Vitals { now, ..Vitals::default() };
        let snapshot = Snapshot { vitals, disks: Reading::Known(vec![disk]), ..Snapshot::default() };
        View {
            number: 0,
            now,
            mode: Mode::Observe,
            facts: Arc::default(),
            snapshot: Arc::new(snapshot),
            findings: Arc::default(),
            changes: Arc::default(),
            problems: Vec::new(),
            halted: None,
            cost: Cost::default(),
            guard: GuardState::default(),
            engine: 1,
            alerts: Arc::default(),
            outlook: None,
            emergencies: Vec::new(),
            present: Vec::new(),
            trust: None,
        }
    }

    fn read() -> Key {
        Key::new(Subject::Disk("d".into()), Metric::DiskRead)
    }

    fn wave(second: i64) -> f64 {
        100.0 + 10.0 * (second as f64 / 40.0).sin()
    }

    /// Plays some seconds; every outlook, with the second at which it came.
    fn play(seer: &mut Seer, seconds: std::ops::Range<i64>) -> Vec<(i64, Arc<Outlook>)> {
        let mut seen = Vec::new();
        for second in seconds {
            seer.take(Arc::new(view(second, wave(second))));
            while seer.think() {
                seer.spend(COST);
            }
            seen.extend(seer.outlook().map(|outlook| (second, outlook)));
        }
        seen
    }

    fn seer(model: Model) -> Seer {
        Seer::new(Foresight::default(), model, Vec::new())
    }

    #[test]
    fn it_looks_ahead_at_each_resolution_as_soon_as_there_is_enough_and_keeps_score() {
        let mut seer = seer(flat);
        let seen = play(&mut seer, 0..4000);
        let of = |second: i64| {
            let outlook = &seen.iter().rfind(|(at, _)| *at <= second).unwrap().1;
            outlook.of(&read()).map(|forecast| forecast.step).collect::<Vec<f64>>()
        };
        assert_eq!((of(250), of(500), of(3000)), (vec![1.0], vec![1.0, 10.0], vec![10.0, 60.0]));
        assert!(seen[0].0 >= 100, "not from nothing");
        assert!(seen.windows(2).all(|pair| pair[1].0 - pair[0].0 >= URGENT as i64), "not too often");
        let (second, last) = seen.last().unwrap();
        let forecast = last.of(&read()).next().unwrap();
        assert_eq!((forecast.bands.len(), forecast.step), (30, 10.0));
        let age = START + second - forecast.made.0 / 1000;
        assert!((0..100).contains(&age), "made {age} s ago");
        let record = forecast.record.unwrap();
        assert!(record.scored > 50 && record.skill.abs() < 1e-3, "the last value is no better than itself: {record:?}");
        assert!((record.within80 - 0.8).abs() < 0.15, "its ranges were too narrow and have become wider: {record:?}");
        assert!(last.forecasts.is_sorted_by_key(|forecast| (forecast.key.clone(), forecast.step as i64)));
        let effort = last.effort;
        assert!(effort.series > 3 && effort.forecasts == last.forecasts.len() && effort.cpu < 0.012, "{effort:?}");
    }

    #[test]
    fn a_poor_record_ends_the_trust_of_a_model_in_itself() {
        let mut seer = seer(wrong);
        let seen = play(&mut seer, 0..3000);
        let reliable = |second: i64| {
            let outlook = &seen.iter().rfind(|(at, _)| *at <= second).unwrap().1;
            outlook.of(&read()).next().unwrap().reliable
        };
        assert!(reliable(160) && !reliable(2900));
        assert!(seen.last().unwrap().1.of(&read()).next().unwrap().record.unwrap().skill < -1.0);
    }

    #[test]
    fn what_time_has_overtaken_or_is_gone_is_not_told() {
        let mut seer = seer(flat);
        play(&mut seer, 0..600);
        let mut gone = view(600, 0.0);
        gone.snapshot = Arc::default();
        for second in 600..1200 {
            let at = view(second, 0.0).now;
            seer.take(Arc::new(View { now: at, ..gone.clone() }));
        }
        assert!(seer.outlook().unwrap().forecasts.is_empty(), "none reaches ten minutes ahead");
    }

    #[test]
    fn a_finding_makes_its_evidence_matter() {
        let mut seer = seer(flat);
        let flush = Key::new(Subject::Disk("d".into()), Metric::DiskQueue);
        play(&mut seer, 0..100);
        assert_eq!(seer.shelf.get(&flush).unwrap().weight, Weight::Usual);
        let evidence =
            Evidence { metric: Metric::DiskQueue, subject: flush.subject.clone(), value: 9.0, threshold: None, from: "x".into() };
        let finding = Finding {
            id: FindingId { kind: FindingKind::DiskLatency, subject: flush.subject.clone() },
            severity: Severity::Warning,
            headline: "slow".into(),
            evidence: vec![evidence],
            culprits: vec![],
            victims: vec![],
            ruled_out: vec![],
            advice: None,
            impact: 0.5,
            priority: 1.0,
            since: Wall(0),
            crossing: None,
        };
        let mut told = Vec::new();
        for second in 100..120 {
            seer.take(Arc::new(View { findings: Arc::new(vec![finding.clone()]), ..view(second, 1.0) }));
            told.extend(seer.outlook().map(|outlook| (second, outlook.stories.clone())));
        }
        let (when, stories) = &told[0];
        assert!(*when <= 102 && stories[0].finding.as_ref() == Some(&finding.id), "its story is told at once: {told:?}");
        assert_eq!(seer.shelf.get(&flush).unwrap().weight, Weight::Vital);
        for second in 120..900 {
            seer.take(Arc::new(view(second, 1.0)));
        }
        assert!(seer.relations.stories().is_empty(), "and not for long after its end");
    }

    #[test]
    fn what_moves_together_and_what_has_a_shape_is_told() {
        let mut seer = seer(flat);
        let news = |second: i64| {
            let mixed = (second as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            ((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64
        };
        let mut links = Vec::new();
        for second in 0..700 {
            let mut view = view(second, news(second));
            let mut snapshot = (*view.snapshot).clone();
            let other = Disk { name: "e".into(), read: news(second - 3), ..Disk::default() };
            snapshot.disks = Reading::Known(vec![snapshot.disks.known().unwrap()[0].clone(), other]);
            view.snapshot = Arc::new(snapshot);
            seer.take(Arc::new(view));
            while seer.think() {
                seer.spend(COST / 20);
            }
            links.extend(seer.outlook().map(|outlook| outlook.links.clone()));
        }
        let follows = Key::new(Subject::Disk("e".into()), Metric::DiskRead);
        let found = links.last().unwrap().iter().find(|link| link.follows == follows).unwrap();
        assert!(found.leads == read() && found.lag == 3.0 && found.r > 0.9, "{found:?}");
        let mut steps = self::seer(flat);
        for second in 0..7200 {
            steps.take(Arc::new(view(second, if second < 3600 { 100.0 } else { 900.0 } + news(second) / 1e7)));
            while steps.think() {
                steps.spend(COST / 20);
            }
        }
        let patterns = steps.relations.patterns();
        let step = patterns.iter().find(|pattern| pattern.key == read()).unwrap();
        assert!(matches!(step.shape, crate::model::outlook::Shape::Step { .. }), "{step:?}");
    }

    #[test]
    fn a_question_is_answered_for_any_time_or_told_why_not() {
        let mut seer = seer(flat);
        play(&mut seer, 0..20);
        assert!(seer.answer("disk_read:d", 600.0).unwrap_err().contains("still learning"));
        assert!(seer.answer("disk_read:e", 600.0).unwrap_err().contains("no such number"));
        play(&mut seer, 20..4000);
        let steps = |horizon| seer.answer("disk_read:d", horizon).map(|f| (f.step, f.bands.len()));
        assert_eq!([30.0, 250.0, 1800.0].map(|horizon| steps(horizon).unwrap()), [(1.0, 30), (10.0, 25), (60.0, 30)]);
        assert_eq!(steps(7200.0).unwrap(), (60.0, 120), "an hour in steps of five minutes is too little");
        assert!(steps(7201.0).is_err() && steps(0.0).is_err() && steps(f64::NAN).is_err());
    }

    #[test]
    fn a_clock_that_is_set_tears_no_course_apart() {
        let mut seer = seer(flat);
        play(&mut seer, 0..600);
        for second in 600..1200 {
            let mut later = view(second, wave(second));
            later.now.wall = Wall(later.now.wall.0 + 86_400_000);
            seer.take(Arc::new(later));
            while seer.think() {
                seer.spend(COST);
            }
        }
        let outlook = seer.outlook().unwrap();
        let forecast = outlook.of(&read()).next().unwrap();
        assert!((forecast.made.0 / 1000 - START - 86_400 - 1200).abs() < 100);
        assert!(forecast.trained >= 1100.0, "{}", forecast.trained);
    }
}
