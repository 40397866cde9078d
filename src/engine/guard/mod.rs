//! The guard: a process of its own that rolls back what nobody confirmed in time, even when console, ssh and engine are dead.

pub mod arm;
