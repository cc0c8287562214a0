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

leave
