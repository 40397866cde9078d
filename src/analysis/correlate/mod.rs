//! Which numbers move together, across components, more than chance allows.
//!
//! Raw series of one host nearly all correlate: they share trends, seasons and a memory of their own. So each is first reduced to
//! its *innovations* ([`whiten`]): what its own past did not foretell (Haugh 1976, *Checking the independence of two
//! covariance-stationary time series*). Innovations of every pair are compared at every lag within reach ([`search`]); the chance of the
//! best lag is corrected for the lags looked at (Sidak), counts only as many points as are independent ([`bartlett`]), and the pairs
//! that stay are those that survive Benjamini and Hochberg (1995) over *all* pairs. What a common companion explains is taken out again
//! (`partial`).

pub mod bartlett;
mod kin;
mod normal;
mod partial;
pub mod search;
#[cfg(test)]
mod tests;
pub mod whiten;
