#!/bin/sh
# steps.t - what a step is: checks, attempts, timeouts, cancel, undo
# shellcheck disable=SC2016,SC2119,SC2012 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

init

# --- checks
new
step; part check true; part run "echo ran >>$work/log"; part undo false
step; part unless "test -e $work/made"; part run "touch $work/made"
step; part check "test -e $work/made2"; part run "touch $work/made2"
step; part run "touch $work/made3"; part verify "test -e $work/made3"
step; part unless true; part run "echo ran >>$work/log"; part undo false
start
ok 'checks before and after' is 'life 1; start 1; end 1 unchanged check 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 done verify 0; start 4; run 4 1; end 4 done verify 0; start 5; end 5 unchanged check 0; verdict succeeded'
ok 'what held was not run' test ! -e "$work/log"

new
does true "echo undo1 >>$work/log"
step; part check true; part run false; part undo "echo undo2 >>$work/log"
step; part run true; part verify 'exit 7'; part undo "echo undo3 >>$work/log"
does "echo never >>$work/log"
start
ok 'a verification that fails undoes; what was unchanged is left alone' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; end 2 unchanged check 0; start 3; run 3 1; end 3 failed verify 7; undo 3; undone 3 done 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'the last first' test "$(tr '\n' ' ' <"$work/log")" = 'undo3 undo1 '

broken() {	# broken CHECK STATE CODE
	new
	does true true
	step run 1; part check "$1"; part run "touch $work/never"; part undo false
	start
	is "life 1; start 1; run 1 1; end 1 done run 0; start 2; end 2 $2 check $3; undo 1; undone 1 done 0; verdict rolled-back" && test ! -e "$work/never"
}
ok 'a check that is no command' broken 'no-such-command-here' failed 127
ok 'one that cannot run' broken '/etc/passwd' failed 126
ok 'one that dies' broken 'kill -KILL $$' failed 137
ok 'one that does not end' broken 'sleep 60' timed-out 0

# --- attempts
new
step run 60 2; part check "test -e $work/third"; part undo "echo undo >>$work/log"
part run "echo a >>$work/tries; echo attempt; [ \$(wc -l <$work/tries) -lt 3 ] || touch $work/third"
start
ok 'an attempt that fails is tried again' is 'life 1; start 1; run 1 1; try 1 1 failed verify 1; run 1 2; try 1 2 failed verify 1; run 1 3; end 1 done verify 0; verdict succeeded'
new
step run 60 1; part run "echo b >>$work/two; exit 9"; part undo true
start
ok 'no more often than said' is 'life 1; start 1; run 1 1; try 1 1 failed run 9; run 1 2; end 1 failed run 9; undo 1; undone 1 done 0; verdict rolled-back'
ok 'that was two' lines 2 "$work/two"
new
step run 60 3; part unless "test -e $work/half"; part run "touch $work/half; exit 1"
undo nothing
start
ok 'the check is asked before each attempt' is 'life 1; start 1; run 1 1; try 1 1 failed run 1; end 1 done check 0; verdict succeeded'
new
step run 60 1; part unless "test ! -e $work/odd || exit 126"
part run "touch $work/odd; exit 1"; undo nothing
printf '%s\n' 'exit 1' >"$work/x"
rm -f "$work/odd"
start
ok 'a check that holds at once' is 'life 1; start 1; end 1 unchanged check 0; verdict succeeded'
new
step run 60 1; part unless "test ! -e $work/odd2 || exit 126; exit 1"
part run "touch $work/odd2; exit 1"; part undo true
start
ok 'one that breaks between attempts ends the step, which is undone' is 'life 1; start 1; run 1 1; try 1 1 failed run 1; end 1 failed check 126; undo 1; undone 1 done 0; verdict rolled-back'
new
step run 60 1 1; part run "cut -d . -f 1 /proc/uptime >>$work/when; exit 1"; undo nothing
start
ok 'the delay is waited for' eval '{ read -r a; read -r b; } <"$work/when"; test $((b - a)) -ge 1'

# --- timeouts: the whole tree ends
new
step run 1 1
part run "trap '' TERM; setsid sh -c 'trap \"\" TERM; exec sleep 777' & echo \$! >>$work/pids; sh -c 'sleep 778; :' & echo \$! >>$work/pids; sleep 779"
part undo "for p in \$(cat $work/pids); do ! test -e /proc/\$p/cwd || exit 1; done; echo gone >$work/gone"
start
ok 'a timeout, twice, is undone' is 'life 1; start 1; run 1 1; try 1 1 timed-out run 0; run 1 2; end 1 timed-out run 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'every process had ended by then' test -e "$work/gone"
ok 'none is left' test -z "$(tagged "$job/1/")"
new
for k in a b c d e f g h; do
	s_param "$k" "$(head -c 60000 /dev/zero | tr '\0' x)"
done
step run 1; part run "sleep 780 & sleep 781"; undo nothing
start
ok 'however large its environment' is 'life 1; start 1; run 1 1; end 1 timed-out run 0; verdict rolled-back'
new
step run 1; part run true; part verify 'sleep 60'; part undo 'sleep 60'
start
ok 'verify and undo have it too' is 'life 1; start 1; run 1 1; end 1 timed-out verify 0; undo 1; undone 1 timed-out 0; verdict failed'
ok 'the host is held then' test -e "$spool/held"

# --- held
new; does true; start
ok 'a held host refuses' says "refused held $((seq - 1)) tw1 "
send start unhold=1
ok 'until a person releases it' is 'life 1; start 1; run 1 1; end 1 done run 0; verdict succeeded'
ok 'the mark is gone' test ! -e "$spool/held"

