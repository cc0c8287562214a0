#!/bin/sh
# confirm.t - a step that may cut the tower off is undone unless the tower says,
# over a login that came after it, that it still gets in
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

init

awaits() {
	until_ grep -q ' await ' "$spool/jobs/$job/events"
}
ahead='life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1'
back='undo 2; undone 2 done 0; undo 1; undone 1 done 0; verdict rolled-back'

# make LIMIT [MORE]: three steps, of which the second is to be confirmed
make() {
	rm -f "$work/log"
	new
	does true "echo undo1 >>$work/log"
	does "echo run2 >>$work/log; ${2:-:}" "echo undo2 >>$work/log"
	confirm "$1"
	does "echo run3 >>$work/log"
}
log_is() {
	have=$(tr '\n' ' ' <"$work/log")
	[ "$have" = "$1" ] || { echo "have: $have"; return 1; }
}

# --- confirmed

make 60
start_bg
awaits
sleep 1.2
ok 'the next step has to wait' log_is 'run2 '
out=$work/confirming
send confirm step=2
wait "$sender"
ok 'confirmed, it goes on' recorded "$ahead; await 2 60; end 2 done confirm 0; start 3; run 3 1; end 3 done run 0; verdict succeeded"
ok '... who confirmed it follows, too' is "$ahead; await 2 60; end 2 done confirm 0; start 3; run 3 1; end 3 done run 0; verdict succeeded"
ok '... each ran once' log_is 'run2 run3 '
out=$work/out
send confirm step=2
ok 'once more, after the verdict: that is told' says 'over verdict'

new
step; part check "test -e $work/holds"; part run "touch $work/holds"; part undo "rm $work/holds"
confirm 60
start_bg
awaits
send confirm step=1
wait "$sender"
ok 'a check is asked before that' recorded 'life 1; start 1; run 1 1; await 1 60; end 1 done confirm 0; verdict succeeded'
new
step; part check "test -e $work/holds"; part run false; part undo false
confirm 60
start
ok 'what is unchanged needs no confirmation' is 'life 1; start 1; end 1 unchanged check 0; verdict succeeded'

new
step run 60 1 0; part check "test -e $work/late"; part run "touch $work/late; false"; part undo true
confirm 60
start_bg
awaits
send confirm step=1
wait "$sender"
ok 'what an attempt that failed has brought about does' recorded 'life 1; start 1; run 1 1; try 1 1 failed run 1; await 1 60; end 1 done confirm 0; verdict succeeded'

# --- not confirmed

make 1
start
ok 'not confirmed in time: undone' is "$ahead; await 2 1; end 2 timed-out confirm 0; $back"
ok '... each once' log_is 'run2 undo2 undo1 '

make 60
start_bg
awaits
send_bg resume cancel=ann
wait "$sender"
ok 'a cancel ends the wait' recorded "$ahead; await 2 60; cancel ann; end 2 interrupted confirm 0; $back"

new
does false true
confirm 60
start
ok 'a step that fails is not waited for' is 'life 1; start 1; run 1 1; end 1 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'

# --- what is no confirmation

make 4
start_bg
awaits
send_bg confirm step=1
until_ says 'stream 1'
send_bg confirm step=3
until_ says 'stream 1'
was=$nonce
nonce=$(hex32)
request confirm step=2 >"$work/in"
setsid -w sh -c "$remote" <"$work/in" >"$work/other" 2>&1
ok 'another nonce: refused' grep -qa "^@$was refused bad nonce" "$work/other"
nonce=$was
request confirm >"$work/in"
setsid -w sh -c "$remote" <"$work/in" >"$work/other" 2>&1
ok 'no step: refused' grep -qa "^@$nonce refused bad step" "$work/other"
send resume
ok 'a resume, another step: no confirmation' recorded "$ahead; await 2 4; end 2 timed-out confirm 0; $back"
send confirm step=2
ok 'too late: what came of it is told' is "$ahead; await 2 4; end 2 timed-out confirm 0; $back"

# A session that was there before: its shell waits for what to send.
make 6
mkfifo "$work/slow"
setsid -w sh -c "$remote" <"$work/slow" >"$work/old" 2>&1 &
old=$!
exec 6>"$work/slow"
start_bg
awaits
request confirm step=2 >&6
exec 6>&-
wait "$old"
ok 'a session older than the end of the step: refused' grep -qa "^@$nonce refused early this login is older than the end of step 2" "$work/old"
wait "$sender"
ok '... and no confirmation' recorded "$ahead; await 2 6; end 2 timed-out confirm 0; $back"

