//! What if there were more load, more workers, more cores: answers from laws fitted to what was measured, or "the data cannot say".
//!
//! Two models of a queue. [`law`]: Gunther's universal scalability law (*Guerrilla Capacity Planning*, 2007), throughput over concurrency with
//! contention and coherency, fitted in [`fit`]. [`queue`]: Erlang's M/M/c, for cores. [`question`] asks them about a host's own past. A fit
//! that explains little, or was made on a narrow range of load, answers nothing; what reaches far beyond the range says so.

pub mod bootstrap;
pub mod fit;
pub mod history;
pub mod law;
pub mod question;
pub mod queue;
#[cfg(test)]
mod tests;
