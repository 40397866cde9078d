//! The descriptor limit of a running process (catalogue P1; prlimit(2)).
//!
//! Changes: the soft limit `RLIMIT_NOFILE`, up to the hard one.
//! Helps when: a program nears its limit and would answer new clients with EMFILE.
//! Hurts when: the program leaks descriptors (it only fails later), or uses select(2), which ends at 1024.
//! Undone how: the limits before are written back; descriptors already open stay open.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            refuse::{from_host, nothing},
            rivals::touchable,
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

/// A limit is raised at least to this.
const ROOMY: u64 = 65_536;

/// The descriptor limit.
pub struct Descriptors;

impl Setting for Descriptors {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "descriptors",
            row: "P1",
            changes: "soft descriptor limit of a process (prlimit)",
            helps: "a program nears its limit",
            hurts: "the program leaks descriptors, or uses select() beyond 1024",
            undone: "the limits before are written back",
            risk: Risk::Low,
            needs: "the process's own user, or CAP_SYS_RESOURCE",
            cooldown: 300.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let kinds = [FindingKind::DescriptorExhaustion, FindingKind::PredictedDescriptors];
        let near = world.findings.iter().filter(|f| kinds.contains(&f.id.kind));
        near.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let needs = Setting::about(self).needs;
        let most = host.text(&Place::proc("sys/fs/nr_open")).map_err(|e| from_host(&e, "read access to it"))?;
        let most = number(most.trim());
        let mut steps = Vec::new();
        for (process, want) in proposal.wants.iter().filter_map(|w| Some((w.on.process()?, &w.to))) {
            protect::process(host, process)?;
            let knob = Knob::Descriptors(process);
            let before = host.get(&knob).map_err(|e| from_host(&e, needs))?;
            let (soft, hard) = before.split_once(':').unwrap_or((&before, ""));
            let after = number(want).min(number(hard)).min(most);
            if after <= number(soft) {
                return Err(nothing(format!("{knob} is {soft}, its hard limit {hard}")));
            }
            steps.push(steps::step(host, knob, format!("{after}:{hard}")).map_err(|e| from_host(&e, needs))?);
        }
        Ok(steps)
    }
}

impl Descriptors {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let process = world.snapshot.process(finding.id.subject.process()?)?;
        let (soft, hard) = process.descriptor_limit?;
        // What the finding saw at the peak, where it is more than there is now.
        let peak = finding.victims.first().filter(|v| v.unit == Unit::Share).map_or(0.0, |v| v.amount * soft as f64);
        let open = f64::from(process.descriptors?).max(peak).round();
        let wish = soft.saturating_mul(4).max(ROOMY).min(hard);
        if wish <= soft || !touchable(process) {
            return None;
        }
        let key = Key::new(Subject::Process(process.id), Metric::ProcessDescriptors);
        let trial = trial::of(world, key, vec![rise(Metric::PressureMemoryFull, 0.05)]);
        let name = &process.name;
        Some(Proposal {
            title: format!("descriptor limit {soft} -> {wish} for {}", name.chars().take(15).collect::<String>()),
            why: format!("{name} has {open} of {soft} descriptors open; at the limit it can accept no more clients."),
            mechanism: "The running program may open more files and sockets from the next call on.".into(),
            expect: format!("Descriptors in use should fall from {} to {} of the limit.", share(open, soft), share(open, wish)),
            undo: "The limit before is written back; descriptors open beyond it stay open, new ones fail again.".into(),
            wants: vec![Want { on: Subject::Process(process.id), to: wish.to_string() }],
            fit: 0.9,
            foreseen: trial::foreseen(finding),
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Network, trial)
        })
    }
}

fn share(open: f64, limit: u64) -> String {
    Unit::Share.show(open / limit.max(1) as f64)
}

fn number(text: &str) -> u64 {
    text.parse().unwrap_or(u64::MAX)
}
