#!/bin/sh
# accept.t - acceptance: once, whole, in order; acknowledgement; refusals
# shellcheck disable=SC2016,SC2119 # eval; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

count() {	# count N: the log has as many lines
	lines "$1" "$work/log"
}

init
ok 'init makes a spool and names it' test "${#sid}" -eq 32
ok 'it is private' test "$(stat -c %a "$spool")" = 700
was=$sid
init
ok 'a second init keeps the id' test "$sid" = "$was"
ok 'facts come with it' says 'fact uid '
ok 'and end' says 'over facts'
ok 'no tool is missing here' says 'fact missing $'

new
does "echo one >>$work/log; echo hello"
does "echo two >>$work/log"
start
ok 'a job is accepted' says accepted
ok 'its stream begins at the beginning' says 'stream 1 0'
ok 'its events' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; verdict succeeded'
ok 'its output is in the stream' grep -qx hello "$out"
ok 'it ends with the verdict' says 'over verdict'
ok 'event numbers count from 1' test "$(sed -n "s/^@$nonce \([0-9]*\) [0-9]* .* \.$/\1/p" "$out" | tr '\n' ' ')" = '1 2 3 4 5 6 7 8 '
ok 'the record says the same' recorded "$(events)"

start
ok 'the same start again is not accepted again' eval '! says accepted'
ok 'but followed' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; verdict succeeded'
ok 'and nothing ran twice' count 2

# every way of cutting a resume
stream=$spool/jobs/$job/stream.1
size=$(wc -c <"$stream")
every_offset() {
	at=0
	while [ "$at" -le "$size" ]; do
		send resume "life=1" "offset=$at"
		printf '\n@%s stream 1 %s\n' "$nonce" "$at" >"$work/want"
		tail -c "+$((at + 1))" "$stream" >>"$work/want"
		printf '\n@%s over verdict\n' "$nonce" >>"$work/want"
		tail -c "$(wc -c <"$work/want")" "$out" | cmp - "$work/want" ||
			return 1
		at=$((at + 29))
	done
}
ok 'a resume gives the bytes from any offset on' every_offset
send resume life=1 "offset=$((size + 2))"
ok 'an offset beyond the end: the host went back in time' says 'refused lost '
send resume life=2 offset=0
ok 'so does a life that never was' says 'refused lost '
send resume event=99
ok 'and an event that never was' says 'refused lost '

old=$job old_nonce=$nonce old_prog=$prog
send resume "ack=$seq" cancel=alice
ok 'what is asked for is told before it is acknowledged' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; verdict succeeded'
ok '... to its end' says 'over verdict'
send facts "ack=$seq"
ok 'the fence is at what is acknowledged' says "hello .* fence=1.$seq"
ok 'the job is gone' until_ test ! -e "$spool/jobs/$job"
ok 'the verdict stays' grep -qx "$queue 1 $seq $job succeeded" "$spool/done"
send resume
ok 'resume of what is done: its verdict' says "done succeeded $seq"
send start
ok 'start of what is done: its verdict' says "done succeeded $seq"
ok 'an acknowledgement again does no harm' eval "send facts ack=$seq; lines 1 $spool/done"

new
seq=1
does "echo stale >>$work/log"
start
ok 'what is not after the fence is stale' says 'refused stale '
new
does "echo stale >>$work/log"
start epoch=0
ok 'so is an older epoch' says 'refused stale '
seq=1
start epoch=2
ok 'so is a number from before, in a newer epoch: an old state, restored' says 'refused stale '
seq=9
start epoch=2
ok 'a newer epoch goes on from there' says accepted
send facts epoch=2 "ack=$seq"
ok 'the fence keeps epoch and seq' says 'hello .* fence=2.9'
new
does "echo stale >>$work/log"
start epoch=1
ok 'the older epoch is shut out' says 'refused stale '

new
does "echo ran >>$work/log"
start epoch=3
ok 'a later epoch goes on' says accepted
new
does "echo stale >>$work/log"
start epoch=2
ok '... and shuts out the older one before it is acknowledged' says 'refused stale '
send facts epoch=3 "ack=$((seq - 1))"
keep=$queue
queue=$(hex32)
new
does "echo ran >>$work/log"
seq=11
start epoch=1
ok 'another queue begins at any seq' says accepted
send resume "job=$(hex32)" epoch=3 seq=7 ack=7
ok 'what is given up in a later epoch does not lower its fence' says 'hello .* fence=3.11'
send facts epoch=3 ack=11
queue=$keep
ok 'another queue has its own fence' eval 'q=$queue; queue=$(hex32); send facts; says "hello .* fence=0.0"; r=$?; queue=$q; [ $r = 0 ]'

send resume "job=$(hex32)"
ok 'resume never creates' says 'refused lost '

