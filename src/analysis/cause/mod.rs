//! Root cause: from a symptom to who is behind it, with what speaks for and against each.
//!
//! Correlation alone blames victims: whoever waits moves with the trouble. So five kinds of evidence are weighed together.
//! *Mechanism*: which resource can hurt in this way, and is it short ([`resource`]). *Magnitude*: whose use of it rose by how much of the whole
//! rise, between good times and bad. *Time*: a cause rises before its effect or with it ([`episode`]). *Dose and response*: the symptom
//! follows the use, also when it falls again (Hill 1965 names all of these for epidemiology). *Exoneration*: who waits, who serves more
//! requests, who is held back by a quota, is a victim, and is said to be one (`suspicion`).
//!
//! What is needed is remembered by [`witness::Witness`], which sees every snapshot: also processes that have gone. [`story::explain`] is pure
//! and costs about a millisecond.

mod blame;
mod candidates;
mod demand;
mod dose;
pub mod episode;
pub mod resource;
#[cfg(test)]
mod simulation;
pub mod story;
mod suspicion;
pub mod symptom;
#[cfg(test)]
mod tests;
pub mod witness;
mod words;
