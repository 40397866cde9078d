//! Entries of the journal, one a line: each is read or refused, and those that are read are folded into changes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use trimtab::model::change::{Change, Entry};

fuzz_target!(|text: &str| {
    let mut changes: Vec<Change> = Vec::new();
    for entry in text.lines().filter_map(|line| serde_json::from_str::<Entry>(line).ok()) {
        match changes.iter_mut().find(|change| change.id == entry.change) {
            // Illegal deeds are refused and change nothing.
            Some(change) => {
                let before = change.state;
                if change.take(&entry).is_err() {
                    assert_eq!(change.state, before);
                }
            }
            None => changes.extend(Change::begin(&entry)),
        }
    }
});
