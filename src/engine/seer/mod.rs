//! Foresight: a thread of its own keeps the course of what matters at four resolutions, looks ahead within a budget of cpu time, keeps
//! score of what it said, and gives the brain an outlook.

pub mod ladder;
pub mod record;
pub mod schedule;
pub mod shelf;
