#!/usr/bin/env bash
# The seeded simulator (tests/sim) over ten thousand seeds, in a profile of its own that is quick to build. TRIMTAB_SEEDS sets another number,
# TRIMTAB_FIRST where they begin; one that breaks an invariant is told with its last steps, and TRIMTAB_SEED repeats it (TRIMTAB_TRACE=1 shows
# all of it). A build takes some minutes the first time; the run about one minute a core and ten thousand seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
TRIMTAB_SEEDS=${TRIMTAB_SEEDS:-10000} cargo test --locked --profile sim --test sim -- --nocapture
