#!/bin/sh
# backup.t - towerify-op backup and restore: the file, what is refused, a full
# disk, others at work meanwhile
# shellcheck source=tests/lib/tower.sh
. "$(dirname "$0")/../lib/tower.sh"

op=towerify-op
tower_sshd
tower_hosts 1
cd "$work"
state=$TOWERIFY_STATE
cat >hello.yaml <<'END'
towerify: 1
title: Say hello
params:
  password: {type: secret}
steps:
  - {name: say hello, run: 'echo "hello, $password"', undo: nothing}
END
printf 'open sesame' >password
quietly "$op" org add red
quietly towerify-queue add h1 hello.yaml -p password@password

# --- backup -------------------------------------------------------------------------

try "$op" backup b1
like 'backup: a file' 0 '' \
	'b1: [0-9]* bytes, with every key of the tower: keep it safe'
ok '... for its owner alone' test "$(stat -c %a b1)" = 600
ok '... nothing else is left' test "$(echo b1*)" = b1
try "$op" backup b1
is '... which is never replaced' 1 '' 'towerify-op: b1: is there already'
try "$op" backup "$state/b"
is 'backup: not among what is backed up' 1 '' "towerify-op: $state: a backup \
can't be kept in the state directory itself"
try "$op" backup nowhere/b
is 'backup: no such directory' 78 '' \
	'towerify-op: nowhere: No such file or directory'
"$op" backup - >b2
ok 'backup -: to standard output' test -s b2
ok '... nothing is left in the state directory' test ! -e "$state/backup"
mkdir -m 700 "$state/backup"
echo keys >"$state/backup/1.part"
"$op" backup - >b2
ok '... nor what a killed one left there' test ! -e "$state/backup"
mkfifo pipe
"$op" backup - >pipe &
writer=$!
exec 7<pipe
head -c 1 <&7 >byte
kill -KILL "$writer"
wait "$writer" || :
exec 7<&-
ok '... killed while it writes, nothing either' test ! -e "$state/backup"
on_terminal '' "$op backup -"
ok '... not to a terminal' test "$status" -eq 2
try towerify-audit list --tower -n --tsv -o action,detail
like 'backup: is recorded' 0 '*tower.backup	{"file":"b1"}*' ''
for verb in backup restore; do
	try env "TOWERIFY_OPERATOR=$me" "$op" "$verb" b3
	is "$verb: not behind a gate" 77 '' \
		"towerify-op: $verb can't be used behind a gate"
done

if [ "$(id -u)" -eq 0 ] && mkdir small && mount -t tmpfs -o size=100k tmpfs small
then
	try "$op" backup small/b
	is 'backup: a full disk' 78 '' \
		"towerify-op: small/b.part: the disk is full"
	ok '... nothing is left there' test -z "$(ls small)"
	umount small
else
	skip 'backup: a full disk' 'only root may mount'
	skip '... nothing is left there' 'only root may mount'
fi

# beside the state
refused() {	# refused TEXT MESSAGE
	try "$op" backup b5
	is "$1" 78 '' "towerify-op: $state/$2, which a backup does not hold
hint: move it out of the state directory"
	ok '... and no backup is there' test "$(echo b5*)" = 'b5*'
	rm -r "${state:?}/${2%%[/:]*}"
}
mkdir "$state/mine"
ln -s /etc/passwd "$state/mine/link"
refused 'a symbolic link beside the state' 'mine/link: is a symbolic link'
mkfifo "$state/pipe"
refused 'a FIFO' 'pipe: is neither file nor directory'
mkdir -p "$state/a/b/c/d/e"
refused 'directories that are too deep' \
	'a/b/c/d/e: is a directory too deep down'

# Others write all the time.
while [ ! -e stop ]; do
	towerify-host -q hold h1
	towerify-host -q release h1
done &
writer=$!
try "$op" -q backup b4
is 'backup: while others write' 0 '' ''
touch stop
wait "$writer" || :

# --- restore ------------------------------------------------------------------------

try "$op" restore b1
is 'restore: not over a state' 1 '' \
	"towerify-op: $state: there is a state here already"
