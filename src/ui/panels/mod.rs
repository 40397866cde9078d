//! The panels: each `fn draw(&State, Rect, &mut Buffer)`.

pub mod audit;
pub mod bar;
pub mod cgroup;
pub mod change;
pub mod cpu;
pub mod field;
pub mod finding;
pub mod findings;
pub mod header;
pub mod help;
pub mod language;
pub mod log;
pub mod memory;
pub mod network;
pub mod overlay;
pub mod palette;
pub mod process;
pub mod processes;
pub mod processes_footer;
pub mod queue;
pub mod reader;
pub mod services;
pub mod storage;
pub mod track;
pub mod verdict;
pub mod watch;
