//! Which values were ever seen, in bounded memory: a sorted net of points that covers them, none closer to another than a gap that
//! grows as the net fills. Unlike a window it forgets nothing, so that what happened once, weeks ago, is not new when it happens again;
//! unlike a histogram it needs no range beforehand. (A one-dimensional epsilon-net; the distance to it is the novelty of Clifton,
//! "Novelty detection", Signal Processing 83, 2003: distance to the nearest neighbour.)

/// Points kept at most. Thinning starts there and leaves about half.
const MOST: usize = 512;

/// A sorted net over the values seen.
#[derive(Clone, Debug, Default)]
pub struct Net {
    points: Vec<f64>,
    gap: f64,
}

impl Net {
    /// Distance from `value` to the nearest point; `None` before the first. Finite for finite values below 1e300.
    pub fn distance(&self, value: f64) -> Option<f64> {
        let above = self.points.partition_point(|&point| point < value);
        let up = self.points.get(above).map(|point| point - value);
        let down = above.checked_sub(1).and_then(|below| self.points.get(below)).map(|point| value - point);
        match (down, up) {
            (Some(down), Some(up)) => Some(down.min(up)),
            (one, other) => one.or(other),
        }
    }

    /// Adds `value`, unless a point is so near that it covers it.
    pub fn learn(&mut self, value: f64) {
        if self.distance(value).is_some_and(|distance| distance <= self.gap) {
            return;
        }
        let at = self.points.partition_point(|&point| point < value);
        self.points.insert(at, value);
        if self.points.len() >= MOST {
            self.thin();
        }
    }

    /// Widens the gap until half the points cover what all did.
    fn thin(&mut self) {
        let range = match (self.points.first(), self.points.last()) {
            (Some(first), Some(last)) => last - first,
            _ => return,
        };
        self.gap = self.gap.max(range / (16 * MOST) as f64);
        while self.points.len() > MOST / 2 {
            self.gap *= 1.5;
            let mut last = f64::NEG_INFINITY;
            let gap = self.gap;
            self.points.retain(|&point| {
                let far = point - last > gap;
                if far {
                    last = point;
                }
                far
            });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_is_found_on_both_sides() {
        let mut net = Net::default();
        assert_eq!(net.distance(1.0), None);
        for value in [10.0, 0.0, 4.0, 4.0] {
            net.learn(value);
        }
        assert_eq!(net.points, [0.0, 4.0, 10.0]);
        for (value, distance) in [(-2.0, 2.0), (0.0, 0.0), (1.0, 1.0), (6.5, 2.5), (11.0, 1.0)] {
            assert_eq!(net.distance(value), Some(distance), "{value}");
        }
    }

    #[test]
    fn a_full_net_still_covers_all_that_was_seen() {
        let mut net = Net::default();
        // The golden ratio spreads them evenly; one is far out.
        let values: Vec<f64> = (0..20_000).map(|at| (f64::from(at) * 0.618_033_988_75).fract()).chain([50.0]).collect();
        values.iter().for_each(|value| net.learn(*value));
        assert!(net.points.len() < MOST, "{}", net.points.len());
        let worst = values.iter().filter_map(|value| net.distance(*value)).fold(0.0, f64::max);
        assert!(worst <= 2.0 * net.gap && net.gap < 0.05, "{worst}, {}", net.gap);
        assert_eq!(net.distance(50.0), Some(0.0));
    }
}
