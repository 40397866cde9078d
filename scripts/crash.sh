#!/usr/bin/env bash
# 1,000 times kill -9 at random moments of apply, watch and rollback on real knobs, of the engine, of its guard, of both, and of consoles on a
# daemon: afterwards every knob is at its prior or kept value and the journal agrees. TRIMTAB_SEED repeats a run, TRIMTAB_KILLS sets another number,
# TRIMTAB_JOBS how many run beside each other (each on processes, a cgroup and a journal of its own). Some minutes.
set -euo pipefail
cd "$(dirname "$0")/.."
kills=${TRIMTAB_KILLS:-1000} jobs=${TRIMTAB_JOBS:-4} seed=${TRIMTAB_SEED:-$$}
cargo test --locked --test it --no-run
pids=()
for job in $(seq "$jobs"); do
  TRIMTAB_KILLS=$((kills * 9 / 10 / jobs)) TRIMTAB_CONSOLE_KILLS=$((kills / 10 / jobs)) TRIMTAB_SEED=$((seed + job)) \
    cargo test --locked --test it -- --nocapture --test-threads 2 kill:: &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid"; done
