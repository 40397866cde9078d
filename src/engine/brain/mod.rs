//! The brain: a pure machine from [`Input`](crate::engine::input::Input) to [`Effect`](crate::engine::input::Effect)s. No await, no
//! clock, no I/O; replay and tests drive the very same one.
//!
//! What it knows: `known` (`senses`, `history`, `alarms`). What it does: `office` (`ledger`, `desk`), `queue`,
//! `commands`, `watch`, `auto`, and in emergencies `rescue`. What it says: `publish`.

mod alarms;
mod alerts;
mod auto;
pub mod brain;
mod commands;
mod desk;
mod history;
mod known;
mod late;
mod ledger;
mod office;
mod publish;
mod queue;
mod rescue;
mod selftest;
mod senses;
mod thrift;
mod verdicts;
mod watch;
