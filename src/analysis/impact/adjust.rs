//! What a control explains is not the change's doing: load that rose meanwhile, or a sibling on the same host that the change does not
//! touch and that moved all the same.
//!
//! A sibling with the same metric is subtracted on the ratio scale (difference in differences); any other control by the slope that the
//! time before the change shows (CUPED: Deng, Xu, Kohavi and Walker 2013). Fitted before the change only, so that nothing of the outcome
//! chooses the method, and taken only where it explains a good part of the long-run variance: a control that explains nothing adds noise.

use crate::{
    analysis::impact::{case::Case, counts, distribution, longrun, moments::Moments},
    model::{
        metric::{Better, Key},
        series::Point,
        trial::Trial,
        verdict::Method,
    },
};

/// Fewest seconds with both values that anything is fitted to.
const LEAST_PAIRS: usize = 30;
/// Share of the long-run variance that must be explained.
const EXPLAINED: f64 = 0.25;
/// Confidence with which the slope must be none of chance (two-sided 1 %: some controls are tried).
const SURE: f64 = 0.995;
/// How far beyond what it was before the change, in shares of its range then, a control may go and the line still be believed.
const BEYOND: f64 = 0.5;

/// A control with what it takes out.
#[derive(Clone, Debug)]
pub struct Control {
    /// Which.
    pub key: Key,
    /// How.
    pub method: Method,
    /// Share of the long-run variance before that it explains.
    pub explained: f64,
    /// Its relative move, after against before.
    pub moved: f64,
    slope: f64,
    /// Its mean before.
    center: f64,
    /// What not knowing the slope exactly adds to the variance of the difference.
    pub error: f64,
}

/// The control of a trial that explains most of `key` before the change; `None` where none explains enough, or where it went so far since
/// that nobody knows whether the line still holds.
pub fn control(trial: &Trial, case: &Case<'_>, key: &Key) -> Option<Control> {
    if trial.controls.is_empty() {
        return None;
    }
    let course = case.course(key);
    let fits = trial.controls.iter().filter(|other| *other != key).flat_map(|other| fits(trial, case, (key, &course), other));
    fits.max_by(|a, b| a.explained.total_cmp(&b.explained))
}

impl Control {
    /// The course without the control's share. Points at which the control has no value are left out.
    pub fn adjust(&self, case: &Case<'_>, course: &[Point]) -> Vec<Point> {
        let (moved, control) = (|control: f64| self.slope * (control - self.center), case.course(&self.key));
        let adjusted = pairs(course, &control).map(|(p, control)| Point { value: p.value - moved(control), ..p });
        adjusted.filter(|p| p.value.is_finite()).collect()
    }

    /// Such as `adjusted for requests of web (+12 %)`.
    pub fn words(&self) -> String {
        format!("adjusted for {} ({:+.0} %)", self.key, self.moved * 100.0)
    }
}

/// Points of one course with the value of another at the same time.
fn pairs<'a>(course: &'a [Point], other: &'a [Point]) -> impl Iterator<Item = (Point, f64)> + 'a {
    let mut rest = other.iter().peekable();
    course.iter().filter_map(move |point| {
        while rest.next_if(|o| o.at < point.at).is_some() {}
        rest.peek().filter(|o| o.at == point.at).map(|o| (*point, o.value))
    })
}

