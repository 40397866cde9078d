//! trimtab: watch a Linux host, explain what holds it back, propose changes, carry out the approved ones, measure them, and undo
//! what did not help.
//!
//! The crate is a house of rooms. A room imports only from the rooms above it in this list, and `tests/it/architecture.rs` holds that:
//!
//! | room | may import | what it is |
//! |---|---|---|
//! | [`model`] | std, serde | the words: plain data, no I/O, no clock, no async, no terminal |
//! | [`host`] | model | every touch of the machine, under injectable roots; the clock |
//! | [`analysis`] | model, ndarray, linfa | pure: counters to rates, detectors, verdicts |
//! | [`planning`] | model, analysis | pure: rank proposals, policy |
//! | [`store`] | model, SQLite | the journal, the history, the log of alerts |
//! | [`link`] | model, tokio net | the unix socket and its wire |
//! | [`config`] | model, ron | RON files, layered |
//! | [`query`] | model, regex | pure: the filter language |
//! | [`sources`] | model, host | one file per thing read |
//! | [`actions`] | model, host | one file per knob |
//! | [`ui`] | model, config, query | a function of state |
//! | [`engine`] | all of these but ui and link; of sources and actions only the traits | the loop: a pure brain decides, dumb hands act |
//! | [`app`] | all | composes; one file per way to run |

pub mod actions;
pub mod analysis;
pub mod app;
pub mod config;
pub mod engine;
pub mod host;
pub mod link;
pub mod model;
pub mod planning;
pub mod query;
pub mod sources;
pub mod store;
pub mod ui;
