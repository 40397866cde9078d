//! Emergencies in the brain: seen on the fast lane, fought rung by rung, undone when over; and E7, which undoes everything and holds.

pub mod fight;
pub mod hold;
pub mod rescue;
