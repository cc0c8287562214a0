#!/bin/sh
# queue_add.t - towerify-queue add: what is filed, and what never is
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

queue=towerify-queue
tower_sshd
tower_hosts 3

cd "$work"
cat >hello.yaml <<'END'
towerify: 1
title: Say hello
params:
  whom: {type: string, default: world, max: 40}
steps:
  - name: say hello
    run: echo "hello, $whom"
    undo: nothing
END

# --- ids and what is said --------------------------------------------------------

try "$queue" add 'h[1-3]' hello.yaml
is 'an id for each host, one a line, nothing else' 0 \
	"1${newline}2${newline}3" ''
try "$queue" add - hello.yaml <<'END'
h3
h1
END
is 'TARGETS from stdin; in their order' 0 "4${newline}5" ''
try "$queue" list -n -o id,host --tsv
is '... for these hosts' 0 "1	h1
2	h2
3	h3
4	h3
5	h1" ''
try "$queue" add h1 - <hello.yaml
is 'FILE from stdin' 0 6 ''
try "$queue" add - - <hello.yaml
is 'not both' 2 '' \
	"towerify-queue: standard input can't be both TARGETS and FILE"
try "$queue" add h1 hello.yaml -p whom=you --reason 'a test' -v
is 'a parameter and a reason' 0 7 ''
try "$queue" show 7 -J
json '... are kept' '.params == {"whom": "you"} and .why == "a test"'
printf 'two words\n' >whom
try "$queue" add h1 hello.yaml -p whom@whom
is '-p K@FILE' 0 8 ''
try "$queue" show 8 -J
json '... all of the file, without its last newline' \
	'.params.whom == "two words"'
try "$queue" add h1 hello.yaml -p whom@- <whom
is '-p K@-: from stdin' 0 9 ''

cat >undo.yaml <<'END'
towerify: 1
steps:
  - {name: first, run: "true"}
  - {name: second, run: "true", undo: nothing}
  - {name: third, run: "true", undo: impossible}
END
try "$queue" add h1 undo.yaml
is 'steps without undo are named' 0 10 \
	"no undo, a failure after these holds the host:
step 1: first
step 3: third, declared impossible"
try "$queue" -q add h1 undo.yaml
is '... not with -q' 0 11 ''
towerify-host hold h2 --reason coffee
try "$queue" add h2,h3 hello.yaml
is 'a held host is mentioned' 0 "12${newline}13" 'note: h2 is held: coffee'
towerify-host release h2
try "$queue" cancel 1 2 3 4 5 6 7 8 9 10 11 12 13
like 'what was filed can be cancelled' 0 '' '*change 13 is cancelled'

# --- nothing is filed on an error --------------------------------------------------

refused() {	# refused TEXT STATUS MESSAGE ARGUMENT…
	text=$1
	wanted=$2
	message=$3
	shift 3
	try "$queue" add "$@" </dev/null
	is "refused: $text" "$wanted" '' "$message"
}
refused 'unknown hosts, all of them named' 1 \
	'towerify-queue: unknown host: nobody, h9' 'h1,nobody,h9' hello.yaml
refused 'bad targets, all of them named' 2 "towerify-queue: bad target \
'h[3-1]': the range runs backwards; 'h[]': empty range" 'h[3-1],h[]' hello.yaml
refused 'a file that is not there' 65 \
	'towerify-queue: none.yaml: cannot open: No such file or directory' \
	h1 none.yaml
refused 'a directory' 65 'towerify-queue: .: not a regular file' h1 .
refused 'an empty file' 65 'standard input:1:1: the file is empty' h1 -
refused 'a parameter that is none' 2 \
	"towerify-queue: unknown parameter 'who'
hint: did you mean 'whom'?
towerify-queue: unknown parameter 'xyzzy'" \
	h1 hello.yaml -p who=1 -p xyzzy=2
refused 'a parameter without a value' 2 \
	"towerify-queue: parameter 'whom' has no value: wanted NAME=VALUE" \
	h1 hello.yaml -p whom
