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
    if office.mode != Mode::Auto || office.desk.busy(Purpose::Apply, None) || office.desk.busy(Purpose::Approve, None) {
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

/// What to carry out now, and the digest of its plan.
fn next(office: &Office) -> Option<(Choice, String)> {
    let standing = office.standing();
    standing.may_act().ok()?;
    let unconfirmed = || office.ledger.live().filter(|c| c.state.is_unconfirmed());
    let may = |c: &&Change| {
        c.state == ChangeState::Proposed
            && standing.may_be_automatic(c)
            && office.desk.deed(c.id).is_none()
            && standing.may_touch(&c.proposal).is_ok()
            && standing.is_alone(c, unconfirmed()).is_ok()
    };
    let may: Vec<&Change> = office.ledger.open().filter(may).collect();
    let choice = choose::choose(&may, &office.ledger.learned, &office.policy, office.now)?;
    let digest = office.ledger.get(choice.chosen)?.digest.clone();
    Some((choice, digest))
}
