//! The integration tests, one binary.

mod architecture;
mod link;
mod live;
