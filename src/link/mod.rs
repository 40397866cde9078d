//! The way into an engine from other processes of this host: a unix socket of its user, JSON lines on it.
//!
//! The words of the wire are in [`crate::model::message`]; their version is [`crate::model::message::WIRE`].

pub mod client;
pub mod doors;
pub mod guests;
pub mod lines;
pub mod server;
pub mod socket;
