//! Where a number is heading, from nothing but its own past. [`forecast::forecast`] is the way in; the other files are its steps, in the
//! order in which they are taken: fill, scale, table, regress, candidates, blend, unrest, interval.

pub mod blend;
pub mod candidates;
pub mod change;
pub mod factor;
pub mod fill;
pub mod forecast;
pub mod interval;
pub mod net;
pub mod regress;
pub mod rolling;
pub mod rough;
pub mod scale;
pub mod season;
pub mod seasonal;
pub mod table;
#[cfg(test)]
mod tests;
pub mod unrest;
