//! History: raw samples and trends of the past in a bounded file, so that what was can be seen again.

pub mod block;
pub mod bytes;
pub mod file;
pub mod form;
pub mod frame;
pub mod pack;
pub mod reader;
pub mod reel;
pub mod retention;
pub mod rows;
pub mod snapshot;
pub mod trend;
pub mod unpack;
pub mod writer;
