//! Values of one key over time, bounded, and the set of all of them.

use crate::model::{metric::Key, time::Tick};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};

/// One value at one time.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When.
    pub at: Tick,
    /// How much, in the metric's unit.
    pub value: f64,
}

/// The newest points of one key, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Series {
    points: VecDeque<Point>,
}

impl Series {
    /// Adds a point and drops the oldest beyond `most`. A value that is no number, or not newer than the last, is left out.
    pub fn push(&mut self, point: Point, most: usize) {
        if !point.value.is_finite() || self.points.back().is_some_and(|last| last.at >= point.at) {
            return;
        }
        self.points.push_back(point);
        while self.points.len() > most {
            self.points.pop_front();
        }
    }

    /// All points, oldest first.
    pub fn points(&self) -> impl DoubleEndedIterator<Item = Point> + ExactSizeIterator + '_ {
        self.points.iter().copied()
    }

    /// The values with `from <= at < to`, oldest first.
    pub fn values(&self, from: Tick, to: Tick) -> Vec<f64> {
        self.points().filter(|p| p.at >= from && p.at < to).map(|p| p.value).collect()
    }

    /// The newest point.
    pub fn last(&self) -> Option<Point> {
        self.points.back().copied()
    }
}

/// Every series of the host. Bounded by the points of each series and by forgetting what has not been seen for long.
#[derive(Clone, Debug, Default)]
pub struct SeriesSet {
    all: HashMap<Key, Series>,
}

impl SeriesSet {
    /// The series of `key`, if any value of it is known.
    pub fn get(&self, key: &Key) -> Option<&Series> {
        self.all.get(key)
    }

    /// Adds a value to the series of `key`, keeping its newest `most` points.
    pub fn push(&mut self, key: Key, point: Point, most: usize) {
        self.all.entry(key).or_default().push(point, most);
    }

    /// Forgets every series whose newest point is older than `oldest`, unless `keep` wants it.
    pub fn forget(&mut self, oldest: Tick, keep: impl Fn(&Key) -> bool) {
        self.all.retain(|key, series| keep(key) || series.last().is_some_and(|p| p.at >= oldest));
    }

    /// Forgets every series that `keep` does not want.
    pub fn retain(&mut self, keep: impl Fn(&Key, &Series) -> bool) {
        self.all.retain(|key, series| keep(key, series));
    }

    /// Every key with its series, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Series)> {
        self.all.iter()
    }

    /// How many series there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// True when nothing is known.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}
