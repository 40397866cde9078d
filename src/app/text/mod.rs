//! What the command line prints for people: plain lines, aligned, no escape codes.

pub mod alerts;
pub mod audit;
pub mod change;
pub mod finding;
pub mod forecast;
pub mod hardware;
pub mod learned;
pub mod once;
pub mod rows;
pub mod status;
pub mod what_if;
pub mod why;
