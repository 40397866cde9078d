//! Auto mode: approves and applies by itself what harms seldom enough, can be undone exactly, and whose effect the data can show; against
//! trouble that has not come yet, only where the forecast is sure enough. One at a time, within all bounds that hold for an operator.
//! Among several it [chooses](choose) by what was learned here, and writes down what it chose from.

use crate::{
    engine::{
        brain::{
            desk::{Errand, Purpose, Then},
            office::{Office, errand},
        },
        job::Job,
    },
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Who},
        limits::Mode,
        note::{Choice, Note},
    },
    planning::learning::choose,
};

/// Once per sweep.
pub fn act(office: &mut Office) {
    give_way(office);
    if office.acting() != Mode::Auto || office.desk.busy(Purpose::Apply, None) || office.desk.busy(Purpose::Approve, None) {
        return;
    }
    let Some((choice, digest)) = next(office) else { return };
    let id = choice.chosen;
    let approve = Errand { then: Some(Then::Apply), ..errand(id, Purpose::Approve, None) };
    // What it chose from comes first: the record of the choice is there even if the approval is the last thing that is written.
    let deeds = vec![
        (ChangeId::HOUSE, Deed::Noted(Box::new(Note::Chose(Box::new(choice)))), Who::Engine),
        (id, Deed::Approved { digest }, Who::Engine),
    ];
    office.perform(approve, Job::Record(deeds));
}

/// Too many changes have hurt: auto mode demotes itself, until an operator who has seen that switches it on again.
fn give_way(office: &mut Office) {
    let harms = office.ledger.memory.harms(office.now.tick);
    if office.mode == Mode::Auto && harms >= office.policy.harms {
        office.mode = Mode::Suggest;
        office.house(Note::Mode { from: Mode::Auto, to: Mode::Suggest }, Who::Engine);
        office.log(log::Level::Warn, format!("{harms} changes hurt within a day: auto mode gives way to suggest"));
    }
}

/// That auto mode has given way, and how it comes back.
pub fn demoted(office: &Office) -> Option<String> {
    let harms = office.ledger.memory.harms(office.now.tick);
    let over = harms >= office.policy.harms && office.mode != Mode::Auto;
    over.then(|| format!("{harms} changes hurt within a day, so auto mode is off: look at the audit, then switch it on again"))
}

/// What to carry out now, and the digest of its plan.
fn next(office: &Office) -> Option<(Choice, String)> {
    let standing = office.standing();
    standing.may_act().ok()?;
    let unconfirmed = || office.ledger.live().filter(|c| c.state.is_unconfirmed());
    let may = |c: &&Change| {
        c.state == ChangeState::Proposed
            && standing.may_be_automatic(c).is_ok()
            && office.desk.deed(c.id).is_none()
            && standing.may_touch(&c.proposal).is_ok()
            && standing.is_alone(c, unconfirmed()).is_ok()
    };
    let may: Vec<&Change> = office.ledger.open().filter(may).collect();
    let choice = choose::choose(&may, &office.ledger.learned, &office.policy, office.now)?;
    let digest = office.ledger.get(choice.chosen)?.digest.clone();
    Some((choice, digest))
}
