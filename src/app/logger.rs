//! The log of the daemon: lines on standard error, where systemd's journal adds time and name.

use crate::app::out;
use log::{LevelFilter, Log, Metadata, Record};

struct Stderr;

impl Log for Stderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("trimtab") || metadata.target() == "engine"
    }
    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            out::complain(&format!("{}: {}", record.level().as_str().to_lowercase(), record.args()));
        }
    }
    fn flush(&self) {}
}

/// From now on, log there. A log that is set already stays.
pub fn start() {
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}
