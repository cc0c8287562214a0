#!/bin/sh
# spool.t - a spool that is not what the tower knows: nothing is done
# shellcheck disable=SC2016,SC2119 # for the host's shell; no words needed
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"

never() {	# never WORD-AND-TEXT: a start is refused so and does not run
	new
	does "touch $work/never"
	start
	says "refused $1" && test ! -e "$work/never" || return 1
	send resume
	says "refused $1"
}

sid=$(hex32)
ok 'no spool' never 'spool absent'
ok 'nobody made one' test ! -e "$spool"
mkdir -m 700 "$spool"
ok 'a spool without an id' never 'spool absent'
rmdir "$spool"
sid=
init
ok 'the request without id is refused' eval 's=$sid; sid=; never "spool different"; r=$?; sid=$s; [ $r = 0 ]'

chmod 755 "$spool"
ok 'readable by others' never 'spool unsafe: .* mode 755'
chmod 700 "$spool"
mv "$spool" "$work/elsewhere"
ln -s "$work/elsewhere" "$spool"
ok 'a symbolic link' never 'spool unsafe: .* symbolic link'
nonce=$(hex32)
send init
ok 'init does not follow one either' says 'refused spool unsafe'
rm "$spool"
: >"$spool"
ok 'a file' never 'spool unsafe: .* not a directory'
rm "$spool"
mv "$work/elsewhere" "$spool"
: >"$spool/state.db"
ok "a tower's state directory" never 'spool unsafe: .* state.db'
rm "$spool/state.db"
ln -s /nowhere "$spool/state.db"
ok 'even dangling' never 'spool unsafe: .* state.db'
rm "$spool/state.db"
if [ "$(id -u)" -eq 0 ]; then
	chown 65534 "$spool"
	ok 'of another owner' never 'spool unsafe: .* not owned'
	chown 0 "$spool"
else
	skip 'of another owner' 'not root'
fi

cp -a "$spool" "$work/copy"
spool=$work/copy
ok 'a copy has the same id' eval 'new; does true; start; says "over verdict"'
spool=$work/other
was=$sid
init
sid=$was
ok 'another spool at the place' never 'spool different'
ok 'the hello tells which' says 'hello .* spool=[0-9a-f]\{32\} '
sid=$(cut -d ' ' -f 2 "$spool/id")
sed -i 's/[^ ]*$/feedfacefeedfacefeedfacefeedface/' "$spool/id"
ok 'a spool of another machine' never 'spool different: .* another machine'
spool=$work/spool sid=$was
mkdir "$spool/jobs/x"
rm "$spool/id"
nonce=$(hex32)
send init
ok 'init gives no new id to what held jobs' says 'refused spool different'
rmdir "$spool/jobs/x"
sid=
init
ok 'an empty one gets one' test "${#sid}" -eq 32
ok 'no request in it was carried out' test ! -e "$work/never"
spool=relative
ok 'a relative path' eval 'send facts; says "refused bad"'
spool=$work/a/b/c
sid=
init
ok 'init makes what leads there' test -d "$work/a/b/c/jobs"
spool=$work/spool
sid=$(cut -d ' ' -f 2 "$spool/id")

# what an earlier request left
mkdir "$spool/in/999999999.x"
send facts
ok 'an upload whose process is gone is removed' test ! -e "$spool/in/999999999.x"
mkdir "$spool/in/$$.x"
send facts
ok 'one under way is not' test -e "$spool/in/$$.x"
rm -r "$spool/in/$$.x"

# a removal cut short: meta is gone, the id is in done
new
does true
start
ack=$seq
cp -a "$spool/jobs/$job" "$work/half"
send facts
until_ test ! -e "$spool/jobs/$job"
rm "$work/half/meta" "$work/half/events"
mv "$work/half" "$spool/jobs/$job"
half=$job
send resume
ok 'half a removed job is a job done' says 'done succeeded'
ok 'and goes' until_ test ! -e "$spool/jobs/$half"
mkdir "$spool/jobs/$(hex32)"
new
does true
start
ok 'half a job that was never done is for a person' says 'refused busy .* damaged'
rmdir "$spool/jobs"/*

if [ "$(id -u)" -eq 0 ] && mkdir "$work/small" &&
    mount -t tmpfs -o size=192k,mode=700 none "$work/small" 2>/dev/null; then
	spool=$work/small/spool
	sid=
	init
	new
	does "touch $work/never"
	start room=200000
	ok 'no room for the record' says 'refused space'
	ok 'nothing was left there' test -z "$(ls "$spool/jobs")$(ls "$spool/in")"
	new
	does "touch $work/never"
	head -c 200000 /dev/zero | tr '\0' '#' >>"$prog"
	start
	ok 'no room for the upload' says 'refused space'
	ok 'nothing was left there either' test -z "$(ls "$spool/in")"
	ok 'nothing ran' test ! -e "$work/never"
	new
	does "head -c 300000 /dev/zero >$work/small/fill || touch $work/full" "rm -f $work/small/fill; echo undone >$work/und"
	step; part run "cat $work/small/fill; exit 1"; undo nothing
	start
	ok 'a step may fill the disk' test -e "$work/full"
	ok 'an end that cannot be shown is no verdict' eval '! says "[0-9]* [0-9]* verdict"'
	rm -f "$work/small/fill"
	send resume
	ok 'with room again it is taken over and undone' says '[0-9]* [0-9]* verdict rolled-back \.$'
	ok 'the undo ran' test -e "$work/und"
	umount -l "$work/small"
else
	skip 'a disk without room' 'not root, or no tmpfs'
fi
finish
