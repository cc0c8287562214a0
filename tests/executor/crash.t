#!/bin/sh
# crash.t - whatever dies, whenever: nothing runs twice, and the end is known
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

init

# --- kill -9 of the executor
new
does true "echo undo1 >>$work/log"
does "setsid sleep 600 & echo \$! >$work/left; touch $work/a; sleep 601" "test ! -e /proc/\$(cat $work/left)/cwd && echo undo2 >>$work/log"
start_bg
crash_at "$work/a"
ok 'the follower says that the executor is gone' says 'over gone'
ok 'the step runs on until somebody takes over' test -e "/proc/$(cat "$work/left")/cwd"
size=$(wc -c <"$spool/jobs/$job/stream.1")
# what is shown when it asks for a sync
mv "$spool/jobs/$job/executor" "$work/plain"
{
	echo "sync() { echo \"\$* \$(cat stream.* | wc -c)\" >>'$work/synced'"
	echo 'command sync "$@"; }'
	cat "$work/plain"
} >"$spool/jobs/$job/executor"
send resume life=1 "offset=$size"
ok 'what may not be synced is, before it is shown again' test "$(head -n 1 "$work/synced")" = "events $size"
ok 'a resume takes over: interrupted, undone' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; life 2; end 2 interrupted run 0; undo 2; undone 2 done 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'each undo ran once, after what was left had ended' test "$(tr '\n' ' ' <"$work/log")" = 'undo2 undo1 '
ok 'the follower got the rest of life 1 and all of life 2' eval 'says "stream 1 $size" && says "stream 2 0" && says "over verdict"'
send resume
ok 'from the beginning: both lives' eval 'says "stream 1 0" && says "stream 2 0"'
ok 'the second life repeats the events of the first' test "$(sed -n "s/^@$nonce \([0-9]*\) [0-9]* .* \.$/\1/p" "$out" | tr '\n' ' ')" = '1 2 3 4 5 6 1 2 3 4 5 6 7 8 9 10 11 12 13 '

at_phase() {	# at_phase TEXT EVENTS-AFTER-A-CRASH: crash while $work/here is
	rm -f "$work/here"
	start_bg
	crash_at "$work/here"
	send resume
	ok "$1" recorded "$2"
	ok '… and no process is left' test -z "$(tagged "$job/")"
}
new
step; part check "touch $work/here; sleep 602"; part run "touch $work/never"; part undo "touch $work/never"
at_phase 'killed in a check: nothing to undo' 'life 1; start 1; life 2; end 1 interrupted check 0; verdict rolled-back'
new
step; part run true; part verify "touch $work/here; sleep 603"; part undo true
at_phase 'killed in the verification' 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'
new
step run 60 4 30; part run 'exit 1'; part undo true
start_bg
until_ grep -q ' try ' "$spool/jobs/$job/events"
kill -KILL "$(executor)"
wait "$sender" || :
send resume
ok 'killed while waiting for the next attempt: there is none' recorded 'life 1; start 1; run 1 1; try 1 1 failed run 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'
new
does true true
step; part run true; part undo "echo once >>$work/undo; touch $work/here; sleep 604"
does false
undo nothing
at_phase 'killed in an undo: interrupted, not again; the others go on' 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 failed run 1; undo 2; life 2; undone 2 interrupted 0; undo 1; undone 1 done 0; verdict failed'
ok 'that undo ran once' lines 1 "$work/undo"
ok 'the host is held' test -e "$spool/held"

more=unhold=1
new
does "touch $work/here; sleep 605" "touch $work/here2; sleep 606"
rm -f "$work/here"
start_bg
crash_at "$work/here"
send_bg resume
crash_at "$work/here2"
send resume
ok 'killed twice: three lives' recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; life 3; undone 1 interrupted 0; verdict failed'
ok 'no process is left' test -z "$(tagged "$job/")"

# as a second request leaves it: one more, which nobody launched for this life
new
rm -f "$work/here"
does "touch $work/here; sleep 608" true
start_bg
until_ test -e "$work/here"
{
	echo "sync() { echo \"\$* \$(echo stream.*)\" >>'$work/waited'"
	echo 'command sync "$@"; }'
	cat "$spool/jobs/$job/executor"
} >"$work/waits"
setsid dash "$work/waits" run "$spool" "$job" </dev/null >/dev/null 2>&1 &
crash_at "$work/here"
until_ grep -q ' verdict ' "$spool/jobs/$job/events"
ok 'killed while another one waits for the lock: that one takes over' recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'
ok '… its stream has a name that is synced, before all else' test "$(head -n 1 "$work/waited")" = '. stream.1 stream.2'
send resume
ok '… and is shown' eval 'says "stream 2 0" && says "over verdict"'

