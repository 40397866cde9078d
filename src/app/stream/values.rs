//! The numbers of a view by their keys.

use crate::model::{
    metric::Key,
    pick::{self, Pick},
    readings,
    snapshot::Snapshot,
    subject::Subject,
};

/// Those that are picked, in the order of the picks; without picks all but those of processes, sorted.
pub fn values(snapshot: &Snapshot, picks: &[Pick]) -> Vec<(Key, f64)> {
    let mut all = Vec::with_capacity(128);
    readings::snapshot(snapshot, &mut |key, value| {
        if value.is_finite() && (!picks.is_empty() || !matches!(key.subject, Subject::Process(_))) {
            all.push((key, micro(value)));
        }
    });
    if !picks.is_empty() {
        return pick::choose(picks, all);
    }
    all.sort_by(|(a, _), (b, _)| (a.metric, &a.subject).cmp(&(b.metric, &b.subject)));
    all
}

/// To the millionth: a microsecond, a byte in a megabyte; what lies below is noise of arithmetic and makes lines long.
fn micro(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}
