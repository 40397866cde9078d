//! Auto mode: approves and applies by itself what risks little, can be undone exactly, and whose effect the data can show; against
//! trouble that has not come yet, only where the forecast is sure enough. One at a time, within all bounds that hold for an operator.

use crate::{
    engine::brain::{
        desk::{Purpose, Then},
        office::{Office, errand},
    },
    model::{
        change::{Change, ChangeId, ChangeState, Deed, Who},
        limits::Mode,
    },
};

/// Once per sweep.
pub fn act(office: &mut Office) {
    if office.acting() != Mode::Auto || office.desk.busy(Purpose::Apply, None) || office.desk.busy(Purpose::Approve, None) {
        return;
    }
    let Some((id, digest)) = next(office) else { return };
    let approve = crate::engine::brain::desk::Errand { then: Some(Then::Apply), ..errand(id, Purpose::Approve, None) };
    office.record(approve, Deed::Approved { digest }, Who::Engine);
}

/// The first proposal that may go, and the digest of its plan.
fn next(office: &Office) -> Option<(ChangeId, String)> {
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
    let best = office.ledger.open().filter(may).max_by(|a, b| a.proposal.fit.total_cmp(&b.proposal.fit).then(b.id.cmp(&a.id)))?;
    Some((best.id, best.digest.clone()))
}
