//! What a change did: pure statistics of one host's own history, where neither seconds nor windows are independent.
//!
//! Before the write, [`foresight`] says how small an effect the data could show. While the change is watched, [`guard`] looks every five
//! seconds and ends it early when it hurts. At the end, [`judge`] gives the verdict: an interval that respects autocorrelation, and the
//! rank of the effect among windows of the same shape in which nothing was done.

pub mod case;
pub mod counts;
pub mod distribution;
pub mod effect;
pub mod foresight;
pub mod guard;
pub mod judge;
pub mod moments;
pub mod placebo;
pub mod prevention;
#[cfg(test)]
pub(in crate::analysis) mod simulation;
#[cfg(test)]
mod tests;
