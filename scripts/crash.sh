#!/usr/bin/env bash
# 200 times kill -9 at random moments of apply, watch and rollback on real knobs: afterwards every knob is at its prior or kept value and the
# journal agrees. About two minutes. TRIMTAB_SEED repeats a run.
set -euo pipefail
cd "$(dirname "$0")/.."
TRIMTAB_KILLS=${TRIMTAB_KILLS:-200} cargo test --locked --test it -- --nocapture kill::
