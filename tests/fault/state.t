#!/bin/sh
# state.t - a state file that is not what it should be: a clear error, exit
# status 78, and the file as it was
#
# A bit that flips inside a page may hit what SQLite can't tell from data; then
# a tool may not notice, but it never crashes, and when it fails with 78 it has
# changed nothing.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR
# shellcheck source=tests/fault/scene.sh
. "$top/tests/fault/scene.sh"

scene
db=$work/state/state.db
rm -f "$db-journal"
cp -a "$work/state" "$work/good"
size=$(stat -c %s "$db")

again() {	# the state as it was
	chattr -i "$db" 2>/dev/null || :
	rm -rf "$work/state"
	cp -a "$work/good" "$work/state"
}

sum() {
	cat "$db" "$db-journal" 2>/dev/null | sha256sum
}

# What SQLite would read: a journal counts that begins as one to roll back; one
# that was rolled back, or served, begins with zeros.
content() {
	{
		cat "$db"
		head -c 8 "$db-journal" 2>/dev/null | tr -d '\0'
	} | sha256sum
}

# refused: by a tool that reads, one that writes and the runner; the file and
# its mode, links and time stay
refused() {	# refused TEXT PATTERN-OF-MESSAGE
	before=$(sum; stat -L -c '%i %h %f %u %Y' "$db")
	for command in 'towerify-queue list' 'towerify-host hold h1' \
	    'towerify-run' "towerify-queue add h1 $work/good.yaml" \
	    'towerify-audit verify'; do
		# shellcheck disable=SC2086 # words
		try $command
		like "$1: ${command%% /*}" 78 '' "${command%% *}: $2"
	done
	after=$(sum; stat -L -c '%i %h %f %u %Y' "$db")
	if [ "$before" = "$after" ]; then
		pass "$1: the file is as it was"
	else
		printf '%s\n%s\n' "$before" "$after" |
			fail "$1: the file is as it was"
	fi
	again
}

# --- the checker can fail -------------------------------------------------------------

try towerify-host hold h1
before=$(sum)
try towerify-host release h1
ok 'planted: a file that was changed has another sum' \
	test "$before" != "$(sum)"
again

# --- not ours, or not whole -----------------------------------------------------------

: >"$db"
refused 'empty' "$db: is empty, not a tower's state"

head -c 50 "$work/good/state.db" >"$db"
refused 'cut within the header' "$db: is not a tower's state"

for bytes in 100 4096 5000 $((size / 2)) $((size - 4096)) $((size - 1)); do
	head -c "$bytes" "$work/good/state.db" >"$db"
	refused "cut after $bytes bytes" "$db: is damaged*"
done

rm "$db"
sqlite3 "$db" 'CREATE TABLE other (a)'
chmod 600 "$db"
refused "another program's" "$db: is not a tower's state"

echo 'this is a letter, not a database; it goes on for more than a hundred
bytes, so that it is not refused for its length alone' >"$db"
refused 'a text' "$db: is not a tower's state"

sql 'PRAGMA user_version = 1000'
refused 'newer' "$db: is of version 1000, this program knows up to *"

sql 'PRAGMA user_version = 0'
refused 'older than the first' "$db: is not a tower's state (version 0)"

sql 'PRAGMA journal_mode = WAL' >/dev/null
refused 'in WAL mode' "$db: was switched to a journal mode that is not safe *"

# --- as a file -------------------------------------------------------------------------

mv "$db" "$work/elsewhere.db"
ln -s "$work/elsewhere.db" "$db"
refused 'a symbolic link' "$db: is a symbolic link, which is not accepted here"

ln "$db" "$work/second.db"
refused 'a hard link' "$db: has 2 hard links instead of one"
rm -f "$work/second.db" "$work/elsewhere.db"

chmod 640 "$db"
refused 'open to others' "$db: is open to others (mode 0640)*"

rm "$db"
mkfifo -m 600 "$db"
try towerify-queue list
like 'a FIFO' 78 '' "towerify-queue: $db: is not a file*"
again

