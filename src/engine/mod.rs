//! The engine: the only writer. A pure [`brain`] decides, dumb hands act; the journal remembers, the guard outlives.

pub mod brain;
pub mod engine;
pub mod guard;
pub mod handle;
pub mod hands;
pub mod input;
pub mod inspect;
pub mod job;
pub mod notify;
pub mod pace;
pub mod parts;
pub mod past;
pub mod player;
pub mod record;
pub mod recover;
pub mod rescuer;
pub mod ring;
pub mod sampler;
pub mod seer;
pub mod undo;
pub mod worker;
