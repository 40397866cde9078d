//! Settings of network namespaces: a wish names the namespace, a file of it and its value, and becomes a step.

use crate::{
    actions::knob::{
        refuse::{from_host, nothing},
        steps,
    },
    host::host::Host,
    model::{
        finding::Finding,
        knob::Knob,
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Proposal, Want},
        snapshot::Tcp,
        subject::{ProcessId, Subject},
        trial::Guardrail,
        world::World,
    },
};

/// What writing there needs.
pub const NEEDS: &str = "CAP_NET_ADMIN in the namespace";

/// The row of the namespace that a finding is about.
pub fn row<'a>(world: &World<'a>, finding: &Finding) -> Option<&'a Tcp> {
    let rows = world.snapshot.tcp.known()?;
    match &finding.id.subject {
        Subject::Network(netns) => rows.iter().find(|row| row.netns == *netns),
        _ => rows.first().filter(|row| row.through.is_none()),
    }
}

/// The namespace as a subject: our own is the host.
pub fn subject(row: &Tcp) -> Subject {
    if row.through.is_none() { Subject::Host } else { Subject::Network(row.netns) }
}

/// The key of a metric of the namespace.
pub fn key(row: &Tcp, metric: Metric) -> Key {
    Key::new(subject(row), metric)
}

/// A guardrail of the namespace: `metric` may rise by that much of its unit.
pub fn rise(row: &Tcp, metric: Metric, absolute: f64) -> Guardrail {
    Guardrail { key: key(row, metric), relative: 0.0, absolute }
}

/// What the finding measured, else what is so now.
pub fn measured(finding: &Finding, metric: Metric, now: f64) -> f64 {
    finding.evidence.iter().find(|evidence| evidence.metric == metric).map_or(now, |evidence| evidence.value)
}

/// The wish for a file below `/proc/sys/net`: `NETNS PID START FILE VALUE`, pid and start of a process in that namespace, or 0 for our
/// own.
pub fn want(row: &Tcp, file: &str, value: impl std::fmt::Display) -> Want {
    let through = row.through.unwrap_or_default();
    Want { on: subject(row), to: format!("{} {} {} {file} {value}", row.netns, through.pid, through.start) }
}

/// The knob and the value that are wished for.
pub fn wished(want: &Want) -> Option<(Knob, &str)> {
    let mut words = want.to.splitn(5, ' ');
    let (netns, pid, start) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    let (file, value) = (words.next()?.into(), words.next()?);
    Some((Knob::NetworkFile { netns, through: (pid != 0).then_some(ProcessId { pid, start }), file }, value))
}

/// The steps of all wishes.
pub fn steps(proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
    let step = |(knob, value)| steps::step(host, knob, value).map_err(|e| from_host(&e, NEEDS));
    proposal.wants.iter().filter_map(wished).map(step).collect()
}

/// Those among the steps that make a number, or each of several, no smaller; refuses when none is left.
pub fn only_raised(all: Vec<Step>) -> Result<Vec<Step>, Refusal> {
    let first = all.first().map(|step| format!("{} is {}", step.knob, step.before));
    let left: Vec<Step> = all.into_iter().filter(raises).collect();
    if left.is_empty() { Err(nothing(first.unwrap_or_default())) } else { Ok(left) }
}

fn raises(step: &Step) -> bool {
    let numbers = |text: &str| text.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>().ok();
    let (Some(before), Some(after)) = (numbers(&step.before), numbers(&step.after)) else { return false };
    before.len() == after.len() && before != after && before.iter().zip(&after).all(|(before, after)| after >= before)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_read_as_it_was_written() {
        let through = ProcessId { pid: 7, start: 70 };
        let row = Tcp { netns: 9, through: Some(through), ..Tcp::default() };
        let wish = want(&row, "ipv4/tcp_rmem", "4096 131072 8388608");
        assert_eq!(wish.on, Subject::Network(9));
        let knob = Knob::NetworkFile { netns: 9, through: Some(through), file: "ipv4/tcp_rmem".into() };
        assert_eq!(wished(&wish), Some((knob, "4096 131072 8388608")));
        let own = want(&Tcp { netns: 9, ..Tcp::default() }, "core/rmem_max", 5);
        assert_eq!(wished(&own), Some((Knob::NetworkFile { netns: 9, through: None, file: "core/rmem_max".into() }, "5")));
    }

    #[test]
    fn a_number_that_is_higher_already_and_a_triple_that_would_shrink_anywhere_are_left_out() {
        let step = |before: &str, after: &str| Step {
            knob: Knob::NetworkFile { netns: 1, through: None, file: "x".into() },
            before: before.into(),
            after: after.into(),
            apply: String::new(),
            undo: String::new(),
        };
        let left =
            only_raised(vec![step("1", "2"), step("3", "2"), step("1 2 3", "1 2 6"), step("1 2 3", "0 2 6"), step("1 2 3", "7")]);
        assert_eq!(left.unwrap().iter().map(|s| s.after.as_str()).collect::<Vec<_>>(), ["2", "1 2 6"]);
        assert!(only_raised(vec![step("3", "2")]).unwrap_err().why.contains("is 3 already"));
    }
}