/// What each method makes of one control.
fn fits(trial: &Trial, case: &Case<'_>, (key, course): (&Key, &[Point]), other: &Key) -> Vec<Control> {
    let control = case.course(other);
    let (before, after) = case.split(&trial.windows, course);
    let (ys, xs): (Vec<Point>, Vec<f64>) = pairs(&before, &control).unzip();
    let since: Vec<f64> = pairs(&after, &control).map(|(_, x)| x).collect();
    let y: Vec<f64> = ys.iter().map(|p| p.value).collect();
    if ys.len() < LEAST_PAIRS || since.is_empty() || counts::are_rare(&y, &y) {
        return Vec::new();
    }
    let (my, mx) = (Moments::of(&y), Moments::of(&xs));
    let Some(line) = Line::of(&y, &xs, (&my, &mx)) else { return Vec::new() };
    let now = Moments::of(&since).mean;
    let whole = longrun::of_points(&ys);
    let made = |method: Method, slope: f64, variance: f64| {
        let rest: Vec<Point> = ys.iter().zip(&xs).map(|(p, x)| Point { value: p.value - slope * (x - mx.mean), ..*p }).collect();
        let explained = 1.0 - longrun::of_points(&rest) / whole;
        let control = Control {
            key: other.clone(),
            method,
            explained,
            moved: if mx.mean == 0.0 { 0.0 } else { now / mx.mean - 1.0 },
            slope,
            center: mx.mean,
            error: (now - mx.mean).powi(2) * variance,
        };
        let sound = explained >= EXPLAINED && [control.error, control.moved, slope].iter().all(|v| v.is_finite());
        sound.then_some(control)
    };
    // More load makes nothing better that is better low: where it seems so, the load is the one that follows.
    let follows = other.metric != key.metric && key.metric.better() == Better::Lower && line.slope < 0.0;
    if !line.sure || follows {
        return Vec::new();
    }
    let ratio = if mx.mean > 0.0 && my.mean > 0.0 { my.mean / mx.mean } else { 1.0 };
    let sibling = (other.metric == key.metric).then(|| made(Method::Difference, ratio, 0.0)).flatten();
    let regressed = within(&xs, now).then(|| made(Method::Regression, line.slope, line.variance)).flatten();
    sibling.into_iter().chain(regressed).collect()
}

/// True when `now` is about where the values were before.
fn within(before: &[f64], now: f64) -> bool {
    let low = before.iter().copied().fold(f64::INFINITY, f64::min);
    let high = before.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let room = BEYOND * (high - low);
    now >= low - room && now <= high + room
}

/// A least-squares line through autocorrelated pairs.
struct Line {
    slope: f64,
    /// Variance of the slope.
    variance: f64,
    /// The slope is none of chance.
    sure: bool,
}

impl Line {
    fn of(y: &[f64], x: &[f64], (my, mx): (&Moments, &Moments)) -> Option<Line> {
        if my.variance <= 0.0 || mx.variance <= 0.0 {
            return None;
        }
        let (sy, sx) = (my.variance.sqrt(), mx.variance.sqrt());
        let n = y.len() as f64;
        let r = y.iter().zip(x).map(|(y, x)| (y - my.mean) / sy * ((x - mx.mean) / sx)).sum::<f64>() / (n - 1.0);
        let r = r.clamp(-0.9999, 0.9999);
        // Bartlett: two autocorrelated series agree by chance as fewer independent points would.
        let both = my.rho * mx.rho;
        let effective = (n * (1.0 - both) / (1.0 + both) - 2.0).max(1.0);
        let t = r.abs() * (effective / (1.0 - r * r)).sqrt();
        let slope = r * sy / sx;
        let variance = (1.0 - r * r) * my.variance / mx.variance / effective;
        Some(Line { slope, variance, sure: t > distribution::student(SURE, effective) })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::{
        analysis::impact::{
            judge::judge,
            simulation::{Noise, at, key, put, series, trial},
        },
        model::{
            metric::Metric,
            series::SeriesSet,
            subject::Subject,
            time::Tick,
            verdict::{Outcome, Verdict},
        },
    };

    const BEFORE: usize = 120;
    const AFTER: usize = 63;

    fn sibling() -> Key {
        Key::new(Subject::Cgroup("/b".into()), key().metric)
    }

    fn load() -> Key {
        Key::host(Metric::ServiceRate)
    }

    /// A primary and a control that share a load; the primary has noise of its own and `shift` after the change.
    fn host(noise: &mut Noise, control: &Key, (phi, shift, shared): (f64, f64, f64)) -> SeriesSet {
        let n = BEFORE + AFTER;
        let (common, own, other) = (noise.ar(n, phi), noise.ar(n, 0.2), noise.ar(n, 0.2));
        let late = |i: usize| if i >= BEFORE { shift } else { 0.0 };
        let y: Vec<f64> = (0..n).map(|i| 10.0 + shared * common[i] + 0.3 * own[i] + late(i)).collect();
        let x: Vec<f64> = (0..n).map(|i| 10.0 + shared * common[i] + 0.3 * other[i]).collect();
        let mut set = series(&y);
        put(&mut set, control.clone(), &x);
        set
    }

    fn case(series: &SeriesSet) -> Case<'_> {
        Case { series, since: Tick(0), applied: at(BEFORE), now: at(BEFORE + AFTER), others: &[], off: &[] }
    }

