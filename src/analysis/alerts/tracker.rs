//! All rules on all subjects: at most one alert for a rule and a subject at a time, and a bounded number of both.

use crate::{
    analysis::alerts::watch::{Turn, Watch},
    model::{
        alert::{Alert, AlertId, AlertState, Kept, Rule},
        change::Who,
        metric::{Key, Metric},
        pick::Pattern,
        subject::Subject,
        time::{Now, Tick, Wall},
    },
};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
    time::Duration,
};

/// Alerts at a time at most, pending ones included. A rule that every process of a big host breaks says no more with a thousand rows.
pub const MOST: usize = 200;

/// Alerts kept that are over.
pub const ENDED: usize = 500;

/// Without a value for so long, what it was about is taken for gone.
const GONE: Duration = Duration::from_secs(300);

/// What happened to alerts in one look, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Fires.
    Fired(Alert),
    /// Was put off and is back.
    Woke(Alert),
    /// Is over.
    Cleared(Alert),
}

/// A rule and a subject: what an alert is one of.
type Place = (usize, Subject);

/// All alerts.
#[derive(Debug, Default)]
pub struct Tracker {
    rules: Vec<(Rule, Option<Pattern>)>,
    by_metric: HashMap<Metric, Vec<usize>>,
    live: BTreeMap<Place, Watch>,
    fired: HashMap<Place, VecDeque<Tick>>,
    ended: VecDeque<Arc<Alert>>,
    newest: u64,
    /// Conditions that found no room at the last look.
    pub left_out: usize,
}

impl Tracker {
    /// Rules in force, and what an earlier engine has kept. What a rule of today does not know is taken for over.
    pub fn new(rules: &[Rule], kept: Kept, now: Now) -> Tracker {
        let mut tracker = Tracker { newest: kept.newest, ended: kept.ended.into(), ..Tracker::default() };
        for rule in rules.iter().filter(|rule| rule.enabled) {
            let pattern = (rule.subject != "any").then(|| Pattern::new(rule.subject.clone()));
            tracker.by_metric.entry(rule.metric).or_default().push(tracker.rules.len());
            tracker.rules.push((rule.clone(), pattern));
        }
        for alert in kept.live {
            let rule = tracker.rules.iter().position(|(rule, _)| rule.name == alert.rule && rule.metric == alert.key.metric);
            let mut watch = Watch::resume(alert, now);
            match rule {
                Some(rule) => drop(tracker.live.insert((rule, watch.alert.key.subject.clone()), watch)),
                None => {
                    watch.end(now);
                    tracker.bury(watch.alert);
                }
            }
        }
        tracker
    }

    /// Looks at every value that `values` gives.
    pub fn look(&mut self, now: Now, values: impl FnOnce(&mut dyn FnMut(Key, f64))) -> Vec<News> {
        let mut news = Vec::new();
        self.left_out = 0;
        values(&mut |key, value| self.take(now, &key, value, &mut news));
        self.forget(now, &mut news);
        news
    }

    fn take(&mut self, now: Now, key: &Key, value: f64, news: &mut Vec<News>) {
        let Some(rules) = self.by_metric.get(&key.metric).filter(|_| value.is_finite()) else { return };
        for index in rules.clone() {
            let Some((rule, pattern)) = self.rules.get(index) else { continue };
            if pattern.as_ref().is_some_and(|pattern| !pattern.fits(&key.subject.name())) {
                continue;
            }
            let place = (index, key.subject.clone());
            if !self.live.contains_key(&place) {
                if !rule.is_over(value) {
                    continue;
                }
                if self.live.len() >= MOST {
                    self.left_out += 1;
                    continue;
                }
                self.newest += 1;
                self.live.insert(place.clone(), Watch::begin(AlertId(self.newest), rule, key.clone(), value, now));
            }
            let fired = self.fired.entry(place.clone()).or_default();
            let Some(watch) = self.live.get_mut(&place) else { continue };
            let turn = watch.take(rule, value, now, fired);
            self.turn(&place, turn, news);
        }
    }

    fn turn(&mut self, place: &Place, turn: Turn, news: &mut Vec<News>) {
        let alert = self.live.get(place).map(|watch| watch.alert.clone());
        let Some(alert) = alert else { return };
        match turn {
            Turn::Stays => {}
            Turn::Fired => news.push(News::Fired(alert)),
            Turn::Woke => news.push(News::Woke(alert)),
            Turn::Dropped => drop(self.live.remove(place)),
            Turn::Cleared => {
                self.live.remove(place);
                self.bury(alert.clone());
                news.push(News::Cleared(alert));
            }
        }
    }

