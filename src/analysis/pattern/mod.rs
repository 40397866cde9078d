//! Shapes that an operator knows by name: jobs by the clock, bursts, steps, ramps. Nothing is claimed on noise, and a random walk is noise:
//! it rises and falls for long without a cause, so every test here asks whether a walk could have done the same.
//!
//! [`recognise`] looks for all of them; each has a file of its own and says how sure it is.

pub mod bursts;
pub mod periodic;
pub mod ramp;
pub mod robust;
pub mod step;
#[cfg(test)]
mod tests;

use crate::model::{
    metric::Key,
    outlook::{Pattern, Shape},
    time::Wall,
};

/// Fewest values that can have a shape.
pub const LEAST: usize = 40;
/// Greatest share of values that may be missing.
const MOST_GAPS: f64 = 0.2;

/// Values of one key, so many seconds apart, the last one at `end`; NaN for a gap.
#[derive(Clone, Copy, Debug)]
pub struct Course<'a> {
    /// The values, newest last.
    pub values: &'a [f64],
    /// Seconds per step.
    pub step: f64,
    /// When the last one was true.
    pub end: Wall,
}

/// The shapes of a course, surest first. At most one of step and ramp, and at most one of periodic and bursts: they exclude each other.
pub fn recognise(key: &Key, course: &Course<'_>) -> Vec<Pattern> {
    let Some(values) = bridged(course.values) else { return Vec::new() };
    let ago = |steps: usize| Wall(course.end.0 - (steps as f64 * course.step * 1000.0) as i64);
    let level = step::find(&values);
    let slope = ramp::find(&values);
    let course_of_level = match (level, slope) {
        (Some(step), Some(ramp)) if ramp.rest < step.rest => Some((ramp_shape(&ramp, course.step), ramp.confidence)),
        (Some(step), _) => {
            let at = ago(values.len() - 1 - step.at);
            Some((Shape::Step { at, from: step.from, to: step.to }, step.confidence))
        }
        (None, Some(ramp)) => Some((ramp_shape(&ramp, course.step), ramp.confidence)),
        (None, None) => None,
    };
    let repeated = periodic::find(&values)
        .map(|p| (Shape::Periodic { period: p.period * course.step, width: p.width * course.step }, p.confidence));
    let repeated = repeated.or_else(|| {
        let found = bursts::find(&values)?;
        let hours = values.len() as f64 * course.step / 3600.0;
        Some((Shape::Bursts { per_hour: found.count as f64 / hours }, found.confidence))
    });
    let shapes = [course_of_level, repeated].into_iter().flatten();
    let mut patterns: Vec<Pattern> = shapes.map(|(shape, confidence)| Pattern { key: key.clone(), shape, confidence }).collect();
    patterns.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    patterns
}

fn ramp_shape(ramp: &ramp::Ramp, step: f64) -> Shape {
    Shape::Ramp { slope: ramp.slope / step }
}

/// The values with gaps filled by the value before (the first by the one after); `None` for too few, too many gaps, or no change.
fn bridged(values: &[f64]) -> Option<Vec<f64>> {
    let first = values.iter().copied().find(|v| v.is_finite())?;
    let gaps = values.iter().filter(|v| !v.is_finite()).count();
    // Squares of what is beyond this overflow.
    let sane = values.iter().all(|v| !v.is_finite() || v.abs() < 1e140);
    if values.len() < LEAST || gaps as f64 > MOST_GAPS * values.len() as f64 || !sane {
        return None;
    }
    let whole: Vec<f64> = values
        .iter()
        .scan(first, |last, v| {
            if v.is_finite() {
                *last = *v;
            }
            Some(*last)
        })
        .collect();
    whole.iter().any(|v| *v != first).then_some(whole)
}
