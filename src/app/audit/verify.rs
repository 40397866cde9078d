//! `trimtab audit verify`: whether every record is as it was written, and the first one that is not.

use crate::{
    app::{audit::proved, cli::Verify, failure::Failure, out},
    store::proof::Anchor,
};
use serde::Serialize;
use std::path::Path;

/// What was proved, for programs.
#[derive(Debug, Serialize)]
struct Told {
    whole: bool,
    records: u64,
    newest: String,
    broken: Option<u64>,
    why: Option<String>,
}

/// Proves it; fails with the first broken record, or where the anchor does not hold.
pub fn run(wish: &Verify, path: &Path) -> Result<(), Failure> {
    let (look, proof) = proved(path)?;
    let mut told = Told {
        whole: true,
        records: proof.newest.number,
        newest: proof.newest.to_string(),
        broken: proof.broken.as_ref().map(|broken| broken.record),
        why: proof.broken.as_ref().map(|broken| broken.why.clone()),
    };
    if let Some(anchor) = wish.anchor.as_ref().filter(|_| told.broken.is_none()) {
        let found = look.anchor(anchor.number).map_err(Failure::new)?;
        if let Some(why) = strayed(anchor, found.as_ref(), proof.newest.number) {
            (told.broken, told.why) = (Some(anchor.number), Some(why));
        }
    }
    told.whole = told.broken.is_none();
    if wish.format.json {
        out::json(&told)?;
        return if told.whole { Ok(()) } else { Err(Failure::said()) };
    }
    match (told.broken, &told.why) {
        (Some(record), Some(why)) => Err(Failure::new(format!(
            "{}: record {record}: {why}; {} records before it hold together",
            path.display(),
            told.records.min(record.saturating_sub(1))
        ))),
        _ => {
            let held = wish
                .anchor
                .as_ref()
                .map_or_else(String::new, |anchor| format!("; it holds the anchor of record {}", anchor.number));
            out::say(&format!(
                "{}: {} records, each as it was written{held}\nnewest    {}\n",
                path.display(),
                told.records,
                told.newest
            ))
        }
    }
}

/// How a journal strays from an anchor, if it does.
fn strayed(anchor: &Anchor, found: Option<&Anchor>, newest: u64) -> Option<String> {
    match found {
        None => Some(format!("it was there when the anchor was written and is missing; the newest is {newest}")),
        Some(found) if found != anchor => {
            Some("its hash is not the anchored one: the journal was rewritten at or before it".into())
        }
        Some(_) => None,
    }
}
