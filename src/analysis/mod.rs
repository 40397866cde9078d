//! Pure thought about samples: counters to rates, detectors, verdicts. No I/O, no clock.

pub mod derive;
