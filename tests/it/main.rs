//! The integration tests, one binary.

mod architecture;
mod cli;
mod crash;
mod demo;
mod engine;
mod guard;
mod kill;
mod laws;
mod link;
mod live;
mod readme;
mod screens;
mod sources;
mod terminal;
