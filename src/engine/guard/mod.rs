//! The guard: a process of its own that rolls back what nobody confirmed in time, even when console, ssh and engine are dead.

pub mod arm;
pub mod keeper;
pub mod process;
pub mod run;
