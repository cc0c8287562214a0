#!/bin/sh
# two-runners.t - several passes at once: one works, the others leave in
# silence, and nothing runs twice
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2

change blocks <<'END'
steps:
  - name: blocks
    run: '"$HOME/block" "$TOWERIFY_HOST"'
    undo: nothing
END
change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END

add h1 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here"
add h2 "$work/note.yaml"
try towerify-run
is 'a second pass leaves in silence' 0 '' ''
ok '--status knows of the first' sh -c \
	'towerify-run --status -J | grep -q "\"running\": *true"'
ok 'the first takes up what was filed meanwhile' until_ status_is "$id" succeeded
# --run does not run it either, but says how it came out
try towerify-queue -q add h2 "$work/note.yaml" --run --wait=20s
is 'add --run --wait beside a pass: that one runs it' 0 "$((id + 1))" ''
: >"$home/h1.go"
run_ends
ok 'the first ends well' test "$status" -eq 0
ok 'each ran once' lines 2 "$log"

# 75 would say that it was not filed.
rm -f "$home"/*.here "$home"/*.go
add h1 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here"
try towerify-queue -q add h1 "$work/note.yaml" --run
is 'add --run beside a pass: filed, and it waits' 5 "$((id + 1))" ''
: >"$home/h1.go"
run_ends

# --- four at once ------------------------------------------------------------------

rm -f "$log"
n=0
while [ "$n" -lt 20 ]; do
	n=$((n + 1))
	add 'h[1,2]' "$work/note.yaml"
	# four start at once, and again as long as there is something left
	set --
	for i in 1 2 3 4; do
		towerify-run >"$work/out.$i" 2>"$work/err.$i" &
		set -- "$@" "$!"
	done
	for pid; do
		wait "$pid" || echo "$pid ended with $?" >>"$work/bad"
	done
	cat "$work"/out.? "$work"/err.? >>"$work/bad"
done
run_
ok 'four passes at once, twenty times: none fails or says a word' \
	test ! -s "$work/bad"
ok '... every change is done' test -z "$(towerify-queue list -n -o id)"
ok '... each step ran once' lines 40 "$log"
ok '... none twice' test -z "$(sort "$log" | uniq -d)"

# --- one that hangs -----------------------------------------------------------------

rm -f "$home"/*.here "$home"/*.go
add h1 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h1.here"
# and the state knows it: then nothing is being written any more
# shellcheck disable=SC2016 # for that shell
until_ sh -c 'towerify-queue show "$1" -J | grep -q "\"state\": *\"running\""' \
	sh "$id"
kill -STOP "$runner"
try towerify-run
is 'a stopped pass that moved just now: silence' 0 '' ''
touch -d '5 minutes ago' "$TOWERIFY_STATE/run.lock"
try towerify-run
like 'one that has not moved for minutes is named' 75 '' \
	"towerify-run: another pass is at work but has not moved for 3?? s*"
kill -CONT "$runner"
: >"$home/h1.go"
run_ends
ok '... it goes on when it can' status_is "$id" succeeded

# --- thirty who set the same host at once --------------------------------------------

set --
for i in $(seq 30); do
	towerify-host -q set h1 "label.n$i=yes" >>"$work/bad" 2>&1 &
	set -- "$@" "$!"
done
for pid; do
	wait "$pid" || echo "$pid ended with $?" >>"$work/bad"
done
ok 'thirty set a label each, at once: all do' test ! -s "$work/bad"
ok '... none undoes what another did' test "$(towerify-host list -J h1 |
	jq -r '.hosts[0].labels | split(",") | length')" -eq 30

# --- a state that is busy for longer than anybody waits for it ------------------------

change rolls <<'END'
steps:
  - name: fails
    run: |
      "$HOME/block" rolls
      exit 1
    undo: nothing
END
add h1 "$work/rolls.yaml"
run_bg
until_ test -e "$home/rolls.here"
towerify-queue wait "$id" >"$work/waited" 2>&1 &
waiter=$!
waits() {	# it looks again and again, and sleeps in between
	[ "$(sed -n 's/^voluntary_ctxt_switches:[[:space:]]*//p' \
		"/proc/$waiter/status")" -gt 20 ]
}
until_ waits
sql_holds() {	# until $work/hold is gone
	{
		echo 'BEGIN EXCLUSIVE;'
		echo ".system touch '$work/held'"
		while [ -e "$work/hold" ]; do sleep 0.1; done
		echo 'COMMIT;'
	} | sqlite3 -bail -cmd '.timeout 20000' "$TOWERIFY_STATE/state.db"
}
: >"$work/hold"
sql_holds &
holder=$!
until_ test -e "$work/held"
try towerify-queue show "$id"
like 'a busy state: try again' 75 '' 'towerify-queue: *: busy, *'
rm "$work/hold"
wait "$holder"
: >"$home/rolls.go"
run_ends
status=0
wait "$waiter" || status=$?
ok 'who waits over that learns the result all the same' test "$status" -eq 3
ok '... and nothing else' test ! -s "$work/waited"

leave
