//! What a change did: pure statistics of one host's own history, where neither seconds nor windows are independent.
//!
//! Before the write, [`foresight`] says how small an effect the data could show. While the change is watched, [`guard`] looks every five
//! seconds and ends it early when it hurts. At the end, [`judge`] gives the verdict: an interval that respects autocorrelation, and the
//! rank of the effect among windows of the same shape in which nothing was done. What a control explains is taken out first ([`adjust`]).
//! Where that could show too little, [`switchback`] judges by switching off and on; what was kept stays under [`late`]'s eyes; many
//! verdicts are held against each other by [`multiplicity`], and trials of nothing tell by [`trust`] whether all this is to be believed.

pub mod adjust;
pub mod case;
pub mod counts;
pub mod distribution;
pub mod effect;
pub mod foresight;
pub mod guard;
pub mod judge;
pub mod late;
pub mod longrun;
pub mod moments;
pub mod multiplicity;
pub mod placebo;
pub mod prevention;
#[cfg(test)]
mod rates;
#[cfg(test)]
pub(in crate::analysis) mod simulation;
pub mod switchback;
#[cfg(test)]
mod tests;
pub mod trust;
