#!/usr/bin/env bash
# A real emergency in control groups of its own, and a daemon in auto mode that fights it: when it is seen, bounded and frozen, how the host
# answers meanwhile, and when it is taken back; or, with it in force beside ten busy loops per processor, how long a rollback takes
# (invariant 11). Root, cgroup v1 (cpu, memory, freezer, pids), a minute. Everything is put back.
#   scripts/emergency.sh            a fork bomb (E3): over 1,000 forks per second, in a group that may have 130 tasks
#   scripts/emergency.sh forks busy the way back beside busy loops
#   scripts/emergency.sh memory     pages that cannot all stay (E1); needs a machine that idles: whoever runs keeps the pressure from being full
set -euo pipefail
cd "$(dirname "$0")/.."
trimtab=${TRIMTAB:-target/debug/trimtab}
trouble=${1:-forks}
# Where the way back is asked for, the engine is not to go it first.
if [ "${2:-}" = busy ]; then calm_after=60.0; else calm_after=5.0; fi
name=trimtab-emergency-$$
homes=(cpu memory freezer pids)
work=$(mktemp -d)
pids=()
now() { date +%s%3N; }
at() { cat "/sys/fs/cgroup/$1/$name/$2"; }
put_back() {
    echo THAWED > "/sys/fs/cgroup/freezer/$name/freezer.state" 2>/dev/null || true
    # Nobody new, then nobody: until the group is empty.
    echo 0 > "/sys/fs/cgroup/pids/$name/pids.max" 2>/dev/null || true
    for _ in $(seq 100); do
        inside=$(at pids cgroup.procs 2>/dev/null || true)
        [ -n "$inside" ] || break
        kill -9 $inside 2>/dev/null || true
        sleep 0.1
    done
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    for of in "${homes[@]}"; do rmdir "/sys/fs/cgroup/$of/$name" 2>/dev/null || true; done
    rm -rf "$work"
}
trap put_back EXIT

for of in "${homes[@]}"; do mkdir "/sys/fs/cgroup/$of/$name"; done
echo 130 > "/sys/fs/cgroup/pids/$name/pids.max"
# A fork bomb is all that it is to fight: whoever else works here is not paused for the memory that he takes.
case $trouble in forks) memory="memory_full: 1.0, memory_available: 0.001" ;; *) memory="memory_full: 0.1" ;; esac
cat > "$work/config.ron" <<RON
(policy: (mode: Auto), emergency: (calm: $calm_after, $memory))
RON
daemon() {
    RUST_LOG=info "$trimtab" daemon --config "$work/config.ron" --state "$work/state" --socket "$work/socket" "$@" >> "$work/log" 2>&1 &
    pids+=($!); daemon=$!
    for _ in $(seq 100); do "$trimtab" status --socket "$work/socket" > /dev/null 2>&1 && return; sleep 0.1; done
    cat "$work/log" >&2
    exit 1
}
weight() { echo "daemon, $1: $(grep -E 'VmRSS|VmLck' "/proc/$daemon/status" | tr -s ' \t\n' ' ')"; }
inside() { bash -c "for of in ${homes[*]}; do echo \$\$ > /sys/fs/cgroup/\$of/$name/cgroup.procs; done; exec \"\$@\"" - "$@" & pids+=($!); }
ask() { "$trimtab" "$@" --socket "$work/socket" --state "$work/state"; }

# Many that stay, and some that keep making new ones which end at once.
cat > "$work/bomb.py" <<'PY'
import os, time
for _ in range(110):
    if os.fork() == 0:
        time.sleep(600)
        os._exit(0)
for _ in range(5):
    if os.fork() == 0:
        break
while True:
    try:
        if os.fork() == 0:
            os._exit(0)
        os.wait()
    except OSError:
        time.sleep(0.01)
PY
cat > "$work/pages.py" <<'PY'
import mmap, os, sys
with open(sys.argv[1], "rb") as f:
    m = mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ)
