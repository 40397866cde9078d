//! What hangs together, what has a shape, and who is behind trouble: looked at in turns between forecasts. A finding that has just come
//! gets its story at once.

use crate::{
    analysis::{
        cause::{
            story::{self, Applied, Scene},
            symptom::Symptom,
            witness::Witness,
        },
        correlate::search::{self, MOST_POINTS, MOST_SERIES, Search, Strand},
        pattern,
    },
    engine::seer::shelf::{Shelf, Weight},
    model::{
        finding::{FindingId, FindingKind},
        message::View,
        metric::Key,
        outlook::{Anomaly, Link, Pattern, Story},
        time::Wall,
    },
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Seconds from one story of a symptom to the next, and for which one is told after its symptom is over.
const RETELL: f64 = 10.0;
const TOLD: f64 = 600.0;

/// Symptoms that are explained at once, and stories at most.
const FINDINGS: usize = 6;
const ANOMALIES: usize = 3;
const STORIES: usize = 16;

/// Our own changes of the last so many milliseconds may be behind it.
const LATELY: i64 = 600_000;

/// Seconds from one search for links to the next, at seconds and at tens of seconds in turn, and links that are told.
const SEARCH: f64 = 30.0;
const LINKS: usize = 48;

/// Resolutions at which links are searched, as places in [`crate::engine::seer::ladder::SCALES`], and lags looked at, in steps.
const SEARCHED: [(usize, usize); 2] = [(0, 30), (1, 18)];

/// Seconds after which the shape of a number is looked at again, resolutions at which it is, and what is told.
const SHAPE: f64 = 600.0;
const SHAPED: [usize; 2] = [2, 1];
const SURE: f64 = 0.6;
const PATTERNS: usize = 48;

/// What is explained.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Finding(FindingId),
    Number(Key),
}

/// All of it.
#[derive(Default)]
pub struct Relations {
    witness: Witness,
    view: Option<Arc<View>>,
    /// What is to be explained.
    due: VecDeque<Symptom>,
    /// When a story was last asked for.
    asked: BTreeMap<Name, f64>,
    stories: Vec<(Story, f64)>,
    links: [Vec<Link>; SEARCHED.len()],
    turn: usize,
    searched: f64,
    patterns: BTreeMap<Key, Vec<Pattern>>,
    looked: BTreeMap<Key, f64>,
}

impl Relations {
    /// Sees a sweep; `now` is in seconds since 1970. True when something new is to be explained.
    pub fn take(&mut self, view: &Arc<View>, now: f64, anomalies: &[Anomaly]) -> bool {
        self.witness.see(&view.snapshot, view.engine);
        self.view = Some(view.clone());
        let findings = view.findings.iter().filter(|finding| finding.id.kind != FindingKind::Asked).take(FINDINGS);
        let odd = anomalies.iter().filter(|anomaly| anomaly.until.is_none()).take(ANOMALIES);
        let symptoms: Vec<Symptom> = findings.map(Symptom::of_finding).chain(odd.map(Symptom::of_anomaly)).collect();
        let standing: Vec<Name> = symptoms.iter().map(name).collect();
        self.asked.retain(|name, _| standing.contains(name));
        let mut news = false;
        for (symptom, name) in symptoms.into_iter().zip(standing) {
            let before = self.asked.get(&name).copied();
            if before.is_none_or(|at| now - at >= RETELL || now < at) {
                news |= before.is_none();
                self.asked.insert(name, now);
                self.due.push_back(symptom);
            }
        }
        let asked = &self.asked;
        for (story, at) in &mut self.stories {
            if asked.contains_key(&title(story)) {
                *at = now;
            }
        }
        self.stories.retain(|(_, at)| now - at < TOLD);
        news
    }

    /// Tells one story that is due; false when none is.
    pub fn explain(&mut self, now: f64) -> bool {
        let Some((symptom, view)) = self.due.pop_front().zip(self.view.clone()) else { return false };
        let applied = applied(&view);
        let scene = Scene { witness: &self.witness, snapshot: &view.snapshot, findings: &view.findings, applied: &applied };
        if let Some(story) = story::explain(&symptom, &scene) {
            let title = title(&story);
            self.stories.retain(|(known, _)| self::title(known) != title);
            self.stories.push((story, now));
            self.stories.sort_by_key(|(story, _)| std::cmp::Reverse(story.began));
            self.stories.truncate(STORIES);
        }
        true
    }

    /// Newest first.
    pub fn stories(&self) -> Vec<Story> {
        self.stories.iter().map(|(story, _)| story.clone()).collect()
    }

    /// Strongest first; a pair that moves together at both resolutions is told once.
    pub fn links(&self) -> Vec<Link> {
        let mut all: Vec<Link> = self.links.iter().flatten().cloned().collect();
        all.sort_by(|a, b| b.r.abs().total_cmp(&a.r.abs()));
        let mut told: Vec<Link> = Vec::new();
        for link in all {
            let same = |known: &Link| {
                (&known.leads, &known.follows) == (&link.leads, &link.follows)
                    || (&known.leads, &known.follows) == (&link.follows, &link.leads)
            };
            if told.len() < LINKS && !told.iter().any(same) {
                told.push(link);
            }
        }
        told
    }

