//! Foresight: a thread of its own keeps the course of what matters at four resolutions, looks ahead within a budget of cpu time, keeps
//! score of what it said, and gives the brain an outlook.

pub mod ahead;
pub mod anomalies;
pub mod ladder;
pub mod record;
pub mod refill;
pub mod relations;
pub mod schedule;
pub mod seer;
pub mod shelf;
pub mod stored;
pub mod thread;
