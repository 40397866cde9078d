//! Alerts from values: pure, by a clock that is handed in.

pub mod tracker;
mod watch;