rm "$db"
mkdir -m 700 "$db"
try towerify-queue list
like 'a directory' 78 '' "towerify-queue: $db: is not a file*"
again

if [ "$(id -u)" -eq 0 ]; then
	chown 1:1 "$db"
	refused "another user's" "$db: belongs to another user (uid 1)"
	# root may write to what is read-only; its owner, uid 1, may not
	chown -R 1:1 "$work/state"
	chmod 711 "$work" "$work/state"
	chmod 700 "$work/state"
	chmod 400 "$db"
	refused 'read-only' "$db: cannot be opened for writing: Permission denied"
	chmod 755 "$work"
else
	skip "another user's" 'not root'
	chmod 400 "$db"
	refused 'read-only' "$db: cannot be opened for writing: Permission denied"
fi

rm "$db"
: >"$db-journal"
try towerify-host key
like 'gone, but its journal is there' 78 '' \
	"towerify-host: $db: is missing, but its journal is there*"
ok '... and none is made' test ! -e "$db"
again

# --- bits ----------------------------------------------------------------------------

# flip OFFSET BIT
flip() {
	flip_was=$(od -An -tu1 -j "$1" -N 1 "$work/good/state.db" |
		tr -d ' ')
	flip_is=$(printf '\\%03o' $((flip_was ^ (1 << $2))))
	# shellcheck disable=SC2059 # an octal escape
	printf "$flip_is" | dd of="$db" bs=1 seek="$1" conv=notrunc 2>/dev/null
}

# The header's bytes that say what the file is.
for at in 0 5 14 18 68 71; do
	flip "$at" 1
	refused "bit 1 of byte $at flipped" "$db: *"
done

# In the text of a definition, which is no less a page of the file: statements
# that are right fail.
for word in last_seen next_event held_since; do
	at=$(grep -abo "$word" "$db" | head -n 1 | cut -d : -f 1)
	flip "$at" 0
	before=$(content)
	for command in 'towerify-queue list --all' 'towerify-host list'; do
		# shellcheck disable=SC2086 # words
		try $command
		[ "$status" -eq 0 ] || break
	done
	like "a bit of $word in the schema flipped" 78 '' \
		"towerify-*: $db: is damaged, or of another build of towerify: no such*hint: *backup*"
	ok '... and nothing is changed' test "$before" = "$(content)"
	again
done

bits=${TOWERIFY_FAULT_SAMPLE:-60}
[ -z "${TOWERIFY_FAULT_LONG-}" ] || bits=${TOWERIFY_FAULT_SAMPLE:-2000}
seen=0
: >"$work/wrongs"
for at in $(random "$bits" "$size"); do
	bit=$((at % 8))
	flip "$at" "$bit"
	before=$(content)
	for command in 'towerify-queue list --all' 'towerify-host list' \
	    'towerify-audit verify' 'towerify-host hold h1' \
	    'towerify-op grant bob audit'; do
		# shellcheck disable=SC2086 # words
		try $command
		case $status in
		0) ;;
		78) seen=$((seen + 1))
			[ -s "$work/err" ] && [ "$before" = "$(content)" ] ||
				echo "$at $bit: 78, but changed or silent" \
					>>"$work/wrongs" ;;
		1 | 2 | 65 | 75 | 77) seen=$((seen + 1))
			[ -s "$work/err" ] ||
				echo "$at $bit: $status in silence" \
					>>"$work/wrongs" ;;
		*)
			echo "$at $bit: $command: $status: $(cat "$work/err")" \
				>>"$work/wrongs" ;;
		esac
		before=$(content)
	done
	again
done
echo "# seed $seed, $seen times noticed"
echo "# figures: $bits flipped bits"
if [ -s "$work/wrongs" ]; then
	fail 'flipped bits: never a crash, never in silence' <"$work/wrongs"
else
	pass 'flipped bits: never a crash, never in silence'
fi

finish
