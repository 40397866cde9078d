//! The integration tests, one binary.

mod architecture;
mod cli;
mod crash;
mod laws;
mod link;
mod live;
mod readme;
