//! The journal.

use crate::{
    app::text::rows::{clock, line},
    model::change::{Deed, Entry},
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
        line(&mut out, &format!("{number:>6}  {at}  {change:<5} {:<18} {who}{}", entry.deed.words(), more(&entry.deed)));
    }
    out
}

fn more(deed: &Deed) -> String {
    match deed {
        Deed::Proposed { proposal, .. } => format!("  {}", proposal.title),
        Deed::Refused(refusal) => format!("  {}", refusal.why),
        Deed::RollbackStarted(cause) => format!("  {}", cause.words()),
        Deed::Judged(verdict) => format!("  {}", verdict.why),
        Deed::Stuck { error, .. } => format!("  {error}"),
        _ => String::new(),
    }
}
