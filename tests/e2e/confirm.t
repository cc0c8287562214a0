#!/bin/sh
# confirm.t - steps that may cut the tower off: confirmed over a new connection,
# else undone
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 1
cp "$work/sshd/authorized_keys" "$home/keys"
cp "$work/sshd/sshd.pid" "$home/sshd.pid"

# cuts NAME LIMIT DO UNDO: its second step does that to the host's way in
cuts() {
	change "$1" <<END
steps:
  - name: before
    run: '"\$HOME/mark" run'
    undo: '"\$HOME/mark" undo'
  - name: the way in
    run: '$3; "\$HOME/mark" run'
    undo: '$4; "\$HOME/mark" undo'
    confirm: $2
  - name: after
    run: '"\$HOME/mark" run'
    undo: nothing
END
}
logins() {
	grep -c 'Accepted publickey' "$work/sshd/sshd.log" || :
}
all_ran() {
	log_is "h1 $id 1 run${newline}h1 $id 2 run${newline}h1 $id 3 run"
}
undone() {
	log_is "h1 $id 1 run${newline}h1 $id 2 run${newline}h1 $id 2 undo${newline}h1 $id 1 undo"
}
rolled_back() {	# with the reason, and nobody has to act
	status_is "$id" rolled-back &&
		reason_is "$id" "step 2 'the way in': not confirmed within $1 s" &&
		steps_are "$id" 'done/done timed-out/done waiting/-' &&
		undone && host_is h1 ready
}
confirming() {
	towerify-queue show -J "$id" | jq -e '.steps[1].state == "confirming"'
}
failed() {	# that often
	test "$(sql 'SELECT failures FROM host')" -ge "$1"
}
undid() {	# so many steps
	test "$(grep -c undo "$log")" -eq "$1"
}
again() {
	rm -f "$log" "$home"/*.here "$home"/*.go
	hurry
}
dies() {
	kill -STOP "$runner"
	sshd_sessions "$work/sshd"
	kill -KILL "$runner"
	wait "$runner" 2>/dev/null || :
}

# --- it gets in ------------------------------------------------------------------

cuts harmless 30s : :
ok 'check says it' sh -c "towerify-queue check '$work/harmless.yaml' |
	grep -q '^    confirm within 30s, over a new connection, or it is undone'"
add h1 "$work/harmless.yaml"
before=$(logins)
run_ -v
ok 'a step that cuts nothing is confirmed' status_is "$id" succeeded
ok '... all ran once' all_ran
ok '... over a new connection' test "$(logins)" -eq $((before + 2))
ok '... says the record' test "$(towerify-queue show -J "$id" |
	jq -c '.steps[1] | [.state, .decided, .confirm, .awaited != null]')" = \
	'["done","confirm",30000,true]'
ok '... and who looks on' grep -q 'step=2 status=confirming' "$work/err"
ok '... others need none' test "$(towerify-queue show -J "$id" |
	jq -c '.steps[0] | [.decided, .confirm]')" = '["run",null]'

# Connections break as it runs; new ones are let in.
again
cuts breaks 30s '"$HOME/block" a' :
add h1 "$work/breaks.yaml"
run_bg
until_ test -e "$home/a.here"
sshd_sessions "$work/sshd"
: >"$home/a.go"
run_ends
ok 'one that breaks the connection is confirmed' status_is "$id" succeeded
ok '... all ran once' all_ran

# --- it does not -----------------------------------------------------------------

again
cuts locks 5s ': >"$HOME/../authorized_keys"' \
	'cp "$HOME/keys" "$HOME/../authorized_keys"'
add h1 "$work/locks.yaml"
run_
ok 'one that shuts out new logins is undone' rolled_back 5
ok '... exit status 3' test "$status" -eq 3

again
cuts stops 5s 'kill -STOP "$(cat "$HOME/sshd.pid")"' \
	'kill -CONT "$(cat "$HOME/sshd.pid")"'
add h1 "$work/stops.yaml"
run_
ok 'one that stops the sshd is undone' rolled_back 5

# The sessions die as well, so that the tower hears nothing of it.
again
cuts both 5s 'kill -STOP "$(cat "$HOME/sshd.pid")"; "$HOME/block" a' \
	'kill -CONT "$(cat "$HOME/sshd.pid")"'
add h1 "$work/both.yaml"
run_bg
until_ test -e "$home/a.here"
sshd_sessions "$work/sshd"
: >"$home/a.go"
run_ends
ok 'one that also cuts the connection is undone' rolled_back 5

# --- whoever comes later -----------------------------------------------------------

again
cuts later 60s ': >"$HOME/../authorized_keys"' \
	'cp "$HOME/keys" "$HOME/../authorized_keys"'
add h1 "$work/later.yaml"
run_bg
until_ confirming
ok 'while it waits: why' sh -c "towerify-queue why $id |
	grep -q 'step 2 of 3, which is undone unless the tower gets in to confirm it before '"
ok '... show says it' sh -c "towerify-queue show $id |
	grep -q 'the way in.* confirming'"
until_ failed 2
ok '... a login that is refused holds nobody' test \
	"$(towerify-host show -J h1 | jq -r .held_reason)" = null
dies
cp "$home/keys" "$work/sshd/authorized_keys"
hurry
run_
ok 'a later pass confirms' status_is "$id" succeeded
ok '... all ran once' all_ran

again
change crash <<'END'
steps:
  - name: the way in
    run: '"$HOME/mark" run; : >"$HOME/../authorized_keys"'
    undo: '"$HOME/mark" undo'
    confirm: 60s
END
add h1 "$work/crash.yaml"
run_bg
until_ sh -c "towerify-queue show -J $id | jq -e '.steps[0].state == \"confirming\"'"
kill -KILL "$(executor "$work/spool-h1")"
cp "$home/keys" "$work/sshd/authorized_keys"
run_ends
ok 'an executor that died as it waited: confirmed' status_is "$id" succeeded
ok '... it ran once' log_is "h1 $id 1 run"

again
cuts missed 5s '"$HOME/block" a' :
add h1 "$work/missed.yaml"
run_bg
until_ test -e "$home/a.here"
dies
: >"$home/a.go"
until_ undid 2
run_
ok 'nobody came in time: undone, says the next pass' rolled_back 5

again
cuts cancelled 60s ': >"$HOME/../authorized_keys"' \
	'cp "$HOME/keys" "$HOME/../authorized_keys"'
add h1 "$work/cancelled.yaml"
run_bg
until_ confirming
towerify-queue -q cancel "$id"
cp "$home/keys" "$work/sshd/authorized_keys"
run_ends
ok 'a cancel as it waits undoes it' status_is "$id" rolled-back
ok '... for that reason' reason_is "$id" 'cancelled by *'
ok '... each once' undone

leave