    /// Ends what has had no value for long: its subject is gone.
    fn forget(&mut self, now: Now, news: &mut Vec<News>) {
        let gone: Vec<Place> =
            self.live.iter().filter(|(_, watch)| now.tick.since(watch.seen) > GONE).map(|(place, _)| place.clone()).collect();
        for place in gone {
            let Some(watch) = self.live.get_mut(&place) else { continue };
            let turn = if watch.alert.state == AlertState::Pending { Turn::Dropped } else { watch.end(now) };
            self.turn(&place, turn, news);
        }
        self.fired.retain(|place, times| {
            self.live.contains_key(place) || times.back().is_some_and(|at| now.tick.since(*at) < Duration::from_secs(3600))
        });
    }

    fn bury(&mut self, alert: Alert) {
        self.ended.push_front(Arc::new(alert));
        self.ended.truncate(ENDED);
    }

    fn find(&mut self, id: AlertId) -> Result<&mut Watch, String> {
        let found = self.live.values_mut().find(|watch| watch.alert.id == id);
        found.filter(|watch| watch.alert.is_live()).ok_or_else(|| format!("there is no alert {id} that holds: look at the alerts"))
    }

    /// Somebody knows of it.
    pub fn acknowledge(&mut self, id: AlertId, who: Who, now: Now) -> Result<String, String> {
        let watch = self.find(id)?;
        if let Some((by, _)) = watch.alert.acknowledged.as_ref().filter(|_| watch.alert.state == AlertState::Acknowledged) {
            return Ok(format!("{id} is acknowledged already, by {by}"));
        }
        watch.alert.state = AlertState::Acknowledged;
        watch.alert.acknowledged = Some((who, now.wall));
        watch.alert.snoozed = None;
        watch.wakes = None;
        Ok(format!("{id} is acknowledged"))
    }

