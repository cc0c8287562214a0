#!/bin/sh
# secret.t - secrets: in memory alone, for the steps that use them, then gone
# shellcheck disable=SC2016,SC2119,SC2034 # for the host's shell; no words; lib.sh
#
# For root in a mount namespace of its own: there /run is a tmpfs.  For others in
# a directory of its own, for other tests have secrets at the same time.
if [ "$(id -u)" -eq 0 ] && [ -z "${apart-}" ] &&
    unshare -m mount -t tmpfs -o mode=755 none /run 2>/dev/null; then
	apart=1
	export apart
	exec unshare -m sh "$0"
fi
unset XDG_RUNTIME_DIR
me=$(id -u)
if [ -n "${apart-}" ]; then
	mount -t tmpfs -o mode=755 none /run
	run=/run
elif [ "$me" -ne 0 ] && [ ! -w /run ] && [ -w /dev/shm ] &&
    [ "$(stat -f -c %T /dev/shm)" = tmpfs ]; then
	run=$(mktemp -d /dev/shm/towerify-run.XXXXXX) || exit 1
	XDG_RUNTIME_DIR=$run
	export XDG_RUNTIME_DIR
else
	echo '1..0 # SKIP no tmpfs'
	exit 0
fi
# shellcheck source=tests/executor/lib.sh
. "$(dirname "$0")/lib.sh"
place=$run/towerify-$me
leave() {
	rm -f "$place/${sid:-x}".*
	rmdir "$place" 2>/dev/null || :
	[ -n "${apart-}" ] || rmdir "$run"
	for d in "$work/xdg" "$work/user/xdg"; do
		! mountpoint -q "$d" || umount -l "$d"
	done
	tidy
}
trap leave EXIT
init

