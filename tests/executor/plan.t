#!/bin/sh
# plan.t - plan asks the checks, and only those
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

init
echo content >"$work/new"
new
s_param p "it's"
step; part check 'echo asked; echo "$p"; test "$p" = "it'\''s"'; part run "touch $work/never"
step; part unless false; part run "touch $work/never"
step; part run "touch $work/never"
step; part check 'no-such-command'; part run "touch $work/never"
step run 1; part check 'sleep 60'; part run "touch $work/never"
step reboot; undo nothing
file "$work/f" - - "$work/new"
file "$work/new" - - "$work/new"
file "$work" - - "$work/new"
step; part check 'echo "$TOWERIFY_HOST"; exit 3'; part run "touch $work/never"
printf 's_end %s\n' "$steps" >>"$prog"
send plan
plan=$(tr -d '\0' <"$out" | sed -n "s/^@$nonce plan //p" | tr '\n' ';')
ok 'what each step would do' test "$plan" = '1 holds 0;2 would 1;3 unknown 0;4 broken 127;5 broken 0;6 unknown 0;7 would 1;8 holds 0;9 broken 126;10 would 3;'
ok 'it ends' says 'over plan'
ok 'with what the checks said' eval "grep -qx asked '$out' && grep -qx \"it's\" '$out' && grep -qx h1 '$out'"
ok 'nothing ran' test ! -e "$work/never"
ok 'nothing was made' test ! -e "$work/f"
ok 'no job was made' test -z "$(ls "$spool/jobs")"
ok 'the spool is as before' test -z "$(ls "$spool/in")"
ok 'a wrong sum is refused' eval 'send plan "textsha=$(hex32)$(hex32)"; says "refused bad"'

# nobody listens: known at the next beat, 10 s later at most
new
does "touch $work/started; until test -e $work/go; do sleep 0.1; done"
printf 's_end 1\n' >>"$prog"
request start >"$work/in.start"
new
step; part check "touch $work/here; sleep 60"; part run true
printf 's_end 1\n' >>"$prog"
request plan >"$work/in.plan"
mkfifo "$work/answer" "$work/answer2"
sh -c "$remote" <"$work/in.plan" >"$work/answer" 2>&1 &
planner=$!
sh -c "$remote" <"$work/in.start" >"$work/answer2" 2>&1 &
follower=$!
(until_ test -e "$work/here") <"$work/answer"
(until_ test -e "$work/started") <"$work/answer2"
ok 'a plan that nobody listens to ends' until_ gone "$planner"
ok 'and what it asked' until_ eval 'test -z "$(tagged "$nonce/")"'
ok 'and leaves nothing' until_ eval 'test -z "$(ls "$spool/in")"'
ok 'a follower to whom nobody listens ends' until_ gone "$follower"
ok 'the executor does not' test -n "$(tagged "/1/run/1")"
touch "$work/go"
finish
