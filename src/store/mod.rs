//! What outlives the program: the journal of changes, in its own database file, and the lock that makes one engine per state directory.

pub mod alerts;
pub mod chain;
pub mod disk;
pub mod error;
pub mod foresight;
pub mod history;
pub mod journal;
pub mod lock;
pub mod page;
pub mod proof;
pub mod repair;
pub mod reserve;
pub mod stop;
pub mod week;
