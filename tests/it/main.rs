//! The integration tests, one binary.

mod architecture;
mod cli;
mod engine;
mod link;
mod live;
mod readme;
