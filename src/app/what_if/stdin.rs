//! Fits the scalability law to a load test on standard input: lines `concurrency,throughput` or `concurrency,throughput,latency`. Needs no
//! engine.

use crate::{
    analysis::{
        capacity::{
            bootstrap::Ranged,
            fit::{FAR, Fit, Observation, fit},
        },
        pattern::robust::median,
    },
    app::{cli::WhatIf, failure::Failure, out, text},
};
use serde::Serialize;
use std::io;

/// Lines at most.
const MOST: usize = 100_000;
/// Rows that the table has without `--at`.
const ROWS: usize = 8;
/// Throughput times latency may differ from concurrency by this share before that is said.
const OFF: f64 = 0.15;

/// What is told of a load test.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Observations used.
    pub observations: usize,
    /// Share of the variance of throughput that the law explains.
    pub explained: f64,
    /// Throughput of one alone.
    pub lambda: Ranged,
    /// Contention.
    pub sigma: Ranged,
    /// Coherency.
    pub kappa: Ranged,
    /// Concurrency with the greatest throughput; without, throughput never falls.
    pub peak: Option<Ranged>,
    /// The throughput that nothing exceeds.
    pub most: Option<Ranged>,
    /// Greatest concurrency that was measured.
    pub measured: f64,
    /// Throughput that a measurement would show.
    pub table: Vec<Row>,
    /// What weakens it.
    pub doubts: Vec<String>,
}

/// One concurrency.
#[derive(Debug, Serialize)]
pub struct Row {
    /// Concurrency.
    pub n: f64,
    /// Throughput.
    pub throughput: Ranged,
    /// It is far beyond what was measured.
    pub guess: bool,
}

/// Reads, fits, prints.
pub fn run(wish: &WhatIf) -> Result<(), Failure> {
    let text = io::read_to_string(io::stdin().lock()).map_err(|e| Failure::new(format!("standard input: {e}")))?;
    let lines = parse(&text).map_err(Failure::usage)?;
    let wrong = wish.at.iter().find(|n| !(n.is_finite() && **n > 0.0 && **n <= 1e9));
    if let Some(n) = wrong {
        return Err(Failure::usage(format!("--at {n}: a concurrency is above 0")));
    }
    let report = report(&lines, &wish.at).map_err(|why| Failure::new(format!("the data cannot say: {why}")))?;
    if wish.json { out::json(&report) } else { out::say(&text::what_if::report(&report)) }
}

/// A line: concurrency, throughput, and latency where it was measured.
type Line = (Observation, Option<f64>);

fn parse(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let numbers: Option<Vec<f64>> = cells.iter().map(|cell| cell.parse().ok().filter(|v: &f64| v.is_finite())).collect();
        match numbers.as_deref() {
            // The first line may name the columns.
            None if number == 0 => {}
            Some([n, x]) if *n > 0.0 && *x >= 0.0 => lines.push((Observation { n: *n, x: *x }, None)),
            Some([n, x, latency]) if *n > 0.0 && *x >= 0.0 => lines.push((Observation { n: *n, x: *x }, Some(*latency))),
            _ => {
                return Err(format!(
                    "standard input, line {}: a line is `concurrency,throughput` or `concurrency,throughput,latency`",
                    number + 1
                ));
            }
        }
        if lines.len() > MOST {
            return Err(format!("standard input: more than {MOST} lines"));
        }
    }
    Ok(lines)
}