# what a step that succeeded has left is left alone
new
does "setsid sleep 607 >/dev/null 2>&1 & echo \$! >$work/daemon" "kill \$(cat $work/daemon)"
step; part run "touch $work/h3; sleep 608"; undo nothing
start_bg
until_ test -e "$work/h3"
kill -KILL "$(executor)"
wait "$sender" || :
send_bg resume
wait "$sender" || :
ok 'a take-over ends what the open step left, only that' recorded 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; life 2; end 2 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'

# cancel of a dead one
new
does "touch $work/h4; sleep 609" true
start_bg
crash_at "$work/h4"
send resume cancel=bob
ok 'a cancel of what is dead: interrupted all the same' recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'

# --- TERM
new
does "setsid sleep 610 & touch $work/h5; sleep 611" true
start_bg
until_ test -e "$work/h5"
pid=$(executor)
kill -TERM "$pid"
until_ gone "$pid"
ok 'TERM ends the step and the executor' until_ eval 'test -z "$(tagged "$job/1/")"'
wait "$sender" || :
ok 'without a verdict' recorded 'life 1; start 1; run 1 1'
ok 'and the follower' says 'over gone'
send resume
ok 'who takes over undoes' recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'

# --- the follower dies, the executor does not
new
does "touch $work/h6; until test -e $work/h7; do sleep 0.02; done"
start_bg
until_ test -e "$work/h6"
kill -KILL "$sender"
wait "$sender" 2>/dev/null || :
mv "$out" "$work/first"
send facts
ok 'another request meanwhile is answered' says 'over facts'
send_bg resume
touch "$work/h7"
wait "$sender"
ok 'a dead connection changes nothing' is 'life 1; start 1; run 1 1; end 1 done run 0; verdict succeeded'

# --- at any moment
sweep() {	# sweep MILLISECONDS
	: >"$work/log"
	new
	for k in 1 2 3; do
		step; part unless "echo check$k >>$work/log; false"
		part run "echo run$k >>$work/log"; part undo "echo undo$k >>$work/log"
	done
	start_bg
	until_ test -s "$spool/jobs/$job/pid" || return 1
	sleep "0.0$1"
	kill -KILL "$(executor)" 2>/dev/null || :
	wait "$sender" || :
	send resume
	has 'over verdict' || { echo 'no end'; return 1; }
	twice=$(sort "$work/log" | uniq -d)
	[ -z "$twice" ] || { echo "twice: $twice"; return 1; }
	case $(recorded '' || :) in
	*'verdict succeeded'*)
		[ "$(tr '\n' ' ' <"$work/log")" = 'check1 run1 check2 run2 check3 run3 ' ]
		;;
	*'verdict rolled-back'*)
		for k in 1 2 3; do
			grep -q "run$k" "$work/log" || continue
			grep -q "undo$k" "$work/log" || return 1
		done
		;;
	*)
		return 1
		;;
	esac
}
for ms in 00 04 08 12 16 20 24 28 32 36 40 45 50 55 60 70; do
	ok "killed after $ms ms: nothing twice, all undone or all done" sweep "$ms"
done

# The request's own shell dies; the tower sends the same start again.
resent() {
	: >"$work/log"
	new
	does "echo run >>$work/log"
	start_bg
	sleep "0.0$1"
	kill -KILL "$sender" 2>/dev/null || :
	wait "$sender" 2>/dev/null || :
	mv "$out" "$work/first"
	send start
	is 'life 1; start 1; run 1 1; end 1 done run 0; verdict succeeded' &&
		lines 1 "$work/log"
}
for ms in 00 05 10 13 16 19 22 25 28 31 35 40; do
	ok "the request killed after $ms ms and sent again: once" resent "$ms"
done

# --- the record
torn() {
	new
	does "touch $work/t.$seq; sleep 612" "touch $work/torn"
	start_bg
	crash_at "$work/t.$seq"
	printf '%b' "$1" >>"$spool/jobs/$job/events"
	send resume
	recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back' && says 'over verdict'
}
ok 'a torn line in the record does not count' torn '4 1234 en'
ok 'nor does what is not the next event' torn '9 1234 end 1 done run 0\n'
ok 'nor zeros' torn '\0000\0000\0000\0000'
ok 'its room is reserved again' test "$(stat -c %b "$spool/jobs/$job/events")" -ge 8