# A new session of an old login, as one that is shared: its parent is an sshd.
cat >"$work/sshd" <<END
#!/bin/sh
until test -s $work/in.old; do sleep 0.05; done
setsid -w sh -c '$remote' <$work/in.old >$work/old 2>&1
:
END
make 6
rm -f "$work/in.old"
start_bg
awaits
# a copy under that name, since its name is what is looked at
cp /bin/dash "$work/sshd-session"
"$work/sshd-session" "$work/sshd" &
old=$!
sleep 0.05
request confirm step=2 >"$work/in.new"
mv "$work/in.new" "$work/in.old"
wait "$old"
wait "$sender"
ok 'a login that came after it confirms' recorded "$ahead; await 2 6; end 2 done confirm 0; start 3; run 3 1; end 3 done run 0; verdict succeeded"
make 6
rm -f "$work/in.old"
"$work/sshd-session" "$work/sshd" &
old=$!
sleep 0.05
start_bg
awaits
request confirm step=2 >"$work/in.new"
mv "$work/in.new" "$work/in.old"
wait "$old"
ok 'one that was there before does not, with a session of its own' grep -qa "^@$nonce refused early" "$work/old"
wait "$sender"
ok '... it is undone' recorded "$ahead; await 2 6; end 2 timed-out confirm 0; $back"

# --- crashes

dies() {
	kill -KILL "$(executor)"
	wait "$sender" || :
}
make 60 "setsid sleep 600 >/dev/null 2>&1 & echo \$! >$work/daemon"
start_bg
awaits
dies
send_bg resume
until_ grep -q 'life 2' "$spool/jobs/$job/events"
sleep 1.2
ok 'who takes over waits on' recorded "$ahead; await 2 60; life 2"
ok '... what the step has left running is left alone' test -e "/proc/$(cat "$work/daemon")/cwd"
follower=$sender
send confirm step=2
wait "$follower"
ok '... and it can be confirmed' recorded "$ahead; await 2 60; life 2; end 2 done confirm 0; start 3; run 3 1; end 3 done run 0; verdict succeeded"
kill "$(cat "$work/daemon")"

make 60
start_bg
awaits
dies
send confirm step=2
ok 'one that is dead: confirmed and taken over at once' recorded "$ahead; await 2 60; life 2; end 2 done confirm 0; start 3; run 3 1; end 3 done run 0; verdict succeeded"

make 3
start_bg
awaits
dies
begun=$(date +%s)
send resume
ok 'who takes over waits for the rest of the time' recorded "$ahead; await 2 3; life 2; end 2 timed-out confirm 0; $back"
ok '... no longer' test $(($(date +%s) - begun)) -le 8

make 1
start_bg
awaits
dies
sleep 1.2
send confirm step=2
ok 'a confirmation that comes too late is none, though nobody was there' recorded "$ahead; await 2 1; life 2; end 2 timed-out confirm 0; $back"

make 60
start_bg
awaits
kill -TERM "$(executor)"
wait "$sender" || :
ok 'TERM leaves it open' recorded "$ahead; await 2 60"
send_bg resume cancel=bob
wait "$sender"
ok '... and a cancel undoes it' recorded "$ahead; await 2 60; life 2; cancel bob; end 2 interrupted confirm 0; $back"

# the record was cut between a cancel and the end of its step
make 60
start_bg
awaits
dies
last=$(tail -n 1 "$spool/jobs/$job/events" | tr -d '\0')
n=${last%% *}
now=${last#* }
sed -i "\$s/.*/$last\n$((n + 1)) ${now%% *} cancel ann/" "$spool/jobs/$job/events"
send resume
ok 'a cancel without its end: interrupted' recorded "$ahead; await 2 60; cancel ann; life 2; end 2 interrupted confirm 0; $back"

# --- another boot: the clock tells the time that is left

boot_of() {	# the first life's boot, and a time for it
	sed -i "s/^\(1 [0-9]* life 1\) .*/\1 0000-other $1/" \
		"$spool/jobs/$job/events"
}
make 60
start_bg
awaits
dies
boot_of "$(date +%s)"
send confirm step=2
ok 'after a reboot, in time' recorded "$ahead; await 2 60; life 2; end 2 done confirm 0; start 3; run 3 1; end 3 done run 0; verdict succeeded"
make 60
start_bg
awaits
dies
boot_of "$(($(date +%s) - 70))"
send confirm step=2
ok 'after a reboot, too late' recorded "$ahead; await 2 60; life 2; end 2 timed-out confirm 0; $back"
make 2
start_bg
awaits
dies
boot_of "$(($(date +%s) + 100000))"
send resume
ok 'a clock set back gives no more time than there was' recorded "$ahead; await 2 2; life 2; end 2 timed-out confirm 0; $back"

# --- plan does not ask
new
does true true
confirm 60
printf 's_end 1\n' >>"$prog"
send plan
ok 'a plan neither runs nor waits' says 'plan 1 unknown 0'
finish
