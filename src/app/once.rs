//! `trimtab --once`: two looks at the host a second apart, what they say, and what would be proposed. It needs no engine, keeps nothing
//! and changes nothing. One look is no hysteresis: a finding here is a condition that holds over this one second.

use crate::{
    actions,
    analysis::{
        derive::deriver::Deriver,
        detect::{self, Lane},
    },
    app::{failure::Failure, out, parts, text},
    config::sections::Config,
    host::{dry::DryHost, host::Host, real::RealHost},
    model::{
        facts::Facts,
        finding::{Finding, Level},
        outlook::Outlook,
        plan::{Plan, Refusal},
        proposal::Proposal,
        readings,
        series::{Point, SeriesSet},
        snapshot::Snapshot,
        world::World,
    },
    sources::{self, source::Source},
};
use serde::Serialize;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Between the two looks.
const APART: Duration = Duration::from_secs(1);

/// What one run sees.
#[derive(Clone, Debug, Serialize)]
pub struct Once {
    /// Facts of the host.
    pub facts: Facts,
    /// Rates over the second.
    pub snapshot: Snapshot,
    /// Conditions that hold, most pressing first.
    pub findings: Vec<Finding>,
    /// What would be proposed, the best of each finding first.
    pub proposals: Vec<Offer>,
}

/// A proposal with what it would do here, or why it could not be done.
#[derive(Clone, Debug, Serialize)]
pub struct Offer {
    /// What.
    pub proposal: Proposal,
    /// Its exact steps, or the obstacle.
    pub plan: Result<Plan, Refusal>,
}

/// Looks and prints.
pub fn run(config: &Config, format: Format) -> Result<(), Failure> {
    let once = look(config);
    match format {
        Format::Json => out::json(&once),
        Format::Text => out::say(&text::once::once(&once)),
    }
}

/// How to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// For programs.
    Json,
}

fn look(config: &Config) -> Once {
    let host: Arc<dyn Host> = Arc::new(DryHost(Arc::new(RealHost::default())));
    let mut sources = sources::all(&host, &config.services, parts::handles());
    let mut deriver = Deriver::new(sources.iter().map(|source| (source.about().name, source.about().patience())));
    sample(&mut sources, &mut deriver, &*host);
    host.pause(APART);
    sample(&mut sources, &mut deriver, &*host);
    let now = host.now();
    let (facts, vitals, snapshot) = (host.facts(), deriver.vitals(now), deriver.snapshot(now));
    let mut series = SeriesSet::default();
    readings::snapshot(&snapshot, &mut |key, value| series.push(key, Point { at: now.tick, value }, 1));
    let windows = config.policy.windows;
    let mut world = World {
        now,
        vitals: &vitals,
        snapshot: &snapshot,
        facts: &facts,
        series: &series,
        thresholds: &config.thresholds,
        findings: &[],
        outlook: &Outlook::default(),
        windows,
    };
    let findings = findings(&world);
    world.findings = &findings;
    let proposals = offers(&world, &*host);
    Once { findings, proposals, facts, snapshot }
}

fn sample(sources: &mut [Box<dyn Source>], deriver: &mut Deriver, host: &dyn Host) {
    for source in sources {
        let reading = source.read(host).map_err(|e| e.to_string().into());
        deriver.take(source.about().name, host.now(), reading);
    }
}

fn findings(world: &World<'_>) -> Vec<Finding> {
    let mut loudest = BTreeMap::new();
    for signal in [Lane::Fast, Lane::Sweep].into_iter().flat_map(|lane| detect::look(lane, world)) {
        if signal.level == Level::Over {
            loudest.insert(signal.finding.id.clone(), signal.finding);
        }
    }
    let mut all: Vec<Finding> = loudest.into_values().collect();
    all.sort_by(|a, b| b.priority.total_cmp(&a.priority));
    all
}

fn offers(world: &World<'_>, host: &dyn Host) -> Vec<Offer> {
    let mut all = Vec::new();
    for finding in world.findings {
        let mut fitting: Vec<(&dyn actions::action::Action, Proposal)> = actions::proposed()
            .iter()
            .flat_map(|action| action.propose(world).into_iter().map(|proposal| (*action, proposal)))
            .filter(|(_, proposal)| proposal.finding == finding.id)
            .collect();
        fitting.sort_by(|(_, a), (_, b)| b.fit.total_cmp(&a.fit));
        all.extend(fitting.into_iter().map(|(action, proposal)| Offer { plan: action.prepare(&proposal, host), proposal }));
    }
    all
}
