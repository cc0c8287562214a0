#!/bin/sh
# kill-executor.t - the executor dies alone: the next contact takes over, ends
# what it left running and undoes; nothing runs twice
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 3

forget() {
	rm -f "$log" "$home"/*.here "$home"/*.go "$home/pid"
}

change steps <<'END'
steps:
  - name: one
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: two
    run: |
      "$HOME/mark" run
      echo before
      echo "$$" >"$HOME/pid"
      "$HOME/block" run
      "$HOME/mark" "ran on"
    undo: |
      test -e "/proc/$(cat "$HOME/pid")/fd/0" && "$HOME/mark" alive
      "$HOME/mark" undo
  - name: three
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
END

# --- while a step runs, the runner looking on ----------------------------------------

add h1 "$work/steps.yaml"
run_bg
until_ test -e "$home/run.here"
kill -KILL "$(executor "$work/spool-h1")"
run_ends
ok 'the executor dies in a step: rolled back by the same pass' \
	test "$status" -eq 3
ok '... steps' steps_are "$id" 'done/done interrupted/done waiting/-'
ok '... and why' reason_is "$id" "step 2 'two': run interrupted"
ok '... undone once each, the step is dead by then' log_is "h1 $id 1 run
h1 $id 2 run
h1 $id 2 undo
h1 $id 1 undo"
ok '... its output is there once' test \
	"$(towerify-queue log -J "$id" | jq -j 'select(.k == 2) | .data')" = \
	before
ok '... the host is not held' host_is h1 ready

# --- nobody looking on -----------------------------------------------------------------

forget
add h1 "$work/steps.yaml"
run_bg
until_ test -e "$home/run.here"
kill -KILL "$runner"
run_ends
kill -KILL "$(executor "$work/spool-h1")"
read -r pid <"$home/pid"
ok 'with nobody looking on: nothing on the host acts by itself' kill -0 "$pid"
ok '... the change runs, for all the tower knows' status_is "$id" running
run_
ok '... the next pass takes over' status_is "$id" rolled-back
ok '... and ends what was left running' ended "$pid"
ok '... undone once each' log_is "h1 $id 1 run
h1 $id 2 run
h1 $id 2 undo
h1 $id 1 undo"

# --- its whole process group, and a cancel at once ---------------------------------------

forget
add h1 "$work/steps.yaml"
run_bg
until_ test -e "$home/run.here"
kill -KILL "$runner"
run_ends
pid=$(executor "$work/spool-h1")
kill -KILL "-$pid"
towerify-queue -q cancel "$id"
run_
ok 'it dies and is cancelled: rolled back' status_is "$id" rolled-back
ok '... once each' log_is "h1 $id 1 run
h1 $id 2 run
h1 $id 2 undo
h1 $id 1 undo"

# --- during undo -----------------------------------------------------------------------------

forget
change undo <<'END'
steps:
  - name: one
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
  - name: two
    run: '"$HOME/mark" run'
    undo: |
      "$HOME/mark" undo
      "$HOME/block" undo
      "$HOME/mark" "undone"
  - name: three
    run: 'false'
    undo: nothing
END
add h1 "$work/undo.yaml"
undo=$id
add h1 "$work/steps.yaml"
run_bg
until_ test -e "$home/undo.here"
kill -KILL "$(executor "$work/spool-h1")"
run_ends
ok 'the executor dies in an undo: failed' test "$status" -eq 4
ok '... steps' steps_are "$undo" 'done/done done/interrupted failed/-'
ok '... the rest is undone; no undo twice' log_is "h1 $undo 1 run
h1 $undo 2 run
h1 $undo 2 undo
h1 $undo 1 undo"
ok '... the host is held' host_is h1 held "*change $undo*undo of step 2*"
ok '... what follows has not started' test "$(status_of "$id")" != running
towerify-queue -q cancel "$id"
towerify-host -q release h1

# --- given up, and the host comes back ----------------------------------------------------------

forget
add h1 "$work/steps.yaml"
lost=$id
run_bg
until_ test -e "$home/run.here"
kill -KILL "$runner"
run_ends
kill -KILL "$(executor "$work/spool-h1")"
towerify-queue -q abandon "$lost" --reason 'the host is gone'
ok 'a change is given up: unknown' status_is "$lost" unknown
ok '... its host is held' host_is h1 held "*change $lost was abandoned*"
change next <<'END'
steps:
  - name: next
    run: '"$HOME/mark" run'
    undo: nothing
END
add h1 "$work/next.yaml"
towerify-host -q release h1
passes() {	# a person at work
	hurry
	run_
	[ "$(status_of "$id")" = succeeded ]
}
ok '... it comes back: the next change runs' until_ passes
ok '... after the undo of the one given up' log_is "h1 $lost 1 run
h1 $lost 2 run
h1 $lost 2 undo
h1 $lost 1 undo
h1 $id 1 run"
ok '... which stays unknown' status_is "$lost" unknown

# --- at any moment ------------------------------------------------------------------------------

# Three hosts, each executor killed at random moments of its change, again and
# again; the runner goes on all the time.
forget
echo "# seed $seed"
change short <<'END'
steps:
  - name: one
    run: |
      "$HOME/mark" run
      sleep 0.05
    undo: |
      "$HOME/mark" undo
      sleep 0.05
  - name: two
    run: |
      "$HOME/mark" run
      sleep 0.05
    undo: |
      "$HOME/mark" undo
      sleep 0.05
END
towerify-run --watch >"$work/out" 2>"$work/err" &
runner=$!
random 60 150 >"$work/moments"
kills=0
kill_executors() {	# how many died is in $died
	died=0
	for pid_file in "$work"/spool-*/jobs/*/pid; do
		read -r _ pid _ 2>/dev/null <"$pid_file" || continue
		case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
		*" run $work/"*) ;;
		*) continue ;;
		esac
		! kill -KILL "$pid" 2>/dev/null || died=$((died + 1))
	done
}
while [ "$kills" -lt 25 ] && read -r moment; do
	[ "$(towerify-queue list -n -o id | wc -l)" -gt 6 ] ||
		add 'h[1-3]' "$work/short.yaml"
	sleep "0.$(printf %03d "$moment")"
	kill_executors
	# one that dies before it brought news counts as a failed contact
	hurry
	kills=$((kills + died))
	# what a person would do
	towerify-host list -n -o name,status | while read -r name is; do
		[ "$is" != held ] || towerify-host -q release "$name"
	done
done <"$work/moments"
all_ended() {
	towerify-host list -n -o name,status | while read -r name is; do
		[ "$is" != held ] || towerify-host -q release "$name"
	done
	hurry
	[ -z "$(towerify-queue list -n -o id)" ]
}
echo "# killed $kills executors"
ok 'executors die at random' test "$kills" -ge 20
ok '... every change comes to an end' until_ all_ended
kill -TERM "$runner"
run_ends
ok '... the runner never minded' test "$status" -le 5
never_twice() {
	sort "$log" | uniq -d >"$work/have"
	[ ! -s "$work/have" ] || { cat "$work/have"; echo "seed $seed"
		return 1; }
}
ok '... no step and no undo ran twice' never_twice
# What the record says was begun is what the log says, step by step; a step may
# have been begun and killed before it made its mark.
as_recorded() {
	sql "SELECT c.host_name || ' ' || c.num || ' ' || s.k || ' run'
			FROM step s JOIN change c ON c.id = s.change_id
			WHERE s.attempts > 0
		UNION ALL
		SELECT c.host_name || ' ' || c.num || ' ' || s.k || ' undo'
			FROM step s JOIN change c ON c.id = s.change_id
			WHERE s.undo_state IN ('done', 'interrupted')" |
		sort >"$work/recorded"
	sort "$log" | comm -13 "$work/recorded" - >"$work/have"
	[ ! -s "$work/have" ] || { echo 'ran, but is not recorded:'
		cat "$work/have"; echo "seed $seed"; return 1; }
	sql "SELECT c.num || ': ' || c.status || ' ' || group_concat(s.state ||
			'/' || coalesce(s.undo_state, '-'), ' ')
		FROM step s JOIN change c ON c.id = s.change_id GROUP BY c.id
		HAVING NOT (c.status = 'succeeded' AND min(s.state = 'done')
			OR c.status = 'rolled-back' AND min(s.attempts = 0 OR
				s.undo_state IS 'done')
			OR c.status = 'failed' AND max(s.undo_state IS
				'interrupted')
			OR c.status IN ('cancelled', 'unknown'))" >"$work/have"
	[ ! -s "$work/have" ] || { cat "$work/have"; echo "seed $seed"
		return 1; }
}
ok '... the record says what ran, and the ends fit' as_recorded

leave
