//! The integration tests, one binary.

mod architecture;
mod laws;
mod link;
mod live;
