#!/bin/sh
# file.t - file steps: content, mode, owner, what was there, and its undo
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

init
d="$work/it's a dir"
mkdir "$d"
printf 'new content\n' >"$work/new"
head -c 200000 /dev/urandom >"$work/binary"
printf 'a\0b\0\377\n\n' >>"$work/binary"
: >"$work/empty"

mode() { stat -c %a "$1"; }
clean() {	# nothing of ours was left
	test -z "$(find "$d" -name '.towerify*')"
}
fails() {	# a last step that fails, so that all is undone
	does 'exit 1'
	undo nothing
	start
}

new
file "$d/f" - - "$work/new"
file "$d/bin" 0600 - "$work/binary"
file "$d/empty" 0640 - "$work/empty"
start
ok 'files are made' is 'life 1; start 1; run 1 1; end 1 done file 0; start 2; run 2 1; end 2 done file 0; start 3; run 3 1; end 3 done file 0; verdict succeeded'
ok 'content' cmp "$work/new" "$d/f"
ok 'any bytes' cmp "$work/binary" "$d/bin"
ok 'none' eval 'test -f "$d/empty" && test ! -s "$d/empty"'
ok 'the default mode' test "$(mode "$d/f")" = 644
ok 'a mode that was given' test "$(mode "$d/bin")" = 600
ok 'nothing else was left' clean

new
file "$d/f" - - "$work/new"
file "$d/bin" 600 - "$work/binary"
start
ok 'what is so already is unchanged' is 'life 1; start 1; end 1 unchanged check 0; start 2; end 2 unchanged check 0; verdict succeeded'
new
file "$d/bin" 0644 - "$work/binary"
fails
ok 'another mode alone is a change' is 'life 1; start 1; run 1 1; end 1 done file 0; start 2; run 2 1; end 2 failed run 1; undo 1; undone 1 done 0; verdict rolled-back'
ok 'which is undone' test "$(mode "$d/bin")" = 600

new
file "$d/absent" - - "$work/new"
fails
ok 'what was absent is absent again' test ! -e "$d/absent"
printf old >"$d/o"
chmod 4711 "$d/o"
touch -d '2001-01-01 00:00:00' "$d/o"
new
file "$d/o" - - "$work/new"
step; part run "test \"\$(stat -c %a \"$d/o\")\" = 4711; cat \"$d/o\""; undo nothing
fails
ok 'what was there keeps its mode' has 'new content'
ok 'and comes back with all it had' test "$(cat "$d/o") $(mode "$d/o") $(stat -c %y "$d/o" | cut -c 1-10)" = 'old 4711 2001-01-01'
ln -s /nowhere "$d/link"
new
file "$d/link" - - "$work/new"
step; part run "test -f \"$d/link\" && test ! -L \"$d/link\""; undo nothing
fails
ok 'a symbolic link is replaced, not followed' says '[0-9]* [0-9]* end 2 done .* \.$'
ok 'and comes back' test "$(readlink "$d/link")" = /nowhere
ok 'nothing else was left' clean

mkdir "$d/dir"
new
file "$d/dir" - - "$work/new"
start
ok 'a directory is in the way' is 'life 1; start 1; end 1 failed prepare 1; verdict rolled-back'
ok 'which is said' has 'is not a regular file'
mkfifo "$d/fifo"
new
file "$d/fifo" - - "$work/new"
start
ok 'so is a FIFO' is 'life 1; start 1; end 1 failed prepare 1; verdict rolled-back'
new
file "$d/no/where" - - "$work/new"
start
ok 'a directory that is not there' is 'life 1; start 1; end 1 failed prepare 1; verdict rolled-back'

if [ "$(id -u)" -eq 0 ]; then
	new
	file "$d/own" 4755 daemon:bin "$work/new"
	start
	ok 'owner and group' test "$(stat -c '%U:%G %a' "$d/own")" = 'daemon:bin 4755'
	new
	file "$d/own" 4755 1:2 "$work/new"
	file "$d/own" 4755 daemon "$work/new"
	file "$d/own" - - "$work/new"
	start
	ok 'numbers or names, with or without a group: unchanged' is 'life 1; start 1; end 1 unchanged check 0; start 2; end 2 unchanged check 0; start 3; end 3 unchanged check 0; verdict succeeded'
	new
	file "$d/own" - - "$work/binary"
	start
	ok 'owner, group and mode stay by default' test "$(stat -c '%U:%G %a' "$d/own")" = 'daemon:bin 4755'
	new
	file "$d/own" - root "$work/binary"
	fails
	ok 'another owner is undone' test "$(stat -c '%U:%G %a' "$d/own")" = 'daemon:bin 4755'
	new
	file "$d/own" - no-such-user "$work/new"
	start
	ok 'an owner that is none fails, and is undone' is 'life 1; start 1; run 1 1; end 1 failed file 1; undo 1; undone 1 done 0; verdict rolled-back'
	ok 'as it was' cmp "$work/binary" "$d/own"
	ok 'nothing else was left' clean
else
	skip 'owners' 'not root'
fi

new
file "$d/f" - - "$work/binary"
sed -i "s/^\(s_file 1 .*\) [0-9a-f]*$/\1 $(hex32)$(hex32)/" "$prog"
start
ok 'content with another sum is not put there' is 'life 1; start 1; run 1 1; end 1 failed file 1; undo 1; undone 1 done 0; verdict rolled-back'
ok 'the old one stays' cmp "$work/new" "$d/f"

# two file steps on one path are undone to the first state
printf first >"$d/twice"
new
file "$d/twice" - - "$work/new"
file "$d/twice" - - "$work/binary"
fails
ok 'the same path twice' test "$(cat "$d/twice")" = first

# crash between a file step and its end
new
file "$d/twice" - - "$work/new"
does "touch $work/here; sleep 600"
undo nothing
start_bg
crash_at "$work/here"
ok 'the new content is there' cmp "$work/new" "$d/twice"
send resume
ok 'another executor puts back what the first one kept' test "$(cat "$d/twice")" = first
ok 'nothing else was left' clean
finish
