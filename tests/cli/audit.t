#!/bin/sh
# audit.t - towerify-audit: list, show, verify, checkpoint, export; tampering
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

audit=towerify-audit
cd "$work"
tower_sshd
tower_hosts 2
cat >hello.yaml <<'END'
towerify: 1
title: Say hello
steps:
  - {name: say hello, run: echo hello, undo: nothing}
END
quietly towerify-queue add h1 hello.yaml --reason because --run --wait
quietly towerify-queue add h2 hello.yaml
quietly towerify-queue cancel 2
quietly towerify-host hold h2 --reason coffee
quietly towerify-host remove h2

# The first seven records make the founder a member and give six permissions.
chain=$("$audit" show 1 --tsv -n -o chain)

# --- list ----------------------------------------------------------------------------

try "$audit" list --tsv -n -o seq,change,host,operator,action
is 'list: acts and transitions, oldest first' 0 "1			$me	op.add
2			$me	op.grant
3			$me	op.grant
4			$me	op.grant
5			$me	op.grant
6			$me	op.grant
7			$me	op.grant
8		h1	$me	host.add
9		h1	$me	host.check
10		h2	$me	host.add
11		h2	$me	host.check
12	1	h1	$me	change.file
13	1	h1	tower	change.start
14	1	h1	tower	change.accept
15	1	h1	tower	step.end
16	1	h1	tower	change.end
17	2	h2	$me	change.file
18	2	h2	$me	change.cancel
19		h2	$me	host.hold
20		h2	$me	host.remove" ''
last=20
try "$audit" list --host h2 -n -o seq --tsv
is 'list --host: also of a host that is gone' 0 "10
11
17
18
19
20" ''
try "$audit" list --host h2 --limit 2 -n -o seq --tsv
is 'list --limit: the first ones, and where to go on' 0 '10
11' 'there are more: --after 11'
try "$audit" list --host h2 --limit 9 --after 17 -n -o seq --tsv
is 'list --after: those behind it' 0 '18
19
20' ''
try "$audit" list --limit 3 --after 17 -n -o seq --tsv
is '... of all hosts' 0 '18
19
20' ''
try "$audit" list --limit 0
is 'list --limit 0' 2 '' "towerify-audit: '0' is not a number"
try "$audit" list --host 'h[1-2]' --change 1 --operator "$me" -n -o seq --tsv
is 'list: filters together' 0 12 ''
try "$audit" list --host 'h*' --operator tower -n -o action,change
is 'list: patterns mean the hosts there are' 0 'change.start  1
change.accept 1
step.end      1
change.end    1' ''
try "$audit" list --operator nobody
is 'list: nothing' 0 '' ''
try "$audit" list --since 2h -n -o seq --tsv
like 'list --since: a span back from now' 0 "1${newline}2*$last" ''
try "$audit" list --since 2h --until 1h
is 'list --until: before that' 0 '' ''
try "$audit" list --until +1h --after 18 -n -o seq --tsv
is '... a time to come' 0 "19${newline}20" ''
try "$audit" list --until 1h --host h1
is '... with others' 0 '' ''
try "$audit" list --until tomorrow
like '... no time' 2 '' "towerify-audit: bad time 'tomorrow'*"
try "$audit" list --since +2h
is '... a time to come: nothing' 0 '' ''
try "$audit" list --since 2020-01-01T00:00:00Z -n -o seq --tsv
like '... a time' 0 "1${newline}2*$last" ''
try "$audit" list --since yesterday
is '... that is none' 2 '' "towerify-audit: bad time 'yesterday': wanted \
2026-11-21T22:00:00Z, +2h or 22:00"
try "$audit" list --change x
is 'list: no number' 2 '' "towerify-audit: 'x' is not a number"
try "$audit" list --host 'h[2-1]'
is 'list: bad targets' 2 '' \
	"towerify-audit: bad target 'h[2-1]': the range runs backwards"
try "$audit" list -J
json 'list -J: one document' "(.records | length) == $last and .schema == 1"
json '... typed, the particulars too' '.records[11] | .seq == 12 and
	.change == 1 and (.detail.title == "Say hello") and
	.detail.reason == "because" and (.hash | length) == 64'
