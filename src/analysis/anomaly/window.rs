//! Mean and deviation of the newest stretch of a series.

use std::collections::VecDeque;

/// The newest values.
#[derive(Clone, Debug)]
pub struct Window {
    values: VecDeque<f64>,
    rows: usize,
    origin: f64,
    sum: f64,
    squares: f64,
    since: usize,
    cleared: bool,
}

impl Window {
    /// Holds `rows` values, at least one.
    pub fn new(rows: usize) -> Window {
        Window { values: VecDeque::new(), rows: rows.max(1), origin: 0.0, sum: 0.0, squares: 0.0, since: 0, cleared: false }
    }

    /// Takes a value, and forgets the oldest once full.
    pub fn take(&mut self, value: f64) {
        self.values.push_back(value);
        let off = value - self.origin;
        self.sum += off;
        self.squares += off * off;
        if self.values.len() > self.rows {
            let off = self.values.pop_front().unwrap_or(value) - self.origin;
            self.sum -= off;
            self.squares -= off * off;
        }
        self.since += 1;
        if self.since >= self.rows {
            self.recount();
        }
    }

    /// Forgets all, and says nothing until it is full again.
    pub fn clear(&mut self) {
        *self = Window { cleared: true, ..Window::new(self.rows) };
    }

    /// Its mean and deviation mean something. At first they do before it is full, and stray: that way those who learn from them know
    /// early what is possible. After a gap they are known to be steadier than that.
    pub fn ready(&self) -> bool {
        !self.cleared || self.values.len() >= self.rows
    }

    /// Sums drift by rounding; once per window they are formed anew, around the present mean.
    fn recount(&mut self) {
        self.since = 0;
        self.origin = self.mean();
        self.sum = self.values.iter().map(|value| value - self.origin).sum();
        self.squares = self.values.iter().map(|value| (value - self.origin) * (value - self.origin)).sum();
    }

    /// Their mean; the origin without any.
    pub fn mean(&self) -> f64 {
        self.origin + self.sum / self.values.len().max(1) as f64
    }

    /// Their standard deviation.
    pub fn deviation(&self) -> f64 {
        let count = self.values.len().max(1) as f64;
        let off = self.sum / count;
        (self.squares / count - off * off).max(0.0).sqrt()
    }
}
