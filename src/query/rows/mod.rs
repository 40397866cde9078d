//! What can be filtered: one file per kind of row, each with its fields.

pub mod cgroup;
pub mod change;
pub mod disk;
pub mod entry;
pub mod finding;
pub mod forecast;
pub mod line;
pub mod process;
pub mod subject;
