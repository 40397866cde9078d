#!/usr/bin/env bash
# Real faults on real knobs (tests/it/faults.rs): a full disk and a read-only file system under the journal (small file systems in memory that are
# mounted for it), SIGSTOP of the engine beyond its deadline, a stranger at the same knob, a memory hog beside the engine in a cgroup made for it.
# Needs root. About one minute. Steps of the wall clock are in the simulator (scripts/sim.sh).
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --locked --test it -- --ignored --nocapture --test-threads 1 faults::a_ faults::an_ faults::beside
