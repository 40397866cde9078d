//! E7: everything is undone, and nothing new is done until an operator says so. It is asked for by an operator, or follows from harm: two
//! changes that hurt within ten minutes say that the engine does not understand this host at this time.

use crate::{
    engine::brain::{commands::begun, office::Office},
    model::{
        change::{Cause, Deed, Entry, Who},
        limits::Mode,
        note::Note,
        time::Tick,
    },
};

/// Seconds within which harms add up.
const WITHIN: f64 = 600.0;

/// Remembers which harms were answered.
#[derive(Debug, Default)]
pub struct Holder {
    answered: Tick,
}

impl Holder {
    /// Looks whether harm has added up.
    pub fn look(&mut self, most: usize, office: &mut Office) {
        let now = office.now.tick;
        let hurt = |c: &crate::model::change::Change| {
            let at = c.undone.map_or(now, |undone| undone.tick);
            c.cause == Some(Cause::Hurt) && at > self.answered && now.seconds_since(at) < WITHIN
        };
        let harms = office.ledger.all().filter(|c| hurt(c)).count();
        if harms >= most {
            self.answered = now;
            for id in begun(office) {
                office.roll_back(id, (Cause::Panic, Who::Engine), Vec::new());
            }
            hold(office, format!("{harms} changes did harm within ten minutes"), Who::Engine);
        }
    }
}

/// Falls back to watching, and writes down why.
pub fn hold(office: &mut Office, why: String, who: Who) {
    office.mode = Mode::Observe;
    office.log(log::Level::Error, format!("everything is rolled back and held: {why}"));
    office.house(Note::Held(why), who);
}

/// True when an earlier engine was holding and no operator has switched the mode since.
pub fn is_held(entries: &[(u64, Entry)]) -> bool {
    let notes = entries.iter().rev().filter_map(|(_, entry)| match &entry.deed {
        Deed::Noted(note) => Some((&**note, &entry.who)),
        _ => None,
    });
    for (note, who) in notes {
        match (note, who) {
            (Note::Held(_), _) => return true,
            (Note::Mode { .. }, Who::Operator { .. }) => return false,
            _ => {}
        }
    }
    false
}
