//! Auto mode: approves and applies by itself what risks little, can be undone exactly, and whose effect the data can show; against
//! trouble that has not come yet, only where the forecast is sure enough. One at a time, within all bounds that hold for an operator.

use crate::{
    engine::brain::{
        desk::{Errand, Purpose, Then},
        office::{Office, errand},
    },
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Who},
        limits::Mode,
        note::Note,
    },
};

/// Once per sweep.
pub fn act(office: &mut Office) {
    give_way(office);
    if office.mode != Mode::Auto || office.desk.busy(Purpose::Apply, None) || office.desk.busy(Purpose::Approve, None) {
        return;
    }
    let Some((id, digest)) = next(office) else { return };
    let approve = Errand { then: Some(Then::Apply), ..errand(id, Purpose::Approve, None) };
    office.record(approve, Deed::Approved { digest }, Who::Engine);
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

/// The first proposal that may go, and the digest of its plan.
fn next(office: &Office) -> Option<(ChangeId, String)> {
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
    let best = office.ledger.open().filter(may).max_by(|a, b| a.proposal.fit.total_cmp(&b.proposal.fit).then(b.id.cmp(&a.id)))?;
    Some((best.id, best.digest.clone()))
}
