#!/bin/sh
# run.t - towerify-run: a pass, what it says and to whom, signals, --watch,
# --status
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

run=towerify-run
queue=towerify-queue
tower_sshd
tower_hosts 3
cd "$work"
esc=$(printf '\033')

file() {	# file NAME: a change file from stdin
	{
		echo 'towerify: 1'
		cat
	} >"$1.yaml"
}
file good <<'END'
title: Good
steps:
  - {name: one, run: echo one, undo: nothing}
  - {name: two, run: echo two, undo: nothing}
END
file fail <<'END'
title: Fails
steps:
  - {name: one, run: exit 7, undo: nothing}
END
file worse <<'END'
title: Fails for good
steps:
  - {name: one, run: exit 7, undo: impossible}
END
# Each start is a line in started; it goes on once go is there.
file slow <<END
title: Waits
steps:
  - name: waits
    run: |
      echo \$TOWERIFY_CHANGE >>$work/started
      until test -e $work/go; do sleep 0.05; done
    undo: nothing
END
started() {	# started CHANGE
	grep -qx "$1" "$work/started"
}
is_busy() {
	"$run" --status --tsv -n -o running | grep -qx true
}
: >started

# --- nothing to do ------------------------------------------------------------------

try "$run" --status
is 'status: a line' 1 'trouble: no pass has ended yet' ''
try "$run" --status --tsv -n -o running,started,ended,status
is 'status: no pass has ended yet: 1' 1 'false			' \
	'no pass has ended yet'
cp "$TOWERIFY_STATE/state.db" before
try "$run" --within 5m
is '--within is about --status' 2 '' 'towerify-run: --within needs --status'
try "$run" --status --within 5
like '... a duration' 2 '' "towerify-run: bad duration '5': *"
try "$run"
is 'nothing is due: silence' 0 '' ''
sleep 0.1
try "$run" --status --within 1ms -o status --tsv -n
like 'status: none has ended so lately: 1' 1 0 'no pass has ended for *'
try "$run" -v
is '... with -v, too' 0 '' ''
ok '... nothing is written to the state' \
	cmp before "$TOWERIFY_STATE/state.db"
try "$run" --status
like 'status: a line, which says it first' 0 "well: the last pass ended 0.*s \
ago: 0 succeeded, 0 rolled back, 0 failed, 0 unreachable" ''
try "$run" --status --within 1ms
like '... when not, too' 1 'trouble: no pass has ended for 0.*s; the last pass *' ''
try "$run" --status -J
json 'status: when and how the last pass ended' '.schema == 1 and
	.running == false and .status == 0 and .succeeded == 0 and
	(.started <= .ended) and (.ended | test("Z$"))'
is '... 0, it went well' 0 "$(cat out)" ''

# --- what is said where nobody watches ------------------------------------------------

quietly "$queue" add h1,h2 good.yaml
try "$run"
is 'good news is no news' 0 '' ''
try "$run" --status -o status,succeeded,rolled_back,failed --tsv -n
is 'status: what became of the changes' 0 '0	2	0	0' ''

quietly "$queue" add h1 good.yaml
try "$run" -v
is '-v: nothing on stdout' 0 '' "$(cat err)"
time='time=20[0-9-]*T[0-9:.]*Z'
grep -vE "^$time change=3 host=h1 step=[12]? status=[a-z-]+\$" err >wrong || :
ok '-v: key=value lines alone' test ! -s wrong
for line in 'step=1 status=running' 'step=1 status=done' \
	'step=2 status=done' 'step= status=succeeded'; do
	ok "... $line" grep -q " change=3 host=h1 $line\$" err
done

quietly "$queue" add h1 fail.yaml
try "$run"
is 'rolled back: a line, 3' 3 '' \
	"h1: change 4 was rolled back: step 1 'one': run failed, exit status 7"
