//! What is unlike all that was seen before: streaming, causal, of bounded memory, each series measured against its own past.

pub mod alarm;
pub mod host;
pub mod level;
pub mod net;
pub mod novelty;
pub mod predictor;
pub mod season;
pub mod spread;
pub mod tail;
pub mod usual;
pub mod watcher;
pub mod window;

#[cfg(test)]
mod tests;
