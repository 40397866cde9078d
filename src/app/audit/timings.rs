//! `trimtab audit timings`: how long deciding, applying and rolling back took, from the times in the journal.

use crate::{
    app::{audit::proved, cli::Format, failure::Failure, out, text},
    model::{change::Change, limits::Policy},
    planning::learning::learned::Learned,
};
use std::{collections::BTreeMap, path::Path};

/// Prints them. Of a broken journal the whole part counts.
pub fn run(format: Format, path: &Path) -> Result<(), Failure> {
    let (_, proof) = proved(path)?;
    let mut learned = Learned::new(&Policy::default());
    let mut changes = BTreeMap::new();
    for (_, entry) in &proof.entries {
        if let Some(begun) = Change::begin(entry) {
            changes.insert(entry.change, begun);
        } else if let Some(change) = changes.get_mut(&entry.change)
            && change.take(entry).is_err()
        {
            continue;
        }
        if let Some(change) = changes.get(&entry.change) {
            learned.take(change, entry);
        }
    }
    let timings = learned.timings();
    if format.json { out::json(&timings) } else { out::say(&text::learned::timings(&timings)) }
}
