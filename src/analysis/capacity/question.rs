//! Questions about a host, answered from its own past: more load on a disk or a service, other numbers of workers or cores.

use crate::{
    analysis::{
        capacity::{
            bootstrap::{Draws, Ranged},
            fit::{self, Fit, Observation},
            history::{LEAST_MOMENTS, Past, grouped, recent, sum},
            queue,
        },
        impact::moments::Moments,
        pattern::robust::mean,
    },
    model::{
        metric::{Key, Metric},
        subject::Subject,
        unit::Unit,
    },
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Moments that count as "now".
const NOW: usize = 60;
/// Share of the moments with all cores busy, above which nobody knows what was asked for.
const MOST_FULL: f64 = 0.2;
const FULL: f64 = 0.97;

/// What is asked.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// A disk is asked for so many times as much.
    Disk {
        /// Its name.
        name: Arc<str>,
        /// Times the present load.
        load: f64,
    },
    /// Another number of cores, another load, or both.
    Cpu {
        /// Cores now.
        have: u32,
        /// Cores then.
        cores: u32,
        /// Times the present load.
        load: f64,
    },
    /// A service is asked for so many times as much.
    ServiceLoad {
        /// Its name.
        name: Arc<str>,
        /// Times the present load.
        load: f64,
    },
    /// A service works on so many requests at once.
    Workers {
        /// Its name.
        name: Arc<str>,
        /// How many.
        workers: u32,
    },
}

impl Question {
    /// The numbers that are needed to answer.
    pub fn keys(&self) -> Vec<Key> {
        let of = |subject: Subject, metrics: &[Metric]| metrics.iter().map(|m| Key::new(subject.clone(), *m)).collect();
        match self {
            Question::Disk { name, .. } => {
                let metrics = [Metric::DiskQueue, Metric::DiskLatency, Metric::DiskRead, Metric::DiskWrite];
                of(Subject::Disk(name.clone()), &metrics)
            }
            Question::Cpu { .. } => of(Subject::Host, &[Metric::CpuBusy, Metric::PressureCpuSome]),
            Question::ServiceLoad { name, .. } | Question::Workers { name, .. } => {
                of(Subject::Service(name.clone()), &[Metric::ServiceRate, Metric::ServiceP50])
            }
        }
    }
}

/// One number now and then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// What.
    pub what: String,
    /// Its unit.
    pub unit: Unit,
    /// Now; `None` where it is not known.
    pub now: Option<f64>,
    /// Then, with its 95 % range.
    pub then: Ranged,
}

/// What the data say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Said {
    /// The model and how well it fits.
    pub basis: String,
    /// Share of the variance that it explains.
    pub explained: f64,
    /// The numbers.
    pub effects: Vec<Effect>,
    /// What weakens the answer.
    pub doubts: Vec<String>,
}

/// The answer, or why the data cannot say.
pub fn what_if(question: &Question, past: &Past<'_>) -> Result<Said, String> {
    match question {
        Question::Disk { name, load } => disk(name, *load, past),
        Question::Cpu { have, cores, load } => cpu((*have, *cores), *load, past),
        Question::ServiceLoad { name, load } => service(name, past)?.at_load(*load),
        Question::Workers { name, workers } => service(name, past)?.at_workers(*workers),
    }
}

/// Something that works on `n` requests at once at a throughput, with the law that holds for it.
struct Station {
    fit: Fit,
    unit: Unit,
    /// Throughput, concurrency and latency now.
    throughput: f64,
    concurrency: f64,
    latency: f64,
    /// Standard error of both as a share, from the restlessness of the last minute.
    restless: f64,
    doubts: Vec<String>,
}

fn known(past: &Past<'_>, key: &Key) -> Result<Vec<f64>, String> {
    let values = past(key).ok_or_else(|| format!("nothing is known of {key}"))?;
    let count = values.iter().filter(|v| v.is_finite()).count();
    if count < LEAST_MOMENTS {
        Err(format!("only {count} values of {key} are known, {LEAST_MOMENTS} are needed"))
    } else {
        Ok(values)
    }
}

fn disk(name: &Arc<str>, load: f64, past: &Past<'_>) -> Result<Said, String> {
    let of = |metric| known(past, &Key::new(Subject::Disk(name.clone()), metric));
    let (queue, latency) = (of(Metric::DiskQueue)?, of(Metric::DiskLatency)?);
    let moved = sum(&of(Metric::DiskRead)?, &of(Metric::DiskWrite)?);
    let doubts = vec!["it assumes the same mix of reads, writes and sizes".to_string()];
    station((&queue, &moved, &latency), Unit::BytesPerSecond, doubts)?.at_load(load)
}