try "$run" --status -o status,rolled_back --tsv -n
is 'status: 1 when it did not go well' 1 '3	1' 'the last pass exited with 3'
quietly "$queue" add h1 fail.yaml
try "$run" -v
like '... with -v as key=value' 3 '' '*change=5 host=h1 step=1 status=failed*
*step= status=rolled-back'
quietly "$queue" add h2 worse.yaml
try "$run"
is 'failed: the host is held, 4' 4 '' "h2: is held: change 6: step 1 'one': \
run failed, exit status 7; undo of step 1 impossible"
quietly "$queue" add h2 good.yaml
try "$run"
is 'a held host is passed over in silence' 0 '' ''
try "$run" --status
like 'status: it wants a person' 1 \
	'trouble: 1 host is held and wants a person; the last pass *' ''
try "$run" --status --tsv -n -o status,held
is '... columns' 1 '0	1' '1 host is held and wants a person'
quietly towerify-host release h2
try "$run"
is '... until it is released' 0 '' ''
try "$queue" list
is '... all is done then' 0 '' ''

towerify-host set h3 port=1
quietly "$queue" add h3,h1 good.yaml
try "$run"
is 'an unreachable host alone is no news' 0 '' ''
try "$queue" list -n -o id,host,status --tsv
is '... its change waits, the others do not' 0 '8	h3	queued' ''
try "$run" --status --tsv -n -o unreachable,succeeded
is '... it is counted' 0 '1	1' ''
reach_h3() {	# at once: not after the growing delay
	quietly towerify-host set h3 "port=$port"
	quietly towerify-host hold h3
	quietly towerify-host release h3
}
reach_h3
try "$run"
is '... until it is reached' 0 '' ''
try "$queue" list
is '... all is done then' 0 '' ''

cp "$work/sshd/authorized_keys" keys
: >"$work/sshd/authorized_keys"
quietly "$queue" add h1 good.yaml
try "$run"
like 'the login is refused: a person must act, 5' 5 '' \
	'h1: is held: login as * refused*'
cp keys "$work/sshd/authorized_keys"
try "$queue" why 10
like '... why says it' 0 'h1 is held since * by tower: login as *' ''
quietly towerify-host release h1
quietly "$run"

# --- --hosts, --jobs -----------------------------------------------------------------

quietly "$queue" add h1,h2,h3 good.yaml
try "$run" --hosts 'h[1-2],!h2'
is '--hosts' 0 '' ''
try "$queue" list -n -o host
is '... these alone' 0 "h2${newline}h3" ''
echo h2 >names
try "$run" --hosts - <names
is '--hosts -: from stdin' 0 '' ''
try "$queue" list -n -o host
is '... these alone' 0 h3 ''
try "$run" --hosts h1,h8,h9
is '--hosts: unknown ones' 1 '' 'towerify-run: unknown host: h8, h9'
for n in 0 -1 x 1.5 ''; do
	try "$run" "--jobs=$n"
	is "--jobs '$n'" 2 '' "towerify-run: --jobs must be a whole number from \
1 to 100000, not '$n'"
done
try "$run" --jobs 1
is '--jobs 1' 0 '' ''
try "$run" now
is 'no arguments' 2 '' 'towerify-run: too many arguments
hint: usage: towerify-run [options]'

# --- on a terminal ---------------------------------------------------------------------

quietly "$queue" add h1,h2 slow.yaml
rm -f screen.raw
(
	until_ grep -q 'h1  change 14  step 1/1' screen.raw
	until_ grep -q 'h2  change 15  step 1/1' screen.raw
	touch go
) &
on_terminal '' 'TERM=xterm towerify-run'
wait
ok 'on a terminal: exit status 0' test "$status" -eq 0
for pattern in "h1  change 14  step 1/1  waits" "h2  change 15  step 1/1  waits" \
	'0 done, 2 running, 0 waiting' 'h1 change 14 .*succeeded.* 1 step ' \
	"${esc}\\[32msucceeded"; do
	ok "... shows $(echo "$pattern" | tr -d "$esc\\\\")" \
		grep -q "$pattern" screen
