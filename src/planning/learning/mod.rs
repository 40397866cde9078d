//! Learning from what changes did, and from what went by itself (`reference/impact.md`, D): a fold of the journal, of every boot.
//! [`learned`] takes the entries; the other files are its parts.

pub mod choose;
pub mod dice;
pub mod effects;
pub mod kin;
pub mod learned;
pub mod natural;
pub mod outcomes;
pub mod prospects;
pub mod regret;
pub mod report;
pub mod stopwatch;
pub mod vetoes;

#[cfg(test)]
mod tests;
