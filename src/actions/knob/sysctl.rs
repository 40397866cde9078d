//! A setting that is one number in a file below `/proc/sys`.

use crate::{
    actions::knob::{
        refuse::{from_host, nothing},
        steps,
    },
    host::host::Host,
    model::{
        knob::{Knob, Place},
        plan::{Refusal, Step},
        proposal::Proposal,
    },
};

/// The step from the present value of `file` to the first wish of the proposal. `needs` is what writing it needs.
pub fn step(host: &dyn Host, file: &str, proposal: &Proposal, needs: &str) -> Result<Step, Refusal> {
    let Some(want) = proposal.wants.first() else { return Err(nothing("nothing is wished for")) };
    let knob = Knob::File(Place::proc(format!("sys/{file}")));
    steps::step(host, knob, want.to.clone()).map_err(|e| from_host(&e, needs))
}

/// The same where only more is wished for: refuses when it stands there, or beyond.
pub fn raise(host: &dyn Host, file: &str, proposal: &Proposal, needs: &str) -> Result<Step, Refusal> {
    let step = step(host, file, proposal, needs)?;
    let number = |text: &str| text.parse::<u64>().unwrap_or(0);
    if number(&step.before) >= number(&step.after) {
        return Err(nothing(format!("{} is {}", step.knob, step.before)));
    }
    Ok(step)
}