new
does true
start
j=$spool/jobs/$job
# the executor died between writing the verdict and showing it
head -n -2 "$j/stream.1" >"$work/short"
cat "$work/short" >"$j/stream.1"
rm "$j/shown"
# whoever is asked to sync what says so first
synced="sync() { printf '%s\\n' \"\$*\" >>'$work/synced'; command sync \"\$@\"; }"
: >"$work/synced"
plain=$remote
remote="$synced; $remote"
send resume
remote=$plain
ok 'a verdict that was not shown is shown' says '[0-9]* [0-9]* verdict succeeded \.$'
# it may have died before it was synced
ok '... and synced, in the record too' grep -q '/events ' "$work/synced"
sed -i 's/.*/0123/' "$j/shown"
size=$(wc -c <"$j/stream.1")
boot=$(cat /proc/sys/kernel/random/boot_id)
sed -i "s/$boot/0123/" "$j/events" "$j/pid"
: >"$j/stream.1"
send resume life=1 "offset=$size"
ok 'also when a power cut took it, and left the mark' says '[0-9]* [0-9]* verdict succeeded \.$'
ok 'though the tower has heard more than is left' says 'over verdict'
set -- "$j"/stream.*
send resume
ok 'once' test $# -eq "$(find "$j" -name 'stream.*' | wc -l)"

# A full disk ends the stream amid the line of step 1's end, which the record
# has.  The tower has heard MORE than what is left.
ends_at() {	# ends_at OFFSET MORE
	head -c "$1" "$work/stream" >"$j/stream.1"
	rm -f "$j/stream.2" "$j/shown"
	send resume life=1 "offset=$(($1 + $2))"
	says 'over verdict' && is "$done127"
}
torn_anywhere() {
	at=$begin
	while [ "$at" -lt "$end" ]; do
		head -c "$at" "$work/stream" >"$j/stream.1"
		rm -f "$j/stream.2" "$j/shown"
		send resume
		want="life 1; start 1; run 1 1; $done127"
		[ "$at" -lt $((end - 1)) ] ||
			want="life 1; start 1; run 1 1; end 1 failed run 127; $done127"
		says 'over verdict' && is "$want" || return 1
		at=$((at + 1))
	done
}
new
does 'exit 127'
undo nothing
start
j=$spool/jobs/$job
done127='life 1; start 1; run 1 1; end 1 failed run 127; verdict rolled-back'
cp "$j/stream.1" "$work/stream"
end=$(sed '/ end 1 failed run 127 \.$/q' "$work/stream" | wc -c)
begin=$(sed '/ run 1 1 \.$/q' "$work/stream" | wc -c)
ok 'a line of the stream is whole with its mark only' torn_anywhere
ok 'its newline alone may be missing, and heard all the same' ends_at $((end - 1)) 1
ok 'but no more than that' eval '! ends_at $((end - 1)) 2 && says "refused lost "'

# a power cut: the boot id is another, the stream lost its end
new
does "touch $work/p1; sleep 613" true
start_bg
crash_at "$work/p1"
j=$spool/jobs/$job
size=$(wc -c <"$j/stream.1")
boot=$(cat /proc/sys/kernel/random/boot_id)
sed -i "s/$boot/0123/" "$j/events" "$j/pid"
: >"$j/stream.1"
send resume life=1 "offset=$size"
ok 'after a power cut a stream may be shorter' says 'over verdict'
ok 'its events are told again' is 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'

# pid of another process
new
does "touch $work/p2; sleep 614" true
start_bg
crash_at "$work/p2"
j=$spool/jobs/$job
echo "1 $$ 1 $boot" >"$j/pid"
send resume
ok 'a pid that is now of another process is not the executor' says 'over verdict'

# nobody can write the record
new
does "touch $work/p3; until test -e $work/p4; do sleep 0.02; done" true
does "touch $work/never"
start_bg
until_ test -e "$work/p3"
j=$spool/jobs/$job
mv "$j/events" "$j/kept"
mkdir "$j/events"
pid=$(executor)
touch "$work/p4"
wait "$sender" || :
ok 'an event that cannot be written ends the executor' gone "$pid"
ok 'before it is acted on' test ! -e "$work/never"
ok 'without a word' eval '! says "[0-9]* [0-9]* end"'
rmdir "$j/events"
mv "$j/kept" "$j/events"
send resume
ok 'who takes over undoes' recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'

