//! Who is killed first when memory runs out (catalogue M12; proc_pid_oom_score_adj(5)).
//!
//! Changes: `/proc/PID/oom_score_adj` of what fills memory, to 500: half of memory is added to what it counts for.
//! Helps when: memory nears its end and the kernel would kill something greater that is needed.
//! Hurts when: what is sacrificed is needed as well.
//! Undone how: the value before is written back. Children started meanwhile keep the new one.
//!
//! Protecting the victim by a value below the present one is not proposed: it takes CAP_SYS_RESOURCE, which few services should have,
//! and whoever holds it can say so in the unit (`OOMScoreAdjust=`). Asked for without it, it is refused with that reason.

use crate::{
    actions::{
        action::ActionAbout,
        knob::{
            protect,
            refuse::{from_host, gone, nothing, refusal},
            rivals::{self, crowd},
            setting::Setting,
            steps, trial,
        },
    },
    host::{error::Kind, host::Host},
    model::{
        finding::{Finding, FindingKind},
        knob::Knob,
        plan::{Obstacle, Refusal, Step},
        proposal::{Domain, Proposal, Risk, Want},
        snapshot::Process,
        subject::{ProcessId, Subject},
        trial::{Trial, Windows},
        unit::Unit,
        world::World,
    },
};

/// Half of all memory is added to what a process counts for.
const SACRIFICE: i32 = 500;
/// Sacrificed at most.
const MOST: usize = 3;
/// Seconds for which it stands unless it is kept: an order of killing has no effect that could be measured.
const SPELL: f64 = 600.0;

/// The order of killing.
pub struct OomScore;

impl Setting for OomScore {
    fn about(&self) -> ActionAbout {
        ActionAbout {
            name: "oom-score",
            row: "M12",
            changes: "/proc/PID/oom_score_adj of what fills memory, to 500",
            helps: "memory nears its end and the kernel would kill something that is needed",
            hurts: "what is sacrificed is needed as well",
            undone: "the value before is written back",
            risk: Risk::Low,
            needs: "the process's own user or root; CAP_SYS_RESOURCE to lower it",
            cooldown: 60.0,
        }
    }

    fn propose(&self, world: &World<'_>) -> Vec<Proposal> {
        let short = world.findings.iter().filter(|f| f.id.kind == FindingKind::MemoryPressure);
        short.filter_map(|finding| self.sacrifice(world, finding)).collect()
    }

    fn steps(&self, proposal: &Proposal, host: &dyn Host) -> Result<Vec<Step>, Refusal> {
        let mut all = Vec::new();
        for (process, to) in proposal.wants.iter().filter_map(|want| Some((want.on.process()?, &want.to))) {
            protect::living(host, process)?;
            match steps::step(host, knob(process), to.clone()) {
                Ok(step) => all.push(step),
                Err(e) if e.kind == Kind::Gone => {}
                Err(e) => return Err(from_host(&e, Setting::about(self).needs)),
            }
        }
        let score = |text: &str| text.parse::<i32>().unwrap_or(0);
        if all.is_empty() {
            return Err(gone());
        }
        if all.iter().any(|step| score(&step.after) < score(&step.before)) && !host.facts().can("CAP_SYS_RESOURCE") {
            let needs = "CAP_SYS_RESOURCE";
            let why =
                format!("lowering oom_score_adj takes {needs}, which trimtab does not hold: set OOMScoreAdjust= in its unit.");
            return Err(refusal(Obstacle::Rights { errno: "EACCES".into(), needs: needs.into() }, why));
        }
        all.retain(|step| score(&step.before) != score(&step.after));
        if all.is_empty() { Err(nothing("oom_score_adj stands there")) } else { Ok(all) }
    }
}

fn knob(process: ProcessId) -> Knob {
    Knob::ProcessFile { process, file: "oom_score_adj".into() }
}

impl OomScore {
    fn sacrifice(&self, world: &World<'_>, finding: &Finding) -> Option<Proposal> {
        let hurt = |id: ProcessId| finding.victims.iter().any(|v| v.subject == Subject::Process(id));
        let culprits: Vec<(&str, &Process)> = rivals::processes(world, &finding.culprits)
            .filter(|(_, p)| rivals::touchable(p) && !hurt(p.id))
            .map(|(party, p)| (&*party.name, p))
            .take(MOST)
            .collect();
        let least = culprits.iter().map(|(_, p)| p.resident).min()?;
        // Where the greatest of all is a culprit, the kernel's own choice is right.
        let spared = greatest(world).filter(|p| p.resident > least && !culprits.iter().any(|(_, c)| c.id == p.id))?;
        let names = crowd(culprits.iter().map(|(name, _)| *name));
        let mut wants: Vec<Want> =
            culprits.iter().map(|(_, p)| Want { on: Subject::Process(p.id), to: SACRIFICE.to_string() }).collect();
        wants.sort();
        Some(Proposal {
            title: format!("oom score {SACRIFICE} for {}", names.chars().take(40).collect::<String>()),
            why: format!(
                "If memory ran out now, {} with {} would be killed rather than {names}, which fills it.",
                spared.name,
                Unit::Bytes.show(spared.resident as f64)
            ),
            mechanism: "The kernel counts half of memory on top of what it holds, and kills what counts most.".into(),
            expect: format!("If it comes to killing in the next {}, {names} goes first.", Unit::Seconds.show(SPELL)),
            undo: "The value before is written back; children started meanwhile keep the new one.".into(),
            wants,
            fit: 0.35,
            ..trial::proposal(&Setting::about(self), &finding.id, Domain::Memory, watched(world))
        })
    }
}

/// It is watched for longer than others, and then undone unless it is kept.
fn watched(world: &World<'_>) -> Trial {
    let trial = trial::memory(world, &[]);
    Trial { windows: Windows { after: SPELL.max(trial.windows.after), ..trial.windows }, ..trial }
}

/// What the kernel would kill: who holds most, kernel threads, pid 1 and ourselves aside.
fn greatest<'a>(world: &World<'a>) -> Option<&'a Process> {
    let all = world.snapshot.processes.known()?.iter();
    all.filter(|p| !p.kernel && p.id.pid > 1 && p.id.pid != world.facts.own).max_by_key(|p| p.resident)
}
