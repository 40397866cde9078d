//! What follows from a verdict: it is written down with how it stands among those of the week; then it is kept or undone.

use crate::{
    analysis::impact::{guard::Trip, multiplicity},
    engine::brain::{
        desk::{Errand, Purpose, Then},
        office::{Office, errand},
    },
    model::{
        change::{Cause, ChangeId, Deed, Who},
        verdict::{Outcome, Verdict},
    },
};

/// Writes the verdict down; what it means follows.
pub fn conclude(id: ChangeId, verdict: Verdict, office: &mut Office) {
    let verdict = among_others(verdict, office);
    let undo = |cause| Then::RollBack(cause, Who::Engine, Vec::new());
    let then = match verdict.outcome {
        Outcome::Better => Then::Keep,
        Outcome::Worse => undo(Cause::Hurt),
        Outcome::Neutral | Outcome::Unclear => undo(Cause::NoEffect),
    };
    let judge = Errand { then: Some(then), ..errand(id, Purpose::Judge, None) };
    office.record(judge, Deed::Judged(Box::new(verdict)), Who::Engine);
}

/// Harm was seen before the end: what was measured so far, and why it ends.
pub fn trip_up(id: ChangeId, trip: Trip, verdict: Verdict, office: &mut Office) {
    match trip.cause {
        Cause::Hurt => conclude(id, Verdict { outcome: Outcome::Worse, why: trip.why, ..verdict }, office),
        cause => {
            office.log(log::Level::Warn, format!("{id}: {}", trip.why));
            office.roll_back(id, (cause, Who::Engine), Vec::new());
        }
    }
}

/// A gain that is not rare enough among the many verdicts of a week is none.
fn among_others(mut verdict: Verdict, office: &Office) -> Verdict {
    let Some(chance) = verdict.chance else { return verdict };
    let earlier: Vec<f64> = office.ledger.week.iter().map(|(_, chance)| *chance).collect();
    let week = multiplicity::week(&earlier, chance);
    if verdict.outcome == Outcome::Better && !week.holds {
        verdict.outcome = Outcome::Neutral;
        verdict.why = format!("{}, but one of {} verdicts this week may show that by chance", verdict.why, week.verdicts);
    }
    verdict.week = Some(week);
    verdict
}
