//! The edge to the machine: every touch of it goes through the trait [`host::Host`], so that a recorded tree can stand in for it.
//!
//! [`real`] is the machine, below injectable roots; [`recorded`] is a tree in memory with faults on demand, for tests; [`dry`]
//! reads through another host and refuses every write.

pub mod canonical;
pub(crate) mod capability;
pub mod dry;
pub mod error;
pub mod host;
mod identity;
pub mod mounts;
pub mod real;
pub mod recorded;
