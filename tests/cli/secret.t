#!/bin/sh
# secret.t - secrets on the command line: given by file or standard input, never
# shown, never kept in plain, needed again by a retry
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

queue=towerify-queue
tower_sshd
tower_hosts 2

cd "$work"
cat >shop.yaml <<'END'
towerify: 1
title: The shop
params:
  pw: {type: secret, required: true, min: 8, pattern: '^[a-z ]*$'}
  token: {type: secret}
  word: {type: string, default: plain}
steps:
  - name: use them
    check: 'echo "asked <$pw>"; test -e "$HOME/never"'
    run: |
      printf '%s|%s|%s' "$pw" "$token" "$word" >"$HOME/got"
      echo "raw $pw $token"
    undo: nothing
  - name: needs none
    run: exit 1
    undo: nothing
END
echo 'correct horse battery' >pw
echo 'abc' >token
note="note: secret 'token' is shorter than 6 bytes: it is not masked in what \
steps print"

# --- what is refused --------------------------------------------------------------

try "$queue" check shop.yaml
is 'a secret that is missing is an error like any other' 2 '' \
	"towerify-queue: parameter 'pw' is required"
try "$queue" add h1 shop.yaml -p 'pw=correct horse battery'
is '-p K=V is refused, and not repeated' 2 '' \
	"towerify-queue: parameter 'pw' is a secret: it would show in ps
hint: give it as -p pw@FILE or -p pw@-"
echo 'SHOUTED LOUD' >bad
try "$queue" check shop.yaml -p pw@bad
is 'no message holds the value' 2 '' \
	"towerify-queue: parameter 'pw' must match the pattern '^[a-z ]*$'"
echo short >bad
try "$queue" check shop.yaml -p pw@bad
is '... whatever is wrong with it' 2 '' \
	"towerify-queue: parameter 'pw' must have at least 8 characters"
printf 'nul\0inside it\n' >bad
try "$queue" check shop.yaml -p pw@bad
is '... a NUL' 2 '' "towerify-queue: parameter 'pw' holds a NUL byte"
head -c 65537 /dev/zero | tr '\0' a >bad
try "$queue" check shop.yaml -p pw@bad
is '... its length' 65 '' \
	"towerify-queue: parameter 'pw': bad: larger than 65536 bytes"
{ head -c 65536 /dev/zero | tr '\0' a; echo; } >full
try "$queue" check shop.yaml -p pw@full
like '... 64 KiB are none too many, nor is the newline behind them' 0 \
	'*pw=(secret)*' ''
try "$queue" check shop.yaml -p pw@nowhere
is 'a file that is not there' 65 '' "towerify-queue: parameter 'pw': nowhere: \
cannot open: No such file or directory"
try "$queue" list --all -n
is 'nothing of this was filed' 0 '' ''
ok '... nor was a key made' test ! -e "$TOWERIFY_STATE/secret.key"

# --- what is shown -------------------------------------------------------------------

try "$queue" check shop.yaml -p pw@pw -p token@token
like 'check shows that there are some' 0 \
	"*    pw=(secret)$newline    token=(secret)$newline    word='plain'*" \
	"$note"
try "$queue" check shop.yaml -p pw@pw
like '... or none' 0 "*    pw=(secret)$newline    token='' (absent)*" ''
try "$queue" -q check shop.yaml -p pw@pw -p token@token
like 'the note goes with -q' 0 '*' ''

# --- standard input ---------------------------------------------------------------------

try "$queue" check shop.yaml -p pw@- <pw
like 'K@- alone takes all of it' 0 '*pw=(secret)*' ''
printf 'two lines\nof it\n' >two
try "$queue" check shop.yaml -p pw@- <two
is '... newlines too' 2 '' \
	"towerify-queue: parameter 'pw' must match the pattern '^[a-z ]*$'"
cat token pw >both
try "$queue" check shop.yaml -p token@- -p pw@- <both
like 'two take a line each, in the order given' 0 \
	'*pw=(secret)*token=(secret)*' "$note"
cat pw token shop.yaml >three
try "$queue" check - -p pw@- -p token@- <three
like 'FILE takes the rest' 0 'The shop*pw=(secret)*' "$note"
cat pw shop.yaml >both
try "$queue" check - -p pw@- -p token@token <both
like '... with one line before it' 0 'The shop*pw=(secret)*' "$note"
try "$queue" check shop.yaml -p pw@- -p token@- <pw
is 'a line that is not there' 65 '' \
	"towerify-queue: parameter 'token': standard input has no line for it"
try "$queue" check shop.yaml -p pw@- -p token@- <three
is 'a line too many' 65 '' "towerify-queue: standard input holds more than the \
2 lines that -p takes"
for verb in add plan; do
	try "$queue" "$verb" - shop.yaml -p pw@- <pw
	is "TARGETS and a parameter: $verb" 2 '' "towerify-queue: standard \
input can't be both TARGETS and a parameter"
done

# --- filed ---------------------------------------------------------------------------------

