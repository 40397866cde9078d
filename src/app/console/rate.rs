//! How often frames are drawn. On a line slower than what we write, frames would wait in queues and what is seen would lie behind what
//! is; so the line is left idle three times as long as the last frame took to be taken. A quick line has every frame again at once.
//!
//! What sshd and the network hold in their own buffers cannot be seen from here. Pure; the console measures.

use std::time::Duration;

/// Shortest and longest time from the start of one frame to that of the next.
const GAP: (Duration, Duration) = (Duration::from_millis(33), Duration::from_secs(2));

/// Shortest time while trimtab spares the host.
const SPARING: Duration = Duration::from_millis(500);

/// The first frames follow each other sooner, so that the first numbers stand as soon as they are read.
const FIRST: (u32, Duration) = (6, Duration::from_millis(4));

/// One part in so many of the time a line may be busy with our frames.
const SHARE: u32 = 4;

/// Decides when the next frame may be drawn.
#[derive(Debug, Default)]
pub struct FrameRate {
    took: Duration,
    sparing: bool,
    frames: u32,
}

impl FrameRate {
    /// Time from the start of the last frame to that of the next.
    pub fn gap(&self) -> Duration {
        let least = match self {
            _ if self.frames <= FIRST.0 => FIRST.1,
            FrameRate { sparing: true, .. } => SPARING,
            _ => GAP.0,
        };
        self.took.saturating_mul(SHARE).clamp(least, GAP.1)
    }

    /// Whether trimtab spares the host now.
    pub fn spare(&mut self, sparing: bool) {
        self.sparing = sparing;
    }

    /// The last frame took so long from its start until the terminal had taken it.
    pub fn written(&mut self, took: Duration) {
        self.took = took;
        self.frames = self.frames.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_line_is_busy_a_quarter_of_the_time_at_most_and_shows_one_frame_in_two_seconds_at_least() {
        let mut rate = FrameRate { frames: 100, ..FrameRate::default() };
        let gaps = [5 * MS, 100 * MS, 9000 * MS, 100 * MS, MS].map(|took| {
            rate.written(took);
            rate.gap()
        });
        assert_eq!(gaps, [33 * MS, 400 * MS, 2000 * MS, 400 * MS, 33 * MS]);
    }

    #[test]
    fn the_first_frames_come_as_fast_as_the_line_takes_them() {
        let mut rate = FrameRate::default();
        let gaps = [1, 1, 50, 1, 1, 1, 1].map(|took| {
            rate.written(took * MS);
            rate.gap()
        });
        assert_eq!(gaps, [4, 4, 200, 4, 4, 4, 33].map(|gap| gap * MS));
    }

    #[test]
    fn a_host_in_distress_is_drawn_for_twice_a_second() {
        let mut rate = FrameRate { frames: 100, ..FrameRate::default() };
        rate.spare(true);
        assert_eq!(rate.gap(), 500 * MS);
        rate.written(200 * MS);
        assert_eq!(rate.gap(), 800 * MS);
        rate.spare(false);
        rate.written(MS);
        assert_eq!(rate.gap(), 33 * MS);
    }
}
