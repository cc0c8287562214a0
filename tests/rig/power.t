#!/bin/sh
# power.t - the power goes, or the host is shut down, at every kind of moment
#
# Power loss takes what was not synced; the log of the steps' effects is
# synced line by line, so it tells how often each has happened.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

# The moment is where the host stands at a block.
change moments <<'END'
params:
  moment: {type: string, required: true}
steps:
  - name: first
    run: mark run
    undo: mark undo
  - name: second
    unless: |
      test "$moment" != before || block "$moment"
      false
    run: |
      mark run
      test "$moment" != in || block "$moment"
      test "$moment" != in-undo
    undo: |
      mark undo
      test "$moment" != in-undo || block "$moment"
  - name: third
    unless: |
      test "$moment" != after || block "$moment"
      false
    run: mark run
    undo: mark undo
END


moments='before in after in-undo'
# shellcheck disable=SC2086 # names
hosts $moments
for m in $moments; do
	known "$m"
	add "$m" "$work/moments.yaml" -p "moment=$m"
done
run_bg
for m in $moments; do
	ok "power loss, $m: the host stands there" here "$m" "$m"
done
for m in $moments; do
	rig kill "$m"
done
detach
ok 'the pass that was there leaves them' test "$status" -eq 5
for m in $moments; do
	rig start "$m"
done
# shellcheck disable=SC2086 # names
ok 'power is back' rig wait -b 2 $moments
for m in $moments; do
	on "$m" 'systemctl is-system-running --wait' >/dev/null || :
	ok "$m: nothing restarts by itself" idle "$m"
done
ok 'before: nothing has happened since' marks_are before "1 1 run"
ok 'in: nothing has happened since' marks_are in "2 1 run
2 2 run"
ok 'after: nothing has happened since' marks_are after "3 1 run
3 2 run"
ok 'in-undo: nothing has happened since' marks_are in-undo "4 1 run
4 2 run
4 2 undo"

run_
ok 'the next pass ends them' test "$status" -eq 4
ok 'before: rolled back' status_is 1 rolled-back
ok '... steps' steps_are 1 'done/done interrupted/- waiting/-'
ok '... why' reason_is 1 "step 2 'second': check interrupted"
ok '... each effect once' marks_are before "1 1 run
1 1 undo"
ok 'in: rolled back' status_is 2 rolled-back
ok '... steps' steps_are 2 'done/done interrupted/done waiting/-'
ok '... why' reason_is 2 "step 2 'second': run interrupted"
ok '... each effect once' marks_are in "2 1 run
2 2 run
2 2 undo
2 1 undo"
ok 'after: rolled back' status_is 3 rolled-back
ok '... steps' steps_are 3 'done/done done/done interrupted/-'
ok '... each effect once' marks_are after "3 1 run
3 2 run
3 2 undo
3 1 undo"
ok 'in-undo: failed' status_is 4 failed
ok '... steps' steps_are 4 'done/done failed/interrupted waiting/-'
ok '... each effect once' marks_are in-undo "4 1 run
4 2 run
4 2 undo
4 1 undo"
ok '... why' reason_is 4 \
	"step 2 'second': run failed, exit status 1; undo of step 2 interrupted"
ok '... and the host is held' host_is in-undo held 'change 4:*'
ok 'the others are not' host_is in ready
towerify-host -q release in-undo

# --- what of the stream was not synced is gone, the record is not ---

for m in $moments; do
	forget "$m"
done
change stream <<'END'
steps:
  - name: speaks
    run: |
      mark run
      seq 40000
      block heard
      block unheard
      echo the last word
    undo: mark undo
  - name: second
    run: |
      mark run
      test "$TOWERIFY_HOST" = after || block second
    undo: mark undo
END

# before: the tower has heard more than the disk holds; in: it has not heard of
# the second step; after: nor of the verdict.
offset_of() {
	sql "SELECT offset FROM change WHERE num = $1"
}
has_heard() {
	test "$(offset_of "$1")" -gt 200000
}
ids=
for m in before in after; do
	add "$m" "$work/stream.yaml"
	ids="$ids $id"
done
run_bg
for m in before in after; do
	here "$m" heard
done
# shellcheck disable=SC2086 # numbers
for id in $ids; do
	within 20 has_heard "$id"
done
detach
ok 'the tower has heard of three' test "$status" -eq 5
for m in in after; do
	go "$m" heard
	go "$m" unheard
