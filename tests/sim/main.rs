//! The seeded simulator (in the way of FoundationDB and TigerBeetle): brain, hands, recovery, guard and journal, all real, on one thread,
//! over a simulated machine and a simulated disk, on a fake clock and with seeded dice. A seed is a run; one that breaks an invariant is
//! told with its last steps. `TRIMTAB_SEED` repeats it, `TRIMTAB_TRACE=1` shows all of it, `TRIMTAB_SEEDS` sets how many are run;
//! `scripts/sim.sh` runs ten thousand, `scripts/mutants.sh` takes one safeguard after the other away and wants to see it fail.
//!
//! What happens to it ([`run`]): the engine, its guard, or both die between any two of their operations on host and disk, or in the middle
//! of one; the power goes, and what was not synced is lost, kept or torn ([`disk`], below SQLite by a layer of its own, [`vfs`]); disk and
//! journal answer EIO, ENOSPC, EROFS, busy, a sync fails; knobs answer EIO, ENOSPC, EINTR, EBUSY, EPERM, clamp or ignore a value; strangers
//! write (never what a clamp of our own value could have become: in the moment between a write and its reading back those two are the
//! same in principle, and are taken back); processes end and their numbers are used again; the wall clock is set, the machine is suspended, starts anew; calls are stuck,
//! engine or guard are stopped; nothing is measured; operators press every key, at times twice. Then all is healed, and everything has to
//! come to rest.
//!
//! The invariants of `safety.md`, and where each is tested ([`law`] holds them at every write, every second and at the end):
//!
//! | # | invariant | here | elsewhere |
//! |---|---|---|---|
//! | 1 | intent is durable before the first write | `law::write`: the synced content of the disk, alone, holds the plan; `law::nothing_was_lost` after each loss of power; mutants `fsync`, `intent-after-write` | `it crash::cut_after_each_entry_*`, `crash::with_the_disk_full_at_any_entry_*`, `faults::a_full_disk_*`, `faults::a_file_system_that_turns_read_only_*` |
//! | 2 | legal transitions, one writer | `Law::take` on every entry | `model::change` tests, `store::lock` tests, `it crash` (each life), `it cli` (second engine refused) |
//! | 3 | recovery reads the world | `law::settled` after crashes at any operation, recovery's own among them | `crash::cut_after_each_entry_*`, `kill::at_random_moments_loses_nothing` (1,000 by `scripts/crash.sh`) |
//! | 4 | undone exactly once, last first, only where it is still ours | `law::write` (compare), `law::standing`, `law::settled`; mutant `compare-before-undo` | `laws` (twice is once, fail at write n), `crash::writes_that_come_after_the_guard_*` |
//! | 5 | what a reboot has undone is not undone again | `law::write` (plans of this boot only); mutant `reboot-undone` | `crash::after_a_reboot_nothing_is_written_*`, `host::identity` tests (pid reuse) |
//! | 6 | unconfirmed is reverted at its deadline, kept or reverted, never both | `law::look`, `law::settled`; mutants `no-guard`, `no-deadline`, `kept-and-reverted` | `it guard`, `crash::a_confirmation_at_the_deadline_*`, `faults::an_engine_stopped_*` |
//! | 7 | protected processes are never touched | `law::write`, with protected processes in proposals and wishes; mutant `no-protection` | `actions::knob::protect` tests, `laws` |
//! | 8 | compare and set | `law::write`, strangers between any two readings | `laws` (foreign write in between), `faults::a_strangers_value_is_left_alone` |
//! | 9 | one change of a domain at a time | `Law::intended` | `engine::bounds::two_changes_of_one_domain_*`, `bounds::no_sequence_of_commands_*` |
//! | 10 | budget, flaps, cool-downs | `Law::intended` under any keys and crashes | `bounds::the_budget_of_an_hour_*`, `planning::memory` and `policy` tests |
//! | 11 | undo is quick, first, and needs nothing | rollbacks overtake; undone with the journal down | `engine::worker` test, `bounds::a_dead_journal_stops_changes_and_no_rollback`, `faults::beside_a_memory_hog_*` |
//! | 12 | no data, no keep | `Law::kept`, gaps in what is measured; mutant `keep-without-data` | `engine::a_victim_that_cannot_be_measured_*`, `analysis::impact` tests |
//! | 13 | observe mode changes nothing; kill switch | `Mind::step`: no apply in observe mode | `bounds::observe_mode_*`, `it engine::policy` (stop file) |
//! | 14 | an approval is of one plan, expires, counts once | `Law::intended` (digest), double keys; mutant `stale-approval` | `crash::an_approval_is_of_one_plan_*`, `bounds::an_expired_approval_*`, `bounds::a_double_press_*` |
//! | 15 | the chain of the journal holds | `law::settled` (verify), no damage at any start, numbers without a gap | `store::journal` tests (bit flips, cuts, order), `it cli` (audit verify) |
//! | 16 | the emergency path keeps to these | not here: its own tests | `it` tests of the emergency |
//! | 17 | actuators are checked before they are used | knobs that clamp and ignore are taken back | `app::doctor` tests, `laws`, `it live` |
#![allow(rustdoc::private_intra_doc_links)]
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

/// Seeds that broke an invariant once: coupled knobs compared one at a time, a stranger between a write and its reading back, a change undone
/// while a later one on its knob was stuck, and what the checker itself had wrong about knobs that clamp.
const ONCE_BROKEN: &[u64] = &[
    845, 1217, 1246, 1372, 2095, 2366, 2455, 2540, 2598, 2662, 2815, 2893, 3123, 3926, 3955, 4638, 6353, 6519, 7034, 7411, 7707,
    7946, 8143, 8177, 8403,
];

#[test]
fn seeds_that_once_broke_an_invariant_hold() {
    for seed in ONCE_BROKEN {
        let outcome = run::run(*seed);
        assert!(outcome.broken.is_none(), "TRIMTAB_SEED={seed}: {}\n{}", outcome.broken.unwrap_or_default(), outcome.trace);
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in [1, 2, 3] {
        let (a, b) = (run::run(seed), run::run(seed));
        assert_eq!((a.print, a.trace), (b.print, b.trace));
    }
}