done
quietly "$queue" add h1 good.yaml
on_terminal '' 'NO_COLOR=1 TERM=xterm towerify-run'
ok 'NO_COLOR: it is live without colours' grep -q "$esc\\[K" screen
ok '... it shows' grep -q 'h1 change 16 succeeded 2 steps' screen
ok '... none' sh -c "! grep -q '$esc\\[[0-9;]*m' screen"
quietly "$queue" add h1 good.yaml
on_terminal '' 'TERM=xterm towerify-run --color never'
ok '--color never' grep -q 'h1 change 17 succeeded 2 steps' screen
quietly "$queue" add h1 good.yaml
on_terminal '' 'NO_COLOR=1 TERM=dumb towerify-run --color=always'
ok 'a dumb terminal: plain lines, colours when asked for' \
	grep -q "^h1 change 18 $esc\\[32msucceeded" screen
ok '... nothing moves' sh -c "! grep -q '$esc\\[[KJA]' screen"
quietly "$queue" add h1 good.yaml
on_terminal '' 'TERM=xterm towerify-run -q'
ok '-q: nothing' sh -c '! grep . screen'
quietly "$queue" add h1 good.yaml
on_terminal '' 'TERM=xterm towerify-run -v'
ok '-v: a line a step, too' \
	grep -q 'h1 change 20 step 2/2 done: two' screen
quietly towerify-host set h3 port=1
quietly "$queue" add h3 good.yaml
on_terminal '' 'TERM=xterm towerify-run'
ok 'an unreachable host is news to a person' \
	grep -q 'h3: .*onnection refused' screen
ok '... 75' test "$status" -eq 75
quietly "$queue" cancel 21
reach_h3

# --- two passes, signals ---------------------------------------------------------------

rm -f go
quietly "$queue" add h1 slow.yaml
"$run" >first.out 2>first.err &
pass=$!
ok 'a pass is at work' until_ started 22
try "$run"
is 'a second one leaves in silence' 0 '' ''
try "$run" --status -o running --tsv -n
is 'status: one is at work' 0 true ''
on_terminal '' 'TERM=xterm towerify-run'
ok '... says so on a terminal' grep -qxF \
	'another pass is at work; it takes up what is filed meanwhile' screen
quietly "$queue" add h2 good.yaml
ok '... it does' "$queue" wait 23 --timeout 20s

kill -STOP "$pass"
touch -d '-3 minutes' "$TOWERIFY_STATE/run.lock"
try "$run"
like 'one that has not moved for two minutes is told of: 75' 75 '' \
	'towerify-run: another pass is at work but has not moved for 1?? s'
touch -d '-3 minutes' "$TOWERIFY_STATE/run.lock"
try "$run" --status --within 2m -o running --tsv -n
like '... by --status, too: 1' 1 true \
	'a pass is at work, but has not moved for 3m*'
try "$run" --status --within 10m -o running --tsv -n
is '... unless that is fine' 0 true ''
kill -CONT "$pass"

# The shell ignores SIGINT in what it starts in the background.
kill -TERM "$pass"
status=0
wait "$pass" || status=$?
ok 'SIGTERM detaches it: 5' test "$status" -eq 5
ok '... it says nothing' test ! -s first.err
try "$queue" list -n -o id,status --tsv
is '... the change runs on' 0 '22	running' ''
try "$queue" why 22
like '... why' 0 'it runs since *' ''
touch go
try "$run"
is 'the next pass takes it up' 0 '' ''
try "$queue" list --all --tsv -n -o id,status --status running
is '... to its end' 0 '' ''
ok '... it was started once' test "$(grep -cx 22 started)" -eq 1

# Ctrl-C: from the terminal, as a person gives it.
rm -f go
quietly "$queue" add h1 slow.yaml
mkfifo keys.fifo
(
	exec 3>keys.fifo
	until_ started 24
	printf '\003' >&3
	until_ grep -q 'status' code
) &
status=0
# shellcheck disable=SC2016 # for the inner shell, which gets the signal too
script -q -e -c 'trap : INT; TERM=xterm towerify-run; echo status $? >code' \
	raw <keys.fifo >/dev/null 2>&1 || status=$?