refused 'a parameter twice' 2 \
	"towerify-queue: parameter 'whom' is given twice" \
	h1 hello.yaml -p whom=1 -p whom=2
refused 'the file of a value is not there' 65 \
	"towerify-queue: parameter 'whom': none: cannot open: No such file or directory" \
	h1 hello.yaml -p whom@none
refused 'a time that is none' 2 "towerify-queue: bad time 'soon': wanted \
2026-11-21T22:00:00Z, +2h or 22:00" h1 hello.yaml --not-before soon
refused 'an end in the past' 2 \
	'towerify-queue: --not-after is in the past' \
	h1 hello.yaml --not-after 2020-01-01T00:00:00Z
refused 'an end before the beginning' 2 \
	'towerify-queue: --not-after is not after --not-before' \
	h1 hello.yaml --not-before +2h --not-after +1h
refused 'another --after-failure' 2 \
	"towerify-queue: --after-failure takes 'hold', not 'retry'" \
	h1 hello.yaml --after-failure retry
refused 'a duration without its unit' 2 \
	"towerify-queue: bad duration '5': a unit is missing: d h m s ms" \
	h1 hello.yaml --wait=5
refused 'no jobs' 2 \
	"towerify-queue: --jobs must be a whole number from 1 to 100000, not '0'" \
	h1 hello.yaml --jobs 0
try "$queue" list
is '... nothing was filed by any of them' 0 '' ''

# --- --key -------------------------------------------------------------------------

try "$queue" add h1,h2 hello.yaml --key deploy-1
is '--key: filed' 0 "14${newline}15" ''
try "$queue" add h1,h2 hello.yaml --key deploy-1
is '--key again: the first ids, nothing is filed' 0 "14${newline}15" \
	'filed before under this key'
try "$queue" add h1,h2 hello.yaml --key deploy-1 -q
is '... in silence with -q' 0 "14${newline}15" ''
try "$queue" add h1,h2 hello.yaml --key deploy-1 -p whom=you
is '--key with other parameters' 1 '' \
	"towerify-queue: the key 'deploy-1' was used for something else (change 14)"
try "$queue" add h1,h3 hello.yaml --key deploy-1
is '--key with other hosts' 1 '' \
	"towerify-queue: the key 'deploy-1' was used for something else (change 14)"
quietly "$queue" cancel 14 15
try "$queue" add h1,h2 hello.yaml --key deploy-1
is '--key again, after the end' 0 "14${newline}15" \
	'filed before under this key'
try "$queue" list
is '... nothing is filed' 0 '' ''
try "$queue" add h1 hello.yaml --key ''
is 'an empty key' 2 '' "towerify-queue: option '--key' is empty"

# --- when ----------------------------------------------------------------------------

try "$queue" add h1 hello.yaml --not-before +2h --not-after +3h
is '--not-before, --not-after' 0 16 ''
try "$queue" show 16 -J
json '... are kept, in UTC' '(.not_before | test("Z$")) and
	(.not_before < .not_after) and (.filed < .not_before)'
try "$queue" add h1 hello.yaml --not-before 2030-01-01T00:00:00Z
is '... as RFC 3339' 0 17 ''
try "$queue" list -J -o not_before,id
json '... to the second' \
	'.changes[1].not_before == "2030-01-01T00:00:00Z"'
try "$queue" add h1 hello.yaml --run --wait
is 'what joins later does not stop what is due' 0 18 ''
quietly "$queue" cancel 16 17

try "$queue" add h1 hello.yaml --not-after +1ms
is 'a change that is too old when a pass comes' 0 19 ''
try towerify-run
is '... is cancelled, in silence' 0 '' ''
try "$queue" why 19
like '... which says why' 0 'it ended: cancelled at *: expired*' ''
try "$queue" wait 19
is '... exit status 1' 1 '' ''

# --- --run, --wait -------------------------------------------------------------------

