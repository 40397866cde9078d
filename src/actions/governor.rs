//! The clock of the processors (catalogue C10; admin-guide/pm/cpufreq.rst, intel_pstate.rst "Energy vs Performance Hints").
//!
//! Changes: of every policy its `energy_performance_preference`, or where it has none its `scaling_governor`, to `performance`.
//! Helps when: the processors are busy and run well below what they can, and heat does not hold them.
//! Hurts when: power or heat is what is short, or the host runs on a battery.
//! Undone how: each policy gets its own word back.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            refuse::{from_host, nothing, refusal},
            setting::Setting,
            steps, trial, tuners,
        },
    },
    host::{error::HostError, host::Host},
    model::{
        finding::{Finding, FindingKind},
        knob::{Knob, Place},
        metric::{Key, Metric},
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        subject::Subject,
        unit::Unit,
        world::World,
    },
};

/// Programs that set the clock by themselves.
pub const TUNERS: &[&str] = &["power-profiles-daemon", "tlp", "auto-cpufreq", "tuned"];
const BEST: &str = "performance";
const ROOT: &str = "devices/system/cpu/cpufreq";

/// Clocks.
pub struct Governor;

impl Setting for Governor {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "governor",
            row: "C10",
            changes: "energy_performance_preference or scaling_governor of every policy",
            helps: "busy processors run well below what they can, and not for heat",
            hurts: "power or heat is short, or the host runs on a battery",
            undone: "each policy gets its own word back",
            risk: Risk::Medium,
            needs: "root (owner of /sys/devices/system/cpu)",
            cooldown: 600.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        if tuners::running(world.facts, TUNERS).is_some() {
            return Vec::new();
        }
        let slow = world.findings.iter().filter(|f| f.id.kind == FindingKind::SlowClock);
        slow.filter_map(|finding| self.relief(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        tuners::refuse(host, TUNERS, ("the clocks", "choose the profile there"))?;
        if on_battery(host) {
            return Err(refusal(Obstacle::Unsupported, "the host runs on its battery: a higher clock would empty it sooner."));
        }
        let lacks = |e: HostError| from_host(&e, Setting::about(self).needs);
        let Some(want) = proposal.wants.first() else { return Err(nothing("nothing is wished for")) };
        let mut names = Vec::new();
        host.list(&Place::sys(ROOT), &mut names).map_err(lacks)?;
        names.retain(|name| name.starts_with("policy"));
        names.sort_by(|a, b| (a.len(), a).cmp(&(b.len(), b)));
        let mut all = Vec::new();
        for name in &names {
            if let Some(file) = knob(host, &Place::sys(ROOT).join(name), &want.to) {
                all.push(steps::step(host, Knob::File(file), want.to.clone()).map_err(lacks)?);
            }
        }
        if all.is_empty() {
            let why = format!("no policy below {} offers {}: the firmware or a hypervisor rules.", Place::sys(ROOT), want.to);
            return Err(refusal(Obstacle::Unsupported, why));
        }
        Ok(all)
    }
}

/// The file of a policy that takes that word: the hint where there is one, since the governor would take it over; else the governor.
fn knob(host: &dyn Host, policy: &Place, word: &str) -> Option<Place> {
    let offers = |file: &str| host.text(&policy.join(file)).is_ok_and(|text| text.split_ascii_whitespace().any(|one| one == word));
    if offers("energy_performance_available_preferences") {
        return Some(policy.join("energy_performance_preference"));
    }
    offers("scaling_available_governors").then(|| policy.join("scaling_governor"))
}

/// There is a battery, and no mains that is plugged in.
fn on_battery(host: &dyn Host) -> bool {
    let root = Place::sys("class/power_supply");
    let mut names = Vec::new();
    let _none_without = host.list(&root, &mut names);
    let of = |name: &String, file: &str| host.text(&root.join(name).join(file)).unwrap_or_default().trim().to_string();
    let mains = names.iter().filter(|name| of(name, "type") == "Mains").any(|name| of(name, "online") == "1");
    names.iter().any(|name| of(name, "type") == "Battery" && of(name, "scope") != "Device") && !mains
}

impl Governor {
    fn relief(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let hardware = world.snapshot.hardware.known()?;
        let first = hardware.policies.first()?;
        let busy = world.vitals.cpu.known()?.total.busy();
        let guardrails = vec![trial::rise(Metric::Temperature, 10.0), trial::rise(Metric::ThermalThrottles, 0.1)];
        let trial = trial::of(world, Key::host(Metric::CpuFrequency), guardrails);
        let (now, most) = (Unit::Hertz.show(hardware.frequency()?), Unit::Hertz.show(first.most as f64));
        Some(Proposal {
            title: format!("clock: performance on {} policies", hardware.policies.len()),
            why: format!("The processors are {} busy at {now} of {most}, and not for heat.", Unit::Share.show(busy)),
            mechanism: format!("The clock goes up at once when there is work, instead of as {} finds.", first.governor),
            expect: trial::outlook(world, &trial, 1.4),
            undo: "Each policy gets its own word back, at once.".into(),
            wants: vec![Want { on: Subject::Host, to: BEST.into() }],
            fit: 0.7,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Cpu, trial)
        })
    }
}