m.madvise(mmap.MADV_RANDOM)
while True:
    for at in range(0, len(m), 4096):
        m[at]
PY
# The host as somebody at its keyboard has it: how long a small program takes from start to end.
cat > "$work/prober.py" <<'PY'
import subprocess, sys, time
while True:
    began = time.time()
    subprocess.run(["true"])
    print(int(began * 1000), round((time.time() - began) * 1000, 1), flush=True)
    time.sleep(0.1)
PY
feel() { awk -v from="$2" -v to="$3" '$1 >= from && $1 < to {print $2}' "$work/felt" | sort -n |
    awk -v what="$1" '{v[NR] = $1} END {if (NR) printf "true takes, %s: median %s ms, worst %s ms (%d)\n", what, v[int((NR + 1) / 2)], v[NR], NR}'; }

daemon
sleep 5
weight "memory locked"
python3 "$work/prober.py" > "$work/felt" & pids+=($!)
calm=$(now)
sleep 5
began=$(now)
case $trouble in
    forks) inside python3 -S "$work/bomb.py" ;;
    memory)
        echo $((48 << 20)) > "/sys/fs/cgroup/memory/$name/memory.limit_in_bytes"
        head -c $((192 << 20)) /dev/zero > "$work/file"
        sync "$work/file"
        # Out of the cache, so that the group itself pays for what it reads.
        dd if="$work/file" iflag=nocache count=0 status=none
        for _ in 1 2 3 4 5 6 7 8; do inside python3 "$work/pages.py" "$work/file"; done ;;
    *) echo "forks or memory, not $trouble" >&2; exit 2 ;;
esac
bounded=; frozen=; thawed=
for _ in $(seq 400); do
    [ -n "$bounded" ] || [ "$(at pids pids.max)" = 130 ] || bounded=$(now)
    if [ "$(at freezer freezer.state)" = FROZEN ]; then frozen=$(now); break; fi
    if [ -n "$bounded" ] && [ "${2:-}" = busy ]; then frozen=$(now); break; fi
    sleep 0.05
done
echo "pressure: memory $(tail -1 /proc/pressure/memory)"
[ -z "$bounded" ] || echo "bounded (pids.max) after $((bounded - began)) ms"
if [ -z "$frozen" ]; then
    echo "not frozen:"
    tail -20 "$work/log"; ask audit | tail -8
    exit 1
fi
[ "${2:-}" = busy ] || echo "frozen after $((frozen - began)) ms"
feel before "$calm" "$began"
feel "until frozen" "$began" "$frozen"
if [ "${2:-}" != busy ]; then
    for _ in $(seq 400); do
        if [ "$(at freezer freezer.state)" = THAWED ]; then thawed=$(now); break; fi
        sleep 0.05
    done
    [ -z "$thawed" ] || echo "thawed by the engine after $((thawed - frozen)) ms of relief, pids.max $(at pids pids.max)"
    feel "while frozen" "$frozen" "${thawed:-$(now)}"
    ask audit | tail -12
    exit
fi
for _ in $(seq $(($(nproc) * 10))); do (while :; do :; done) & pids+=($!); done
sleep 3
# The newest first: with the first rollback the trouble is in force again, and the second is done while it is.
for id in $(ask queue | sed -nE 's/^ *#?([0-9]+) .*(freeze|pids.max) .*/\1/p' | sort -rn); do
    asked=$(now)
    timeout 20 "$trimtab" rollback "$id" --socket "$work/socket" || true
    echo "rollback $id: asked at $asked, answered after $(($(now) - asked)) ms; freezer $(at freezer freezer.state), pids.max $(at pids pids.max)"
    sleep 2
done
feel "in force beside the loops" "$(($(now) - 8000))" "$(now)"
ask audit --json | python3 -c '
import json, sys
for entry in json.load(sys.stdin):
    text = json.dumps(entry)
    if "Roll" in text or "Applied" in text or "ApplyStarted" in text: print(text[:90], "...", text[-160:])' | tail -12
