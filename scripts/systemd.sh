#!/usr/bin/env bash
# The loop on a host with systemd and pure cgroup v2: a unit that its quota throttles, and a unit starved by its sibling, each found,
# cured and put back through the command line. Root; touches only the transient units that it starts.
#   scripts/systemd.sh [PROGRAM]            default: trimtab on the PATH
# Ends with 'N passed, N failed'.
set -uo pipefail
program=${1:-trimtab}
[ "$(id -u)" = 0 ] || { echo "skipped: it starts units and changes their cgroups, run it as root"; exit 0; }
[ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] || { echo "skipped: no pure cgroup v2 on this host"; exit 0; }
[ "$(cat /proc/1/comm)" = systemd ] || { echo "skipped: pid 1 is not systemd"; exit 0; }

folder=$(mktemp -d)
passed=0 failed=0
ok() { if "${@:2}"; then passed=$((passed + 1)); echo "ok   $1"; else failed=$((failed + 1)); echo "FAIL $1"; fi; }
trimtab() { "$program" --state "$folder" --socket "$folder/socket" "$@"; }
# One field of the first open change of an action, by name: id, state, or the before or after of its first step.
# The JSON is printed one value a line, so that awk does: a bare server has no more.
field() {
    trimtab queue --json | awk -v action="$1" -v field="$2" '
        { match($0, /^ */); depth = RLENGTH; key = $1; value = $0; sub(/^[^:]*: /, "", value); sub(/,$/, "", value); gsub(/"/, "", value) }
        depth == 2 && $1 == "{" { split("", found) }
        depth == 4 && (key == "\"id\":" || key == "\"state\":") || depth == 6 && key == "\"action\":" && !("action" in found) ||
            depth == 10 && (key == "\"before\":" || key == "\"after\":") && $2 ~ /^"/ && !(substr(key, 2, length(key) - 3) in found) {
            found[substr(key, 2, length(key) - 3)] = value
        }
        depth == 2 && $1 ~ /^}/ && found["action"] == action && found["state"] !~ /Expired|Rejected|Refused|RolledBack|Yielded/ && !done {
            print found[field]
            done = 1
        }'
}
until_is() { # seconds, wanted, command...
    local end=$((SECONDS + $1)) wanted=$2
    shift 2
    while [ $SECONDS -lt $end ]; do
        [ "$("$@")" = "$wanted" ] && return 0
        sleep 0.3
    done
    return 1
}
until_some() {
    local end=$((SECONDS + $1))
    shift
    while [ $SECONDS -lt $end ]; do
        [ -n "$("$@")" ] && return 0
        sleep 0.3
    done
    return 1
}
cleanup() {
    [ -n "${engine:-}" ] && kill "$engine" 2>/dev/null && wait "$engine" 2>/dev/null
    systemctl stop trimtab-test-quota trimtab-test-hog trimtab-test-victim 2>/dev/null
    rm -rf "$folder"
}
trap cleanup EXIT

trimtab doctor >"$folder/doctor"
ok "doctor runs" [ $? = 0 ]
ok "doctor names cgroup v2" grep -q "cgroup v2 *$(findmnt -n -o TARGET -t cgroup2 | head -1)" "$folder/doctor"
trimtab --once --json >"$folder/once"
ok "--once --json has findings" grep -q '"findings"' "$folder/once"

"$program" --state "$folder" --socket "$folder/socket" daemon >"$folder/log" 2>&1 & # no function: its shell would take the signal
engine=$!
ok "the daemon answers" until_some 20 trimtab status

systemd-run -q --unit trimtab-test-quota -p CPUQuota=10% sh -c 'while :; do :; done'
file=/sys/fs/cgroup/system.slice/trimtab-test-quota.service/cpu.max
before=$(cat "$file")
ok "a throttled unit gets a quota proposal" until_some 40 field cgroup-quota after
id=$(field cgroup-quota id)
ok "approved" trimtab approve "$id"
ok "applied, once there is history to measure by" until_some 20 trimtab apply "$id"
ok "cpu.max stands as proposed" until_is 10 "$(field cgroup-quota after)" cat "$file"
echo "     cpu.max $before -> $(cat "$file")"
ok "rolled back" trimtab rollback "$id"
ok "cpu.max is as before" until_is 10 "$before" cat "$file"
systemctl stop trimtab-test-quota

# Between equals a sleeper hardly waits: the hog needs the greater weight to starve it.
systemd-run -q --unit trimtab-test-hog -p CPUWeight=5000 sh -c 'for i in 1 2 3 4 5 6; do (while :; do :; done) & done; wait'
systemd-run -q --unit trimtab-test-victim -p CPUWeight=100 sh -c 'while :; do i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; sleep 0.01; done'
file=/sys/fs/cgroup/system.slice/trimtab-test-hog.service/cpu.weight
ok "a starved unit gets a weight proposal" until_some 60 field cgroup-weight after
id=$(field cgroup-weight id)
before=$(cat "$file")
ok "approved" trimtab approve "$id"
ok "applied, once there is history to measure by" until_some 20 trimtab apply "$id"
ok "the weight stands as proposed" until_is 10 "$(field cgroup-weight after)" cat "$file"
echo "     cpu.weight $before -> $(cat "$file")"
ok "everything is rolled back" trimtab rollback --all
ok "the weight is as before" until_is 10 "$before" cat "$file"
[ "$failed" = 0 ] || { trimtab queue; cat "$folder/log"; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