more=epoch=3
new
does "echo go >>$work/log; until test -e $work/go; do sleep 0.02; done"
start_bg
until_ has go "$work/log"
mine=$job mine_nonce=$nonce
new
does "echo second >>$work/log"
mv "$out" "$work/first"
printf 's_end 1\n' >>"$prog"
q=$queue
queue=$(hex32)
send start tower=other
ok 'another tower finds the host busy' says "refused busy .*change $((seq - 1)) of tower tw1"
queue=$q
send start
ok 'so does the same' says 'refused busy '
ok 'the upload is gone' test -z "$(ls "$spool/in")"
job=$mine nonce=$mine_nonce
send_bg resume seq=$((seq - 1))
: >"$work/go"
wait "$sender"
ok 'a second follower sees all of it' is 'life 1; start 1; run 1 1; end 1 done run 0; verdict succeeded'

wrong() {	# wrong KEY=VALUE WORD: refused so, and no trace left
	new
	does "echo wrong >>$work/log"
	start "$1"
	says "refused $2" && test ! -e "$spool/jobs/$job" &&
		test -z "$(ls "$spool/in")"
}
ok 'a wrong sum of the program' wrong "textsha=$(hex32)$(hex32)" bad
ok 'a wrong sum of the blob' wrong "blobsha=$(hex32)$(hex32) blob=3" bad
ok 'a number that is none' wrong seq=1x bad
ok 'a job that is no id' wrong job=../../etc bad
ok 'a queue that is no id' wrong queue=../x bad
ok 'a room that is not there' wrong room=900000000000000 space
ok 'none of these ran' eval "! grep -q wrong $work/log"
ok 'a verb that is none' eval 'send dance; says "refused bad"'

# A stream cut anywhere never leaves a job that ran.
new
does "echo cut >>$work/log"
printf 's_end 1\n' >>"$prog"
request start >"$work/whole"
total=$(wc -c <"$work/whole")
upload=$((total - $(wc -c <"$prog")))
cut_at() {
	head -c "$1" "$work/whole" | sh -c "$remote" >"$out" 2>&1 || :
	[ ! -e "$spool/jobs/$job" ] || { echo "cut at $1"; return 1; }
}
cuts() {
	at=0
	while [ "$at" -lt "$upload" ]; do
		cut_at "$at"
		at=$((at + 1471))
	done
	at=$((upload - 3))
	while [ "$at" -lt "$total" ]; do
		cut_at "$at"
		at=$((at + 7))
	done
	cut_at $((total - 1))
	! grep -q cut "$work/log"
}
ok 'a stream cut anywhere runs nothing' cuts
send facts
ok 'what it left in the spool is gone' test -z "$(ls "$spool/in")"
printf 'rm -rf /nonexistent; echo half >%s/half\n' "$work" >"$work/bad"
(echo 4000; cat "$work/bad") | sh -c "$remote" >"$out" 2>&1 || :
ok 'half an executor is not run' test ! -e "$work/half"

# Two at once: one is accepted, each step runs once.
race() {
	: >"$work/log"
	new
	does "echo raced >>$work/log"
	printf 's_end 1\n' >>"$prog"
	request start >"$work/whole"
	for i in 1 2 3 4; do
		sh -c "$remote" <"$work/whole" >"$work/race.$i" 2>&1 &
	done
	wait
	[ "$(cat "$work"/race.? | grep -c "^@$nonce accepted")" -eq 1 ] &&
		count 1 || return 1
	for i in 1 2 3 4; do
		grep -q "^@$nonce over verdict" "$work/race.$i" || return 1
	done
}
ok 'four at once with the same job: it runs once' race
ok 'and again' race
job=$old nonce=$old_nonce prog=$old_prog
send start seq=1
ok 'a replay of a job long done is not run' says 'done succeeded'

# what is long in coming: the tower is told that the host is there
new
does "echo slow >>$work/log"
head -c 20000 /dev/zero >"$blob"
printf 's_end 1\n' >>"$prog"
dots() {
	[ -s "$work/err" ] && [ -z "$(tr -d . <"$work/err")" ]
}
slow() {	# slow BYTES: these are the last to come, and do when it has spoken
	request start >"$work/slow"
	size=$(wc -c <"$work/slow")
	mkfifo "$work/pipe"
	: >"$work/err"
	sh -c "$remote" <"$work/pipe" >"$out" 2>"$work/err" &
	exec 7>"$work/pipe"
	head -c $((size - $1)) "$work/slow" >&7
	until_ dots || return 1
	! says hello || return 1
	tail -c "$1" "$work/slow" >&7
	exec 7>&-
	wait $!
	rm "$work/pipe"
}
ok 'a long upload: a dot comes before its end' slow 5000
ok '... and then it is accepted' says 'over verdict'
quiet() {	# nobody has that file open
	[ -z "$(find /proc/[0-9]*/fd -lname "$work/err")" ]
}
ok '... and nothing speaks on' until_ quiet

# done keeps the last 1,000
new
does true
i=0
while [ "$i" -lt 2000 ]; do
	echo "$queue 1 1 ${nonce}$i succeeded"
	i=$((i + 1))
done >>"$spool/done"
start
ok 'done is kept short' test "$(wc -l <"$spool/done")" -eq 1000
finish
