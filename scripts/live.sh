#!/usr/bin/env bash
# Live problems on this machine, cured through the command line: real servers, real knobs, all put back. Root, some minutes.
#   scripts/live.sh                          all of them
#   scripts/live.sh cpu_quota                only these
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then set -- noisy_neighbour disk_writeback listen_overflow cpu_quota descriptor_limit; fi
for problem in "$@"; do
    cargo test --locked --test it -- --ignored --exact --nocapture "live::$problem"
done
