//! The engine: the only writer. A pure [brain](brain) decides, dumb hands act; the journal remembers, the guard outlives.

pub mod handle;
pub mod job;