kept() {	# kept N: so many files of this spool are there
	want=$1
	set -- "$place/$sid".*
	[ -e "$1" ] || shift
	[ $# -eq "$want" ]
}

# The value, which is nowhere else in this file.
echo Zq9 >"$work/mark"
value() { printf 'Zq9%s' "it's \"7\$x\`"; }
unseen() {	# neither in the spool, nor in an argument, nor outside its step
	found=$(
		grep -rlFf "$work/mark" "$spool" "$out" "$work/err" || :
		grep -lFf "$work/mark" "/proc/$(executor)/environ" || :
		grep -lFf "$work/mark" /proc/[0-9]*/cmdline || :
	) 2>/dev/null
	[ -z "$found" ] || { echo "seen: $found"; return 1; }
}

# --- a change with secrets
new
s_param plain p
s_secret pw "$(value)"
s_secret other "o'o"
step; part check 'test -e '"$work"'/c || { printf %s "$pw" >'"$work"'/c; exit 1; }'
part run 'printf %s "$pw" >'"$work"'/r; touch '"$work/here; until test -e $work/go; do sleep 0.02; done"
part undo 'printf %s "$pw" >'"$work"'/u'; uses pw
step; part run 'env | cut -d = -f 1 | grep -xE "pw|other|plain" | tr "\n" " " >'"$work"'/names; echo ${other} >'"$work"'/o'; uses other; undo nothing
step; part run 'env | cut -d = -f 1 | grep -xE "pw|other|plain" >'"$work"'/none; exit 3'; undo nothing
start_bg
until_ test -e "$work/here"
ok 'while it runs it is in no file, no argument, no event' unseen
: >"$work/Zq9"
tail -f "$work/Zq9" &
liar=$!
ok 'one in an argument would be seen' until_ eval '! unseen'
kill "$liar"
wait "$liar" 2>/dev/null || :
ok 'but in memory' kept 1
ok 'in a directory of ours' test "$(stat -c '%a %u' "$place")" = "700 $me"
ok 'in a file of ours' test "$(stat -c '%a %u %n' "$place/$sid.$job")" = "600 $me $place/$sid.$job"
ok 'the job knows where' test "$(cat "$spool/jobs/$job/secret")" = "$place/$sid.$job"
ok 'no core file may hold it' grep -qE '^Max core file size +0 ' "/proc/$(executor)/limits"
touch "$work/go"
wait "$sender"
ok 'it goes as any other' is 'life 1; start 1; run 1 1; end 1 done verify 0; start 2; run 2 1; end 2 done run 0; start 3; run 3 1; end 3 failed run 3; undo 1; undone 1 done 0; verdict rolled-back'
arrived() {
	for f in c r u; do
		[ "$(cat "$work/$f")" = "$(value)" ] || return 1
	done
}
ok 'check, run and undo have it' arrived
ok 'a step gets the secrets it uses' test "$(cat "$work/names")" = 'other plain '
ok 'as they are' test "$(cat "$work/o")" = "o'o"
ok 'a step that uses none gets none' test "$(cat "$work/none")" = plain
ok 'after the verdict the file is gone' kept 0
ok 'and nothing was left anywhere' unseen
rm "$work/c" "$work/r" "$work/u" "$work/here" "$work/go"

# --- every byte, every name
LC_ALL=C awk 'BEGIN { while (n++ < 65536) printf "%c", n % 255 + 1 }' >"$work/bytes"
new
for k in a b c; do
	printf 's_secret %s\n' "$k" >>"$prog"
	printf "P_%s='%s\n" "$k" "$(LC_ALL=C sed "s/'/'\\\\''/g" "$work/bytes"; printf "'")" >>"$keys"
done
step; part run "printf %s \"\$a\" >$work/a; printf %s \"\$b\$c\" >$work/bc"; uses a b c; undo nothing
start
ok '64 KiB of every byte but NUL' cmp "$work/a" "$work/bytes"
ok 'several of them' test "$(wc -c <"$work/bc")" -eq 131072
new
names=$(grep -oE '\<[A-Z][A-Z0-9_]*\>' "$top/share/host/executor.sh" |
	tr '[:upper:]' '[:lower:]' | grep -E '^[a-z][a-z0-9_]{0,30}$' |
	sort -u | tr '\n' ' ')
step; part run "for N in $names t; do eval \"printf %s \\\"\\\$\$N\\\"\"; done >$work/v"
for k in $names t; do
	s_secret "$k" "<$k>"
done
undo nothing
uses "$names" t
start
ok "no name meets one of the executor's" says '[0-9]* [0-9]* verdict succeeded'
want=$(for k in $names t; do printf '<%s>' "$k"; done)
ok 'each has its value' test "$(cat "$work/v")" = "$want"

# --- another life
new
s_secret pw "$(value)"
step; part run "touch $work/h1; sleep 640"; part undo "printf %s \"\$pw\" >$work/u"; uses pw
start_bg
crash_at "$work/h1"
ok 'when the executor dies its file stays' kept 1
rm "$place"/*
cp "$keys" "$work/kept"
: >"$keys"
send resume
ok 'without its secrets the next one does not begin' recorded 'life 1; start 1; run 1 1'
ok 'and says no verdict' says 'over gone'
half() {	# the file of job $1 is cut, and sh can read it all the same
	printf "P_pw='half'\n" >"$place/$sid.$1"
}
half "$job"
send resume
ok 'nor with what is not whole' eval 'recorded "life 1; start 1; run 1 1" && says "over gone"'
printf "P_pw='half" >"$place/$sid.$job"
send resume
ok 'nor with what ends within a value' eval 'recorded "life 1; start 1; run 1 1" && says "over gone"'
printf 'P_other=1\n' >"$keys"
send resume
ok 'nor with others' eval 'recorded "life 1; start 1; run 1 1" && says "over gone"'
cp "$work/kept" "$keys"
send resume
ok 'a resume brings them again' recorded 'life 1; start 1; run 1 1; life 2; end 1 interrupted run 0; undo 1; undone 1 done 0; verdict rolled-back'
ok 'the undo has them' test "$(cat "$work/u")" = "$(value)"
ok 'the file is gone again' kept 0
send resume
ok 'a resume of what is finished leaves none' eval 'says "over verdict" && kept 0'
send start
ok 'nor a start' eval 'says "over verdict" && kept 0'
ack=$seq
send facts
until_ test ! -e "$spool/jobs/$job"
send resume
ok 'nor one of what is done' eval 'says "done rolled-back" && kept 0'

# --- given up, its executor dead
given_up() {	# a job that nobody works on: $left; then the next, which has none
	rm -f "$work/g1" "$work/u"
	new
	s_secret pw "$(value)"
	step; part run "touch $work/g1; sleep 641"; part undo "printf %s \"\$pw\" >$work/u"; uses pw
	start_bg
	crash_at "$work/g1"
	left=$job gone=$seq
	for p in $(tagged "TOWERIFY_TAG=$left/"); do kill "$p" || :; done
	cp "$spool/jobs/$left/events" "$work/left.events"
	new
	s_secret pw other
	step; part run "touch $work/next"; uses pw; undo nothing
	printf 's_end 1\n' >>"$prog"
	ack=$((seq - 1))
}
given_up
send start
ok 'a change that was given up is undone' says 'refused busy .* is being undone'
until_ grep -q verdict "$spool/jobs/$left/events"
ok '... with its own secrets' test "$(cat "$work/u")" = "$(value)"
send start
ok '... and the next one runs' says '[0-9]* [0-9]* verdict succeeded'
rm "$work/next"
given_up
rm "$place"/*
said="change $gone of tower tw1 is not finished and can't be undone: its secrets are gone"
send start unhold=1
ok 'without them a release from before is not enough' says "refused busy $said"
send start
ok '... a person is told' says "refused held $said"
send start
ok '... until one has looked' says "refused held $said"
half "$left"
send start
ok '... nor will less of them do' says "refused held $said"
rm "$place"/*
untouched() {
	cmp "$work/left.events" "$spool/jobs/$left/events" &&
		test ! -e "$work/u" -a ! -e "$work/next" && kept 0
}
ok '... nothing is done' untouched
send start unhold=1
ok 'who releases the host then writes it off' says "refused busy change $gone of tower tw1 is written off"
send start
ok '... and the next one runs' says '[0-9]* [0-9]* verdict succeeded'
ok '... the other was not undone' test ! -e "$work/u"
ok '... its verdict is kept: failed' grep -q " $left failed$" "$spool/done"

new
s_secret pw "$(value)"
step; part run "touch $work/h2; until test -e $work/go2; do sleep 0.02; done; test \"\$pw\" = wrong || touch $work/right"; uses pw; undo nothing
start_bg
until_ test -e "$work/h2"
mv "$out" "$work/first"
printf 'P_pw=wrong\n' >"$keys"
send_bg resume
until_ says 'stream 1 0'
touch "$work/go2"
wait
ok 'those of an executor at work stay as they are' test -e "$work/right"
ok 'and nothing is left' kept 0

# --- what is left over
new
s_secret pw "$(value)"
step; part run "touch $work/h3; until test -e $work/go3; do sleep 0.02; done"; uses pw; undo nothing
start_bg
until_ test -e "$work/h3"
mv "$out" "$work/first"
sleep 600 &
other=$!
for f in "$sid.$(hex32)" "$sid.999999999.$nonce" "$sid.$other.$nonce" \
    "$(hex32).$job"; do
	echo x >"$place/$f"
done
send facts
ok 'the gate removes what no job and no request needs' kept 2
ok 'not what a job under way needs' test -e "$place/$sid.$job"
ok 'nor a request' test -e "$place/$sid.$other.$nonce"
ok 'nor what another spool needs' eval "ls '$place' | grep -v '^$sid'"
kill "$other"
touch "$work/go3"
wait "$sender"
echo x >"$place/$sid.$job"
send facts
ok 'nor is any of a job left that has its verdict' kept 0
rm -f "$place"/*

refused() {	# refused WORD KEY=VALUE…: and it leaves nothing
	word=$1
	shift
	new
	s_secret pw "$(value)"
	step; part run "touch $work/never"; uses pw
	start "$@"
	says "refused $word" && test ! -e "$work/never" && kept 0 &&
		test -z "$(ls "$spool/in")" && test ! -e "$spool/jobs/$job" ||
		return 1
	send plan "$@"
	says "refused $word" && kept 0 && test -z "$(ls "$spool/in")"
}
ok 'a wrong sum' refused bad "secretsha=$(hex32)$(hex32)"
ok 'a wrong size' refused bad secret=5
ok 'one that is not all there' refused bad secret=9999
ok 'one that is no number' refused bad secret=x
echo mark >"$spool/held"
new
s_secret pw "$(value)"
does true
start
ok 'a job that is refused leaves none' eval 'says "refused held" && kept 0'
rm "$spool/held"

# --- at once
race() {
	: >"$work/log"
	new
	s_secret pw "$(value)"
	step; part run 'echo "$pw"'" >>$work/log"; uses pw
	printf 's_end 1\n' >>"$prog"
	request start >"$work/whole"
	for i in 1 2 3 4; do
		sh -c "$remote" <"$work/whole" >"$work/race.$i" 2>&1 &
	done
	wait
	[ "$(cat "$work"/race.? | grep -c "^@$nonce accepted")" -eq 1 ] &&
		[ "$(cat "$work/log")" = "$(value)" ] && kept 0 || return 1
	for i in 1 2 3 4; do
		grep -q "^@$nonce over verdict" "$work/race.$i" || return 1
	done
}
ok 'four at once: it runs once, with its secret' race
ok 'and again' race

# --- plan
planned() {
	new
	s_secret pw "$(value)"
	step; part check "$1"; part run "touch $work/never"; uses pw
	printf 's_end 1\n' >>"$prog"
}
planned "printf %s \"\$pw\" >$work/p; test ! -e $place/$sid.*"
send plan
ok 'a plan has it, in no file once it has begun' eval 'says "plan 1 holds 0" && test "$(cat "$work/p")" = "$(value)"'
ok 'and leaves none' kept 0
planned "touch $work/h4; sleep 641"
send_bg plan
until_ test -e "$work/h4"
ok 'while it asks there is none' kept 0
ok 'nor any in the spool' test -z "$(grep -rlFf "$work/mark" "$spool")"
kill -TERM "$sender"
wait "$sender" || :
ok 'TERM leaves neither' eval 'kept 0 && test -z "$(ls "$spool/in")"'
planned true
cp "$keys" "$work/kept"
printf 'P_other=1\n' >"$keys"
send plan
ok 'a plan with other secrets asks nothing' eval '! says plan && ! says over'
ok 'and leaves nothing' eval 'kept 0 && test -z "$(ls "$spool/in")"'
: >"$keys"
send plan
ok 'one without them neither' eval '! says plan && test -z "$(ls "$spool/in")"'
cp "$work/kept" "$keys"
at=0
cut_plan() {	# the request dies anywhere: at the latest the next one cleans up
	while [ "$at" -lt 40 ]; do
		send_bg plan
		sleep "0.0$at"
		kill -TERM "$sender" 2>/dev/null || :
		wait "$sender" || :
		at=$((at + 3))
	done
	send facts
	until_ test -z "$(ls "$spool/in")" && kept 0
}
ok 'a plan that is ended at any moment leaves nothing' cut_plan
ok 'nothing ran that must not' test ! -e "$work/never"

# --- places that will not do
rmdir "$place"
mkdir "$work/mine"
ln -s "$work/mine" "$place"
ok 'a symbolic link in its place' refused "secret $place is not a directory"
ok 'nothing was written through it' test -z "$(ls "$work/mine")"
rm "$place"
: >"$place"
ok 'a file' refused "secret $place is not a directory"
rm "$place"
mkdir -m 755 "$place"
ok 'one that others can look into' refused "secret $place has mode 755, not 700"
chmod 700 "$place"
new
does true
start
ok 'a change without secrets needs none' says 'over verdict'
if [ -n "${apart-}" ]; then
	chown 65534 "$place"
	ok 'one of another owner' refused "secret $place is not owned by root"
	rmdir "$place"
else
	skip 'one of another owner' 'not root'
fi

if [ -z "${apart-}" ]; then
	skip 'other places than /run' 'not root'
	finish
	exit
fi

# --- the next place
arrives() {	# arrives PLACE: the secret comes by way of it
	place=$1
	rm -f "$work/there" "$work/now" "$work/h5"
	new
	s_secret pw "$(value)"
	step; part run "test \"\$pw\" = \"\$(cat $work/value)\"; touch $work/h5; until test -e $work/now; do sleep 0.02; done"; uses pw; undo nothing
	start_bg
	until_ test -e "$work/h5" && kept 1 || return 1
	touch "$work/now"
	wait "$sender"
	says '[0-9]* [0-9]* verdict succeeded' && kept 0
}
value >"$work/value"
chmod 711 "$work"
chmod 644 "$work/value"
XDG_RUNTIME_DIR=$work/xdg
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
mount -t tmpfs -o mode=1777 none /dev/shm
ok '/run comes first' arrives /run/towerify-0
mount -o remount,ro /run
ok 'what is no tmpfs is passed over' arrives /dev/shm/towerify-0
mount -t tmpfs -o mode=700 none "$XDG_RUNTIME_DIR"
ok 'where /run cannot be written, XDG_RUNTIME_DIR' arrives "$XDG_RUNTIME_DIR/towerify-0"
chown 65534 "$XDG_RUNTIME_DIR"
ok "but not somebody else's" arrives /dev/shm/towerify-0
XDG_RUNTIME_DIR=relative
ok 'nor one that is no path' arrives /dev/shm/towerify-0
unset XDG_RUNTIME_DIR
ok 'then /dev/shm' arrives /dev/shm/towerify-0
mount -o remount,ro /dev/shm
ok 'and if that cannot be written: refused' refused 'secret neither /run, XDG_RUNTIME_DIR nor /dev/shm will do'
mount -o remount,rw,size=4k,nr_inodes=2 /dev/shm
ok 'nor has room' refused 'secret no room in\|secret /dev/shm/towerify-0 is not'
new
does true
start
ok 'a change without secrets is none the worse' says 'over verdict'
umount /dev/shm
mount -t tmpfs -o mode=1777 none /dev/shm

# --- an ordinary user
as='setpriv --reuid 65534 --regid 65534 --clear-groups'
mkdir -m 777 "$work/user"
cd /
HOME=$work/user
export HOME
chmod 777 "$work"
spool=$work/user/spool
sid=
init
ok 'an ordinary user has a spool' test "$(stat -c %u "$spool")" = 65534
ok 'and its own place' arrives /dev/shm/towerify-65534
ok '… of its own' test "$(stat -c '%a %u' "$place")" = '700 65534'
chown 0 "$place"
ok 'what root made is refused' refused "secret $place is not owned by"
rmdir "$place"
mkdir -m 700 "$work/user/xdg"
mount -t tmpfs -o mode=700,uid=65534 none "$work/user/xdg"
XDG_RUNTIME_DIR=$work/user/xdg
export XDG_RUNTIME_DIR
ok 'or in XDG_RUNTIME_DIR' arrives "$XDG_RUNTIME_DIR/towerify-65534"
finish
