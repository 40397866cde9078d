//! The host's week as it was seen: how loaded each hour of it is. Plain data; what is made of it is for planning.

use crate::model::time::Wall;
use serde::{Deserialize, Serialize};

/// Hours of a week.
pub const HOURS: usize = 168;

/// One hour of the week, from Monday 00:00 of the policy's clock.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hour {
    /// Busy share of all cores.
    pub busy: f64,
    /// Requests per second of all measured services together; `None` without any.
    pub served: Option<f64>,
    /// When it was last seen to its end.
    pub at: Wall,
}

/// The week; `None` for hours that were not seen yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Week(pub Vec<Option<Hour>>);

impl Default for Week {
    fn default() -> Self {
        Week(vec![None; HOURS])
    }
}