# --- given up by its tower, and in the way of the next change
rm -f "$work/g1" "$work/g2"
new
does "touch $work/g1; sleep 607" "echo undone >>$work/g2"
start_bg
crash_at "$work/g1"
left=$job
cp "$spool/jobs/$left/events" "$work/left.events"
new
does "echo next >>$work/g2"
printf 's_end 1\n' >>"$prog"
send start
ok 'a change that nobody gave up keeps the host busy' says 'refused busy '
cmp "$spool/jobs/$left/events" "$work/left.events" >/dev/null
ok '... and is left alone' test $? -eq 0
send start "ack=$((seq - 1))"
ok 'one that was given up is undone before the next' says 'refused busy .* is being undone'
until_ grep -q verdict "$spool/jobs/$left/events"
ok '... by whom is told' test "$(cat "$spool/jobs/$left/cancel")" = tower
send start "ack=$((seq - 1))"
ok '... which runs then' says 'over verdict'
ok '... in this order' test "$(tr '\n' ' ' <"$work/g2")" = 'undone next '
ok '... its verdict is kept' grep -q " $left rolled-back$" "$spool/done"
rm -f "$work/g1" "$work/g2"
new
does "touch $work/g1; sleep 608" "echo undone >>$work/g2"
start_bg
until_ test -e "$work/g1"
left=$job
mv "$out" "$work/first"
new
does "echo next >>$work/g2"
printf 's_end 1\n' >>"$prog"
send start "ack=$((seq - 1))"
ok 'one that still runs is stopped' says 'refused busy .* is being undone'
wait "$sender" || :
send start "ack=$((seq - 1))"
ok '... and undone before the next' test "$(tr '\n' ' ' <"$work/g2")" = 'undone next '

# --- given up, and nobody can undo it
more=
rm -f "$work/g1" "$work/g2"
new
does true "echo undone >>$work/g2"
does "touch $work/g1; sleep 609" "echo undone >>$work/g2"
start_bg
crash_at "$work/g1"
left=$job gone=$seq
for p in $(tagged "TOWERIFY_TAG=$left/"); do kill "$p" || :; done
ended=$(grep -n ' end 1 ' "$spool/jobs/$left/events" | cut -d : -f 1)
head -n "$ended" "$spool/jobs/$left/events" >"$work/cut"
cp "$work/cut" "$spool/jobs/$left/events"
untouched() {
	cmp "$work/cut" "$spool/jobs/$left/events" &&
		test ! -e "$spool/jobs/$left/cancel" -a ! -e "$work/g2"
}
new
does "echo next >>$work/g2"
printf 's_end 1\n' >>"$prog"
said="change $gone of tower tw1 is not finished and can't be undone: its record holds less than was shown"
send start "ack=$((seq - 1))" unhold=1
ok 'one whose record was cut short is not gone on from' untouched
ok '... nor by a release from before that was known' says "refused busy $said"
send start "ack=$((seq - 1))"
ok '... a person is told' says "refused held $said"
send start "ack=$((seq - 1))"
ok '... until one has looked' says "refused held $said"
ok '... nothing is done' untouched
send start "ack=$((seq - 1))" unhold=1
ok 'who releases the host then writes it off' says "refused busy change $gone of tower tw1 is written off"
send start "ack=$((seq - 1))"
ok '... and the next one runs' says '[0-9]* [0-9]* verdict succeeded'
ok '... alone' test "$(cat "$work/g2")" = next
ok '... its verdict is kept: failed' grep -q " $left failed$" "$spool/done"
more=unhold=1

# --- environments that lie
sh -c 'exec env -i "X=
==> /proc/'$$'/environ <==
TOWERIFY_TAG=forged" "
==> /proc/'$$'/environ <==
TOWERIFY_TAG=forged/1/run/1=" sleep 60' &
liar=$!
new
step run 1; part run 'sleep 60'; part undo true
start
kill "$liar"
ok 'a forged environment ends nobody else' is 'life 1; start 1; run 1 1; end 1 timed-out run 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'none of what must not run did' test ! -e "$work/never"
finish
