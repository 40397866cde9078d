//! Connections that no program holds any more (catalogue N12; networking/ip-sysctl.rst "tcp_max_orphans", "tcp_fin_timeout").
//!
//! Changes: `net.ipv4.tcp_max_orphans`, and `tcp_fin_timeout` down to 60 seconds where somebody has set it higher.
//! Helps when: clients vanish while they are answered: what is left unsent is kept, and beyond the limit such connections are reset.
//! Hurts when: memory is short: each can hold up to 64 KiB that cannot be swapped.
//! Undone how: the values before are written back; those beyond the limit are reset as they come.
//!
//! Up to 60 seconds a connection in FIN_WAIT2 waits as a mere entry of TIME_WAIT and counts as no orphan (`tcp_rcv_state_process`):
//! only what is above that is taken away, since a program may count on the rest.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            network::{self, NEEDS},
            refuse::{from_host, nothing},
            setting::Setting,
            steps,
            trial::{self, rise},
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Seconds in FIN_WAIT2 as the kernel has them (`TCP_FIN_TIMEOUT`, the length of TIME_WAIT).
const USUAL: u64 = 60;
/// Bytes of one at most.
const EACH: f64 = 65_536.0;
/// Share of the memory available that those there are now may take at worst.
const SHARE: f64 = 0.5;

/// Connections without a program.
pub struct Orphans;

impl Setting for Orphans {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "orphans",
            row: "N12",
            changes: "net.ipv4.tcp_max_orphans, and tcp_fin_timeout where above 60",
            helps: "clients vanish while they are answered, and what is left is nearly all that may be",
            hurts: "memory is short: each can hold 64 KiB",
            undone: "the values before are written back; those beyond are reset",
            risk: Risk::Low,
            needs: NEEDS,
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let many = world.findings.iter().filter(|f| f.id.kind == FindingKind::Orphans);
        many.filter_map(|finding| self.relief(world, finding)).collect()
    }

    /// The first want is the number of orphans, the second a time as [`network::want`] has it.
    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        let number = |text: &str| text.parse::<u64>().unwrap_or(0);
        for want in &proposal.wants {
            let (knob, value) = network::wished(want)
                .unwrap_or_else(|| (Knob::File(Place::proc("sys/net/ipv4/tcp_max_orphans")), want.to.as_str()));
            let lower = matches!(knob, Knob::NetworkFile { .. });
            let step = steps::step(host, knob, value).map_err(|e| from_host(&e, NEEDS))?;
            let (before, after) = (number(&step.before), number(&step.after));
            steps.extend((if lower { after < before } else { after > before }).then_some(step));
        }
        if steps.is_empty() { Err(nothing("more connections without a program may be")) } else { Ok(steps) }
    }
}

impl Orphans {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let row = network::row(world, finding)?;
        let limits = row.limits.as_ref()?;
        let (most, [_, _, pages]) = (limits.max_orphans?, limits.mem?);
        let available = world.vitals.memory.known()?.available as f64;
        // The kernel resets them for want of TCP memory as well: more may be only while less than half of that is taken.
        if row.orphans as f64 * EACH > SHARE * available || row.pages as f64 > 0.5 * pages as f64 {
            return None;
        }
        let new = most.saturating_mul(2);
        let mut wants = vec![Want { on: Subject::Host, to: new.to_string() }];
        let long = limits.fin_timeout.filter(|seconds| *seconds > USUAL);
        wants.extend(long.map(|_| network::want(row, "ipv4/tcp_fin_timeout", USUAL)));
        let less = long.map(|seconds| format!(", fin timeout {seconds} -> {USUAL} s")).unwrap_or_default();
        let guardrails = vec![rise(Metric::PressureMemoryFull, 0.05), rise(Metric::TcpResets, 5.0)];
        let trial = trial::of(world, Key::host(Metric::OrphansUsed), guardrails);
        let share = |of: u64| Unit::Share.show(row.orphans as f64 / of.max(1) as f64);
        Some(Proposal {
            title: format!("orphaned connections at most {most} -> {new}{less}").chars().take(60).collect(),
            why: format!("{} connections have no program any more, {} of what may be.", row.orphans, share(most)),
            mechanism: "What a program has left unsent is kept until it is taken or timed out, rather than the connection reset."
                .into(),
            expect: format!("orphans should be {} of what may be instead of {}.", share(new), share(most)),
            undo: "The values before are written back at once; those beyond the limit are reset as they come.".into(),
            wants,
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}