    fn verdicts(control: &Key, used: bool, shape: (f64, f64, f64)) -> Vec<Verdict> {
        let mut noise = Noise::seeded(77);
        let controls = if used { vec![control.clone()] } else { vec![] };
        let trial = Trial { controls, least: 0.02, ..trial() };
        (0..100).map(|_| judge(&trial, &case(&host(&mut noise, control, shape)))).collect()
    }

    fn better(verdicts: &[Verdict]) -> usize {
        verdicts.iter().filter(|v| v.outcome == Outcome::Better).count()
    }

    #[test]
    fn a_shared_load_is_taken_out_and_the_effect_is_seen() {
        for (control, method) in [(sibling(), Method::Difference), (load(), Method::Regression)] {
            let shape = (0.95, -0.5, 1.0);
            let (raw, adjusted) = (verdicts(&control, false, shape), verdicts(&control, true, shape));
            println!("{method:?}: power raw {} %, adjusted {} %", better(&raw), better(&adjusted));
            assert!(better(&adjusted) >= 80 && better(&raw) <= 40, "{method:?}: {} and {}", better(&raw), better(&adjusted));
            let ways = adjusted.iter().filter(|v| v.adjusted.as_ref().is_some_and(|a| a.method == method)).count();
            assert!(ways >= 40, "{method:?} was chosen {ways} times");
            assert!(adjusted.iter().any(|v| v.why.contains("adjusted for")));
        }
    }

    #[test]
    fn nothing_seldom_looks_better_with_a_control() {
        for control in [sibling(), load()] {
            for phi in [0.5, 0.95] {
                let wins = better(&verdicts(&control, true, (phi, 0.0, 1.0)));
                assert!(wins <= 7, "{control} phi {phi}: {wins} of 100");
            }
        }
    }

    #[test]
    fn a_control_that_has_nothing_to_do_with_it_is_left_alone() {
        let control = load();
        let used = verdicts(&control, true, (0.95, 0.0, 0.0)).iter().filter(|v| v.adjusted.is_some()).count();
        assert!(used <= 5, "{used} of 100");
    }

    #[test]
    fn neither_a_load_that_follows_nor_one_beyond_what_was_seen_adjusts() {
        let mut noise = Noise::seeded(5);
        let set = host(&mut noise, &load(), (0.9, 0.0, 1.0));
        let trial = Trial { controls: vec![load()], ..trial() };
        assert!(control(&trial, &case(&set), &key()).is_some());
        // The slower it answers, the less is asked: the load follows.
        let turned = |set: &SeriesSet, f: &dyn Fn(usize, f64) -> f64| {
            let mut other = SeriesSet::default();
            for (key, series) in set.iter() {
                let values: Vec<f64> =
                    series.points().enumerate().map(|(i, p)| if *key == load() { f(i, p.value) } else { p.value }).collect();
                put(&mut other, key.clone(), &values);
            }
            other
        };
        let follows = turned(&set, &|_, v| 20.0 - v);
        assert!(control(&trial, &case(&follows), &key()).is_none());
        let far = turned(&set, &|i, v| if i >= BEFORE { v + 30.0 } else { v });
        assert!(control(&trial, &case(&far), &key()).is_none());
    }
}
