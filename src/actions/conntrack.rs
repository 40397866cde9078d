//! The number of connections that may be tracked (catalogue N4; networking/nf_conntrack-sysctl.rst "nf_conntrack_max").
//!
//! Changes: `net.netfilter.nf_conntrack_max`.
//! Helps when: the table is foreseen to be full, from when on packets of new connections are dropped.
//! Hurts when: a flood fills any table; an entry is some 400 bytes that cannot be swapped.
//! Undone how: the number before is written back, but not while more are tracked than that.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, nothing},
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::{
        error::{HostError, Kind},
        host::{Host, Touch},
    },
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Plan, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Bytes of an entry, with its share of the table (catalogue N4).
const ENTRY: f64 = 400.0;
/// Share of the memory available that the whole table may take.
const SHARE: f64 = 0.02;

/// Connections tracked at most.
pub struct Conntrack;

impl Setting for Conntrack {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "conntrack-max",
            row: "N4",
            changes: "net.netfilter.nf_conntrack_max",
            helps: "the table of tracked connections is foreseen to be full",
            hurts: "a flood fills any table; an entry is some 400 bytes of kernel memory",
            undone: "the number before is written back, never below what is tracked",
            risk: Risk::Medium,
            needs: "CAP_NET_ADMIN",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let coming = world.findings.iter().filter(|f| f.id.kind == FindingKind::PredictedConntrack);
        coming.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let needs = Setting::about(self).needs;
        let Some(want) = proposal.wants.first() else { return Ok(Vec::new()) };
        let knob = Knob::File(Place::proc("sys/net/netfilter/nf_conntrack_max"));
        let step = steps::step(host, knob, want.to.clone()).map_err(|e| from_host(&e, needs))?;
        if number(&step.before) >= number(&step.after) {
            return Err(nothing(format!("{} is {}", step.knob, step.before)));
        }
        Ok(vec![step])
    }

    /// A table that is fuller than its limit takes no new connection.
    fn may_undo(&self, plan: &Plan, host: &dyn Host) -> Touch<()> {
        plan.steps.iter().filter(|step| host.get(&step.knob).is_ok_and(|found| found == step.after)).try_for_each(|step| {
            let tracked = number(host.text(&Place::proc("sys/net/netfilter/nf_conntrack_count"))?.trim());
            if tracked < number(&step.before) {
                return Ok(());
            }
            let why =
                format!("{tracked} are tracked, more than {}: none new would be taken; later type: {}", step.before, step.undo);
            Err(HostError::plain("write back", &step.knob, Kind::Other, why))
        })
    }
}

impl Conntrack {
    /// Of the host alone: other namespaces share its number and cannot set it.
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let crossing = finding.crossing.as_ref().filter(|_| finding.id.subject == Subject::Host)?;
        let [now, most] = world.snapshot.tcp.known()?.first()?.conntrack?;
        let new = most.saturating_mul(2);
        let available = world.vitals.memory.known()?.available as f64;
        if new as f64 * ENTRY > SHARE * available {
            return None;
        }
        let key = Key::host(Metric::ConntrackUsed);
        let trial = trial::of(world, key, vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let share = |of: u64| Unit::Share.show(now as f64 / of.max(1) as f64);
        let when = crossing.likely.map_or("within the horizon".into(), |left| format!("in {}", Unit::Seconds.show(left)));
        let sure = Unit::Share.show(crossing.confidence);
        Some(Proposal {
            title: format!("tracked connections at most {most} -> {new}"),
            why: format!("{now} of {most} connections are tracked; the table is full {when}, with a confidence of {sure}."),
            mechanism: "New connections find room in the table; when it is full their packets are dropped.".into(),
            expect: format!("The table should be {} full instead of {}.", share(new), share(most)),
            undo: "The number before is written back, unless more are tracked than that: then it says so.".into(),
            wants: vec![Want { on: Subject::Host, to: new.to_string() }],
            fit: 0.8,
            foreseen: Some(crossing.confidence),
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}
