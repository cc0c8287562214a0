#!/bin/sh
# queue_act.t - towerify-queue cancel and retry
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

queue=towerify-queue
tower_sshd
tower_hosts 2
cd "$work"
cat >hello.yaml <<'END'
towerify: 1
title: Say hello
params:
  whom: {type: string, default: world}
  door: {type: string}
steps:
  - {name: say hello, run: 'echo "hello, $whom, $door"', undo: nothing}
END
cat >slow.yaml <<END
towerify: 1
title: Waits
steps:
  - {name: before, run: "true", undo: touch $work/undone}
  - name: waits
    run: |
      touch $work/started
      until test -e $work/go; do sleep 0.05; done
    undo: nothing
END

# --- cancel ---------------------------------------------------------------------------

quietly "$queue" add h1,h2,h1 hello.yaml
quietly "$queue" add h1 hello.yaml
try "$queue" cancel 2
is 'cancel: what waits ends now' 0 '' 'change 2 is cancelled'
try "$queue" list --all --tsv -n -o id,reason,status
is '... and says by whom' 0 "1		queued
2	cancelled by $me	cancelled
3		queued" ''
try "$queue" cancel 2
is 'cancel again: it changes nothing and says so' 1 '' "towerify-queue: \
change 2 has ended or is being undone: nothing was changed"
try "$queue" cancel 99 1 2
is 'cancel several: the others go on' 1 '' "towerify-queue: no change 99
change 1 is cancelled
towerify-queue: change 2 has ended or is being undone: nothing was changed"
echo 3 >ids
try "$queue" -q cancel - <ids
is 'cancel -: ids from stdin, -q in silence' 0 '' ''
try "$queue" cancel one
is 'cancel: no number' 2 '' "towerify-queue: 'one' is not a number"
try "$queue" abandon 3
is 'abandon: not without a reason' 2 '' \
	"towerify-queue: abandon needs --reason TEXT: why is the change lost?"
try "$queue" abandon 3 --reason ''
is '... nor with none' 2 '' \
	"towerify-queue: abandon needs --reason TEXT: why is the change lost?"
try "$queue" abandon 3 --reason burnt
is 'abandon: what does not run' 1 '' \
	'towerify-queue: change 3 is not running, but cancelled'

quietly "$queue" add h1 slow.yaml
towerify-run >pass.out 2>&1 &
pass=$!
ok 'a change runs' until_ test -e "$work/started"
try "$queue" cancel 4
is 'cancel: what runs is told to stop' 0 '' \
	'change 4 runs: its host is told to stop and to undo it'
status=0
wait "$pass" || status=$?
ok '... it is rolled back' test "$status" -eq 3
ok '... its steps are undone' test -e "$work/undone"
try "$queue" list --all --tsv -n -o status,reason h1
like '... and says by whom' 0 "*rolled-back	*cancelled by $me*" ''
try "$queue" show 4 -o cancelled_by --tsv -n
is '... in a column, too' 0 "$me" ''

# The tower goes away with a change under way, which is then given up.
rm -f started
quietly "$queue" add h2 slow.yaml
towerify-run >pass.out 2>&1 &
pass=$!
ok 'another one runs' until_ test -e "$work/started"
kill -TERM "$pass"
status=0
wait "$pass" || status=$?
ok 'SIGTERM detaches the pass: 5' test "$status" -eq 5
try "$queue" abandon 5 --reason 'the host burnt down'
is 'abandon' 0 '' 'change 5 is given up, its host is held: nobody knows how far it came'
try "$queue" list --all --tsv -n -o id,status,reason --status unknown
like '... the state is unknown' 0 '5	unknown	*the host burnt down*' ''
try towerify-host list -n -o status,held_by h2
is '... the host is held' 0 "held $me" ''
try "$queue" wait 5
is '... 4, the worst' 4 '' ''
touch "$work/go"

# --- retry ----------------------------------------------------------------------------

quietly "$queue" add h1 hello.yaml -p whom=you -p door=open --reason because \
	--run --wait
try "$queue" retry 6
is 'retry: a new id' 0 7 ''
try "$queue" show 7 -J
json '... of the same' '.title == "Say hello" and .retry_of == 6 and
	.params == {"whom": "you", "door": "open"} and .why == "because"'
try "$queue" retry 7
is 'retry: not before the end' 1 '' \
	'towerify-queue: change 7 has not ended'
try "$queue" retry 6 -p whom=her
is 'retry -p: another value' 0 8 ''
try "$queue" show 8 -J
json '... the others stay' '.params == {"whom": "her", "door": "open"}'
printf 'wide' >door
try "$queue" retry 6 -p door@door
is 'retry -p K@FILE' 0 9 ''
try "$queue" retry 6 -p wohm=x
is 'retry: a parameter that is none' 2 '' \
	"towerify-queue: unknown parameter 'wohm'
hint: did you mean 'whom'?"
quietly towerify-run
try "$queue" log 7
like 'they run: the same' 0 '*hello, you, open' ''
try "$queue" log 8
like '... with the other value' 0 '*hello, her, open' ''
try "$queue" log 9
like '... from the file' 0 '*hello, you, wide' ''
try "$queue" retry 2
is 'retry: of what was cancelled' 0 10 \
	'note: h2 is held: change 5 was abandoned'

echo first >content
printf 'towerify: 1\nsteps:\n  - file: {path: %s/made, source: content}\n' \
	"$work" >source.yaml
quietly "$queue" add h1 source.yaml --run --wait
echo second >content
rm -f made
quietly "$queue" retry 11
quietly towerify-run
try cat made
is 'retry: files as they were' 0 first ''
try "$queue" retry 11 -p x=1
like '... and with -p they would have to be read again' 65 '' '*source*'

towerify-host hold h1 --reason tea
try "$queue" retry 6
is 'retry: a held host is mentioned' 0 13 'note: h1 is held: tea'
towerify-host -q remove h1
try "$queue" retry 6
is 'retry: the host is gone' 1 '' "towerify-queue: no host 'h1'"
finish
