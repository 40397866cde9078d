//! Alerts as rows: those that hold, then those that are over.

use crate::{
    app::text::rows::{clock, line, row},
    model::{
        alert::{Alert, AlertState},
        time::Wall,
        unit::Unit,
    },
};
use std::sync::Arc;

/// The list.
pub fn alerts(all: &[Arc<Alert>]) -> String {
    let mut out = String::new();
    if all.is_empty() {
        line(&mut out, "no alerts");
    }
    for alert in all {
        line(
            &mut out,
            &format!("{:<5} {:<2} {:<12} {}", alert.id.to_string(), alert.severity.sign(), alert.state.words(), alert.headline()),
        );
        if alert.state == AlertState::Pending {
            continue;
        }
        let begun = alert.fired.unwrap_or(alert.since);
        let worst = alert.key.metric.unit().show(alert.peak);
        let held = match alert.cleared {
            Some(end) => format!("{} for {}", clock(begun), span(begun, end)),
            None => format!("since {}", clock(begun)),
        };
        row(&mut out, "held", &format!("{held}, worst {worst}"));
        if let Some((who, at)) = &alert.acknowledged {
            row(&mut out, "known", &format!("to {who} since {}", clock(*at)));
        }
        if let Some((who, until)) = &alert.snoozed {
            let until = until.map_or("until it clears".into(), |at| format!("until {}", clock(at)));
            row(&mut out, "snoozed", &format!("by {who} {until}"));
        }
        if alert.is_live() && !alert.note.is_empty() {
            row(&mut out, "note", &alert.note);
        }
    }
    out
}

fn span(from: Wall, to: Wall) -> String {
    Unit::Seconds.show((to.0 - from.0).max(0) as f64 / 1000.0)
}
