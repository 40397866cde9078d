#!/usr/bin/env bash
# The demo and live problems on this machine, cured through the command line: real servers, real knobs, all put back. Root, some minutes.
#   scripts/live.sh                          all of them
#   scripts/live.sh cpu_quota                only these
set -euo pipefail
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then set -- demo noisy_neighbour disk_writeback listen_overflow cpu_quota descriptor_limit leak; fi
for problem in "$@"; do
    match=--exact
    case $problem in
        demo) name=demo::the_p95_falls_and_returns ;;
        leak) name=live::leak:: match=--color=auto ;;
        auto) name=live::auto:: match=--skip=nothing_is_done ;;
        placebo) name=live::auto::nothing_is_done_where_nothing_is_wrong ;;
        cause) name=cause::the_real_culprit_comes_first ;;
        *) name=live::$problem ;;
    esac
    cargo test --locked --test it -- --ignored --nocapture --test-threads=1 "$match" "$name"
done
