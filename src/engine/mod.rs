//! The engine: the only writer. A pure [brain](brain) decides, dumb hands act; the journal remembers, the guard outlives.

pub mod guard;
pub mod handle;
pub mod hands;
pub mod job;
pub mod recover;
pub mod undo;