try "$queue" add h1 shop.yaml -p pw@pw -p token@token -p word=w --key k
is 'a change with secrets is filed' 0 1 "$note"
try "$queue" show 1 -J
json 'they are no parameters' '.params == {"word": "w"}'
try "$queue" add h1 shop.yaml -p pw@pw -p token@token -p word=w --key k
is 'the same under the same key' 0 1 "$note
filed before under this key"
echo 'another one' >other
try "$queue" -q add h1 shop.yaml -p pw@other -p token@token -p word=w --key k
is 'another secret under it is something else' 1 '' "towerify-queue: the key \
'k' was used for something else (change 1)"
try towerify-audit export
ok 'the trail holds none' sh -c '! grep -e horse -e token "$0"' "$work/out"
try "$queue" add h2 shop.yaml -p pw@- --run <pw
like 'the run has them' 3 2 '*'
ok '... as they are' test "$(cat "$work/sshd/home/got")" = \
	'correct horse battery||plain'
try "$queue" log 2
like 'the log does not' 0 '*asked <\*\*\*>*raw \*\*\**' ''
try "$queue" plan h1 shop.yaml -p pw@pw -o k,plan,output --tsv -n
like 'a plan masks what checks say' 0 "1	would run	asked <\*\*\*>*" ''

# --- again ------------------------------------------------------------------------------------

quietly towerify-run
try "$queue" retry 1
is 'a retry names all that it needs' 2 '' "towerify-queue: change 1 needs its \
secrets again: give -p pw@FILE -p token@FILE"
try "$queue" retry 1 -p token@token
is '... and what is still missing' 2 '' \
	"towerify-queue: change 1 needs its secrets again: give -p pw@FILE"
try "$queue" retry 1 -p token@token -p 'pw=correct horse battery'
is '... not on the command line' 2 '' \
	"towerify-queue: parameter 'pw' is a secret: it would show in ps
hint: give it as -p pw@FILE or -p pw@-"
try "$queue" -q retry 1 -p pw@bad -p token@token
is '... and checked again' 65 '' \
	"towerify-queue: parameter 'pw': bad: larger than 65536 bytes"
try "$queue" -q retry 1 -p pw@other -p token@token
is 'with them alone it is the same program' 0 3 ''
quietly towerify-run
ok '... with the new value' test "$(cat "$work/sshd/home/got")" = \
	'another one|abc|w'
program_of() {
	sql "SELECT hex(program) FROM change WHERE num = $1"
}
ok '... the very same' test "$(program_of 3)" = "$(program_of 1)"
try "$queue" -q retry 1 -p pw@pw -p token@token -p word=new
is 'another parameter compiles it anew' 0 4 ''
quietly towerify-run
ok '... with that' test "$(cat "$work/sshd/home/got")" = \
	'correct horse battery|abc|new'
try "$queue" -q retry 2 -p pw@pw -p token@token
is 'one that was absent may be given now' 0 5 ''
quietly towerify-run
ok '... and arrives' test "$(cat "$work/sshd/home/got")" = \
	'correct horse battery|abc|plain'
ok 'all are erased' test \
	"$(sql 'SELECT count(*) FROM secret WHERE sealed IS NOT NULL')" = 0

# a file step's source is not read again
echo text >source
cat >file.yaml <<'END'
towerify: 1
params: {pw: {type: secret}}
steps:
  - file: {path: /nowhere/at/all, source: source}
  - {run: 'echo "$pw"', undo: nothing}
END
try "$queue" -q add h1 file.yaml -p pw@pw --run
like 'a change with a source file' 3 6 '*'
rm source
try "$queue" -q retry 6 -p pw@pw
is '... is filed again without it' 0 7 ''
try "$queue" -q retry 6 -p pw@pw -p other=x
like '... but not compiled again' 65 '' '*source files are not read again*'

# --- a gate -------------------------------------------------------------------------------------

gate() {
	try env TOWERIFY_OPERATOR="$me" "$queue" "$@"
}
gate check shop.yaml
is 'behind a gate no FILE is opened' 77 '' "towerify-queue: a file can't be used \
behind a gate
hint: give it on standard input, as '-'"
gate check - -p pw@pw <shop.yaml
is '... nor that of a parameter' 77 '' "towerify-queue: parameter 'pw': a file \
can't be used behind a gate
hint: give it on standard input, as '-'"
gate check - -p pw@nowhere <shop.yaml
is '... be it there or not' 77 '' "towerify-queue: parameter 'pw': a file can't \
be used behind a gate
hint: give it on standard input, as '-'"
gate check - -p pw@pw -p token@- <three
is '... whatever else is given' 77 '' "towerify-queue: parameter 'pw': a file \
can't be used behind a gate
hint: give it on standard input, as '-'"
gate check - -p pw@- -p token@- <three
like 'all on standard input is fine' 0 'The shop*' "$note"
gate check - <file.yaml
is 'a source is refused' 65 '' "standard input:4:43: source 'source': a source \
file can't be used behind a gate
hint: write the text itself under content"
finish
