#!/bin/sh
# Fuzzes every parser for SECONDS each (60 unless said): scripts/fuzz.sh [SECONDS] [TARGET...]
# Needs cargo-fuzz (`cargo install cargo-fuzz`) and a C++ compiler; the stable toolchain will do. What crashes is kept in
# tests/fuzz/artifacts, what was learnt in tests/fuzz/corpus; neither is in the repository.
set -eu
cd "$(dirname "$0")/../tests/fuzz"
seconds=${1:-60}
[ $# -gt 0 ] && shift
targets=${*:-filter sources config wire journal keyboard}
export RUSTC_BOOTSTRAP=1
cargo fuzz build --fuzz-dir . --sanitizer none
failed=
for target in $targets; do
    seeds=
    [ -d "seeds/$target" ] && seeds="seeds/$target"
    mkdir -p "corpus/$target"
    # What is in the repository already need not be there twice.
    case $target in
        wire) split -a 4 -l 1 ../it/golden/wire-*.jsonl corpus/wire/golden- ;;
        journal) split -a 4 -l 4 ../it/golden/journal-*.jsonl corpus/journal/golden- ;;
        config) cp ../../assets/config.ron corpus/config/ ;;
    esac
    log=$(mktemp)
    # Without the address sanitizer: the code has no unsafe of its own, and what is looked for are panics and endless work.
    if nice -n 19 cargo fuzz run --fuzz-dir . --sanitizer none "$target" "corpus/$target" $seeds -- \
        -max_total_time="$seconds" -max_len=8192 -timeout=10 -print_final_stats=1 >"$log" 2>&1; then
        echo "$target: $(grep -o 'number_of_executed_units: .*' "$log") in $seconds s, no crash"
    else
        failed="$failed $target"
        echo "$target: FAILED"
        tail -n 40 "$log"
    fi
    rm -f "$log"
done
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
