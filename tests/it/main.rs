//! The integration tests, one binary.

mod architecture;
mod cli;
mod link;
mod live;
mod readme;
