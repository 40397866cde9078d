//! From symptom and scene to a story: suspects by weight, with room left for nobody we know.

use crate::{
    analysis::{
        cause::{
            candidates::{self, Trial},
            episode::Episode,
            suspicion::Suspicion,
            symptom::Symptom,
            witness::Witness,
            words,
        },
        pattern::{bursts, periodic, ramp, step},
    },
    model::{
        finding::Finding,
        metric::Key,
        outlook::{Story, Suspect},
        snapshot::Snapshot,
        subject::Subject,
        time::Wall,
    },
};
use std::sync::Arc;

/// Suspects named at most, and those cleared of it.
const NAMED: usize = 5;
const CLEARED: usize = 2;
/// A suspect below this is not worth a line.
const FAINT: f64 = 0.03;
/// The first one is named in the headline from here on.
const NAMEABLE: f64 = 0.3;
/// Confidence from which on a suspect makes a story of a number that does not stand out by itself.
const CERTAIN: f64 = 0.6;
/// What always remains for nobody we know, in weight; more, where the actors do not account for the rise.
const NOBODY: f64 = 0.12;
const UNACCOUNTED: f64 = 0.5;
/// Rounds after which a bad time is over and no longer asked about, unless a finding holds.
const OVER: usize = 90;

/// Levels of good and bad times are so many spreads apart. Noise split in two by the best line has them 2.7 apart, a slow wave 3.5; that is
/// why somebody must answer for the difference besides.
const APART: f64 = 3.2;
/// The same in spreads of good times alone.
const BEYOND: f64 = 6.0;

/// One of our own changes that was applied.
#[derive(Clone, Debug)]
pub struct Applied {
    /// When.
    pub at: Wall,
    /// In words, such as `renice of 3 processes`.
    pub name: Arc<str>,
    /// What it acted on.
    pub on: Subject,
}

/// Everything that a story is made from.
#[derive(Clone, Copy)]
pub struct Scene<'a> {
    /// What was seen.
    pub witness: &'a Witness,
    /// The newest sweep.
    pub snapshot: &'a Snapshot,
    /// Findings that hold.
    pub findings: &'a [Finding],
    /// Our own changes of the last minutes.
    pub applied: &'a [Applied],
}

/// The story of a symptom. For a number without a finding `None` unless it stands out from noise and somebody is behind it; for a finding
/// without anybody to suspect a story that says so; `None` too where nothing of the symptom is known.
pub fn explain(symptom: &Symptom, scene: &Scene<'_>) -> Option<Story> {
    let (key, raw) = course(symptom, scene)?;
    let oriented: Vec<f64> = raw.iter().map(|v| v * symptom.sign()).collect();
    let stands_out = stands_out(&oriented);
    let finding = symptom.finding.as_ref().and_then(|id| scene.findings.iter().find(|f| f.id == *id));
    let split = Episode::of(&oriented).filter(|e| e.is_recent(OVER));
    let episode = match (split, finding) {
        (Some(episode), None) => episode,
        (Some(episode), Some(_)) if stands_out || episode.is_marked() => episode,
        (_, Some(_)) => Episode::always(&oriented),
        (None, None) => return None,
    };
    let mut trial = candidates::gather(&Symptom { key: key.clone(), ..symptom.clone() }, &episode, finding, scene);
    trial.suspicions.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    let story = told(symptom, (&key, symptom.sign()), &episode, scene, trial);
    // A number that moved by itself and that nobody explains is not worth a story; where it hardly stands out, the suspect must.
    let enough = if stands_out { NAMEABLE } else { CERTAIN };
    let named = story.suspects.first().is_some_and(|first| first.confidence >= enough);
    (named || finding.is_some()).then_some(story)
}

/// The values of the symptom, or of what may stand for it.
fn course(symptom: &Symptom, scene: &Scene<'_>) -> Option<(Key, Vec<f64>)> {
    let keys = std::iter::once(symptom.key.clone()).chain(symptom.instead());
    let enough = |values: &Vec<f64>| values.iter().filter(|v| v.is_finite()).count() >= 8;
    let known = keys.filter_map(|key| Some((scene.witness.values(&key, scene.snapshot).filter(enough)?, key)));
    let (values, key) = known.into_iter().next()?;
    let first = values.iter().position(|v| v.is_finite())?;
    // What was not measured before its first value stays a gap of the same length, so that rounds stay aligned.
    let lead = values.get(first).copied()?;
    Some((
        key,
        values
            .iter()
            .map(|v| if v.is_finite() { *v } else { f64::NAN })
            .enumerate()
            .map(|(i, v)| if i < first { lead } else { v })
            .collect(),
    ))
}

/// It does what noise does not do.
fn stands_out(values: &[f64]) -> bool {
    let whole = super::episode::smooth(values);
    step::find(&whole).is_some_and(|s| s.to > s.from)
        || ramp::find(&whole).is_some_and(|r| r.slope > 0.0)
        || bursts::find(values).is_some()
        || periodic::find(values).is_some()
        || Episode::of(values).is_some_and(|episode| episode.gap() > APART || episode.rise() > BEYOND)
}

fn told(symptom: &Symptom, (key, sign): (&Key, f64), episode: &Episode, scene: &Scene<'_>, trial: Trial) -> Story {
    let Trial { suspicions, cleared, covered } = trial;
    let nobody = NOBODY + UNACCOUNTED * (1.0 - covered.clamp(0.0, 1.0));
    let whole: f64 = nobody + suspicions.iter().map(|s| s.weight).sum::<f64>();
    let confidence = |s: &Suspicion| (s.weight / whole).clamp(0.0, 1.0);
    let first = suspicions.first().map(|s| (s, confidence(s))).filter(|(_, sure)| *sure >= NAMEABLE);
    let headline = words::headline(key, sign * episode.bad_level, first);
    let mut suspects: Vec<Suspect> = suspicions.iter().take(NAMED).map(|s| suspect(s, confidence(s))).collect();
    suspects.retain(|s| s.confidence >= FAINT);
    suspects.extend(cleared.iter().take(CLEARED).map(|s| suspect(s, 0.0)));
    let now = scene.witness.now().wall;
    let rounds = episode.onsets.last().map_or(episode.bad.len(), |onset| episode.bad.len().saturating_sub(onset + 1));
    let began = Wall(now.0 - (rounds as f64 * scene.witness.step() * 1000.0) as i64);
    Story { finding: symptom.finding.clone(), symptom: key.clone(), began, headline, suspects }
}

fn suspect(suspicion: &Suspicion, confidence: f64) -> Suspect {
    Suspect {
        subject: suspicion.subject.clone(),
        name: suspicion.name.clone(),
        confidence,
        supports: suspicion.supports.clone(),
        against: suspicion.against.clone(),
    }
}
