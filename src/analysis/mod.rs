//! Pure thought about what was read: counters to rates, detectors with hysteresis, verdicts. No I/O, no clock.

pub mod alerts;
pub mod anomaly;
pub mod capacity;
pub mod cause;
pub mod correlate;
pub mod derive;
pub mod detect;
pub mod emergency;
pub mod forecast;
pub mod hysteresis;
pub mod impact;
pub mod pattern;
pub mod trouble;