# --- undo kinds
new
step; part run true; undo impossible
step; part run true; undo nothing
does true 'exit 4'
does true true
step; part run true
does 'exit 1'
undo nothing
start
ok 'each kind of undo' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 done run 0; start 4; run 4 1; end 4 done run 0; start 5; run 5 1; end 5 done run 0; start 6; run 6 1; end 6 failed run 1; undone 5 impossible 0; undo 4; undone 4 done 0; undo 3; undone 3 failed 4; undone 1 impossible 0; verdict failed'
new
step; part run false; undo nothing
start unhold=1
ok 'nothing to undo is rolled back' is 'life 1; start 1; run 1 1; end 1 failed run 1; verdict rolled-back'

# --- cancel
cancel_at() {	# cancel_at FILE: while it is there; seq as it is
	until_ test -e "$1"
	request resume cancel=anna >"$work/in.cancel"
	sh -c "$remote" <"$work/in.cancel" >"$work/out.cancel" 2>&1 || :
	wait "$sender" || :
}
new
does true true
step run 60 3; part run "sleep 555 & touch $work/c1; sleep 556"; part undo true
start_bg
cancel_at "$work/c1"
ok 'a cancel ends the step and undoes' is 'life 1; start 1; run 1 1; end 1 done run 0; start 2; run 2 1; cancel anna; end 2 interrupted run 0; undo 2; undone 2 done 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'who cancelled sees it all' has 'cancel anna' "$work/out.cancel"
ok 'no process is left' test -z "$(tagged "$job/")"
new
step; part check "touch $work/c2; sleep 60"; part run "touch $work/never"; part undo false
start_bg
cancel_at "$work/c2"
ok 'in a check there is nothing to undo' is 'life 1; start 1; cancel anna; end 1 interrupted check 0; verdict rolled-back'
new
step run 60 5 60; part run "touch $work/c3; exit 1"; part undo true
start_bg
cancel_at "$work/c3"
ok 'while waiting for the next attempt' is 'life 1; start 1; run 1 1; try 1 1 failed run 1; cancel anna; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'
new
does false "touch $work/c4; sleep 2"
start_bg
cancel_at "$work/c4"
ok 'in the undo it changes nothing' is 'life 1; start 1; run 1 1; end 1 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'
new
does "touch $work/never"
start cancel=anna
ok 'with the start: nothing begins' is 'life 1; cancel anna; verdict rolled-back'
ok 'none of what must not run did' test ! -e "$work/never"

# --- the step's surroundings
new
s_param name "it's \$HOME
and \`two\` lines\\n \"x\""
s_param k ''
s_param n 'n'
does 'env | cut -d = -f 1 | sort | tr "\n" " "; echo
printf "[%s]\n" "$name" "$k" "$n"; echo "$PATH $HOME $SHELL $LC_ALL $DEBIAN_FRONTEND $TOWERIFY_CHANGE $TOWERIFY_HOST $TOWERIFY_STEP"
umask; pwd -P; ls -a; cat; readlink /proc/self/fd/0
ls /proc/self/fd | tr "\n" " "; echo; grep -E "^Sig(Ign|Blk)" /proc/self/status
touch left .hidden; echo $-; test -d "$KEEP"; touch "$KEEP/x"'
does 'ls -A; test ! -e left; echo "kept: $(ls "$KEEP/../1")"'
step; part run 'echo $undefined; echo not this'; undo nothing
start
here=$spool/jobs/$job
ok 'the environment, no more and no less' grep -qx "DEBIAN_FRONTEND HOME KEEP LC_ALL PATH PWD SHELL TOWERIFY_CHANGE TOWERIFY_HOST TOWERIFY_STEP TOWERIFY_TAG USER k n name and _ \|DEBIAN_FRONTEND HOME KEEP LC_ALL PATH PWD SHELL TOWERIFY_CHANGE TOWERIFY_HOST TOWERIFY_STEP TOWERIFY_TAG USER and .two. lines.n \"x\" k n name " "$out"
ok 'a parameter arrives as it was' eval 'grep -qxF "[it'\''s \$HOME" "$out" && grep -qxF "and \`two\` lines\\n \"x\"]" "$out"'
ok 'an empty one is empty' grep -qxF '[]' "$out"
ok 'one may have any name' grep -qxF '[n]' "$out"
ok 'the plain values' has "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin ${HOME} /bin/sh C.UTF-8 noninteractive $seq h1 1"
ok 'umask 022' grep -qx 0022 "$out"
ok 'an empty directory' grep -qx "$here/cwd" "$out"
ok 'stdin is /dev/null' grep -qx /dev/null "$out"
ok 'no descriptor but the three' grep -qx "$(ls /proc/self/fd | tr '\n' ' ')" "$out"
# make ignores 32 and 33 in its children, which nothing in a shell takes back
ok 'no signal is ignored' grep -qE 'SigIgn:.0000000[01][08]0000000' "$out"
ok 'the directory is empty for each step' has 'kept: x'
ok 'an unset variable fails the step' says '[0-9]* [0-9]* end 3 failed run 2 \.$'
ok 'and ends it' eval '! has "not this"'

# --- hundreds of steps
new
i=0
while [ "$i" -lt 120 ]; do
	step; part check true; part run false
	i=$((i + 1))
done
start unhold=1
ok 'many steps' says '[0-9]* [0-9]* verdict succeeded \.$'
finish