mv "$state" old
try "$op" restore b1
is 'restore: makes it' 0 '' "$state is as it was when the backup was made; \
what its 1 hosts have done since, they say themselves: one that is ahead is held \
until you have looked"
ok '... its keys are there' diff -r "$state/keys" old/keys
ok '... the secrets, too' cmp "$state/secret.key" old/secret.key
ok '... for their owner alone' test -z "$(find "$state" -perm /077)"
ok '... the state is whole' test "$(sql 'PRAGMA integrity_check')" = ok
ok '... and holds no key' \
	eval '! grep -q "OPENSSH PRIVATE KEY" "$state/state.db"'
try towerify-audit verify
like '... its trail, too' 0 '' '*the chain is whole'
try towerify-audit verify --tower
like "... and the tower's" 0 '' '*the chain is whole'
try towerify-audit list --tower -n --tsv -o action,detail
like '... where it is recorded' 0 '*tower.restore	{"file":"b1"}' ''
try "$op" org list -n -o name
is '... all organisations' 0 'default
red' ''
try towerify-queue add h1 hello.yaml -p password@password --run --wait
ok '... it works' test "$status" -eq 0
try towerify-queue log 1
like '... what was queued is carried out, with its secret' 0 \
	'*hello, \*\*\*' ''

try_restore() {	# try_restore FILE: into a new directory
	rm -rf "$state"
	try "$op" restore "$1"
}
try_restore b4
ok 'a backup that was made while others wrote is whole' test "$status" -eq 0
try_restore b2
ok 'so is one from standard output' test "$status" -eq 0

size=$(stat -c %s b1)
for at in 30 1000 20000 $((size / 2)) $((size - 200)) $((size - 3)); do
	cp b1 bad
	chmod 600 bad
	byte=$(od -An -tu1 -j "$at" -N 1 b1 | tr -d ' ')
	# shellcheck disable=SC2059 # an octal number
	printf "\\$(printf %03o $(((byte + 1) % 256)))" |
		dd of=bad bs=1 seek="$at" conv=notrunc 2>/dev/null
	try_restore bad
	like "a byte changed at $at: refused" 78 '' 'towerify-op: bad: *'
	ok '... no state is made' test ! -e "$state/state.db"
done
for n in 0 50 4096 $((size - 1)); do
	head -c "$n" b1 >bad
	try_restore bad
	like "cut to $n bytes: refused" 78 '' 'towerify-op: bad: *'
	ok '... no state is made' test ! -e "$state/state.db"
done
cp b1 bad
echo more >>bad
try_restore bad
like 'something added: refused' 78 '' 'towerify-op: bad: is cut short, or *'
try_restore old/state.db
is "a state is no backup" 78 '' \
	"towerify-op: old/state.db: is not a tower's backup"
try_restore hello.yaml
is 'nor is a text' 78 '' "towerify-op: hello.yaml: is not a tower's backup"
try_restore nothing
is 'nor what is not there' 78 '' \
	'towerify-op: nothing: No such file or directory'
mkdir -m 700 "$state"
cp b1 "$state/state.db"
try towerify-host list
is 'a backup is no state: it must be put back' 78 '' \
	"towerify-host: $state/state.db: is not a tower's state"

# A key of another tower is not replaced.
rm -rf "$state"
mkdir -m 700 "$state" "$state/keys" "$state/keys/default"
echo other >"$state/keys/default/id_ed25519"
chmod 600 "$state/keys/default/id_ed25519"
try "$op" restore b1
is 'another key in the way: refused' 1 '' "towerify-op: \
$state/keys/default/id_ed25519: is there already, and differs from what the \
backup holds"
ok '... and stays' grep -qx other "$state/keys/default/id_ed25519"
ok '... no state is made' test ! -e "$state/state.db"

# Names that lead out of the directory.
rm -rf "$state"
cp b1 evil
for name in ../evil.key keys/../../evil.key /evil.key keys//x . state.db \
	keys/a/b/c/d/e/f; do
	head -c -83 b1 >evil
	sqlite3 evil "UPDATE kept SET name = '$name' WHERE name = 'secret.key'"
	printf 'towerify-backup-1 %s\n' "$(sha256sum <evil | cut -d ' ' -f 1)" \
		>>evil
	try_restore evil
	like "a name that leads elsewhere ($name)" 78 '' \
		'towerify-op: the backup holds a file of a name that can?t be'
done
ok '... made nothing' test ! -e "$work/evil.key"
finish
