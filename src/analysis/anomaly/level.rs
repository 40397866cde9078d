//! Where a series usually is, and how far it usually strays: exponential means whose updates are cut at what is usual, so that an
//! outlier moves them little (Huber 1981).

/// Deviations that the level follows in full.
const CUT: f64 = 5.0;
/// Mean absolute to standard deviation, where the values are normal.
const NORMAL: f64 = 1.2533;

/// Rows of which it says nothing.
const EARLY: f64 = 30.0;

/// Level and scale of a series.
#[derive(Clone, Debug)]
pub struct Level {
    level: f64,
    scale: f64,
    rows: f64,
    follow: f64,
    remember: f64,
}

impl Level {
    /// Follows the level within `follow` rows, and remembers the scale over `remember`.
    pub fn new(follow: f64, remember: f64) -> Level {
        Level { level: 0.0, scale: 0.0, rows: 0.0, follow: follow.max(1.0), remember: remember.max(1.0) }
    }

    /// It has seen enough to say something.
    pub fn known(&self) -> bool {
        self.rows >= EARLY
    }

    /// The level.
    pub fn level(&self) -> f64 {
        self.level
    }

    /// The usual deviation from it.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// How far `value` is from the level, in usual deviations, none of them below `floor`; then learns from it. 0 while learning.
    pub fn take(&mut self, value: f64, floor: f64) -> f64 {
        self.rows += 1.0;
        if self.rows < 2.0 {
            self.level = value;
            return 0.0;
        }
        let off = value - self.level;
        let usual = self.scale + floor;
        let early = self.rows < EARLY;
        let cut = if early { off } else { off.clamp(-CUT * usual, CUT * usual) };
        self.level += cut / self.follow.min(self.rows);
        self.scale += (cut.abs() * NORMAL - self.scale) / self.remember.min(self.rows);
        if early || usual <= 0.0 { 0.0 } else { off.abs() / usual }
    }
}