wait
ok 'Ctrl-C detaches it: 5' grep -qx 'status 5' code
try "$queue" list -n -o id,status --tsv
is '... the change runs on' 0 '24	running' ''
touch go
try "$run"
is '... and the next pass takes it up' 0 '' ''
ok '... it was started once' test "$(grep -cx 24 started)" -eq 1

# A killed pass leaves nothing behind that stops the next one.
rm -f go
quietly "$queue" add h1 slow.yaml
"$run" >first.out 2>&1 &
pass=$!
ok 'a pass is at work' until_ started 25
kill -KILL "$pass"
wait "$pass" 2>/dev/null || :
touch go
try "$run"
is 'the next one takes up what a killed one left' 0 '' ''
try "$queue" list --all -n -o id,status --status succeeded h1
like '... to its end' 0 '*25 succeeded' ''

# --- behind a gate ------------------------------------------------------------------

if command -v sqlite3 >/dev/null; then
	org='(SELECT id FROM org)'
	sql "INSERT INTO operator (login, created) VALUES ('mia', 1);
		INSERT INTO member SELECT $org, id, 1 FROM operator
		    WHERE login = 'mia';
		INSERT INTO permit (org_id, num, operator_id, permission,
		    hosts, host, created, created_by) SELECT $org, 100, id,
		    'view', NULL, NULL, 1, 'x' FROM operator
		    WHERE login = 'mia'"
	gated() {
		try env TOWERIFY_OPERATOR=mia "$run" "$@"
	}
	quietly "$queue" add h1 good.yaml
	quietly "$queue" add h2 good.yaml
	gated
	is 'a gate: who may change nothing runs nothing' 77 '' "towerify-run: \
mia may not change any host of organisation 'default'"
	sql "INSERT INTO permit (org_id, num, operator_id, permission,
		    hosts, host, created, created_by) SELECT $org, 101, id,
		    'change', 'h1', 'h1', 1, 'x' FROM operator
		    WHERE login = 'mia'"
	gated --hosts h1,h2
	is '... nor a host where they may not' 77 '' \
		'towerify-run: mia may not change h2'
	gated
	is '... a pass is for the hosts where they may' 0 '' ''
	try "$queue" list -n --tsv -o host,status
	is '... for these alone' 0 'h2	queued' ''
	gated --watch
	is '... --watch is refused' 77 '' "towerify-run: mia may not use \
--watch: it is about the whole tower"
	gated --status
	is '... --status is refused' 77 '' "towerify-run: mia may not use \
--status: it is about the whole tower"
	try env TOWERIFY_OPERATOR=mia "$queue" add h2 - <good.yaml
	is 'a gate: filing where they may not' 77 '' \
		'towerify-queue: mia may not change h2
hint: ask an administrator for: towerify-op grant mia change --on hosts:h2'
	quietly env TOWERIFY_OPERATOR=mia "$queue" add h1 - <good.yaml
	sql 'UPDATE permit SET until = 1 WHERE num = 101'
	quietly "$run"
	try "$queue" list --all -n --tsv -o status,reason h1
	like 'what lost its right is cancelled' 0 \
		'*cancelled	mia may no longer change h1' ''
else
	skip 'behind a gate' 'no sqlite3'
fi

# --- --watch ----------------------------------------------------------------------------

"$run" --watch >watch.out 2>watch.err &
pass=$!
ok '--watch: stays' until_ is_busy
"$queue" add h1,h2 good.yaml >filed
# shellcheck disable=SC2046 # two numbers
ok '... and runs what is filed' "$queue" wait $(cat filed) --timeout 20s
kill -TERM "$pass"
status=0
wait "$pass" || status=$?
ok '... until it is told to end' test "$status" -eq 0
ok '... in silence' test ! -s watch.err
finish
