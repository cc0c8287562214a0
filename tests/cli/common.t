#!/bin/sh
# common.t - what all tools share: the grammar, help, tables, the ends of
# stdout, the state directory, who is calling
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

host=towerify-host
queue=towerify-queue

# --- wrong words ---------------------------------------------------------------

try "$queue"
is 'a verb is wanted' 2 '' "towerify-queue: a verb is missing
hint: towerify-queue --help says more"

try "$host" ke
is 'the nearest verb is offered' 2 '' "towerify-host: unknown verb 'ke'
hint: did you mean 'key'?"
ok '... and not run' test ! -e "$TOWERIFY_STATE"

try "$host" frobnicate
is 'a verb like no other leads to the help' 2 '' \
	"towerify-host: unknown verb 'frobnicate'
hint: towerify-host --help says more"

try "$queue" list --statsu queued
is 'the nearest option is offered' 2 '' \
	"towerify-queue: unknown option '--statsu'
hint: did you mean '--status'?"

try "$host" key --lost
is "another verb's option is unknown" 2 '' \
	"towerify-host: unknown option '--lost'
hint: towerify-host key --help says more"
ok '... and the verb does not run' test ! -e "$TOWERIFY_STATE"

try "$host" key --js
is 'long options are not abbreviated' 2 '' \
	"towerify-host: unknown option '--js'
hint: towerify-host key --help says more"

try "$host" list -x
is 'an unknown letter is named' 2 '' "towerify-host: unknown option '-x'
hint: towerify-host list --help says more"

try "$queue" wait 1 --timeout
is 'an option wants its argument' 2 '' \
	"towerify-queue: option '--timeout' needs an argument: DURATION"

try "$queue" list --all=yes
is 'a flag takes none' 2 '' \
	"towerify-queue: option '--all' takes no argument"

try "$queue" add a b --key 1 --key 2
is 'what is not repeatable is not repeated' 2 '' \
	"towerify-queue: option '--key' is given twice"

try "$queue" add web1
is 'too few arguments: the usage' 2 '' "towerify-queue: too few arguments
hint: usage: towerify-queue add [options] TARGETS FILE"

try "$host" show a b
is 'too many arguments: the usage' 2 '' "towerify-host: too many arguments
hint: usage: towerify-host show [options] NAME"

try "$host" "$(printf 'a\033[31mb\nc')"
is 'what is shown of the command line is escaped' 2 '' \
	"towerify-host: unknown verb 'a\\x1b[31mb\\nc'
hint: towerify-host --help says more"

# --- help and version ----------------------------------------------------------

for tool in host queue run audit op; do
	try "towerify-$tool" --version
	like "towerify-$tool -V: name and version" 0 "towerify-$tool [0-9]*" ''
	"towerify-$tool" --help >"$work/help"
	"towerify-$tool" --dump-cli | awk -F '\t' \
		'$1 == "verb" && $2 != "" { print $2 }' >"$work/verbs"
	while IFS= read -r verb; do
		# shellcheck disable=SC2086 # a verb may be two words
		"towerify-$tool" $verb --help >>"$work/help" || echo "$verb"
		grep -q "^  $verb" "$work/help" || echo "no help: $verb"
	done <"$work/verbs" >"$work/wrong"
	ok "towerify-$tool: each verb has its help" test ! -s "$work/wrong"
	try awk 'length > 80' "$work/help"
	is "towerify-$tool: no line of it is longer than a terminal" 0 '' ''
done

try "$queue" add -h
like 'help of a verb: its options' 0 \
	'Usage: towerify-queue add \[options\] TARGETS FILE*--not-before T*' ''
try "$queue" add --no-such --help
is 'help does not hide a wrong option' 2 '' \
	"towerify-queue: unknown option '--no-such'
hint: towerify-queue add --help says more"

# --- the state directory -------------------------------------------------------

