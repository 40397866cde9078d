//! Nothing was done, and what do guard, judge, switchback and late watch make of it? On recorded load of real hosts, which is no AR(1)
//! process: `TRIMTAB_DATA=DIR cargo test --test it placebo:: -- --ignored --nocapture`, with a directory of CSV files (a header, a time in
//! the first column; each other column of numbers is a series, one line is taken for one second). Nothing of it is part of the project.
//! The seeded counterpart that always runs is in `analysis::impact::rates`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use trimtab::{
    analysis::impact::{
        case::Case,
        guard::{LOOK, Signs, Watch, guard_look, hard_trip},
        judge::judge,
        late::Late,
        switchback,
    },
    model::{
        metric::{Better, Key, Metric},
        proposal::Risk,
        series::{Point, SeriesSet},
        time::Tick,
        trial::{Guardrail, Leg, Trial, Windows},
        verdict::Outcome,
    },
};

const HISTORY: usize = 1800;
const LATE: usize = 1800;
/// Trials per family and history.
const TRIALS: usize = 400;

/// A generator (splitmix64), so that each run picks the same windows.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }
}

fn files(directory: &Path, out: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "csv") {
            out.push(path);
        }
    }
}

/// The series of a file, and at which lines somebody has marked an incident.
fn columns(path: &Path) -> (Vec<Vec<f64>>, Vec<bool>) {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let header: Vec<String> =
        lines.next().unwrap_or_default().split(',').map(|name| name.trim_matches('"').to_lowercase()).collect();
    let label = header.iter().position(|name| name == "label");
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); header.len()];
    let mut marked = Vec::new();
    for line in lines {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |i: usize| fields.get(i).and_then(|field| field.parse::<f64>().ok());
        marked.push(label.is_some_and(|i| number(i).is_some_and(|v| v > 0.0)));
        for (i, column) in all.iter_mut().enumerate() {
            column.push(number(i).unwrap_or(f64::NAN));
        }
    }
    let useful = |i: usize, column: &[f64]| {
        let moves = column.iter().any(|v| *v != column[0]);
        i > 0 && Some(i) != label && header[i] != "part" && column.iter().all(|v| v.is_finite()) && moves
    };
    let kept = all.into_iter().enumerate().filter(|(i, column)| !column.is_empty() && useful(*i, column)).map(|(_, column)| column);
    (kept.collect(), marked)
}

fn at(second: usize) -> Tick {
    Tick(second as u64 * 1_000_000_000)
}

fn primary() -> Key {
    Key::host(Metric::PressureCpuSome)
}

fn trial(better: Better, after: f64) -> Trial {
    let rail = Guardrail { key: Key::host(Metric::PressureIoSome), relative: 0.1, absolute: 0.0 };
    let windows = Windows { after, ..Windows::default() };
    Trial {
        primary: primary(),
        better,
        least: 0.1,
        guardrails: vec![rail],
        controls: vec![Key::host(Metric::Load)],
        windows,
        prevents: None,
    }
}

#[derive(Default)]
struct Tally {
    trials: usize,
    keeps: usize,
    harms: usize,
    trips: usize,
    turned: [usize; 2],
    late: usize,
    looking: Duration,
    looks: u32,
    judging: Duration,
}

/// One trial of nothing: the change is "applied" after `history` seconds.
fn tried(set: &SeriesSet, history: usize, better: Better, tally: &mut Tally) {
    let trial = trial(better, 60.0);
    let case = |second: usize| Case {
        series: set,
        since: Tick(0),
        applied: at(history),
        now: at(history + second),
        others: &[],
        off: &[],
    };
    let mut watch = Watch::default();
    let begun = Instant::now();
    let tripped = (4..63).any(|second| {
        tally.looks += 1;
        let hard = hard_trip(&trial, &case(second), &Signs::default(), &mut watch).is_some();
        hard || ((second - 3) % LOOK as usize == 0 && guard_look(&trial, &case(second), &mut watch).is_some())
    });
    tally.looking += begun.elapsed();
    let begun = Instant::now();
    let outcome = judge(&trial, &case(63)).outcome;
    tally.judging += begun.elapsed();
    tally.trials += 1;
    tally.trips += usize::from(tripped);
    tally.keeps += usize::from(!tripped && outcome == Outcome::Better);
    tally.harms += usize::from(tripped || outcome == Outcome::Worse);
    // By turns, with nothing switched.
    let order = switchback::order(tally.trials as u64);
    let begun = history + 3;
    let off: Vec<(Tick, Tick)> = order
        .iter()
        .enumerate()
        .filter(|(_, leg)| **leg == Leg::Off)
        .map(|(i, _)| (at(begun + 15 * i), at(begun + 15 * i + 18)))
        .collect();
    let turns = Case { off: &off, ..case(3 + switchback::length() as usize) };
    let outcome = switchback::judge(&self::trial(better, switchback::length()), &turns, (at(begun), &order)).outcome;
    tally.turned[0] += usize::from(outcome == Outcome::Better);
    tally.turned[1] += usize::from(outcome == Outcome::Worse);
    let mut late = Late::of(&trial, &case(63), Risk::Low);
    let blamed = (64..LATE).step_by(5).any(|second| {
        // The late watch sees what has come by then, no more.
        let known = |key: &Key| {
            set.get(key)
                .map(|series| series.points().filter(|p| p.at <= at(history + second)).rev().take(70).collect::<Vec<Point>>())
        };
        let mut seen = SeriesSet::default();
        for key in [Key::host(Metric::PressureIoSome), Key::host(Metric::Load)] {
            known(&key).unwrap_or_default().into_iter().rev().for_each(|p| seen.push(key.clone(), p, 400));
        }
        late.as_mut().is_some_and(|late| late.look(&seen, at(history + second)).is_some())
    });
    tally.late += usize::from(blamed);
}

