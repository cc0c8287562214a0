#!/bin/sh
# order.t - who runs when: hosts in parallel, each queue in its order, undo in
# reverse, what holds a host and what lets it go on
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 4

# --- parallel: each waits for all the others, so all must be there at once -----

change together <<'END'
steps:
  - name: all four at once
    run: |
      : >"$HOME/$TOWERIFY_HOST.came"
      n=0
      until test -e "$HOME/h1.came" -a -e "$HOME/h2.came" -a \
          -e "$HOME/h3.came" -a -e "$HOME/h4.came"; do
          n=$((n + 1))
          test "$n" -lt 200
          sleep 0.1
      done
    undo: nothing
END
add 'h[1-4]' "$work/together.yaml"
run_
ok 'hosts run in parallel' test "$status" -eq 0
rm "$home"/*.came

change apart <<'END'
steps:
  - name: alone
    run: |
      mkdir "$HOME/alone"
      sleep 0.2
      rmdir "$HOME/alone"
    undo: nothing
END
add 'h[1-4]' "$work/apart.yaml"
run_ --jobs 1
ok '--jobs 1: one host at a time' test "$status" -eq 0

# --- FIFO and one step at a time, as a log on the host says ------------------------

change two <<'END'
steps:
  - name: first
    run: |
      "$HOME/mark" begin
      sleep 0.02
      "$HOME/mark" end
    undo: nothing
  - name: second
    run: |
      "$HOME/mark" begin
      "$HOME/mark" end
    undo: nothing
END
i=0
first=$((id + 1))
while [ "$i" -lt 6 ]; do
	i=$((i + 1))
	add 'h[1-3]' "$work/two.yaml"
done
run_
ok '18 changes of three hosts' test "$status" -eq 0
ok '... leave four lines each' lines 72 "$log"

# Of one host: step by step, change by change, in the order of filing.
in_order() {
	want=$(n=$first
		while [ "$n" -lt $((first + 18)) ]; do
			[ $(((n - first) % 3 + 1)) -ne "${1#h}" ] ||
				for step in 1 2; do
					echo "$1 $n $step begin"
					echo "$1 $n $step end"
				done
			n=$((n + 1))
		done)
	have=$(grep "^$1 " "$log")
	[ "$have" = "$want" ] || { echo "$have"; return 1; }
}
ok '... on h1 in order, never two at once' in_order h1
ok '... on h2' in_order h2
ok '... on h3' in_order h3

# Order is order of joining: what waits for its hour blocks nobody.
rm "$log"
change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END
add h1 "$work/note.yaml" --not-before +2s
later=$id
add h1 "$work/note.yaml"
sooner=$id
run_
ok 'a pass waits for what joins the queue soon, or leaves it' \
	test "$status" -eq 0
until_ sh -c 'towerify-run && towerify-queue show -J "$1" |
	jq -e ".status == \"succeeded\"" >/dev/null' sh "$later"
ok 'what joins later runs later' log_is "h1 $sooner 1 ran
h1 $later 1 ran"

# --- rollback in reverse; the queue goes on ------------------------------------------

rm "$log"
change broken <<'END'
steps:
  - name: one
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: nothing to do
    check: 'true'
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: nothing to undo
    run: '"$HOME/mark" run'
    undo: nothing
  - name: four
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: half
    run: |
      "$HOME/mark" run
      exit 7
    undo: '"$HOME/mark" undo'
  - name: never
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
END
add h1 "$work/broken.yaml"
broken=$id
add h1 "$work/note.yaml"
run_
ok 'a rollback is not success: exit status 3' test "$status" -eq 3
ok '... the change says so' status_is "$broken" rolled-back
ok '... and why' reason_is "$broken" "step 5 'half': run failed, exit status 7"
ok '... step by step' steps_are "$broken" \
	'done/done unchanged/- done/- done/done failed/done waiting/-'
ok '... undone in reverse, each once; the queue went on' log_is "h1 $broken 1 run
h1 $broken 3 run
h1 $broken 4 run
h1 $broken 5 run
h1 $broken 5 undo
h1 $broken 4 undo
h1 $broken 1 undo
h1 $id 1 ran"

# --- what can't be undone holds the host ----------------------------------------------

rm "$log"
change stuck <<'END'
steps:
  - name: one
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: undo fails
    run: '"$HOME/mark" run'
    undo: |
      "$HOME/mark" undo
      exit 3
  - name: final
    run: '"$HOME/mark" run'
    undo: impossible
  - name: fails
    run: 'false'
    undo: nothing
END
add 'h[1,2]' "$work/stuck.yaml"
stuck=$((id - 1))
add 'h[1,2]' "$work/note.yaml"
note=$((id - 1))
run_ --hosts h1
ok 'a failed undo: exit status 4' test "$status" -eq 4
ok '... and a person hears of it, terminal or not' \
	grep -q "h1.*change $stuck" "$work/err"
ok '... failed' status_is "$stuck" failed
ok '... the others were undone all the same' steps_are "$stuck" \
	'done/done done/failed done/impossible failed/-'
ok '... the host is held' host_is h1 held "*change $stuck: step 4*"
ok '... and what waits there is held' test "$(status_of "$note")" = queued -o \
	"$(status_of "$note")" = held
ok '... it bears the mark itself' test -s "$work/spool-h1/held"
ok '... h2 was not asked' log_is "h1 $stuck 1 run
h1 $stuck 2 run
h1 $stuck 3 run
h1 $stuck 2 undo
h1 $stuck 1 undo"

run_ --hosts h1
ok 'a held host is left alone' test "$status" -eq 0
ok '... in silence' test ! -s "$work/err" -a ! -s "$work/out"
ok 'why says what it waits for' sh -c 'towerify-queue why "$1" |
	grep -q "held"' sh "$note"
# A tower that forgot: the host's own mark keeps it.
sql "UPDATE host SET held_reason = NULL, held_since = NULL, held_by = NULL
	WHERE name = 'h1'"
run_ --hosts h1
ok 'the mark on the host holds it, whatever the state says' host_is h1 held \
	'*mark*'
ok '... nothing ran' test "$(status_of "$note")" != succeeded
towerify-host -q release h1
run_ --hosts h1
ok 'released, it goes on' test "$status" -eq 0
ok '... the mark is gone' test ! -e "$work/spool-h1/held"
ok '... the change ran' status_is "$note" succeeded

# --- a person's hold, and --after-failure hold -----------------------------------------

rm "$log"
towerify-host -q hold h3 --reason 'a disk is changed'
add h3 "$work/note.yaml" 2>/dev/null
kept=$id
run_ --hosts h3
ok 'a host held by a person: nothing runs' log_is ''
ok '... its changes show held' test \
	"$(towerify-queue list -J h3 | jq -r '.changes[0].status')" = held
towerify-host -q release h3
run_ --hosts h3
ok '... released, they run' status_is "$kept" succeeded

change rolls <<'END'
steps:
  - name: fails
    run: 'false'
    undo: nothing
END
add h3 "$work/rolls.yaml" --after-failure hold
rolls=$id
add h3 "$work/note.yaml"
run_ --hosts h3
ok '--after-failure hold: rolled back' status_is "$rolls" rolled-back
ok '... and held' host_is h3 held "*change $rolls*"
ok '... what follows waits' test "$(status_of "$id")" = held -o \
	"$(status_of "$id")" = queued
towerify-host -q release h3
run_ --hosts h3
ok '... until it is released' status_is "$id" succeeded

# A hold while a change runs: that one is followed to its end, no other starts.
change blocks <<'END'
steps:
  - name: waits
    run: '"$HOME/block" held'
    undo: nothing
END
add h4 "$work/blocks.yaml"
blocks=$id
add h4 "$work/note.yaml"
run_bg --hosts h4
until_ test -e "$home/held.here"
towerify-host -q hold h4
: >"$home/held.go"
run_ends
ok 'a hold lets the running change end' status_is "$blocks" succeeded
ok '... and starts no other' test "$(status_of "$id")" != succeeded
towerify-host -q release h4
run_
run_
ok 'all is done: a pass of nothing' test "$status" -eq 0 -a ! -s "$work/err"

leave
