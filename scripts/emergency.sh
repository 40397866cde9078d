#!/usr/bin/env bash
# A memory hog in a control group of its own, and a daemon that freezes it: how long that takes, and how long the way back, with ten times
# as many runnable tasks as processors if asked for. Root, cgroup v1 (memory, freezer, cpu), half a minute. Everything is put back.
#   scripts/emergency.sh            the hog alone
#   scripts/emergency.sh busy       beside cpu hogs, ten per processor
set -euo pipefail
cd "$(dirname "$0")/.."
trimtab=${TRIMTAB:-target/debug/trimtab}
name=trimtab-emergency-$$
work=$(mktemp -d)
pids=()
put_back() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    sleep 1
    echo THAWED > "/sys/fs/cgroup/freezer/$name/freezer.state" 2>/dev/null || true
    for pid in "${pids[@]}"; do kill -9 "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    for of in memory freezer cpu; do rmdir "/sys/fs/cgroup/$of/$name" 2>/dev/null || true; done
    rm -rf "$work"
}
trap put_back EXIT
for of in memory freezer cpu; do mkdir "/sys/fs/cgroup/$of/$name"; done
echo $((48 << 20)) > "/sys/fs/cgroup/memory/$name/memory.limit_in_bytes"
head -c $((192 << 20)) /dev/zero > "$work/pages"
cat > "$work/config.ron" <<RON
(policy: (mode: Auto), emergency: (memory_full: 0.02, calm: 5.0))
RON
RUST_LOG=info "$trimtab" daemon --config "$work/config.ron" --state "$work/state" --socket "$work/socket" > "$work/log" 2>&1 &
pids+=($!); daemon=$!
sleep 5
grep -E "VmRSS|VmLck" "/proc/$daemon/status"
if [ "${1:-}" = busy ]; then
    for _ in $(seq $(($(nproc) * 10))); do (while :; do :; done) & pids+=($!); done
fi
# It reads pages that cannot all stay: every task of its group waits for memory.
hog='import mmap,sys
f=open(sys.argv[1],"rb"); m=mmap.mmap(f.fileno(),0,access=mmap.ACCESS_READ); m.madvise(mmap.MADV_RANDOM)
while True:
    for at in range(0,len(m),4096): m[at]'
for _ in 1 2 3 4; do
    bash -c "for of in memory freezer cpu; do echo \$\$ > /sys/fs/cgroup/\$of/$name/cgroup.procs; done; exec python3 -c '$hog' $work/pages" &
    pids+=($!)
done
began=$(date +%s%N)
for _ in $(seq 450); do
    [ "$(cat "/sys/fs/cgroup/freezer/$name/freezer.state")" = FROZEN ] && break
    sleep 0.1
done
echo "$(cat /proc/pressure/memory | tail -1)"
echo "freezer: $(cat "/sys/fs/cgroup/freezer/$name/freezer.state") after $((($(date +%s%N) - began) / 1000000)) ms"
began=$(date +%s%N)
timeout 10 "$trimtab" rollback --all --socket "$work/socket" || true
echo "rollback of all: $((($(date +%s%N) - began) / 1000000)) ms, freezer: $(cat "/sys/fs/cgroup/freezer/$name/freezer.state")"
"$trimtab" audit --socket "$work/socket" | tail -12
grep -iE "emergency|E1" "$work/log" | tail -8 || true
