//! Time to trouble: which numbers head for which limit, and when they reach it. Pure.
//!
//! There is one way to compute such a time, with its range, from each of two sources: [`crossing::ahead`] reads it off the bands of a
//! forecast, and [`crossing::along`] off a robust line through the newest minutes, for what goes too fast for a forecast to be made.
//! [`limits`] knows the limits, [`mod@line`] and [`trend`] the line.

pub mod crossing;
pub mod limits;
pub mod line;
pub mod trend;