json '... null where there is none' '.records[0].change == null'
# shellcheck disable=SC2016 # jq's own variable
json '... each holds the hash of the one before' '.records as $r |
	all(range(1; '"$last"'); $r[.].prev == $r[. - 1].hash)'

# --- show ------------------------------------------------------------------------------

try "$audit" show 19 -o seq,operator,action,host,change,detail
is 'show: one record' 0 "SEQ:      19
OPERATOR: $me
ACTION:   host.hold
HOST:     h2
CHANGE:   -
DETAIL:   {\"reason\":\"coffee\",\"grant\":\"4\"}" ''
try "$audit" show 19 -J
json 'show -J' '.schema == 1 and .seq == 19 and .detail.reason == "coffee"'
try "$audit" show 99
is 'show: no such record' 1 '' 'towerify-audit: no record 99'
try "$audit" show x
is 'show: no number' 2 '' "towerify-audit: 'x' is not a number"

# --- export ------------------------------------------------------------------------------

"$audit" list -J >list.json
try "$audit" export
json 'export: an object a line' 'type == "object" and .seq > 0'
cp out exported
ok '... as many as there are' test "$(wc -l <exported)" -eq "$last"
if command -v jq >/dev/null; then
	jq -cS . exported >lines
	jq -cS '.records[]' list.json >rows
	ok '... the same as in list' cmp lines rows
else
	skip '... the same as in list' 'no jq'
fi

# --- verify, checkpoint --------------------------------------------------------------------

try "$audit" verify
is 'verify: whole' 0 '' "$last records, the chain is whole"
try "$audit" -q verify
is '... -q: the exit status says it' 0 '' ''
hash=$("$audit" show "$last" --tsv -n -o hash)
try "$audit" checkpoint
is 'checkpoint: the last record' 0 \
	"towerify-checkpoint 1 $chain $last $hash" ''
cp out kept
try "$audit" verify --checkpoint kept
is 'verify --checkpoint' 0 '' \
	"$last records, the chain is whole and holds the checkpoint"
quietly towerify-host hold h1
try "$audit" verify --checkpoint - <kept
is '... of what has grown since' 0 '' \
	"21 records, the chain is whole and holds the checkpoint"
"$audit" checkpoint >>kept
try "$audit" verify --checkpoint kept
like '... several in a file: the last' 0 '' '21 records*'
try "$audit" verify --checkpoint hello.yaml
is '... a file that holds none' 65 '' \
	'towerify-audit: hello.yaml: holds no checkpoint of this organisation'
try "$audit" verify --checkpoint - </dev/null
is '... nothing at all' 65 '' \
	'towerify-audit: -: holds no checkpoint of this organisation'
: >empty
try "$audit" verify --checkpoint empty
is '... an empty file' 65 '' \
	'towerify-audit: empty: holds no checkpoint of this organisation'
try "$audit" verify --checkpoint none
is '... a file that is not there' 65 '' \
	'towerify-audit: none: cannot open: No such file or directory'
sed 's/.$/x/' kept >wrong
try "$audit" verify --checkpoint wrong
is '... a line that is none' 65 '' \
	'towerify-audit: wrong: holds no checkpoint of this organisation'
sed "s/ 21 .*/ 21 $(printf '%064d' 0)/" kept >wrong
try "$audit" verify --checkpoint wrong
is '... of another chain' 1 '' \
	'towerify-audit: record 21 is not the one of the checkpoint'

# --- the tower's own chain ---------------------------------------------------------

try "$audit" list --tower --tsv -n -o seq,operator,action,chain
like 'list --tower: what concerns organisations' 0 "1	$me	*	0*" ''
try "$audit" show --tower 1 -J
json 'show --tower' '.chain == 0 and .seq == 1'
try "$audit" verify --tower
like 'verify --tower' 0 '' '[0-9]* records, the chain is whole'
try "$audit" checkpoint --tower
like 'checkpoint --tower' 0 'towerify-checkpoint 1 0 [0-9]* *' ''
"$audit" checkpoint --tower >kept-tower
try "$audit" verify --tower --checkpoint kept-tower
like '... is held against it' 0 '' '* and holds the checkpoint'
try "$audit" verify --checkpoint kept-tower
is '... and against nothing else' 65 '' \
	'towerify-audit: kept-tower: holds no checkpoint of this organisation'
try "$audit" verify --tower --checkpoint kept
is '... nor the other way round' 65 '' "towerify-audit: kept: holds no \
checkpoint of the tower's own chain"
try "$audit" export --tower
json 'export --tower' '.chain == 0'

# --- rights ------------------------------------------------------------------------

if command -v sqlite3 >/dev/null; then
	sql "INSERT INTO operator (login, created) VALUES ('mia', 1);
		INSERT INTO member SELECT $chain, id, 1 FROM operator
		    WHERE login = 'mia';
		INSERT INTO permit (org_id, num, operator_id, permission,
		    created, created_by) SELECT $chain, 100 + value, o.id,
		    p.name, 1, 'x' FROM operator o, (SELECT 1 AS value,
		    'view' AS name UNION SELECT 2, 'change') p
		    WHERE o.login = 'mia'"
	for verb in list 'show 1' verify checkpoint export; do
		# shellcheck disable=SC2086 # verb and argument
		try env TOWERIFY_OPERATOR=mia "$audit" $verb
		like "$verb: without the permission" 77 '' \
			"*mia may not audit in organisation 'default'*"
		# shellcheck disable=SC2086
		try env TOWERIFY_OPERATOR=mia "$audit" $verb --tower
		is '... and the other chain' 77 '' 'towerify-audit: mia is not an administrator of the tower'
	done
	sql "UPDATE permit SET permission = 'audit' WHERE num = 101"
	try env TOWERIFY_OPERATOR=mia "$audit" verify
	is 'verify: with it' 0 '' '21 records, the chain is whole'
else
	skip 'without the permission' 'no sqlite3'
fi

# --- tampering -----------------------------------------------------------------------------

if ! command -v sqlite3 >/dev/null; then
	skip 'tampering is found' 'no sqlite3'
	finish
	exit
fi
try sql "UPDATE audit SET operator = 'mallory' WHERE seq = 5"
like 'the state refuses to change a record' 19 '' '*never changed*'
try sql 'DELETE FROM audit WHERE seq = 21'
like '... and to delete one' 19 '' '*never deleted*'
cp -a "$TOWERIFY_STATE" whole

tampered() {	# tampered TEXT MESSAGE SQL
	rm -rf "$TOWERIFY_STATE"
	cp -a whole "$TOWERIFY_STATE"
	sql "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;
		DROP TRIGGER audit_append_only;
		DROP TRIGGER audit_anchor_no_delete;
		DROP TRIGGER audit_anchor_no_way_back; $3"
	try "$audit" verify
	is "tampered: $1" 1 '' "towerify-audit: $2"
}
tampered 'who' 'record 5 was changed' \
	"UPDATE audit SET operator = 'mallory' WHERE seq = 5 AND chain = $chain"
tampered 'when' 'record 5 was changed' \
	"UPDATE audit SET at = at + 1 WHERE seq = 5 AND chain = $chain"
tampered 'what' 'record 19 was changed' \
	"UPDATE audit SET detail = '{\"reason\":\"tea\"}' WHERE seq = 19"
tampered 'where' 'record 1 was changed' \
	"UPDATE audit SET host = 'h9' WHERE seq = 1 AND chain = $chain"
tampered 'the hash as well' 'record 6 does not follow the one before it' \
	"UPDATE audit SET hash = zeroblob(32), prev = prev WHERE seq = 6;
	 UPDATE audit SET prev = zeroblob(32) WHERE seq = 6 AND chain = $chain"
tampered 'one is gone' 'record 5 is missing' \
	"DELETE FROM audit WHERE seq = 5 AND chain = $chain"
tampered 'two change places' 'record 5 does not follow the one before it' \
	"UPDATE audit SET seq = 105 WHERE seq = 5 AND chain = $chain;
	 UPDATE audit SET seq = 5 WHERE seq = 6 AND chain = $chain;
	 UPDATE audit SET seq = 6 WHERE seq = 105 AND chain = $chain"
tampered 'the beginning, with an anchor of its own' \
	'record 4 does not follow the one before it' \
	"DELETE FROM audit WHERE seq <= 3 AND chain = $chain;
	 INSERT INTO audit_anchor VALUES ($chain, 3, zeroblob(32))"
rm -rf "$TOWERIFY_STATE"
cp -a whole "$TOWERIFY_STATE"
sql "DROP TRIGGER audit_no_update;
	UPDATE audit SET action = 'x' WHERE seq = 1 AND chain = 0"
try "$audit" verify --tower
is "tampered: the tower's own chain" 1 '' \
	'towerify-audit: record 1 was changed'
try "$audit" verify
is "... is not the organisation's" 0 '' '21 records, the chain is whole'

rm -rf "$TOWERIFY_STATE"
cp -a whole "$TOWERIFY_STATE"
sql 'DROP TRIGGER audit_no_delete; DELETE FROM audit WHERE seq = 21'
try "$audit" verify
is 'cut off at the end: the chain alone does not show it' 0 '' \
	'20 records, the chain is whole'
try "$audit" verify --checkpoint kept
is '... a checkpoint does' 1 '' "towerify-audit: record 21 is missing: the \
chain ends before the checkpoint"

# --- prune ---------------------------------------------------------------------------------

rm -rf "$TOWERIFY_STATE"
cp -a whole "$TOWERIFY_STATE"
try "$audit" prune
is 'prune: how old must be said' 2 '' \
	'towerify-audit: prune needs --older-than'
try "$audit" prune --older-than 90
like 'prune: ... with a unit' 2 '' "towerify-audit: *'90'*"
try "$audit" prune --older-than 1h
is 'prune: nothing is so old' 0 '' '0 records and 0 changes went'
try "$audit" list --after 21 -n -o action
is '... nor recorded' 0 '' ''
quietly towerify-queue add h1 hello.yaml --reason 'not now'
try "$audit" prune --older-than 0s
is 'prune: what has not ended stays, and all behind' 0 '' \
	"note: change 3 has not ended: its records stay, and all behind them
21 records and 2 changes went"
pruned="1 to 21 were pruned by $me at [0-9T:.-]*Z"
try "$audit" verify
like '... the chain is whole, and says where it begins' 0 '' \
	"2 records from record 22 on, the chain is whole; $pruned"
try "$audit" list -n -o seq,change,action --tsv
is '... from there on' 0 '22	3	change.file
23		audit.prune' ''
try "$audit" verify --checkpoint kept
like '... a checkpoint of the last that went holds' 0 '' "2 records from \
record 22 on, the chain is whole and holds the checkpoint; $pruned"
try towerify-queue list --all -n -o id
is '... ended changes are gone' 0 3 ''
try towerify-queue show 1
is '... for good' 1 '' 'towerify-queue: no change 1'
quietly towerify-queue cancel 3
try "$audit" prune --older-than 0s
is 'prune: again' 0 '' '3 records and 1 change went'
try "$audit" prune --tower --older-than 0s
like "prune --tower: the tower's own" 0 '' '* records and 0 changes went'
try "$audit" verify --tower
like '... which is whole' 0 '' "1 records from record [0-9]* on, the chain is \
whole; 1 to [0-9]* were pruned by $me at *"

# what a pruning that was killed had not given back
sql 'CREATE TABLE large AS SELECT zeroblob(1000000) AS x; DROP TABLE large'
unused() { sql 'PRAGMA freelist_count'; }
ok 'prune: space to give back' test "$(unused)" -gt 100
try "$audit" prune --older-than 1h
is '... goes when nothing else does' 0 '' '0 records and 0 changes went'
ok '... all of it' test "$(unused)" -eq 0

rm -rf "$TOWERIFY_STATE"
cp -a whole "$TOWERIFY_STATE"
sql "DROP TRIGGER audit_no_update;
	UPDATE audit SET operator = 'mallory' WHERE seq = 5 AND chain = $chain"
try "$audit" prune --older-than 0s
is 'prune: refused where the chain is broken' 1 '' \
	'towerify-audit: record 5 was changed'
try "$audit" verify
is '... which stays to be seen' 1 '' 'towerify-audit: record 5 was changed'
finish