    /// Somebody wants to hear of it later: after so many seconds, or, without, when it comes again after it was over.
    pub fn snooze(&mut self, id: AlertId, who: Who, span: Option<Duration>, now: Now) -> Result<String, String> {
        let watch = self.find(id)?;
        let until = span.map(|span| Wall(now.wall.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))));
        watch.alert.state = AlertState::Snoozed;
        watch.alert.snoozed = Some((who, until));
        watch.wakes = span.map(|span| now.tick + span);
        Ok(match span {
            Some(span) => format!("{id} is snoozed for {}", crate::model::unit::Unit::Seconds.show(span.as_secs_f64())),
            None => format!("{id} is snoozed until it clears"),
        })
    }

    /// True when nothing is beyond its limit.
    pub fn is_quiet(&self) -> bool {
        self.live.is_empty()
    }

    /// What to keep over a restart. What is only pending begins anew.
    pub fn kept(&self) -> Kept {
        let live = self.live.values().filter(|watch| watch.alert.is_live()).map(|watch| watch.alert.clone()).collect();
        Kept { newest: self.newest, live, ended: self.ended.iter().cloned().collect() }
    }

    /// For the screen: those that hold and wait, then the newest `most` that are over.
    pub fn shown(&self, most: usize) -> Vec<Arc<Alert>> {
        let mut all: Vec<Arc<Alert>> = self.live.values().map(|watch| Arc::new(watch.alert.clone())).collect();
        all.extend(self.ended.iter().take(most).cloned());
        all.sort_by(|a, b| a.order(b));
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::model::{alert::Side, finding::Severity};

    struct Scene {
        tracker: Tracker,
        now: Now,
        told: Vec<(u64, &'static str)>,
    }

    fn rule(name: &str) -> Rule {
        Rule {
            name: name.into(),
            metric: Metric::CpuBusy,
            subject: "any".into(),
            side: Side::Above,
            limit: 0.9,
            clear: 0.8,
            span: 30.0,
            severity: Severity::Warning,
            note: "".into(),
            enabled: true,
        }
    }

    fn operator() -> Who {
        Who::Operator { user: "ann".into(), via: "test".into() }
    }

    impl Scene {
        fn new(rules: &[Rule]) -> Scene {
            let now = Now { tick: Tick(1_000_000_000_000), wall: Wall(1_700_000_000_000) };
            Scene { tracker: Tracker::new(rules, Kept::default(), now), now, told: vec![] }
        }

        /// So many seconds with these values.
        fn run(&mut self, seconds: u64, values: &[(Subject, f64)]) {
            for _ in 0..seconds {
                self.now.tick = self.now.tick + Duration::from_secs(1);
                self.now.wall.0 += 1000;
                let news = self.tracker.look(self.now, |take| {
                    values.iter().for_each(|(subject, value)| take(Key::new(subject.clone(), Metric::CpuBusy), *value));
                });
                self.told.extend(news.into_iter().map(|news| match news {
                    News::Fired(alert) => (alert.id.0, "fired"),
                    News::Woke(alert) => (alert.id.0, "woke"),
                    News::Cleared(alert) => (alert.id.0, "cleared"),
                }));
            }
        }

        fn host(&mut self, seconds: u64, value: f64) {
            self.run(seconds, &[(Subject::Host, value)]);
        }

        fn states(&self) -> Vec<AlertState> {
            self.tracker.shown(10).iter().map(|alert| alert.state).collect()
        }

        fn first(&self) -> Arc<Alert> {
            self.tracker.shown(10)[0].clone()
        }
    }

    use AlertState as S;

    #[test]
    fn it_fires_after_its_time_and_ends_below_the_level_of_clearing() {
        let mut scene = Scene::new(&[rule("busy")]);
        scene.host(30, 0.95);
        assert_eq!((scene.states(), scene.told.len()), (vec![S::Pending], 0), "29 seconds are not 30");
        scene.host(1, 0.97);
        assert_eq!((scene.states(), scene.told.clone()), (vec![S::Firing], vec![(1, "fired")]));
        scene.host(300, 0.85);
        assert_eq!(scene.states(), [S::Firing], "between the levels it goes on");
        scene.host(30, 0.5);
        assert_eq!(scene.states(), [S::Firing]);
        scene.host(1, 0.5);
        assert_eq!(scene.told, [(1, "fired"), (1, "cleared")]);
        let alert = scene.first();
        assert_eq!((alert.state, alert.peak), (S::Cleared, 0.97));
        assert_eq!((alert.cleared.unwrap().0 - alert.fired.unwrap().0) / 1000, 331);
    }

    #[test]
    fn one_value_below_the_limit_begins_the_time_anew_and_one_above_clearing_too() {
        let mut scene = Scene::new(&[rule("busy")]);
        for _ in 0..20 {
            scene.host(29, 0.95);
            scene.host(1, 0.89);
        }
        assert!(scene.told.is_empty());
        scene.host(31, 0.95);
        for _ in 0..20 {
            scene.host(30, 0.1);
            scene.host(1, 0.95);
        }
        assert_eq!(scene.told, [(1 + 20, "fired")], "one alert all the time");
    }

    #[test]
    fn a_rule_and_a_subject_are_one_alert_and_a_pattern_says_which_subjects() {
        let only = Rule { subject: "1*".into(), ..rule("some") };
        let off = Rule { enabled: false, ..rule("off") };
        let mut scene = Scene::new(&[rule("all"), only, off]);
        scene.run(60, &[(Subject::Cpu(1), 1.0), (Subject::Cpu(2), 1.0), (Subject::Cpu(10), 0.2)]);
        let mut all: Vec<(String, String)> =
            scene.tracker.shown(10).iter().map(|a| (a.rule.to_string(), a.key.subject.to_string())).collect();
        all.sort();
        let pair = |rule: &str, subject: &str| (rule.to_string(), subject.to_string());
        assert_eq!(all, [pair("all", "cpu 1"), pair("all", "cpu 2"), pair("some", "cpu 1")]);
    }

    #[test]
    fn below_a_limit_is_the_other_way_round() {
        let mut scene = Scene::new(&[Rule { side: Side::Below, limit: 0.1, clear: 0.2, ..rule("idle") }]);
        scene.host(31, 0.05);
        scene.host(31, 0.15);
        assert_eq!(scene.states(), [S::Firing]);
        assert_eq!(scene.first().peak, 0.05);
        scene.host(31, 0.2);
        assert_eq!(scene.states(), [S::Cleared]);
    }

    #[test]
    fn what_goes_on_and_off_is_held_until_it_is_quiet() {
        let mut scene = Scene::new(&[rule("busy")]);
        for _ in 0..20 {
            scene.host(31, 1.0);
            scene.host(31, 0.1);
        }
        assert_eq!(scene.told.iter().filter(|(_, what)| *what == "fired").count(), 3, "{:?}", scene.told);
        scene.host(600, 0.1);
        assert_eq!(scene.states()[0], S::Cleared);
    }

    #[test]
    fn an_acknowledged_one_is_quiet_until_it_is_over() {
        let mut scene = Scene::new(&[rule("busy")]);
        scene.host(10, 1.0);
        assert!(scene.tracker.acknowledge(AlertId(1), operator(), scene.now).is_err(), "pending is not yet one");
        scene.host(30, 1.0);
        scene.tracker.acknowledge(AlertId(1), operator(), scene.now).unwrap();
        assert!(scene.tracker.acknowledge(AlertId(1), Who::Engine, scene.now).unwrap().contains("ann (test)"));
        scene.host(1000, 1.0);
        assert_eq!((scene.states(), scene.told.len()), (vec![S::Acknowledged], 1));
        scene.host(40, 0.1);
        assert_eq!(scene.first().acknowledged.as_ref().unwrap().0, operator());
        assert!(scene.tracker.acknowledge(AlertId(1), operator(), scene.now).unwrap_err().contains("!1"));
    }

    #[test]
    fn a_snoozed_one_wakes_after_its_time_or_never_comes_back_before_it_clears() {
        let mut scene = Scene::new(&[rule("busy")]);
        scene.host(31, 1.0);
        scene.tracker.snooze(AlertId(1), operator(), Some(Duration::from_secs(900)), scene.now).unwrap();
        scene.host(899, 1.0);
        assert_eq!(scene.states(), [S::Snoozed]);
        scene.host(1, 1.0);
        assert_eq!((scene.states(), scene.told.last()), (vec![S::Firing], Some(&(1, "woke"))));
        scene.tracker.snooze(AlertId(1), operator(), None, scene.now).unwrap();
        scene.host(100_000, 1.0);
        assert_eq!(scene.states(), [S::Snoozed]);
        scene.host(31, 0.1);
        scene.host(31, 1.0);
        assert_eq!(scene.states(), [S::Firing, S::Cleared]);
    }

    #[test]
    fn a_restart_keeps_what_holds_with_what_was_said_of_it() {
        let mut scene = Scene::new(&[rule("busy")]);
        scene.run(31, &[(Subject::Cpu(1), 1.0), (Subject::Cpu(2), 1.0), (Subject::Cpu(3), 1.0)]);
        scene.tracker.acknowledge(AlertId(1), operator(), scene.now).unwrap();
        scene.tracker.snooze(AlertId(2), operator(), Some(Duration::from_secs(100)), scene.now).unwrap();
        let text = serde_json::to_string(&scene.tracker.kept()).unwrap();
        // Another boot: the tick begins anew, the wall has gone on by 40 seconds.
        let now = Now { tick: Tick(7), wall: Wall(scene.now.wall.0 + 40_000) };
        let kept = || serde_json::from_str::<Kept>(&text).unwrap();
        let mut again = Scene { tracker: Tracker::new(&[rule("busy")], kept(), now), now, told: vec![] };
        assert_eq!(again.states(), [S::Firing, S::Acknowledged, S::Snoozed]);
        again.run(59, &[(Subject::Cpu(1), 1.0), (Subject::Cpu(2), 1.0), (Subject::Cpu(3), 1.0)]);
        assert!(again.told.is_empty(), "nothing is told twice");
        again.run(1, &[(Subject::Cpu(2), 1.0)]);
        assert_eq!(again.told, [(2, "woke")], "what was left of the snooze");
        again.run(40, &[(Subject::Host, 1.0)]);
        assert_eq!(again.told.last(), Some(&(4, "fired")), "numbers go on");
        let other = Tracker::new(&[rule("another")], kept(), now);
        assert!(other.shown(10).iter().all(|alert| alert.state == S::Cleared), "a rule that is gone holds nothing");
    }

    #[test]
    fn a_subject_that_is_gone_ends_its_alert() {
        let mut scene = Scene::new(&[rule("busy")]);
        scene.run(31, &[(Subject::Cpu(1), 1.0)]);
        scene.host(300, 0.1);
        assert_eq!(scene.states(), [S::Firing], "a gap is no end");
        scene.host(1, 0.1);
        assert_eq!(scene.states(), [S::Cleared]);
    }

    #[test]
    fn there_are_never_more_than_fit() {
        let mut scene = Scene::new(&[rule("busy")]);
        let all: Vec<(Subject, f64)> = (0..1000).map(|n| (Subject::Cpu(n), 1.0)).collect();
        for _ in 0..4 {
            scene.run(31, &all);
            assert_eq!((scene.tracker.live.len(), scene.tracker.left_out), (MOST, 800));
            scene.run(601, &all.iter().map(|(subject, _)| (subject.clone(), 0.0)).collect::<Vec<_>>());
        }
        assert!(scene.tracker.kept().ended.len() == ENDED && scene.tracker.live.is_empty());
        scene.host(3700, 0.0);
        assert!(scene.tracker.fired.is_empty());
    }
}