fn service(name: &Arc<str>, past: &Past<'_>) -> Result<Station, String> {
    let of = |metric| known(past, &Key::new(Subject::Service(name.clone()), metric));
    let (rate, latency) = (of(Metric::ServiceRate)?, of(Metric::ServiceP50)?);
    // Little's law: in flight is rate times time.
    let inside: Vec<f64> = rate.iter().zip(&latency).map(|(rate, time)| rate * time).collect();
    let doubts = vec!["concurrency is taken as requests times their median latency (Little's law)".to_string()];
    station((&inside, &rate, &latency), Unit::PerSecond, doubts)
}

fn station((load, throughput, latency): (&[f64], &[f64], &[f64]), unit: Unit, mut doubts: Vec<String>) -> Result<Station, String> {
    let fit = fit::fit(&grouped(load, throughput))?;
    let restless = restless(throughput).hypot(restless(latency));
    let now = |values: &[f64]| recent(values, NOW).filter(|v| *v > 0.0).ok_or("there is no load now to start from");
    let (throughput, concurrency, latency) = (now(throughput)?, now(load)?, now(latency)?);
    // By the law itself, what is in flight now; far from what was measured, the law does not hold here.
    if let Some(expected) = fit.law.concurrency(throughput).filter(|n| *n > 2.0 * concurrency || 2.0 * *n < concurrency) {
        doubts.push(format!("just now {concurrency:.2} are in flight where the law expects {expected:.2}"));
    }
    Ok(Station { fit, unit, throughput, concurrency, latency, restless, doubts })
}

/// Standard error of the last minute's mean, as a share of it, with the memory of the values counted in.
fn restless(values: &[f64]) -> f64 {
    let newest: Vec<f64> = values.iter().rev().take(NOW).copied().filter(|v| v.is_finite()).collect();
    let moments = Moments::of(&newest);
    if moments.mean > 0.0 { moments.variance_of_mean(moments.rho).sqrt() / moments.mean } else { 0.0 }
}

impl Station {
    /// So many times the present throughput is asked for.
    fn at_load(mut self, load: f64) -> Result<Said, String> {
        let asked = self.throughput * load;
        let served = self.fit.share(|law| law.concurrency(asked).is_some());
        let here = |law: &super::law::Law| law.concurrency(self.throughput).map(|n| law.residence(n));
        let slower = self.fit.ranged(|law| Some(law.residence(law.concurrency(asked)?) / here(law)?));
        let inside = self.fit.ranged(|law| law.concurrency(asked));
        let (Some(slower), Some(inside)) = (slower.filter(|_| served >= 0.5), inside) else {
            let most = self.fit.ranged(|law| law.most());
            let show = |v| self.unit.show(v);
            let most =
                most.map_or_else(String::new, |m| format!(": at most {} ({} to {})", show(m.value), show(m.low), show(m.high)));
            return Err(format!("{} cannot be served{most}; it queues up without end", show(asked)));
        };
        if served < 0.95 {
            self.doubts.push(format!("in {:.0} of 100 cases so much cannot be served at all", (1.0 - served) * 100.0));
        }
        self.warn(inside.value);
        let times = |r: Ranged, by: f64| Ranged { value: r.value * by, low: r.low * by, high: r.high * by };
        let effects = vec![
            Effect {
                what: "in flight".into(),
                unit: Unit::Count,
                now: Some(self.concurrency),
                then: inside.widened(self.restless),
            },
            Effect {
                what: "latency".into(),
                unit: Unit::Seconds,
                now: Some(self.latency),
                then: times(slower, self.latency).widened(self.restless),
            },
        ];
        Ok(self.said(effects))
    }

    /// So many are worked on at once.
    fn at_workers(mut self, workers: u32) -> Result<Said, String> {
        let n = f64::from(workers);
        self.warn(n);
        let then = self.fit.at(n);
        let latency = Ranged { value: n / then.value, low: n / then.high, high: n / then.low };
        let mut effects = vec![
            Effect { what: "throughput".into(), unit: self.unit, now: Some(self.throughput), then },
            Effect { what: "latency when all are busy".into(), unit: Unit::Seconds, now: Some(self.latency), then: latency },
        ];
        if let Some(peak) = self.fit.ranged(|law| law.peak()) {
            effects.push(Effect { what: "throughput is greatest with".into(), unit: Unit::Count, now: None, then: peak });
        }
        Ok(self.said(effects))
    }

    fn warn(&mut self, n: f64) {
        if self.fit.is_far(n) {
            let most = self.fit.range.1;
            self.doubts.push(format!("{n:.1} at once is beyond 1.5 times of what was seen ({most:.1}): a guess"));
        }
    }

    fn said(self, effects: Vec<Effect>) -> Said {
        let (low, high) = self.fit.range;
        let basis = format!(
            "scalability law on {} groups of load, {low:.2} to {high:.2} in flight: contention {:.4}, coherency {:.6}",
            self.fit.count, self.fit.law.sigma, self.fit.law.kappa
        );
        Said { basis, explained: self.fit.explained, effects, doubts: self.doubts }
    }
}

