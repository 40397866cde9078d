//! The cpu quota of a cgroup (catalogue C5; cgroup-v2.rst "cpu.max", sched-bwc.rst).
//!
//! Changes: `cpu.max` (v2) or `cpu.cfs_quota_us` (v1) of a throttled cgroup; of a systemd unit its `CPUQuota`, at runtime.
//! Helps when: the cgroup waits for its next period while the host has idle cpu.
//! Hurts when: the quota is a promise to others (tenants, licences), or an orchestrator writes it back.
//! Undone how: the quota before is written back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            cgroups,
            setting::Setting,
            trial::{self, rise},
            units,
        },
    },
    host::host::Host,
    model::{
        finding::{Finding, FindingKind},
        metric::{Key, Metric},
        plan::{Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        sample::CgroupVersion,
        snapshot::{Cgroup, Quota as Limit},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// The quota of a cgroup.
pub struct Quota;

impl Setting for Quota {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "cgroup-quota",
            row: "C5",
            changes: "cpu.max (v2) or cpu.cfs_quota_us (v1) of a cgroup; CPUQuota of a systemd unit",
            helps: "the cgroup is throttled while the host has idle cpu",
            hurts: "the quota is a promise to other tenants",
            undone: "the quota before is written back",
            risk: Risk::Low,
            needs: "write access to the cgroup (CAP_DAC_OVERRIDE)",
            cooldown: 120.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let throttled = world.findings.iter().filter(|f| f.id.kind == FindingKind::Throttled);
        throttled.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut steps = Vec::new();
        for want in &proposal.wants {
            let Subject::Cgroup(path) = &want.on else { continue };
            let directory = cgroups::find(host, "cpu", path)?;
            let file = if directory.version == CgroupVersion::V1 { "cpu.cfs_quota_us" } else { "cpu.max" };
            steps.push(units::limit(host, (path, &directory), (file, &want.to), Setting::about(self).needs)?);
        }
        Ok(steps)
    }
}

impl Quota {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let Subject::Cgroup(path) = &finding.id.subject else { return None };
        let cgroup = world.snapshot.cgroup(path).filter(|c| cgroups::owner(&c.path).is_none())?;
        let limit = cgroup.quota?;
        let (old, new) = (limit.cores()?, wish(world, cgroup)?);
        let metric = if cgroup.throttled.is_some() { Metric::CgroupThrottled } else { Metric::CgroupThrottledTime };
        let key = Key::new(finding.id.subject.clone(), metric);
        let trial = trial::of(world, key, vec![rise(Metric::PressureCpuSome, 0.25), rise(Metric::PressureMemoryFull, 0.05)]);
        let name = path.rsplit('/').next().unwrap_or(path);
        let show = |cores| Unit::Cores.show(cores);
        let idle = world.vitals.cpu.known().map_or(0.0, |cpu| cpu.total.idle);
        Some(Proposal {
            title: format!("cpu quota {} -> {} for {}", show(old), show(new), name.chars().take(24).collect::<String>()),
            why: format!("{path} may use {} and is held back while {} of the host is idle.", show(old), Unit::Share.show(idle)),
            mechanism: "Tasks of the cgroup run on instead of waiting for the next enforcement period.".into(),
            expect: trial::outlook(world, &trial, 0.05),
            undo: "The quota before is written back, at once; of a unit what was set at runtime is taken away.".into(),
            wants: vec![Want { on: finding.id.subject.clone(), to: text(cgroup.version, limit, new) }],
            fit: 0.9,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Cpu, trial)
        })
    }
}

/// What it uses now and 80 % of what the host has idle, at least half more than now, at most every core.
fn wish(world: &World<'_>, cgroup: &Cgroup) -> Option<f64> {
    let old = cgroup.quota?.cores()?;
    let cores = f64::from(world.facts.cpus.max(1));
    let idle = world.vitals.cpu.known().map_or(0.0, |cpu| cpu.total.idle) * cores;
    let new = (cgroup.cpu.unwrap_or(old) + 0.8 * idle).max(1.5 * old).min(cores);
    (new > 1.05 * old).then_some(new)
}

/// That many cores as the knob's text, in whole milliseconds of the period that stands.
fn text(version: CgroupVersion, limit: Limit, cores: f64) -> String {
    let quota = ((cores * limit.period as f64 / 1000.0).round() * 1000.0).max(1000.0) as u64;
    match version {
        CgroupVersion::V1 => quota.to_string(),
        CgroupVersion::V2 => format!("{quota} {}", limit.period),
    }
}
