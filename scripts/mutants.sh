#!/usr/bin/env bash
# Does the simulator see what it is there to see? Each mutation takes one safeguard out of a copy of the sources; the simulator has to fail on it,
# and tells at which seed. Names as arguments choose some of them. Some minutes each, most of it building. TRIMTAB_SEEDS: at most so many seeds.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
seeds=${TRIMTAB_SEEDS:-3000}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -a Cargo.toml Cargo.lock src tests benches assets themes README.md "$copy/"
# What is built already is built already; only the crate itself is built anew.
target=${TRIMTAB_MUTANTS_TARGET:-$copy/target}
if [ ! -d "$target" ] && [ -d target/debug ]; then
  mkdir -p "$target"
  cp -a --reflink=auto target/debug "$target/"
fi

# name | file | what it does, as an exact line (or part of one) and what stands there instead
mutants=(
  'fsync|src/store/journal.rs|PRAGMA synchronous = FULL|PRAGMA synchronous = OFF'
  'fsync-at-checkpoints-only|src/store/journal.rs|PRAGMA synchronous = FULL|PRAGMA synchronous = NORMAL'
  'compare-before-undo|src/actions/knob/steps.rs|if foreign \|\| !(ours(step, &found) \|\| companion(step)) {|if false {'
  'intent-after-write|src/engine/hands.rs|let intent = Deed::ApplyStarted { plan: Box::new(plan.clone()), deadline, leave: job.leave };|let intent = Deed::ApplyStarted { plan: Box::new(plan.clone()), deadline, leave: job.leave }; let _ = self.write(&plan);'
  'no-guard|src/engine/hands.rs|if let Err(why) = self.guard.arm(change) {|if let Err::<(), String>(why) = Ok(()) {'
  'keep-without-data|src/engine/brain/verdicts.rs|Outcome::Neutral \| Outcome::Unclear => undo(Cause::NoEffect),|Outcome::Neutral \| Outcome::Unclear => Then::Keep,'
  'no-deadline|src/engine/guard/keeper.rs|owed.deadline.is_some_and(\|deadline\| deadline <= now)|owed.deadline.is_some_and(\|deadline\| deadline > now \&\& false)'
  'kept-and-reverted|src/store/journal.rs|if whole.query_row(newer, (change.0, seen), \|_\| Ok(())).optional().map_err(sql)?.is_some() {|if false \&\& whole.query_row(newer, (change.0, seen), \|_\| Ok(())).optional().map_err(sql)?.is_some() {'
  'undone-beneath-a-stuck-one|src/engine/undo.rs|Deed::Yielded(knobs) => below(tools, case, knobs),|Deed::Yielded(knobs) => Deed::Yielded(knobs),'
  'reboot-undone|src/engine/recover.rs|if plan.boot != tools.boot {|if false {'
  'no-protection|src/actions/knob/protect.rs|} else if known(&stat.comm) {|} else if false {'
  'stale-approval|src/engine/hands.rs|if digest(&plan.essence()) == approved {|if true \|\| digest(\&plan.essence()) == approved {'
)

left=0
for mutant in "${mutants[@]}"; do
  IFS=$'\x1f' read -r name file from to <<<"$(python3 -c '
import re, sys
parts = re.split(r"(?<!\\)\|", sys.argv[1], maxsplit=3)
print("\x1f".join([parts[0], parts[1]] + [p.replace("\\|", "|").replace("\\&", "&") for p in parts[2:]]))' "$mutant")"
  if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
  cp "$root/$file" "$copy/$file"
  python3 - "$copy/$file" "$from" "$to" <<'PY'
import sys
path, old, new = sys.argv[1:]
text = open(path).read()
if old not in text:
    sys.exit(f"{path}: the mutation's line is gone: {old}")
open(path, "w").write(text.replace(old, new))
PY
  if ! (cd "$copy" && CARGO_TARGET_DIR="$target" cargo test --locked --test sim --no-run >"$copy/build" 2>&1); then
    tail -30 "$copy/build"
    echo "$name: does not build"
    left=$((left + 1))
  elif (cd "$copy" && TRIMTAB_SEEDS=$seeds CARGO_TARGET_DIR="$target" cargo test --locked --test sim no_seed -- --nocapture >"$copy/run" 2>&1); then
    echo "$name: NOT SEEN in $seeds seeds"
    left=$((left + 1))
  else
    echo "$name: seen: $(grep -m1 -a '^TRIMTAB_SEED=' "$copy/run" || tail -3 "$copy/run")"
  fi
  cp -p "$root/$file" "$copy/$file"
  touch "$copy/$file"
done
exit $((left > 0))
