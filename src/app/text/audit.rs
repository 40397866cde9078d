//! The journal.

use crate::{
    app::text::rows::{clock, line},
    model::change::Entry,
};

/// The journal, one line an entry.
pub fn audit(entries: &[(u64, Entry)]) -> String {
    if entries.is_empty() {
        return "the journal is empty\n".into();
    }
    let mut out = String::new();
    for (number, entry) in entries {
        let change = entry.change.to_string();
        let (at, who) = (clock(entry.now.wall), entry.who.to_string());
        line(&mut out, &format!("{number:>6}  {at}  {change:<5} {:<18} {who}  {}", entry.deed.words(), entry.deed.detail()));
    }
    out
}