fn report(lines: &[Line], at: &[f64]) -> Result<Report, String> {
    let observations: Vec<Observation> = lines.iter().map(|(observation, _)| *observation).collect();
    let fit = fit(&observations)?;
    let part = |of: fn(&crate::analysis::capacity::law::Law) -> f64| {
        fit.ranged(|law| Some(of(law))).unwrap_or(Ranged::of(of(&fit.law), []))
    };
    let at = if at.is_empty() { loads(&fit) } else { at.to_vec() };
    let table = at.iter().map(|n| Row { n: *n, throughput: fit.at(*n), guess: fit.is_far(*n) }).collect();
    let peak = fit.ranged(|law| law.peak());
    let mut doubts: Vec<String> = little(lines).into_iter().collect();
    if peak.is_some_and(|peak| fit.is_far(peak.value)) {
        doubts.push(format!("the peak is beyond {FAR} times the greatest concurrency measured: a guess"));
    }
    Ok(Report {
        observations: fit.count,
        explained: fit.explained,
        lambda: part(|law| law.lambda),
        sigma: part(|law| law.sigma),
        kappa: part(|law| law.kappa),
        peak,
        most: fit.ranged(|law| law.most()),
        measured: fit.range.1,
        table,
        doubts,
    })
}

/// From one to twice what was measured, each row so many times the one before.
fn loads(fit: &Fit) -> Vec<f64> {
    let (low, high) = (fit.range.0.max(1.0), 2.0 * fit.range.1);
    let factor = (high / low).powf(1.0 / (ROWS as f64 - 1.0));
    let mut loads: Vec<f64> = (0..ROWS).map(|i| (low * factor.powi(i as i32)).round()).collect();
    loads.dedup();
    loads
}

/// Little's law: concurrency is throughput times latency. Where it is not, users pause between requests, or something was measured wrong.
fn little(lines: &[Line]) -> Option<String> {
    let ratios: Vec<f64> =
        lines.iter().filter_map(|(o, latency)| Some(o.n / (o.x * (*latency)?))).filter(|r| r.is_finite()).collect();
    let ratio = if ratios.is_empty() { return None } else { median(ratios) };
    let off = (ratio - 1.0).abs() > OFF;
    off.then(|| format!("concurrency is {ratio:.2} times throughput times latency (Little's law says 1): users pause, or latency is not in seconds"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use crate::analysis::capacity::law::Law;

    const LAW: Law = Law { lambda: 995.0, sigma: 0.0267, kappa: 0.000_769 };

    fn test(latency: f64) -> String {
        let line = |n: &f64| format!("{n},{:.1},{:.6}\n", LAW.at(*n), LAW.residence(*n) * latency);
        let users = [1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 48.0, 64.0];
        "users,throughput,latency\n".to_string() + &users.iter().map(line).collect::<String>()
    }

    #[test]
    fn a_load_test_is_told_with_peak_and_table() {
        let report = report(&parse(&test(1.0)).unwrap(), &[]).unwrap();
        assert_eq!((report.observations, report.measured), (9, 64.0));
        assert!((report.peak.unwrap().value - 35.6).abs() < 0.2 && report.explained > 0.999, "{report:?}");
        let last = report.table.last().unwrap();
        assert!(last.n == 128.0 && last.guess && (last.throughput.value / LAW.at(128.0) - 1.0).abs() < 0.01, "{last:?}");
        assert!(report.doubts.is_empty(), "{:?}", report.doubts);
        let text = text::what_if::report(&report);
        assert!(text.contains("peak") && text.contains("a guess") && text.lines().all(|l| l.chars().count() <= 110), "{text}");
    }

    #[test]
    fn latency_that_does_not_fit_is_said() {
        let report = report(&parse(&test(1000.0)).unwrap(), &[100.0]).unwrap();
        assert!(report.doubts[0].contains("Little's law"), "{:?}", report.doubts);
        assert_eq!(report.table.len(), 1);
    }

    #[test]
    fn wrong_input_is_named_with_its_line() {
        assert!(parse("1,2\nx,3\n").unwrap_err().contains("line 2"));
        assert!(parse("n,x\n1,2,3,4\n").unwrap_err().contains("line 2"));
        assert!(parse("0,5\n").unwrap_err().contains("line 1"));
        assert!(report(&parse("1,2\n2,4\n").unwrap(), &[]).unwrap_err().contains("2 different loads"));
        assert!(parse("").unwrap().is_empty());
    }
}
