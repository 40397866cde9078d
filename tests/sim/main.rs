//! The seeded simulator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]

mod dice;
mod disk;
mod knobs;
mod law;
mod life;
mod machine;
mod run;
mod vfs;
mod world;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Instant,
};

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

#[test]
fn no_seed_breaks_an_invariant() {
    let one = std::env::var("TRIMTAB_SEED").ok().and_then(|text| text.parse::<u64>().ok());
    let (first, count) = one.map_or_else(|| (number("TRIMTAB_FIRST", 1), number("TRIMTAB_SEEDS", 100)), |seed| (seed, 1));
    let next = AtomicU64::new(first);
    let begun = Instant::now();
    let workers = if one.is_some() { 1 } else { thread::available_parallelism().map_or(1, usize::from) };
    let stop = std::env::var_os("TRIMTAB_ALL").is_none();
    let work = || {
        let (mut broken, mut counts, mut operations): (Vec<String>, BTreeMap<&str, u64>, u64) = Default::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= first + count || (stop && !broken.is_empty()) {
                return (broken, counts, operations);
            }
            let outcome = run::run(seed);
            operations += outcome.operations;
            outcome.counts.into_iter().for_each(|(what, n)| *counts.entry(what).or_default() += n);
            if let Some(why) = outcome.broken {
                if stop {
                    broken.push(format!("TRIMTAB_SEED={seed}: {why}\n{}", outcome.trace));
                } else {
                    broken.push(format!("TRIMTAB_SEED={seed}: {why}"));
                }
            }
        }
    };
    let done: Vec<_> = thread::scope(|scope| {
        let all: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    done.iter().flat_map(|(_, counts, _)| counts).for_each(|(what, n)| *counts.entry(what).or_default() += n);
    let operations: u64 = done.iter().map(|(_, _, n)| n).sum();
    println!("{count} seeds from {first}, {operations} operations, {:.1} s: {counts:?}", begun.elapsed().as_secs_f64());
    let broken: Vec<&String> = done.iter().flat_map(|(broken, _, _)| broken).collect();
    assert!(
        broken.is_empty(),
        "{} seeds break an invariant\n{}",
        broken.len(),
        broken.iter().map(|s| s.as_str()).collect::<Vec<_>>().join("\n")
    );
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [1, 2, 3] {
        let (a, b) = (run::run(seed), run::run(seed));
        assert_eq!((a.print, a.trace), (b.print, b.trace));
    }
}