    /// Surest first.
    pub fn patterns(&self) -> Vec<Pattern> {
        let mut all: Vec<Pattern> = self.patterns.values().flatten().cloned().collect();
        all.sort_by(|a, b| b.confidence.total_cmp(&a.confidence).then_with(|| a.key.cmp(&b.key)));
        all.truncate(PATTERNS);
        all
    }

    /// Bytes that it holds.
    pub fn bytes(&self) -> usize {
        let links: usize = self.links.iter().map(|links| links.capacity() * size_of::<Link>()).sum();
        self.witness.bytes() + links + self.patterns.len() * size_of::<Pattern>() + self.stories.len() * size_of::<Story>()
    }

    /// The clock was set by so many seconds.
    pub fn shift(&mut self, seconds: f64) {
        self.asked.values_mut().for_each(|at| *at += seconds);
        self.stories.iter_mut().for_each(|(_, at)| *at += seconds);
        self.looked.values_mut().for_each(|at| *at += seconds);
        self.searched += seconds;
    }

    /// Searches links at the resolution whose turn it is; false when none is due.
    pub fn search(&mut self, shelf: &Shelf, now: f64) -> bool {
        if now - self.searched < SEARCH {
            return false;
        }
        self.searched = now;
        let turn = self.turn % SEARCHED.len();
        self.turn += 1;
        let Some(((rung, reach), links)) = SEARCHED.get(turn).copied().zip(self.links.get_mut(turn)) else { return false };
        let mut rows: Vec<_> = shelf.iter().filter(|(_, row)| now - row.ladder.seen < RETELL).collect();
        rows.sort_by_key(|(_, row)| row.weight);
        rows.truncate(MOST_SERIES);
        let courses: Vec<_> = rows.iter().filter_map(|(key, row)| Some((*key, row.ladder.course(rung)?))).collect();
        let newest = |values: &'_ [f64]| values.len().saturating_sub(MOST_POINTS);
        let strands: Vec<Strand<'_>> = courses
            .iter()
            .filter_map(|(key, course)| Some(Strand { key: (*key).clone(), values: course.values.get(newest(&course.values)..)? }))
            .collect();
        let step = courses.first().map_or(1.0, |(_, course)| course.step);
        *links = search::links(&strands, &Search { step, reach, ..Search::default() });
        links.truncate(LINKS);
        true
    }

    /// Looks at the shape of the number that was looked at longest ago; false when none is due.
    pub fn shape(&mut self, shelf: &Shelf, now: f64) -> bool {
        self.patterns.retain(|key, _| shelf.get(key).is_some());
        self.looked.retain(|key, _| shelf.get(key).is_some());
        let when = |key: &Key| self.looked.get(key).copied().unwrap_or(f64::NEG_INFINITY);
        let known = shelf.iter().filter(|(_, row)| row.weight != Weight::Crowd);
        let oldest = known.map(|(key, row)| (when(key), key, row)).min_by(|a, b| a.0.total_cmp(&b.0));
        let Some((_, key, row)) = oldest.filter(|(at, ..)| now - at >= SHAPE) else { return false };
        let courses = SHAPED.iter().filter_map(|rung| row.ladder.course(*rung));
        let Some(course) = courses.into_iter().find(|course| course.values.len() >= pattern::LEAST) else {
            // Nothing to look at yet; in a minute there may be.
            self.looked.insert(key.clone(), now - SHAPE + 60.0);
            return true;
        };
        let end = Wall((course.end() * 1000.0) as i64);
        let mut found = pattern::recognise(key, &pattern::Course { values: &course.values, step: course.step, end });
        found.retain(|pattern| pattern.confidence >= SURE);
        self.looked.insert(key.clone(), now);
        self.patterns.insert(key.clone(), found);
        true
    }
}

/// What tells symptoms apart: a finding has one number at a time, which may be another one later.
fn name(symptom: &Symptom) -> Name {
    symptom.finding.clone().map_or_else(|| Name::Number(symptom.key.clone()), Name::Finding)
}

fn title(story: &Story) -> Name {
    story.finding.clone().map_or_else(|| Name::Number(story.symptom.clone()), Name::Finding)
}

/// Our own changes of late.
fn applied(view: &View) -> Vec<Applied> {
    let lately = |at: Wall| view.now.wall.0.saturating_sub(at.0) < LATELY;
    let of_late = view.changes.iter().filter_map(|change| Some((change, change.applied?.wall))).filter(|(_, at)| lately(*at));
    of_late
        .map(|(change, at)| Applied { at, name: change.proposal.title.as_str().into(), on: change.finding.id.subject.clone() })
        .collect()
}
