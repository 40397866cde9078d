//! Forecasts the series on standard input: lines `t,value` in, lines `step,point,lo80,hi80,lo95,hi95` out. Needs no engine; any other
//! program can be measured against the same input.

use crate::{
    analysis::forecast::forecast::{Past, Prediction, forecast},
    app::{
        cli::{Forecast as Wish, Horizon},
        failure::Failure,
        out,
    },
};
use std::{fmt::Write, io};

/// Longer input is refused: a line far off in time would ask for the memory of all steps before it.
const MOST: usize = 1_000_000;

/// Reads, looks ahead, prints.
pub fn run(wish: &Wish) -> Result<(), Failure> {
    let text = io::read_to_string(io::stdin().lock()).map_err(|e| Failure::new(format!("standard input: {e}")))?;
    let points = parse(&text).map_err(Failure::usage)?;
    let step = wish.step.map_or_else(|| usual(&points), |step| Some(step.as_secs_f64()));
    let step =
        step.ok_or_else(|| Failure::usage("standard input: the step cannot be told from fewer than two lines; give --step"))?;
    let (start, values) = grid(&points, step).map_err(Failure::usage)?;
    let steps = match wish.horizon {
        Horizon::Steps(steps) => steps,
        Horizon::Span(span) => (span.as_secs_f64() / step).ceil().max(1.0) as usize,
    };
    if values.iter().all(|v| !v.is_finite()) {
        return Err(Failure::usage("standard input: no value to forecast from"));
    }
    let prediction = forecast(&Past { values: &values, start, step, floor: None, ceiling: None }, steps.min(MOST));
    if wish.json { out::json(&prediction.bands) } else { out::say(&csv(&prediction)) }
}

/// A line of the input.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    /// Number of the line, from 1.
    line: usize,
    time: f64,
    value: Option<f64>,
}

fn parse(text: &str) -> Result<Vec<Point>, String> {
    let mut points = Vec::with_capacity(text.len() / 16);
    for (number, line) in text.lines().enumerate() {
        let (time, value) = line.split_once(',').unwrap_or((line, ""));
        let (time, value) = (time.trim(), value.trim());
        if time.is_empty() && value.is_empty() || number == 0 && time == "t" {
            continue;
        }
        let bad = |what: &str| format!("standard input, line {}: {what}; a line is `t,value`", number + 1);
        let time = time.parse().ok().filter(|t: &f64| t.is_finite()).ok_or_else(|| bad("the time is no number"))?;
        let value = Some(value).filter(|v| !v.is_empty()).map(str::parse).transpose().map_err(|_| bad("the value is no number"))?;
        points.push(Point { line: number + 1, time, value });
    }
    Ok(points)
}

/// The most usual distance of two lines, seconds.
fn usual(points: &[Point]) -> Option<f64> {
    let mut steps: Vec<f64> =
        points.iter().zip(points.iter().skip(1)).map(|(a, b)| b.time - a.time).filter(|step| *step > 0.0).collect();
    steps.sort_unstable_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// The time of the first value, and one value for each step; not a number where there is none.
fn grid(points: &[Point], step: f64) -> Result<(f64, Vec<f64>), String> {
    let start = points.first().map_or(0.0, |point| point.time);
    let mut values = Vec::with_capacity(points.len());
    for point in points {
        let at = ((point.time - start) / step).round();
        let bad = |what: &str| format!("standard input, line {}: {what}", point.line);
        if at < values.len() as f64 {
            return Err(bad("the time is not after that of the line before"));
        }
        if at > MOST as f64 {
            return Err(bad("the time is too far from that of the first line"));
        }
        values.resize(at as usize, f64::NAN);
        values.push(point.value.unwrap_or(f64::NAN));
    }
    Ok((start, values))
}

fn csv(prediction: &Prediction) -> String {
    let mut out = String::from("step,point,lo80,hi80,lo95,hi95\n");
    for (step, band) in (1..).zip(&prediction.bands) {
        // Writing into a string cannot fail.
        let _done = writeln!(out, "{step},{},{},{},{},{}", band.point, band.lo80, band.hi80, band.lo95, band.hi95);
    }
    out
}
