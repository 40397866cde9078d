//! The demo: a small service beside cpu hogs, all children of this process, and the console on them.

pub mod batch;
pub mod children;
pub mod confined;
pub mod part;
pub mod prober;
pub mod room;
pub mod run;
pub mod service;