done
here in second
ended_on() {
	on "$1" "grep -q verdict $spool/jobs/*/events"
}
ok 'one has a verdict' within 20 ended_on after
for m in before in after; do
	rig kill "$m"
	rig start "$m"
done
ok 'power is back' rig wait -b 3 before in after
if [ "$(cat "$work/rig/hosts/before/disk.kind")" = image ]; then
	# shellcheck disable=SC2086 # numbers
	set -- $ids
	ok 'the stream is shorter than what the tower has heard' on before \
		"test \$(cat $spool/jobs/*/stream.1 | wc -c) -lt $(offset_of "$1")"
else
	skip 'the stream is shorter than what the tower has heard' \
		'no disk image'
fi
run_
ok 'the next pass ends them' test "$status" -eq 3
# shellcheck disable=SC2086 # numbers
set -- $ids
heard() {
	towerify-queue log "$1" | grep '^[0-9][0-9]*$' >"$work/heard"
	seq 40000 | cmp - "$work/heard"
}
ok 'heard more than there is: rolled back' status_is "$1" rolled-back
ok '... steps' steps_are "$1" 'interrupted/done waiting/-'
ok '... what was heard is there once' heard "$1"
ok '... each effect once' marks_are before "$1 1 run
$1 1 undo"
ok 'not heard of a step: rolled back' status_is "$2" rolled-back
ok '... steps' steps_are "$2" 'done/done interrupted/done'
ok '... what was heard is there once' heard "$2"
ok '... each effect once' marks_are in "$2 1 run
$2 2 run
$2 2 undo
$2 1 undo"
ok 'not heard of a verdict: succeeded' status_is "$3" succeeded
ok '... steps' steps_are "$3" 'done/- done/-'
ok '... what was heard is there once' heard "$3"
ok '... each effect once' marks_are after "$3 1 run
$3 2 run"

# --- a shutdown in good order, from outside, during a step (R8) ---

for m in $moments; do
	forget "$m"
done
change shutdown <<'END'
steps:
  - name: first
    run: mark run
    undo: mark undo
  - name: second
    run: |
      mark run
      (trap '' TERM; while :; do sleep 0.1; done) &
      block here
    undo: mark undo
END
known sudo deploy@after --sudo
known plain plain@in-undo
ids=
for m in before in sudo plain; do
	add "$m" "$work/shutdown.yaml"
	ids="$ids $id"
done
run_bg
for m in $moments; do
	ok "shutdown, $m: a step runs" here "$m" here
done
# One without a tower at hand: what does the host do by itself?
kill -STOP "$runner"
rig poweroff before
rig start before
ok 'a host that was switched off starts again' rig wait -b 4 before
on before 'systemctl is-system-running --wait' >/dev/null || :
ok '... and restarts nothing by itself' idle before
ok '... it has no verdict, nor any other word after the TERM' \
	on before "tail -n 1 $spool/jobs/*/events | grep -q ' run 2 1\$'"
ok '... nothing has happened since' marks_are before "8 1 run
8 2 run"
# The others with the tower following, which comes back at once.
kill -CONT "$runner"
for m in in after in-undo; do
	on "$m" 'systemctl reboot' >/dev/null 2>&1 || :
done
pass_ends
ok 'the pass ends them all' test "$status" -eq 3
i=8
for m in before in after in-undo; do
	case $m in
	after) how='by sudo' ;;
	in-undo) how='without root' ;;
	*) how=$m ;;
	esac
	ok "$how: rolled back" status_is "$i" rolled-back
	ok '... steps' steps_are "$i" 'done/done interrupted/done'
	ok '... each effect once' marks_are "$m" "$i 1 run
$i 2 run
$i 2 undo
$i 1 undo"
	ok '... it booted once more' test "$(rig boots "$m")" -eq \
		"$(case $m in before) echo 4 ;; in | after) echo 4 ;;
		*) echo 3 ;; esac)"
	i=$((i + 1))
done
for m in before in sudo plain; do
	ok "$m: not held" host_is "$m" ready
done
ok 'no job is left' spool_is_empty before
towerify-host -q check after
ok '... by sudo' spool_is_empty sudo after
ok '... without root' spool_is_empty plain in-undo \
	/home/plain/.local/state/towerify-spool
for m in $moments; do
	ok "$m: no unit, process or control group" within 10 idle "$m"
done

leave