/// Cores as the servers of a queue. What PSI calls pressure is the share of time in which more tasks are there than cores; tasks come in
/// bunches, so the load that the queue sees is the measured one times a factor, which is fitted.
fn cpu((have, cores): (u32, u32), load: f64, past: &Past<'_>) -> Result<Said, String> {
    let busy = known(past, &Key::host(Metric::CpuBusy))?;
    let pressure = known(past, &Key::host(Metric::PressureCpuSome))?;
    let full = busy.iter().filter(|b| **b >= FULL).count() as f64 / busy.iter().filter(|b| b.is_finite()).count().max(1) as f64;
    if full > MOST_FULL {
        let share = Unit::Share.show(full);
        return Err(format!("all cores were busy {share} of the time: how much more was wanted cannot be seen"));
    }
    let used: Vec<f64> = busy.iter().map(|b| b * f64::from(have)).collect();
    let points = grouped(&used, &pressure.iter().map(|p| p.max(1e-6)).collect::<Vec<_>>());
    let bunching = bunched(have, &points)?;
    let demand = recent(&used, NOW).ok_or("nothing is known of the last minute")?;
    let wanted = demand * load;
    let share = |cores: u32, demand: f64| (demand / f64::from(cores)).min(1.0);
    let pressed = |factor: f64, cores: u32, demand: f64| queue::pressed(cores, (demand * factor).min(f64::from(cores) * 0.9999));
    let mut doubts = Vec::new();
    let most = points.iter().map(|o| o.n).fold(0.0, f64::max);
    if wanted > fit::FAR * most {
        doubts.push(format!("{wanted:.1} cores of work are beyond 1.5 times of what was seen ({most:.1}): a guess"));
    }
    if wanted >= f64::from(cores) {
        doubts.push(format!("{wanted:.1} cores of work do not fit on {cores}: waiting grows without end"));
    }
    let spread = |of: &dyn Fn(f64) -> f64| Ranged::of(of(bunching.factor), bunching.replicas.iter().map(|f| of(*f)));
    let minute: Vec<f64> = used.iter().rev().take(NOW).copied().filter(|v| v.is_finite()).collect();
    let busy_then = Ranged::of(share(cores, wanted), minute.iter().map(|d| share(cores, d * load)));
    let effects = vec![
        Effect { what: "cpu busy".into(), unit: Unit::Share, now: Some(share(have, demand)), then: busy_then },
        Effect {
            what: "cpu pressure".into(),
            unit: Unit::Share,
            now: recent(&pressure, NOW),
            then: spread(&|factor| pressed(factor, cores, wanted)),
        },
    ];
    let basis =
        format!("queue of {have} servers (M/M/c) on {} groups of load, tasks bunched {:.2} times", points.len(), bunching.factor);
    Ok(Said { basis, explained: bunching.explained, effects, doubts })
}

struct Bunching {
    factor: f64,
    explained: f64,
    replicas: Vec<f64>,
}

/// The factor with which the queue explains the pressure seen.
fn bunched(have: u32, points: &[Observation]) -> Result<Bunching, String> {
    let (least, most) = points.iter().fold((f64::INFINITY, 0.0_f64), |(a, b), o| (a.min(o.n), b.max(o.n)));
    if points.len() < fit::LEAST_LOADS || most < fit::LEAST_RANGE * least {
        let count = points.len();
        return Err(format!(
            "the load hardly varied: {count} groups, {least:.2} to {most:.2} cores; it must vary by a factor of 2"
        ));
    }
    let model = |factor: f64, o: &Observation| queue::pressed(have, (o.n * factor).min(f64::from(have) * 0.9999));
    let left = |factor: f64, points: &[Observation]| points.iter().map(|o| (o.x - model(factor, o)).powi(2)).sum::<f64>();
    let best = |points: &[Observation]| {
        let tries = (0..=120).map(|i| 0.3 * 1.02_f64.powi(i));
        tries.map(|factor| (left(factor, points), factor)).min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1.0, |(_, factor)| factor)
    };
    let factor = best(points);
    let centre = mean(&points.iter().map(|o| o.x).collect::<Vec<_>>());
    let whole: f64 = points.iter().map(|o| (o.x - centre).powi(2)).sum();
    let explained = if whole > 0.0 { 1.0 - left(factor, points) / whole } else { 0.0 };
    if explained < fit::LEAST_FIT {
        let share = (explained * 100.0).max(0.0);
        return Err(format!(
            "cpu pressure does not follow load as in a queue: {share:.0} % explained, {:.0} % are needed",
            fit::LEAST_FIT * 100.0
        ));
    }
    let mut draws = Draws::new(points.len() as u64);
    let mut again =
        || -> Vec<Observation> { points.iter().filter_map(|_| points.get(draws.index(points.len())).copied()).collect() };
    let replicas = (0..200).map(|_| best(&again())).collect();
    Ok(Bunching { factor, explained, replicas })
}