fn put(set: &mut SeriesSet, metric: Metric, values: &[f64]) {
    for (i, value) in values.iter().enumerate() {
        set.push(Key::host(metric), Point { at: at(i + 1), value: *value }, 10_000);
    }
}

#[test]
#[ignore = "reads recorded load from the directory TRIMTAB_DATA"]
fn of_recorded_load_little_looks_like_a_gain_and_little_like_harm() {
    let Some(directory) = std::env::var_os("TRIMTAB_DATA") else { panic!("TRIMTAB_DATA names no directory") };
    let directory = PathBuf::from(directory);
    let mut all = Vec::new();
    files(&directory, &mut all);
    let mut families: BTreeMap<String, Vec<(Vec<Vec<f64>>, Vec<bool>)>> = BTreeMap::new();
    for path in all {
        let family = path.strip_prefix(&directory).unwrap().components().next().unwrap().as_os_str().to_string_lossy().to_string();
        let read = columns(&path);
        if !read.0.is_empty() {
            families.entry(family).or_default().push(read);
        }
    }
    println!(
        "{:<22} {:>8} {:>7} {:>7} {:>7} {:>7}  {:>7} {:>7}  {:>6}",
        "family", "history", "trials", "keep", "harm", "(trips)", "by turns", "harm", "late"
    );
    let (mut whole, mut looking) = (Tally::default(), Tally::default());
    for (family, recorded) in &families {
        for history in [120, HISTORY] {
            let mut dice = Dice(history as u64);
            let mut tally = Tally::default();
            for _ in 0..20 * TRIALS {
                if tally.trials >= TRIALS {
                    break;
                }
                let (series, marked) = &recorded[dice.below(recorded.len())];
                let span = history + LATE + 10;
                if marked.len() < span + 1 {
                    continue;
                }
                let from = dice.below(marked.len() - span);
                if marked[from..from + span].contains(&true) {
                    continue;
                }
                let pick: Vec<&[f64]> = (0..3).map(|_| &series[dice.below(series.len())][from..from + span]).collect();
                let mut set = SeriesSet::default();
                put(&mut set, Metric::PressureCpuSome, pick[0]);
                put(&mut set, Metric::PressureIoSome, pick[1]);
                put(&mut set, Metric::Load, pick[2]);
                let better = if dice.below(2) == 0 { Better::Lower } else { Better::Higher };
                tried(&set, history, better, &mut tally);
            }
            let share = |n: usize| n as f64 / tally.trials.max(1) as f64;
            println!(
                "{family:<22} {history:>6} s {:>7} {:>7.3} {:>7.3} {:>7.3}  {:>8.3} {:>7.3}  {:>6.3}",
                tally.trials,
                share(tally.keeps),
                share(tally.harms),
                share(tally.trips),
                share(tally.turned[0]),
                share(tally.turned[1]),
                share(tally.late)
            );
            looking.looking += tally.looking;
            looking.looks += tally.looks;
            looking.judging += tally.judging;
            looking.trials += tally.trials;
            if history == HISTORY {
                (whole.trials, whole.keeps, whole.harms) =
                    (whole.trials + tally.trials, whole.keeps + tally.keeps, whole.harms + tally.harms);
            }
        }
    }
    let micros = |span: Duration, n: u32| span.as_secs_f64() * 1e6 / f64::from(n.max(1));
    println!(
        "guard: {:.0} us a look, judge: {:.0} us",
        micros(looking.looking, looking.looks),
        micros(looking.judging, looking.trials as u32)
    );
    let share = |n: usize| n as f64 / whole.trials.max(1) as f64;
    let (keep, harm) = (share(whole.keeps), share(whole.harms));
    println!("with half an hour of history, all families: keep {keep:.3}, harm {harm:.3}, of {} trials", whole.trials);
    assert!(whole.trials > 0 && keep <= 0.05 && harm <= 0.05, "keep {keep}, harm {harm}");
}
