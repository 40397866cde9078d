//! Answers to what if: numbers now and then with their ranges, the model and how well it fits, and what weakens it.

use crate::{
    analysis::capacity::{
        bootstrap::Ranged,
        question::{Question, Said},
    },
    app::{text::rows::line, what_if::stdin::Report},
    model::unit::Unit,
};

const RANGES: &str = "ranges hold 95 of 100 cases";

/// The answer about this host.
pub fn said(question: &Question, said: &Said) -> String {
    let mut out = String::new();
    line(&mut out, &asked(question));
    for effect in &said.effects {
        let now = effect.now.map_or_else(|| "-".into(), |now| effect.unit.show(now));
        line(&mut out, &format!("  {:<28} {now:>10} -> {}", effect.what, ranged(effect.then, |v| effect.unit.show(v))));
    }
    line(&mut out, &format!("{}; it explains {}; {RANGES}", said.basis, Unit::Share.show(said.explained)));
    said.doubts.iter().for_each(|doubt| line(&mut out, &format!("but {doubt}")));
    out
}

fn asked(question: &Question) -> String {
    let times = |load: f64| format!("{load:.2} times the load");
    match question {
        Question::Disk { name, load } => format!("disk {name} with {}", times(*load)),
        Question::Cpu { have, cores, load } => format!("{cores} cores instead of {have}, {}", times(*load)),
        Question::ServiceLoad { name, load } => format!("service {name} with {}", times(*load)),
        Question::Workers { name, workers } => format!("service {name} with {workers} at once"),
    }
}

fn ranged(range: Ranged, show: impl Fn(f64) -> String) -> String {
    format!("{} ({} to {})", show(range.value), show(range.low), show(range.high))
}

/// What a load test says.
pub fn report(report: &Report) -> String {
    let mut out = String::new();
    let count = |v| Unit::Count.show(v);
    let plain = |v: f64| format!("{v:.6}");
    let fits = Unit::Share.show(report.explained);
    line(&mut out, &format!("scalability law on {} observations: it explains {fits} of throughput; {RANGES}", report.observations));
    line(&mut out, &format!("  one alone    {}", ranged(report.lambda, count)));
    line(&mut out, &format!("  contention   {}", ranged(report.sigma, plain)));
    line(&mut out, &format!("  coherency    {}", ranged(report.kappa, plain)));
    let peak = report.peak.map_or_else(|| "none: throughput does not fall".into(), |peak| format!("at {}", ranged(peak, whole)));
    line(&mut out, &format!("  peak         {peak}"));
    let most = report.most.map_or_else(|| "no bound can be told".into(), |most| ranged(most, count));
    line(&mut out, &format!("  at most      {most}"));
    line(&mut out, &format!("{:>13}  throughput", "concurrency"));
    for row in &report.table {
        let guess = if row.guess { "  a guess: measured to " } else { "" };
        let measured = if row.guess { whole(report.measured) } else { String::new() };
        line(&mut out, &format!("{:>13}  {}{guess}{measured}", whole(row.n), ranged(row.throughput, count)));
    }
    report.doubts.iter().for_each(|doubt| line(&mut out, &format!("but {doubt}")));
    out
}

fn whole(value: f64) -> String {
    if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}
