#!/bin/sh
# cgroup.t - control groups end what has cleared its environment
#
# systemd would give the executor a group named after its unit; here the test
# does, and starts the executor in it by hand.
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
group=
for d in /sys/fs/cgroup /sys/fs/cgroup/unified; do
	[ ! -w "$d/cgroup.procs" ] || [ ! -e "$d/cgroup.controllers" ] ||
		group=$d/towerify-test.$$
done
if [ -z "$group" ] || ! mkdir "$group" 2>/dev/null; then
	echo '1..0 # SKIP no control groups to write to'
	exit 0
fi
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"
drop_groups() {
	cat "$group"/*/cgroup.procs "$group"/*/*/cgroup.procs |
		xargs -r kill -KILL
	rmdir "$group"/*/[0-9]* "$group"/* "$group"
	test ! -d "$group"
} 2>/dev/null
trap 'until_ drop_groups; tidy' EXIT

init
# The job as acceptance leaves it, and an executor in its own group.
place() {
	printf 's_end %s\n' "$steps" >>"$prog"
	j=$spool/jobs/$job
	mkdir "$j" "$group/towerify-$job.service"
	cp "$text" "$j/executor"
	cp "$prog" "$j/job"
	cp "$blob" "$j/blob"
	: >"$j/events"
	echo "$queue 1 $seq $nonce tw1 h1 $seq 8192 524288" >"$j/meta"
}
execute() {
	sh -c 'echo 0 >"$1/cgroup.procs"
	exec setsid env -i --default-signal HOME=/ USER=root PATH="$PATH" \
		LC_ALL=C.UTF-8 dash "$2/jobs/$3/executor" run "$2" "$3"' \
		sh "$group/towerify-$job.service" "$spool" "$job" &
	sender=$!
}
hide='env -i setsid sleep'	# neither environment nor session gives it away

new
does "$hide 700 >/dev/null 2>&1 & echo \$! >$work/daemon"
step run 1; part run "$hide 701 & echo \$! >$work/hidden; sleep 702"
part undo "test ! -e /proc/\$(cat $work/hidden)/cwd && touch $work/undone"
place
execute
wait "$sender" || :
ok 'a timeout ends the group' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 timed-out run 0; undo 2; undone 2 done 0; undone 1 impossible 0; verdict failed'
ok 'also who cleared its environment, before the undo' test -e "$work/undone"
ok 'what a step has left is in another group' test -e "/proc/$(cat "$work/daemon")/cwd"

send facts unhold=1 "ack=$seq"
new
does true true
does "$hide 703 >/dev/null 2>&1 & echo \$! >$work/daemon2" "kill \$(cat $work/daemon2)"
does true true
does "$hide 704 & echo \$! >$work/hidden; touch $work/here; sleep 705" "test ! -e /proc/\$(cat $work/hidden)/cwd"
place
execute
crash_at "$work/here"
ok 'it runs on without its executor' test -e "/proc/$(cat "$work/hidden")/cwd"
execute
wait "$sender" || :
ok 'who takes over ends the group of the open step, only that' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 done run 0; start 4; run 4 1; life 2; end 4 interrupted run 0; undo 4; undone 4 done 0; undo 3; undone 3 done 0; undo 2; undone 2 done 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'empty groups are used again' test ! -e "$group/towerify-$job.service/4"
finish
