#!/bin/sh
# look.t - what looks and changes nothing: queue plan, host check
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 3

change plan <<'END'
params:
  word: {type: string, default: "a 'b'"}
steps:
  - name: holds
    check: test "$word" = "a 'b'"
    run: '"$HOME/mark" run'
    undo: nothing
  - name: would run
    unless: |
      echo "asked on $TOWERIFY_HOST"
      exit 3
    run: '"$HOME/mark" run'
    undo: nothing
  - name: has no check
    run: '"$HOME/mark" run'
    undo: nothing
  - name: broken
    check: no-such-command-here
    run: '"$HOME/mark" run'
    undo: nothing
  - name: hangs
    check: sleep 1000
    run: '"$HOME/mark" run'
    undo: nothing
    timeout: 1s
  - name: file
    file: {path: /nowhere/at/all, content: "x"}
END
sed -i "s|/nowhere/at/all|$home/file|" "$work/plan.yaml"

planned() {	# planned HOST: the words, step by step
	jq -r --arg host "$1" '[.. | objects | select(.host? == $host and
		has("plan")) | .plan] | join(", ")' "$work/out"
}
has_planned() {
	have=$(planned "$1")
	[ "$have" = "$2" ] || { echo "$1: $have"; cat "$work/out"; return 1; }
}
all='unchanged, would run, cannot tell, cannot tell, cannot tell, would run'

# The same spools while a change runs there: plan takes no lock.
change blocks <<'END'
steps:
  - name: blocks
    run: '"$HOME/block" "$TOWERIFY_HOST"'
    undo: nothing
END
add h1 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here"
before=$(find "$work/spool-h2" "$work/spool-h3" | sort)
try towerify-queue -J plan 'h[1-3]' "$work/plan.yaml"
ok 'plan: done' test "$status" -le 1
ok '... on a host where a change runs' has_planned h1 "$all"
ok '... and on others' has_planned h2 "$all"
ok '... nothing ran' log_is ''
ok '... no file was written' test ! -e "$home/file"
ok '... nothing is filed' test "$(towerify-queue list -n -o id | wc -l)" -eq 1
ok '... the spools are as they were' test \
	"$(find "$work/spool-h2" "$work/spool-h3" | sort)" = "$before"
ok '... it is in the audit trail, for each host' test "$(towerify-audit list \
	-J | jq '[.records[] | select(.action | endswith("plan"))] | length')" \
	-eq 3
: >"$home/h1.go"
run_ends
ok '... the change beside it went its way' status_is "$id" succeeded

towerify-host -q hold h2
try towerify-queue -J plan h2 "$work/plan.yaml"
ok 'plan: on a held host' has_planned h2 "$all"
towerify-host -q release h2

# One whose tower goes away ends by itself, with its checks.
change long <<'END'
steps:
  - name: hangs
    check: |
      : >"$HOME/plan.here"
      sleep 1000
    run: 'true'
    undo: nothing
END
towerify-queue plan h3 "$work/long.yaml" >"$work/out" 2>&1 &
planner=$!
until_ test -e "$home/plan.here"
kill -KILL "$planner"
wait "$planner" 2>/dev/null || :
ok 'a plan nobody listens to ends its check' until_ none_bears \
	"$work/spool-h3"
ok '... and leaves nothing' until_ rmdir_would "$work/spool-h3/in"

# --- host check, in parallel -----------------------------------------------------------

other_sshd hole
for name in o1 o2 o3 o4; do
	other_host hole "$name"
done
kill -STOP "$(sshd_pid "$work/sshd-hole")"
TOWERIFY_LINK_TIMEOUT_MS=1500
export TOWERIFY_LINK_TIMEOUT_MS
try towerify-host check -J '*'
ok 'check: one that does not answer: 75' test "$status" -eq 75
ok '... the others are fine' test "$(jq -r \
	'[.hosts[] | select(.result == "ok") | .host] | join(" ")' \
	"$work/out")" = 'h1 h2 h3'
ok '... those are not' test "$(jq -r \
	'[.hosts[] | select(.result == "unreachable") | .host] | join(" ")' \
	"$work/out")" = 'o1 o2 o3 o4'
unset TOWERIFY_LINK_TIMEOUT_MS
kill -CONT "$(sshd_pid "$work/sshd-hole")"
try towerify-host check '*'
ok '... and again when it does' test "$status" -eq 0

towerify-host show -J h1 >"$work/out"
# shellcheck disable=SC1091
os=$(. /etc/os-release && echo "$ID")
ok 'facts: the system' test "$(jq -r .facts.os "$work/out")" = "$os"
ok '... the kernel' test "$(jq -r .facts.kernel "$work/out")" = "$(uname -r)"
ok '... the architecture' test "$(jq -r .facts.arch "$work/out")" = \
	"$(uname -m)"
ok '... memory' test "$(jq -r .facts.memory_kb "$work/out")" = \
	"$(awk '/^MemTotal/ { print $2 }' /proc/meminfo)"
ok '... the login' test "$(jq -r .facts.user "$work/out")" = "$me"
ok '... its number' test "$(jq -r .facts.uid "$work/out")" = "$(id -u)"
ok '... disk' test "$(jq -r .facts.disk_free_kb "$work/out")" -gt 0
ok '... no tool is missing' test -z "$(jq -r .facts.missing "$work/out")"

leave
