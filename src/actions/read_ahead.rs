//! How far a disk reads ahead (catalogue S2; Documentation/ABI/stable/sysfs-block "read_ahead_kb").
//!
//! Changes: `queue/read_ahead_kb`.
//! Helps when: files are read from front to back and every request is as long as the read-ahead allows.
//! Hurts when: reads are random: what is read ahead pushes useful pages out of the cache.
//! Undone how: the value before is written back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::from_host,
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

/// Never beyond this, in KiB.
const MOST: u64 = 4096;

/// Read-ahead of a disk.
pub struct ReadAhead;

impl Setting for ReadAhead {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "read-ahead",
            row: "S2",
            changes: "queue/read_ahead_kb of a disk",
            helps: "files are read from front to back in requests as long as it allows",
            hurts: "reads are random: the page cache fills with what nobody asked for",
            undone: "the value before is written back",
            risk: Risk::Low,
            needs: "root (owner of /sys/block)",
            cooldown: 120.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if world.facts.tuners.iter().any(|t| &**t == "tuned") {
            return Vec::new();
        }
        let slow = world.findings.iter().filter(|f| f.id.kind == FindingKind::DiskLatency);
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Disk(name) = &want.on else { continue };
            let knob = Knob::File(Place::sys(format!("block/{name}/queue/read_ahead_kb")));
            steps.push(steps::step(host, knob, want.to.clone()).map_err(|e| from_host(&e, Setting::about(self).needs))?);
        }
        Ok(steps)
    }
}

impl ReadAhead {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Disk(name) = &finding.id.subject else { return None };
        let disk = world.snapshot.disk(name)?;
        let ahead = disk.settings.as_ref()?.read_ahead;
        let long = (disk.reads > 0.0).then(|| disk.read / disk.reads)?;
        // Most bytes are reads, and their requests are as long as they may become: they run into the end of the window.
        let sequential = disk.read > 2.0 * disk.write && long >= 0.8 * (ahead * 1024) as f64;
        let to = (ahead * 4).min(MOST);
        if !sequential || ahead == 0 || to <= ahead {
            return None;
        }
        let key = Key::new(finding.id.subject.clone(), Metric::DiskRead);
        let trial = trial::of(world, key, vec![rise(Metric::PressureMemoryFull, 0.05), rise(Metric::PressureMemorySome, 0.05)]);
        Some(Proposal {
            title: format!("read-ahead {ahead} -> {to} KiB for {name}"),
            why: format!("Reads of {name} are {} long, all that a read-ahead of {ahead} KiB allows.", Unit::Bytes.show(long)),
            mechanism: "The kernel asks for more at once, so a reader from front to back waits less often.".into(),
            expect: trial::outlook(world, &trial, 1.2),
            undo: "The value before is written back, at once; open files follow at their next read.".into(),
            wants: vec![Want { on: finding.id.subject.clone(), to: to.to_string() }],
            fit: 0.5,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Storage, trial)
        })
    }
}
