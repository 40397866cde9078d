//! The integration tests, one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)] // a test that breaks says so
#![allow(clippy::type_complexity)] // tables of cases

mod acceptance;
mod access;
mod alerts;
mod anomalies;
mod architecture;
mod audit;
mod cause;
mod cli;
mod config;
mod crash;
mod demo;
mod depth;
mod emergency;
mod engine;
mod faults;
mod foresight;
mod guard;
mod history;
mod hung;
mod kill;
mod laws;
mod link;
mod live;
mod nvml;
mod out;
mod placebo;
mod prediction;
mod readme;
mod screens;
mod sources;
mod terminal;
mod tied;
mod traffic;
mod wish;
