#!/bin/sh
# queue_look.t - towerify-queue list, show, log, why, wait: what became of it
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

queue=towerify-queue
tower_sshd
tower_hosts 3
cd "$work"

file() {	# file NAME: a change file from stdin
	{
		echo 'towerify: 1'
		cat
	} >"$1.yaml"
}
file good <<'END'
title: Good
steps:
  - {name: hello, run: echo hello, undo: nothing}
END
file fail <<'END'
title: Fails
steps:
  - {name: one, run: echo one, undo: echo back}
  - name: two
    run: |
      echo oops >&2
      exit 7
    undo: nothing
END
file worse <<'END'
title: Fails, and can't be undone
steps:
  - {name: one, run: exit 1, undo: impossible}
END
file slow <<END
title: Waits
steps:
  - name: waits
    run: |
      echo it waits
      touch $work/started
      until test -e $work/go; do sleep 0.05; done
      echo it went
    undo: nothing
END

quietly "$queue" add h1 good.yaml --reason because --run
quietly "$queue" add h1 fail.yaml --run
quietly "$queue" add h2 worse.yaml --run
quietly "$queue" add h2 good.yaml
quietly "$queue" add h1 good.yaml --key k1
quietly "$queue" add h1 good.yaml --not-before 2030-01-01T00:00:00Z
quietly "$queue" add h3 good.yaml
quietly "$queue" cancel 7
quietly "$queue" retry 1

# --- list -------------------------------------------------------------------------

try "$queue" list -o id,host,status,step,steps,title
is 'list: what is pending' 0 'ID HOST STATUS STEP OF TITLE
 4 h2   held      0  1 Good
 5 h1   queued    0  1 Good
 6 h1   queued    0  1 Good
 8 h1   queued    0  1 Good' ''
try "$queue" list --all --tsv -n -o id,retry_of,key,step,status
is 'list --all: the ended ones too' 0 "1			1	succeeded
2			2	rolled-back
3			1	failed
4			0	held
5		k1	0	queued
6			0	queued
7			0	cancelled
8	1		0	queued" ''
try "$queue" list --all -n -o id h2,h3
is 'list TARGETS' 0 "3${newline}4${newline}7" ''
try "$queue" list --limit 2 -n -o id
is 'list --limit: the first ones, and where to go on' 0 "4${newline}5" \
	'there are more: --after 5'
