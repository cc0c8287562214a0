#!/bin/sh
# cut.t - the connection breaks in mid-step: the host goes on, the tower takes
# up the stream where its record stops, nothing is lost or doubled
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2

said() {	# said ID: the output, as it was
	towerify-queue log -J "$1" | jq -j .data
}

numbers() {	# numbers ID N: the output is 1 to N
	said "$1" >"$work/said.numbers"
	seq 1 "$2" | cmp - "$work/said.numbers"
}

# --- a step that speaks all the time, sessions cut again and again ---------------

change talks <<'END'
steps:
  - name: talks
    run: |
      "$HOME/mark" run
      : >"$HOME/talks.here"
      n=0
      until test -e "$HOME/talks.go" && test $((n % 100)) -eq 0; do
          n=$((n + 1))
          echo "$n"
          test $((n % 5)) -ne 0 || sleep 0.01
      done
      echo "$n" >"$HOME/talks.n"
    undo: nothing
  - name: next
    run: '"$HOME/mark" run'
    undo: nothing
END
add h1 "$work/talks.yaml"
run_bg
until_ test -e "$home/talks.here"
cuts=0
while [ "$cuts" -lt 8 ]; do
	cuts=$((cuts + 1))
	before=$(said "$id" | wc -l)
	sshd_sessions "$work/sshd"
	# it is followed again when more of it has come
	until_ sh -c '[ "$(towerify-queue log -J "$1" | jq -j .data |
		wc -l)" -gt "$2" ]' sh "$id" $((before + 20)) || break
done
ok 'the sessions are cut in mid-step: it is followed again' test "$cuts" -eq 8
ok '... it is the same step still' log_is "h1 $id 1 run"
: >"$home/talks.go"
run_ends
ok '... to its end' test "$status" -eq 0
ok '... all of its output is there, once' numbers "$id" "$(cat "$home/talks.n")"
ok '... each step ran once' log_is "h1 $id 1 run
h1 $id 2 run"
ok '... the audit trail knows one start' test \
	"$(towerify-audit list -J --change "$id" |
	jq '[.records[] | select(.action == "change.start")] | length')" -eq 1
rm -f "$home"/talks.* "$log"

# --- the sshd is gone for a while -------------------------------------------------

add h1 "$work/talks.yaml"
run_bg
until_ test -e "$home/talks.here"
until_ sh -c '[ "$(towerify-queue log -J "$1" | jq -j .data | wc -l)" -gt 9 ]' \
	sh "$id"
sshd_stop "$work/sshd"
until_ sh -c 'towerify-host show -J h1 | jq -e ".last_error != null"'
ok 'sshd is gone: the runner waits for it' kill -0 "$runner"
ok '... the change still runs' status_is "$id" running
ok '... why says so' sh -c 'towerify-queue why "$1" |
	grep -q "h1 can.t be reached.*next attempt"' sh "$id"
: >"$home/talks.go"
until_ test -s "$home/talks.n"
until_ lines 2 "$log"
sshd_again
hurry
run_ends
ok '... sshd is back: followed to the end that came meanwhile' test \
	"$status" -eq 0
ok '... all of its output is there, once' numbers "$id" "$(cat "$home/talks.n")"
ok '... each step ran once' log_is "h1 $id 1 run
h1 $id 2 run"
rm -f "$home"/talks.* "$log"

# --- cut between passes, and with two hosts ------------------------------------------

change blocks <<'END'
steps:
  - name: blocks
    run: |
      echo "$TOWERIFY_HOST before"
      "$HOME/mark" run
      "$HOME/block" "$TOWERIFY_HOST"
      echo "$TOWERIFY_HOST after"
    undo: '"$HOME/mark" undo'
END
add 'h[1,2]' "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here" -a -e "$home/h2.here"
sshd_stop "$work/sshd"
kill -TERM "$runner"
run_ends
: >"$home/h1.go"
: >"$home/h2.go"
sshd_again
hurry
run_
ok 'cut off and detached: the next pass takes up both' test "$status" -eq 0
ok '... output of h1' test "$(said $((id - 1)))" = "h1 before
h1 after"
ok '... output of h2' test "$(said "$id")" = "h2 before
h2 after"
ok '... each step ran once' lines 2 "$log"

# The host ended it all while nobody looked, and loses its stream's end: the
# record repeats the events, what was stored is not doubled.
rm -f "$log" "$home"/*.here "$home"/*.go
add h1 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here"
until_ sh -c 'towerify-queue log "$1" | grep -q before' sh "$id"
kill -KILL "$runner"
run_ends
: >"$home/h1.go"
until_ ended "$(executor "$work/spool-h1")"
run_
ok 'ended unseen: the next pass brings it home' status_is "$id" succeeded
ok '... its output once' test "$(said "$id")" = "h1 before
h1 after"

# A session whose sshd is gone ends by itself, within a beat of 10 s.
rm -f "$log" "$home"/*.here "$home"/*.go
add h1 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here"
sshd_below "$(sshd_pid "$work/sshd")"
in_session=0
for pid in $sshd_pids; do
	case $(cat "/proc/$pid/comm" 2>/dev/null) in
	sshd) kill -KILL "$pid" 2>/dev/null || : ;;
	*) in_session=$((in_session + 1)) ;;
	esac
done
kill -KILL "$runner"
run_ends
ok 'a session has processes of its own' test "$in_session" -gt 0
others_ended() {
	for pid in $sshd_pids; do
		ended "$pid" || return 1
	done
	# and what they have started since
	# shellcheck disable=SC2031 # of sshd_below, above
	[ -z "$(cat /proc/[0-9]*/stat | awk -v sids="$sshd_sids" '
		BEGIN { n = split(sids, s, " ") }
		{ sub(/^.*\) /, ""); for (i = 1; i <= n; i++)
			if ($4 == s[i] && $1 != "Z") print }')" ]
}
ok 'a session that nobody hears ends, all of it' until_ others_ended
ok '... but not the executor' kill -0 "$(executor "$work/spool-h1")"
: >"$home/h1.go"
until_ ended "$(executor "$work/spool-h1")"
run_
ok '... the change is brought home' status_is "$id" succeeded

leave
