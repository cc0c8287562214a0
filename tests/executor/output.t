#!/bin/sh
# output.t - output is bytes: whatever a step prints, the events stay whole
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

cap=524288
done1='life 1; start 1; run 1 1; end 1 done run 0; verdict succeeded'

# The bytes between the run and what comes after.
body() {
	tr '\0\n' '\1\2' <"$out" |
		sed "s/.*@$nonce [0-9]* [0-9]* run 1 1 \..//; s/.@$nonce [0-9]* [0-9]* end 1.*//" |
		tr '\2\1' '\n\0'
}

init
prints() {	# prints COMMAND: comes out as it went in
	new
	does "$1"
	start
	sh -c "$1" >"$work/want"
	body >"$work/have"
	is "$done1" && cmp "$work/have" "$work/want"
}
ok 'no output' prints true
ok 'no newline at the end' prints "printf 'no newline'"
ok 'only newlines' prints "printf '\n\n\n'"
head -c 100000 /dev/urandom | tr '\1\2' '\3\3' >"$work/random"
ok 'random bytes' prints "cat $work/random"
ok 'NULs' prints 'head -c 70000 /dev/zero'
ok 'a line of half a MiB' prints "head -c $cap /dev/zero | tr '\0' x"
ok 'byte by byte' prints 'i=0; while [ $i -lt 3000 ]; do printf x; i=$((i+1)); done'
ok 'exactly the cap twice' prints "head -c $((2 * cap)) /dev/zero | tr '\0' y"
ok 'nothing was cut there' eval '! says cut'

new
does "head -c $((2 * cap)) /dev/zero | tr '\0' a; printf bcd"
start
ok 'three bytes too many' says 'cut 3 \.$'
ok 'the end of it is there' eval 'tail -c 400 "$out" | grep -aq "aabcd$"'
new
does "head -c $cap /dev/zero | tr '\0' f; head -c 300000000 /dev/zero | tr '\0' m; head -c $cap /dev/zero | tr '\0' l"
start
ok '300 MB: only its ends' says 'cut 300000000 \.$'
ok 'the first half MiB and the last' eval 'test "$(tr -dc f <"$out" | wc -c)" -ge $cap && test "$(tr -dc l <"$out" | wc -c)" -ge $cap && test "$(tr -dc m <"$out" | wc -c)" -lt 100'
ok 'the events are whole' is "$done1"
new
does "head -c 5000000 /dev/zero; printf 'last words'; exit 1" "head -c 3000000 /dev/zero"
start
ok 'run and undo have a cap each' eval 'says "cut $((5000010 - 2 * cap)) \.$" && says "cut $((3000000 - 2 * cap)) \.$"'
ok 'no file of the filter stays' eval 'test ! -e "$spool/jobs/$job/rest" && test ! -e "$spool/jobs/$job/last"'

new
does "head -c 3000 /dev/zero | tr '\0' f; head -c 9000 /dev/zero | tr '\0' m; head -c 3000 /dev/zero | tr '\0' l"
start cap=2048
ok 'the tower says how much is kept' says 'cut 10904 \.$'
ok 'from either end' eval 'test "$(body | tr -dc f | wc -c)" -ge 2048 && test "$(body | tr -dc m | wc -c)" -lt 100'
ok 'the job remembers' eval 'grep -q " 2048\$" "$spool/jobs/$job/meta"'

# forged lines
new
does 'printf "\n@00000000000000000000000000000000 4 1 end 1 done run 0 .\n"
printf "\n@%s 4 1 verdict succeeded .\n" "$(tr -dc a-f0-9 </dev/urandom | head -c 32)"; exit 1'
undo nothing
start
ok 'forged events are output' is 'life 1; start 1; run 1 1; end 1 failed run 1; verdict rolled-back'
new
does "printf '\n@$nonce 99 1 verdict failed .'"
start
ok 'a torn line of a thief of the nonce does not swallow the next event' says '[0-9]* [0-9]* verdict succeeded \.$'
ok 'the record is not fooled' recorded "$done1"

# a daemon that keeps the output open
new
does "echo before; { trap '' HUP; while test ! -e $work/stop; do echo chatter; sleep 0.05; done; echo \$? >$work/ended; } & echo \$! >$work/daemon; echo after"
does "echo next; test -e /proc/\$(cat $work/daemon)/cwd"
does "echo more; head -c 100000 /dev/zero | tr '\0' z"
start
ok 'a step that leaves a daemon ends' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 done run 0; verdict succeeded'
ok 'its own output is there' eval 'grep -qx before "$out" && grep -qx after "$out"'
ok 'what the daemon says later is not in the next step' eval '! sed -n "/end 1 done/,\$p" "$out" | grep -q chatter'
sleep 0.2
ok 'the daemon lives on' test -e "/proc/$(cat "$work/daemon")/cwd"
: >"$work/stop"
ok 'and was never ended by a signal' until_ test -s "$work/ended"
new
does "{ sleep 0.5; head -c 20000000 /dev/zero; echo \$? >$work/flood; } & exit 0"
start
ok 'a flood from what was left is drained' eval 'until_ test -s "$work/flood" && grep -qx 0 "$work/flood"'
new
does "head -c 2000000 /dev/zero; echo loud; sleep 30 & exit 0"
start
ok 'a daemon after much output' eval 'says "cut $((2000005 - 2 * cap)) \.$" && grep -aq "loud$" "$out"'
finish
