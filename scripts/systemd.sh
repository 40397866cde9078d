#!/usr/bin/env bash
# The loop on a host with systemd and pure cgroup v2: a unit that its quota throttles, and a unit starved by its sibling, each found,
# cured and put back through the command line; a runtime value that a daemon-reload takes away; what helped, made to outlive a boot.
# Root; touches only the units that it makes.
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
# Short trials, and nothing to wait for before what helped is offered to outlive a boot.
echo '(policy: (lasting: 0.0, windows: (before: 30.0, settle: 2.0, after: 15.0)))' >"$folder/config.ron"
trimtab() { "$program" --config "$folder/config.ron" --state "$folder" --socket "$folder/socket" "$@"; }
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
    rm -rf "$folder" /etc/systemd/system/trimtab-test-hog.service /etc/systemd/system/trimtab-test-hog.service.d \
        /run/systemd/system.control/trimtab-test-hog.service.d
    systemctl daemon-reload
}
trap cleanup EXIT

trimtab doctor >"$folder/doctor"
ok "doctor runs" [ $? = 0 ]
ok "doctor names cgroup v2" grep -q "cgroup v2 *$(findmnt -n -o TARGET -t cgroup2 | head -1)" "$folder/doctor"
trimtab --once --json >"$folder/once"
ok "--once --json has findings" grep -q '"findings"' "$folder/once"

"$program" --config "$folder/config.ron" --state "$folder" --socket "$folder/socket" daemon >"$folder/log" 2>&1 & # no function: its shell would take the signal
engine=$!
ok "the daemon answers" until_some 20 trimtab status

# What the kernel's quota is, in percent of one core.
percent() { awk '{ print $1 == "max" ? "infinity" : sprintf("%.0f%%", 100 * $1 / $2) }' "$1"; }
# Every drop-in of a unit that is set at runtime, with what it sets.
drop_ins() { grep -rhs '^[A-Z][A-Za-z]*=' "/run/systemd/system.control/$1.d" "/run/systemd/transient/$1.d" | sort | tr '\n' ' '; }
shown() { systemctl show --value -p "$2" -- "$1"; }
state() { trimtab queue --json | awk -v id="$1" '
    { match($0, /^ */); key = $1; gsub(/[",]/, "", $2) }
    RLENGTH == 4 && key == "\"id\":" { here = $2 == id }
    RLENGTH == 4 && key == "\"state\":" && here { print $2 }'; }

systemd-run -q --unit trimtab-test-quota -p CPUQuota=10% sh -c 'while :; do :; done'
unit=trimtab-test-quota.service
systemctl set-property --runtime "$unit" IOWeight=50 # a stranger's
before=$(drop_ins "$unit")
file=/sys/fs/cgroup/system.slice/$unit/cpu.max
ok "a throttled unit gets a quota proposal" until_some 60 field cgroup-quota after
id=$(field cgroup-quota id)
ok "it is planned as a property of the unit" [ "$(field cgroup-quota before)" = "unset 10%" ]
ok "approved" trimtab approve "$id"
ok "applied, once there is history to measure by" until_some 20 trimtab apply "$id"
after=$(field cgroup-quota after)
ok "cpu.max stands as proposed" until_is 10 "$after" percent "$file"
ok "systemd's own word is the same" [ "$(shown "$unit" CPUQuotaPerSecUSec)" != 100ms ]
ok "with a drop-in of its own" [ "$(drop_ins "$unit")" = "CPUQuota=$after $before" ]
echo "     cpu.max 10% -> $(percent "$file"), drop-ins $(drop_ins "$unit")"
systemctl daemon-reload
ok "a daemon-reload does not take it away" [ "$(percent "$file")" = "$after" ]
ok "rolled back" trimtab rollback "$id"
ok "cpu.max is as before" until_is 10 10% percent "$file"
ok "systemd's own word is as before" [ "$(shown "$unit" CPUQuotaPerSecUSec)" = 100ms ]
ok "our drop-in is gone, the stranger's stays" [ "$(drop_ins "$unit")" = "$before" ]
systemctl stop trimtab-test-quota

# Between equals a sleeper hardly waits: the hog needs the greater weight to starve it. It has a unit file, so that a boot knows it.
unit=trimtab-test-hog.service
cat >"/etc/systemd/system/$unit" <<'E'
[Service]
CPUWeight=5000
ExecStart=/bin/sh -c 'for i in 1 2 3; do (while :; do :; done) & done; wait'
E
systemctl daemon-reload
systemctl start "$unit"
systemd-run -q --unit trimtab-test-victim -p CPUWeight=100 sh -c 'while :; do i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); done; sleep 0.01; done'
file=/sys/fs/cgroup/system.slice/$unit/cpu.weight
ok "a starved unit gets a weight proposal" until_some 90 field cgroup-weight after
id=$(field cgroup-weight id)
ok "approved" trimtab approve "$id"
ok "applied, once there is history to measure by" until_some 20 trimtab apply "$id"
weight=$(field cgroup-weight after)
ok "the weight stands as proposed" until_is 10 "$weight" cat "$file"
echo "     cpu.weight 5000 -> $(cat "$file"), drop-ins $(drop_ins "$unit")"
ok "it helped and is kept" until_is 60 Kept state "$id"

kept=/etc/systemd/system/$unit.d/90-trimtab.conf
ok "it is offered to outlive a boot" until_some 30 field persist after
lasting=$(field persist id)
ok "nothing is written before the approval" [ ! -e "$kept" ]
ok "approved" trimtab approve "$lasting"
ok "applied" trimtab apply "$lasting"
ok "the drop-in is there" grep -q "^CPUWeight=$weight$" "$kept"
ok "it stands" until_is 10 Kept state "$lasting"
systemctl daemon-reload
ok "systemd takes it" [ "$(shown "$unit" CPUWeight)" = "$weight" ]
ok "what lasts is in the way of undoing what it makes last" eval '! trimtab rollback "$id"'
ok "rolled back" trimtab rollback "$lasting"
ok "the file and its directory are gone" [ ! -e "/etc/systemd/system/$unit.d" ]

# systemd loses a runtime value at a reload where a later drop-in sets the same (systemd #16592).
mkdir -p "/etc/systemd/system/$unit.d"
printf '[Service]\nCPUWeight=77\n' >"/etc/systemd/system/$unit.d/zz.conf"
systemctl daemon-reload
ok "a value that a reload takes away is seen and left alone" until_is 20 Yielded state "$id"
echo "     after the reload: $(shown "$unit" CPUWeight), ours was $weight"
ok "everything is rolled back" trimtab rollback --all
ok "the stranger's weight stays" [ "$(cat "$file")" = 77 ]
[ "$failed" = 0 ] || { trimtab queue; cat "$folder/log"; }
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