there_is_none="$TOWERIFY_STATE: there is no state here yet
hint: \`towerify-host add\` makes it"
for line in 'host list' 'host show x' 'host hold x' 'host release x' \
	'host remove x' 'host set x user=y' 'host check x' 'queue list' \
	'queue add x y' 'queue show 1' 'queue log 1' 'queue why 1' \
	'queue wait 1' 'queue cancel 1' 'queue retry 1' 'queue plan x y' \
	'run' 'run --status' 'audit list' 'audit show 1' 'audit verify' \
	'audit checkpoint' 'audit export' 'op whoami'; do
	# shellcheck disable=SC2086 # words
	try towerify-$line
	is "no state: towerify-$line says what makes one" 78 '' \
		"towerify-${line%% *}: $there_is_none"
done
ok '... and none of them made it' test ! -e "$TOWERIFY_STATE"

try "$host" list --state ''
is 'an empty --state is not the default' 2 '' \
	"towerify-host: option '--state' is empty"

try "$host" key
like 'a verb that adds makes it' 0 'ssh-ed25519 AAAA* towerify-default@*' ''
try stat -c %a "$TOWERIFY_STATE" "$TOWERIFY_STATE/state.db" \
	"$TOWERIFY_STATE/keys/default/id_ed25519"
is '... for the owner alone' 0 "700${newline}600${newline}600" ''
cp "$work/out" "$work/modes"
"$host" key >"$work/first"
try "$host" key
is '... and the key stays the same' 0 "$(cat "$work/first")" ''

try "$host" --state "$TOWERIFY_STATE" list
is 'common options stand before the verb' 0 '' ''
try env TOWERIFY_STATE=/nonexistent "$host" list --state="$TOWERIFY_STATE"
is 'or after it, and win over the environment' 0 '' ''

if [ -e /var/lib/towerify ]; then
	skip 'without a name the state is under HOME' \
		'this machine has a tower'
else
	try env -u TOWERIFY_STATE "$host" key
	ok 'without a name the state is under HOME' \
		test -f "$HOME/.local/state/towerify/state.db"
	try env TOWERIFY_STATE= XDG_STATE_HOME="$work/xdg" "$host" key
	ok '... or under XDG_STATE_HOME; an empty TOWERIFY_STATE is none' \
		test -f "$work/xdg/towerify/state.db"
	try env -u TOWERIFY_STATE XDG_STATE_HOME=relative "$host" list
	is '... unless that is relative' 0 '' ''
fi

bad() {	# bad NAME: a copy of the state, to be spoilt
	rm -rf "$work/bad"
	cp -a "$TOWERIFY_STATE" "$work/bad"
}

bad
chmod 750 "$work/bad"
try "$host" --state "$work/bad" list
is 'a state open to others is refused' 78 '' \
	"towerify-host: $work/bad: is open to others (mode 0750)
hint: chmod go= '$work/bad'"
bad
chmod 640 "$work/bad/state.db"
try "$host" --state "$work/bad" list
is '... and so is its file' 78 '' \
	"towerify-host: $work/bad/state.db: is open to others (mode 0640)
hint: chmod go= '$work/bad/state.db'"
ln -s "$TOWERIFY_STATE" "$work/link"
try "$host" --state "$work/link" list
is 'a symbolic link is refused' 78 '' "towerify-host: $work/link: \
is a symbolic link, which is not accepted here"
try "$host" --state "$work/link/" list
is '... with a slash at its end too' 78 '' "towerify-host: $work/link: \
is a symbolic link, which is not accepted here"
bad
mv "$work/bad/state.db" "$work/elsewhere"
ln -s "$work/elsewhere" "$work/bad/state.db"
try "$host" --state "$work/bad" list
is '... as the file, too' 78 '' "towerify-host: $work/bad/state.db: \
is a symbolic link, which is not accepted here"
: >"$work/file"
chmod 600 "$work/file"
try "$host" --state "$work/file" list
is 'a file is no state directory' 78 '' \
	"towerify-host: $work/file: is not a directory"
bad
head -c 8192 /dev/urandom >"$work/bad/state.db"
try "$host" --state "$work/bad" list
like 'a file of other contents is refused' 78 '' \
	"towerify-host: $work/bad/state.db: *"
if command -v sqlite3 >/dev/null; then
	bad
	sqlite3 "$work/bad/state.db" 'PRAGMA user_version = 9999'
	try "$host" --state "$work/bad" list
	like 'a state of a newer version is refused' 78 '' "towerify-host: \
$work/bad/state.db: is of version 9999, this program knows up to *"
	bad
	sqlite3 "$work/bad/state.db" 'PRAGMA application_id = 1'
	try "$host" --state "$work/bad" list
	like "another program's file is refused" 78 '' "towerify-host: \
$work/bad/state.db: *"
else
	skip 'a state of a newer version is refused' 'no sqlite3'
	skip "another program's file is refused" 'no sqlite3'
fi
if [ "$(id -u)" -eq 0 ]; then
	skip "another user's state is refused" 'root becomes its owner'
else
	try "$host" --state /root list
	like "another user's state is refused" 78 '' 'towerify-host: /root: *'
fi

# --- who is calling -------------------------------------------------------------

whoami="$me	default	true	$TOWERIFY_STATE"
try env SUDO_USER=mallory USER=mallory LOGNAME=mallory towerify-op whoami \
	--tsv -n
is 'names in the environment do not count' 0 "$whoami" ''
try env SUDO_UID="$(id -u)" towerify-op whoami --tsv -n
is 'SUDO_UID of oneself changes nothing' 0 "$whoami" ''
for uid in x -1 0x0 99999999999999999999 ''; do
	try env -u TOWERIFY_STATE SUDO_UID="$uid" towerify-op whoami
	is "SUDO_UID='$uid' is nobody" 77 '' \
		"towerify-op: SUDO_UID is set, but is not a user's number"
done
try env -u TOWERIFY_STATE SUDO_UID=4294967294 towerify-op whoami
like 'a number without a user is nobody' 77 '' \
	"towerify-op: there is no user with the number 4294967294"

try env TOWERIFY_ORG=acme towerify-op whoami
is 'another organisation is not found' 1 '' \
	"towerify-op: organisation 'acme' not found"
try env TOWERIFY_ORG=acme towerify-op whoami --org default --tsv -n
is '--org wins over TOWERIFY_ORG' 0 "$whoami" ''

# --- tables -----------------------------------------------------------------------

try towerify-audit list -n
like 'there is something to list' 0 '1 *op.add*' ''
tower_sshd
tower_hosts 2
try "$host" list -o name,queued
is 'columns by name' 0 "NAME QUEUED${newline}h1        0${newline}h2        0" ''
try "$host" list -n -oname,queued
is '-n: without headings' 0 "h1 0${newline}h2 0" ''
try "$host" list -o +sudo h2
like '-o +COL: the default ones and more' 0 'NAME ADDRESS*LABELS SUDO*no' ''
try "$host" list --tsv -o name,held_reason,sudo,queued
is '--tsv: typed, null is empty' 0 "name	held_reason	sudo	queued
h1		false	0
h2		false	0" ''
try "$host" list --tsv -n -o NAME
is 'names of columns in any case' 0 "h1${newline}h2" ''
try "$host" list -0
is '-0: the first column, NUL-ended' 0 'h1@h2@(no newline)' ''
try "$host" list -0 -o status,name h1
is '... of those that are asked for' 0 'ready@(no newline)' ''
try "$host" list -J
json '-J: one document' '.schema == 1 and (.hosts | length) == 2'
json '... typed' '.hosts[0] | .name == "h1" and .queued == 0 and
	.sudo == false and .held_reason == null and (.facts | type) == "object"
	and (.created | test("^[0-9-]{10}T[0-9:]{8}\\.[0-9]{3}Z$"))'
try "$host" -J list -o name
json '-J -o: these columns alone' \
	'[.hosts[] | keys[]] | unique == ["name"]'
try "$host" show h1 -J
json 'show -J: one object' '.schema == 1 and .name == "h1"'
try "$host" list --list-columns --tsv -n -o name
like '--list-columns wins' 0 'name	text	true	the host*' ''
try "$host" list --list-columns -J
json '--list-columns -J' '[.columns[] | select(.default)] | length == 8'

try "$host" list -o nam
is 'the nearest column is offered' 2 '' "towerify-host: unknown column 'nam'
hint: did you mean 'name'?"
try "$host" list -o xyzzyx
is 'a column like no other' 2 '' "towerify-host: unknown column 'xyzzyx'
hint: --list-columns prints the columns"
try "$host" list -o ''
like 'an empty -o is no column' 2 '' "towerify-host: unknown column ''*"
try "$host" list -o name,name
is 'a column twice' 2 '' "towerify-host: column 'name' is named twice"
try "$host" list -J --tsv
is '-J and --tsv' 2 '' 'towerify-host: --json and --tsv exclude each other'
try "$host" key -o name
is 'no columns where nothing is listed' 2 '' \
	"towerify-host: option '--output': nothing is listed here"
try "$host" key --list-columns
is '--list-columns where nothing is listed' 2 '' \
	"towerify-host: option '--list-columns': nothing is listed here"
try "$host" list --color=sometimes
is 'a wrong --color' 2 '' "towerify-host: bad --color 'sometimes': wanted \
auto, always or never"

# --- TARGETS ------------------------------------------------------------------------

try "$host" list -n -o name 'h2,h1 h2'
is 'order is kept, duplicates drop' 0 "h2${newline}h1" ''
try "$host" list -n -o name 'h[1-2],!h1'
is 'ranges and not' 0 h2 ''
try "$host" list -n -o name 'h*'
is 'patterns' 0 "h1${newline}h2" ''
printf 'h2\nh1\n' >"$work/names"
try "$host" list -n -o name - <"$work/names"
is '- reads names from stdin' 0 "h2${newline}h1" ''
"$host" list -0 >"$work/names"
try "$host" list -n -o name - <"$work/names"
is '... ended by NUL too' 0 "h1${newline}h2" ''
try "$host" list 'h1,x,h[7-8],!q'
is 'unknown names are all named' 1 '' \
	'towerify-host: unknown host: x, h7, h8, q'
try "$host" list 'h[3-1],[],w[a-b]'
is 'bad words are all named' 2 '' "towerify-host: bad target 'h[3-1]': the \
range runs backwards; '[]': empty range; 'w[a-b]': a range is made of numbers"
try "$host" list ''
is 'none at all' 2 '' 'towerify-host: no targets given'

# --- the ends of stdout ---------------------------------------------------------------

for line in 'host list' 'host show h1' 'host key' 'host --help' 'host -V' \
	'host list --list-columns' 'host list -J' 'op whoami' 'audit list' \
	'audit export' 'audit checkpoint' 'run --status -q'; do
	# shellcheck disable=SC2086,SC2016 # words; for the inner shell
	try sh -c 'exec "$@" >/dev/full' sh towerify-$line
	is "a full disk is an error: towerify-$line" 78 '' "towerify-${line%% *}: \
cannot write standard output: No space left on device"
done
# shellcheck disable=SC2016
try sh -c 'exec "$@" >&-' sh "$host" list
is 'stdout closed: an error for what prints' 78 '' "towerify-host: cannot \
write standard output: Bad file descriptor"
# shellcheck disable=SC2016
try sh -c 'exec "$@" >&-' sh "$host" set h1 label.a=b
is '... and none for what does not' 0 '' ''
# shellcheck disable=SC2016
try sh -c 'exec "$@" <&-' sh "$host" list -
like 'stdin closed: an error for what reads' 78 '' \
	'towerify-host: standard input: *'

# A pipe whose reader has gone: opened for both, then only for writing.
mkfifo "$work/pipe"
# shellcheck disable=SC2016
try sh -c 'exec 3<>"$0" 4>"$0" 3<&-; exec "$@" >&4' "$work/pipe" \
	towerify-audit export
is 'nobody reads: ends as by SIGPIPE' 141 '' ''
# shellcheck disable=SC2016
try sh -c 'exec 3<>"$0" 4>"$0" 3<&-; exec "$@" >&4' "$work/pipe" \
	"$host" list
is '... a list too' 141 '' ''
finish