try "$queue" list --limit 2 --after 5 -n -o id
is 'list --after: those behind it' 0 "6${newline}8" ''
try "$queue" list --limit 1 --after 4 h2,h3 --all -n -o id
is '... of some hosts' 0 7 ''
try "$queue" list --limit 1 --status queued -n -o id
is '... of a status' 0 5 'there are more: --after 5'
try "$queue" list 'h9,x*'
like 'list: unknown hosts' 1 '' 'towerify-queue: *h9*'
for pair in queued:5,6,8 held:4 running: succeeded:1 rolled-back:2 failed:3 \
	cancelled:7 unknown: held,failed:3,4 queued,held:4,5,6,8; do
	try "$queue" list --status "${pair%:*}" -n -o id --tsv
	is "list --status ${pair%:*}" 0 \
		"$(echo "${pair#*:}" | tr ',' '\n')" ''
done
try "$queue" list --status queued h2 -n -o id
is 'list --status, of some hosts' 0 '' ''
try "$queue" list --status gone
is 'list: a status that is none' 2 '' "towerify-queue: 'gone' is not a status: \
queued, held, running, succeeded, rolled-back, failed, cancelled, unknown"
try "$queue" list --all -J
json 'list -J: typed' '.schema == 1 and (.changes | length) == 8 and
	(.changes[0] | .id == 1 and .step == 1 and .time >= 0 and
	.why == "because" and .key == null and (.uid | length) == 32)'

# --- show --------------------------------------------------------------------------

try "$queue" show 2 -o id,host,status,title,reason,operator,after_failure,params
is 'show: lines that are asked for' 0 "ID:            2
Host:          h1
Status:        rolled-back
Title:         Fails
Reason:        step 2 'two': run failed, exit status 7
Operator:      $me
After failure: go-on
Parameters:    {}" ''
try "$queue" show 2
like 'show: the steps below' 0 'ID: *

STEP NAME STATE  BY  CODE TRIES UNDO *TIME BYTES
   1 one  done   run    0     1 done*
   2 two  failed run    7     1 *' ''
try "$queue" show 2 -J
json 'show -J: one object with its steps' '.schema == 1 and .id == 2 and
	(.steps | length) == 2 and (.steps[0] | .state == "done" and
	.undo == "done" and .attempts == 1 and .undo_code == 0) and
	(.steps[1] | .state == "failed" and .code == 7 and .bytes == 5 and
	.decided == "run" and (.hash | length) == 64)'
try "$queue" show 4
like 'show: what waits' 0 '*Status: *held*hello waiting *' ''
for word in 0 -1 x 1x '' 01 99999999999999999999; do
	try "$queue" show -- "$word"
	is "show '$word': no number" 2 '' \
		"towerify-queue: '$word' is not a number"
done
for verb in show log why wait cancel retry; do
	try "$queue" "$verb" 99
	is "$verb: an unknown change" 1 '' 'towerify-queue: no change 99'
done

# --- why: for every state -----------------------------------------------------------

at='20??-??-?? ??:??:??'
try "$queue" why 1
like 'why: succeeded' 0 "it ended: succeeded at $at" ''
try "$queue" why 2
like 'why: rolled back' 0 "it ended: rolled-back at $at: step 2 'two': run \
failed, exit status 7" ''
try "$queue" why 3
like 'why: failed' 0 "it ended: failed at $at: step 1 'one': run failed, exit \
status 1; undo of step 1 impossible" ''
try "$queue" why 7
is_at=$(sed 's/.* at \(.*\): .*/\1/' "$work/out")
is 'why: cancelled' 0 "it ended: cancelled at $is_at: cancelled by $me" ''
try "$queue" why 4
like 'why: its host is held' 0 "h2 is held since $at by tower: change 3: step \
1 'one': run failed*" ''
try "$queue" why 5
like 'why: next' 0 "it is next on its host and waits for a pass \
(towerify-run), since $at" ''
try "$queue" why 6
is 'why: not yet' 0 'it joins the queue at 2030-01-01 00:00:00' ''
try "$queue" why 8
is 'why: behind another' 0 'it waits behind 1 other on h1, first change 5' ''
quietly "$queue" add h3 good.yaml --not-after 2040-01-01T00:00:00Z
try "$queue" why 9
like 'why: it will expire' 0 '*; it expires at 2040-01-01 00:00:00' ''

cp "$work/sshd/authorized_keys" keys
: >"$work/sshd/authorized_keys"
quietly tower_host new
cp keys "$work/sshd/authorized_keys"
quietly "$queue" add new good.yaml
try "$queue" why 10
is 'why: the host was never reached' 0 \
	'the tower has never logged in to new: run towerify-host check new' ''
quietly "$queue" cancel 10

towerify-host set h3 port=1
quietly towerify-run --hosts h3
try "$queue" why 9
like 'why: the host is unreachable' 0 "h3 can't be reached: *refused; next \
attempt at $at; it expires at 2040-01-01 00:00:00" ''
towerify-host set h3 "port=$port"
quietly "$queue" cancel 9 6

# --- a change that runs ---------------------------------------------------------------

quietly "$queue" add h1 slow.yaml
towerify-run --hosts h1 >pass.out 2>&1 &
pass=$!
ok 'a change runs' until_ test -e "$work/started"
running() {
	[ "$("$queue" list -n -o status --status running)" = running ]
}
ok '... list says so' until_ running
in_step() {
	"$queue" why 11 | grep -q 'step 1'
}
ok '... its step shows' until_ in_step
try "$queue" why 11
like 'why: it runs' 0 "it runs since $at, step 1 of 1" ''
try "$queue" list -n -o id,status,step,steps h1
is 'list: running, no step has ended' 0 '11 running 0 1' ''
try towerify-host list -n -o status,running,queued h1
is '... and so does the host' 0 'running 11 0' ''
try "$queue" wait 11 --timeout 50ms
is 'wait: not yet: 5' 5 '' ''
try "$queue" wait 1 2 11 --timeout 0s
is 'wait: rolled back is worse than not yet: 3' 3 '' ''

"$queue" log 11 -f >log.out 2>log.err &
log=$!
ok 'log -f shows what is there' until_ grep -q 'it waits' log.out
"$queue" wait 11 &
waiter=$!
touch "$work/go"
ok 'log -f ends with the change' wait "$log"
status=$?
ok 'wait ends with the change, exit status 0' wait "$waiter"
ok 'the pass ends' wait "$pass"
tried='log -f'
status=0
cp log.out out
cp log.err err
is '... having shown everything once' 0 '== step 1: waits
it waits
it went' ''

# --- wait -----------------------------------------------------------------------------

for pair in '1:0' '2:3' '3:4' '7:1' '1 2:3' '2 3:4' '1 7:1' '7 2:3' '7 4:5'; do
	# shellcheck disable=SC2086 # numbers
	try "$queue" wait ${pair%:*} --timeout 0s
	is "wait ${pair%:*}: exit status ${pair#*:}" "${pair#*:}" '' ''
done
try "$queue" wait - <<'END'
1
11
END
is 'wait -: ids from stdin' 0 '' ''
try "$queue" wait 1,2
is 'wait: ids with a comma' 3 '' ''
try "$queue" wait - </dev/null
is 'wait: no id at all' 2 '' 'towerify-queue: no change was named'
try "$queue" wait 1 99
is 'wait: one is unknown' 1 '' 'towerify-queue: no change 99'
try "$queue" wait 1 --timeout soon
like 'wait: a duration that is none' 2 '' "towerify-queue: bad duration 'soon'*"

# Ctrl-C stops waiting, never the change.
"$queue" wait 4 &
waiter=$!
caught() {	# it has a handler of SIGINT (bit 2)
	caught=$(sed -n 's/^SigCgt:.*\(.\)$/\1/p' "/proc/$waiter/status")
	case $caught in 2 | 3 | 6 | 7 | [abef]) return 0 ;; esac
	return 1
}
ok 'wait waits' until_ caught
kill -INT "$waiter"
status=0
wait "$waiter" || status=$?
ok 'Ctrl-C ends it with 5' test "$status" -eq 5
try "$queue" list -n -o id h2
is '... the change is still there' 0 4 ''

