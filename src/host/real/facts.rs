//! Facts of the host.

use super::RealHost;
use crate::model::facts::Facts;

/// Reads them all.
pub(super) fn read(_host: &RealHost) -> Facts {
    Facts::default()
}