try "$queue" add h1,h2 hello.yaml --run --wait
is '--run --wait: both succeed' 0 "20${newline}21" ''
try "$queue" add h1 hello.yaml --run
is '--run alone' 0 22 ''
try "$queue" list h1
is '... has run it' 0 '' ''
try "$queue" add h1 hello.yaml --wait=0s
is '--wait=0s without a pass: not yet run' 5 23 ''
try "$queue" add h1 hello.yaml --wait=10ms
is '--wait=DURATION' 5 24 ''
try "$queue" add h1 hello.yaml --run --wait=60s
is '--run runs those before it, too' 0 25 ''
try "$queue" list h1
is '... all of them' 0 '' ''

cat >fail.yaml <<'END'
towerify: 1
title: Fails
steps:
  - {name: one, run: "true", undo: "true"}
  - {name: two, run: exit 7, undo: nothing}
END
try "$queue" add h1 fail.yaml --run --wait
is 'rolled back: 3, and why' 3 26 \
	"h1: change 26 was rolled back: step 2 'two': run failed, exit status 7"
try towerify-host list -n -o status h1
is '... the queue goes on' 0 ready ''
try "$queue" add h1,h2 fail.yaml --run --wait --after-failure hold -q
like '--after-failure hold' 3 "27${newline}28" \
	"h?: change 2? was rolled back: step 2*h?: is held: change 2?: step 2*"
try towerify-host list -n -o status,held_by h1,h2
is '... the hosts are held' 0 "held tower${newline}held tower" ''
towerify-host release h1
towerify-host release h2

sed 's/undo: "true"/undo: "false"/' fail.yaml >worse.yaml
try "$queue" add h1 worse.yaml --run --wait
is 'failed, not undone: 4' 4 29 "h1: is held: change 29: step 2 'two': run \
failed, exit status 7; undo of step 1 failed"
try towerify-host list -n -o status h1
is '... the host is held' 0 held ''
try "$queue" add h1,h2 hello.yaml --run
like 'one of two is held: 5' 5 "30${newline}31" 'note: h1 is held: change 29*'
try "$queue" list -n -o id,status --tsv
is '... the other one ran' 0 "30	held" ''
try "$queue" add h1,h2 fail.yaml --run -q
like 'rolled back is worse than held: 3' 3 "32${newline}33" \
	'h2: change 33 was rolled back: step 2*'
towerify-host release h1
towerify-host set h3 port=1
try "$queue" add h3 hello.yaml --run
is 'unreachable: 5, for it is filed' 5 34 ''
try "$queue" add h2,h3 hello.yaml --run --wait=1s
like 'unreachable and a wait that ends: 5' 5 "35${newline}36" ''
try "$queue" add 'h1,!h1' hello.yaml
is 'no host selected' 1 '' \
	"towerify-queue: 'h1,!h1' selects no host: nothing was filed"
try "$queue" add h2 hello.yaml --run --wait --jobs 1
is 'an unreachable host delays no other' 0 37 ''
# --- what a file requires --------------------------------------------------------

sql "UPDATE host SET facts = '{\"os\":\"debian\",\"software\":\"nginx\"}'"
cat >"$work/needs.yaml" <<'END'
towerify: 1
requires: {os: debian, arch: x86_64, without: [nginx, yunohost]}
steps: [{run: 'true', undo: nothing}]
END
before=$(towerify-queue list --all -n -o id | wc -l)
try towerify-queue add h1 "$work/needs.yaml" --key needs
is 'what a host lacks is said, all of it' 1 '' \
	"towerify-queue: h1: arch: needs x86_64, which is not known: run \
towerify-host check h1 first
towerify-queue: h1: without: needs a host without nginx, has it"
ok '... and nothing is filed' test \
	"$(towerify-queue list --all -n -o id | wc -l)" -eq "$before"
sql "UPDATE host SET facts = '{\"os\":\"debian\",\"software\":\"\",
	\"arch\":\"x86_64\"}'"
try towerify-queue add h1 "$work/needs.yaml" --key needs
like 'a host that has it' 0 '[0-9]*' ''
id=$(cat "$work/out")
sql "UPDATE host SET facts = NULL"
try towerify-queue add h1 "$work/needs.yaml" --key needs
is 'the same key: the first one, whatever became of the host' 0 "$id" \
	'filed before under this key'
finish
