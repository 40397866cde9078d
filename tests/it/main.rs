//! The integration tests, one binary.

mod architecture;
mod engine;
mod link;
mod live;