# --- log --------------------------------------------------------------------------------

file loud <<'END'
title: Loud
steps:
  - name: colours
    run: printf 'a\033[31mred\033[m\n\007\rb\r\nc\303\251\377\n'
    undo: nothing
  - name: bytes
    run: printf 'a\tb\\n\0c'
    undo: nothing
END
quietly "$queue" add h1 loud.yaml --run --wait
try "$queue" log 2
is 'log: each step and undo under its name' 0 '== step 1: one
one
== step 2: two
oops
== undo of step 1: one
back' ''
try "$queue" log 12
is 'log: escaped' 0 '== step 1: colours
a\x1b[31mred\x1b[m
\x07\rb
cé\xff
== step 2: bytes
a	b\n\x00c' ''
try env LC_ALL=C "$queue" log 12
like 'log: plain ASCII where the locale is no more' 0 '*c\\u00e9\\xff*' ''
try "$queue" log 12 -J
json 'log -J: an object a line' 'type == "object" and .k > 0 and
	(.phase == "do")'
is '... as many as there are pieces' 0 "$(cat out)" ''
try "$queue" log 12 -J
if command -v jq >/dev/null; then
	jq -j 'select(.k == 2) | .data' out >data
	printf 'a\tb\\n\0c' >wanted
	ok '... with the very bytes' cmp data wanted
else
	skip '... with the very bytes' 'no jq'
fi
try "$queue" log 12 --tsv -o k,data
# In how many pieces it came is chance.
tr '\0' @ <out | awk -F '\t' '
	NR > 1 && $1 == k { printf "%s", $2; next }
	{ printf "%s%s", (NR > 1 ? "\n" : ""), $0; k = $1 }
	END { print "" }' >joined
mv joined out
printf '1\ta\033[31mred\033[m\\n\007\\rb\\r\\nc\303\251\377\\n\n' >wanted
printf '2\ta\\tb\\\\n@c\n' >>wanted
is 'log --tsv: the bytes, escaped as TSV is' 0 "k	data
$(cat wanted)" ''
try "$queue" log 4
is 'log: nothing yet' 0 '' ''
try "$queue" log 1 -f
is 'log -f: of what has ended' 0 '== step 1: hello
hello' ''
finish
