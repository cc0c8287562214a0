#!/bin/sh
# revoke.t - the tower leaves a host: its key and its files go, nothing else does
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

# The keys where a login looks for them.
keys=$home/.ssh/authorized_keys
mkdir -m 700 "$home/.ssh"
SSHD_EXTRA="AuthorizedKeysFile $keys $home/.ssh/more"
tower_sshd
unset SSHD_EXTRA
mine=$(towerify-host key)
blob=$(echo "$mine" | cut -d ' ' -f 2)
other=$(cut -d ' ' -f 1,2 "$work/sshd/id_other.pub")
cr=$(printf '\r')
tab=$(printf '\t')

host() {	# host NAME…: with a spool, and the key
	rm -f "$keys"
	printf '%s\n' "$mine" >"$keys"
	for name; do tower_host "$name"; done
}
revoke() {
	try towerify-host revoke "$@"
}
lets_in() {
	ssh -o BatchMode=yes -o IdentitiesOnly=yes -p "$port" \
		-i "$TOWERIFY_STATE/keys/default/id_ed25519" \
		"$me@127.0.0.1" true
}
not() {
	! "$@"
}
revoked() {	# revoked NAME: and nothing of the tower is there
	host_is "$1" revoked && not lets_in && [ ! -e "$work/spool-$1" ]
}
change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END
change stays <<'END'
steps:
  - name: it stays
    run: |
      "$HOME/block" stays >/dev/null 2>&1 &
      until test -e "$HOME/stays.here"; do sleep 0.05; done
    undo: nothing
END

# --- as it should be -----------------------------------------------------------

host h1
add h1 "$work/stays.yaml" --run --wait
add h1 "$work/note.yaml" --run --wait
ok 'a host' host_is h1 ready
revoke h1
is 'revoke' 0 '' \
	'h1 is revoked: 1 line taken out of its authorized_keys, its spool is gone'
ok '... key and spool are gone' revoked h1
ok '... the file is there, and empty' test -f "$keys" -a ! -s "$keys"
ok '... what a change has started goes on' test -n "$(bearing "$home/block")"
: >"$home/stays.go"
ok '... its history stays' status_is "$id" succeeded
ok '... with a record' test "$(towerify-audit list -J |
	jq -c '[.records[] | select(.action == "host.revoke") |
	[.host, .detail.keys, .detail.spool, .operator]]')" = \
	"[[\"h1\",\"1\",\"gone\",\"$me\"]]"
ok '... and by whom' test "$(towerify-host show h1 -o revoked_by --tsv -n)" = \
	"$me"

# --- revoked -------------------------------------------------------------------

refused='h1 is revoked
hint: the tower has left: towerify-host add takes a host back'
revoke h1
is 'it is revoked once' 1 '' "towerify-host: $refused"
try towerify-queue add h1 "$work/note.yaml"
is '... nothing is filed for it' 1 '' "towerify-queue: $refused"
try towerify-queue retry "$id"
is '... or filed again' 1 '' "towerify-queue: $refused"
try towerify-queue plan h1 "$work/note.yaml"
is '... or asked' 1 '' "towerify-queue: $refused"
for verb in check hold; do
	try towerify-host $verb h1
	is "... no $verb" 1 '' "towerify-host: $refused"
done
try towerify-host set h1 port=1
is '... and it is not changed' 1 '' "towerify-host: $refused"
try towerify-run -q --hosts h1
is 'a pass has nothing to do there' 0 '' ''
host
tower_host h1
ok 'add takes it back' host_is h1 ready
ok '... with its history' test "$(towerify-queue list h1 --all -n -o id |
	wc -l)" = 2
add h1 "$work/note.yaml" --run --wait
ok '... and what is filed runs' status_is "$id" succeeded
revoke h1
like '... and it can be left again' 0 '' 'h1 is revoked: *'
ok '... wholly' revoked h1

# --- what is in the way --------------------------------------------------------

host h2 h3
revoke h2
is 'another host by the same login' 1 '' \
	"towerify-host: h2: the same login leads to h3, which the tower would lose too
hint: towerify-host revoke --yes h2"
quietly towerify-host remove h3
add h2 "$work/note.yaml" --not-before +1h
revoke h2
is 'a change is queued' 1 '' "towerify-host: h2: 1 change is queued
hint: towerify-host revoke --yes cancels what is queued"
ok '... and nothing was taken' lets_in
ok '... nor held' host_is h2 ready
revoke h2 --yes
like '... unless told' 0 '' 'h2 is revoked: *'
ok '... which cancels it' status_is "$id" cancelled
ok '... and says why' reason_is "$id" 'host revoked'
ok '... key and spool are gone' revoked h2

change blocks <<'END'
steps:
  - name: waits
    run: '"$HOME/block" b'
    undo: nothing
END
host h4
add h4 "$work/blocks.yaml"
run_bg
ok 'a change runs' until_ test -e "$home/b.here"
revoke h4 --yes
is '... which nothing but its end makes way' 1 '' \
	"towerify-host: h4: change $id is running"
# The tower gave it up; the host still works on it.
kill -KILL "$runner"
wait "$runner" 2>/dev/null || :
quietly towerify-queue abandon "$id" --reason 'it is gone'
quietly towerify-host release h4
revoke h4
like '... on the host too' 75 '' \
	"towerify-host: h4: nothing was taken off: the host refused: busy change $id of tower * is not finished"
ok '... and it is not held' host_is h4 ready
: >"$home/b.go"
ended_there() {
	grep -q verdict "$work"/spool-h4/jobs/*/events
}
ok 'it ends' until_ ended_there
revoke h4
like '... then it goes' 0 '' 'h4 is revoked: *'
ok '... wholly' revoked h4

# --- the file ------------------------------------------------------------------

# file_test TEXT SUMMARY: keys from stdin, where MINE and BLOB stand for ours;
# lines that end in " -" go (without that).
file_test() {
	rm -f "$keys"
	printf '%s\n' "$mine" >"$keys"
	name=f$((${n:=0} + 1))
	n=$((n + 1))
	tower_host "$name"
	sed -e "s|MINE|ssh-ed25519 $blob|g; s|BLOB|$blob|g" \
		-e "s|OTHER|$other|g; s|CR\\( -\\)\\{0,1\\}\$|$cr\\1|; s|TAB|$tab|g" >"$work/keys"
	sed -e 's| -$||' "$work/keys" >"$keys"
	[ -z "${no_end-}" ] || truncate -s -1 "$keys"
	chmod "${mode:-600}" "$keys"
	sed -e '/ -$/d' "$work/keys" >"$work/want"
	[ -z "${no_end-}" ] || truncate -s -1 "$work/want"
	revoke "$name"
	like "$1" 0 '' "$name is revoked: ${2:-1 line} taken *"
	ok '... and other lines are as they were' cmp "$work/want" "$keys"
	ok '... so is its mode' test "$(stat -c %a "$keys")" = "${mode:-600}"
	ok '... and nothing else is beside it' \
		test "$(ls -A "$home/.ssh")" = authorized_keys
}
file_test 'with others, options, comments, blank lines' '3 lines' <<'END'
# ssh-ed25519 BLOB is the tower's

OTHER somebody
from="10.0.0.1",command="echo \" ssh-ed25519 BLOB \"" OTHER else
MINE -
  TABrestrict,command="a b \" c" MINE tower -
command="no key
	OTHER indented
not a key at all
no-pty ssh-ed25519TABBLOBTAB comment -
ssh-ed25519 BLOBx
ssh-rsa BLOB
OTHER MINE
END
file_test 'with carriage returns' '2 lines' <<'END'
OTHER aCR
MINECR -
CR
MINE bCR -
OTHERCR
END
mode=400 file_test 'read-only' <<'END'
OTHER a
MINE -
END
unset mode
no_end=1 file_test 'without a newline at the end' <<'END'
MINE -
OTHER a
END
rm "$keys"
printf '%s\n' "$mine" >"$keys"
tower_host l1
mkdir "$home/kept"
mv "$keys" "$home/kept/real"
ln -s ../kept/real "$keys"
printf '%s\n%s\n' "$other" "$mine" >"$home/kept/real"
revoke l1
like 'a symbolic link' 0 '' 'l1 is revoked: 1 line *'
ok '... is one still' test -L "$keys"
ok '... and the file it leads to has no such line' \
	test "$(cat "$home/kept/real")" = "$other"
rm "$keys"
host m1
printf '%s\n%s\n' "$other" "$mine" >"$home/.ssh/authorized_keys2"
revoke m1
like 'in two files' 0 '' 'm1 is revoked: 2 lines *'
ok '... the other too' test "$(cat "$home/.ssh/authorized_keys2")" = "$other"
rm "$home/.ssh/authorized_keys2"

# --- what can't be done --------------------------------------------------------

host n1
echo "$mine" >"$home/.ssh/more"
revoke n1
like 'another file lets it in as well' 1 '' \
	"towerify-host: n1: the tower's key is off, but the host still lets the tower in*"
ok '... so it is not revoked' host_is n1 held 'the tower is leaving it'
rm "$home/.ssh/more"
revoke n1
is '... until that is off too' 0 '' 'n1 is revoked'
ok '... and it is' revoked n1

host o1
mv "$keys" "$home/.ssh/more"
revoke o1
like 'where the key lies is not known' 1 '' \
	"towerify-host: o1: nothing was taken off: the host refused: keys the tower's key is in no authorized_keys file of *: another lets it in"
ok '... nothing was: the spool' test -e "$work/spool-o1/id"
ok '... nor is it held' host_is o1 ready
rm "$home/.ssh/more"
revoke o1
like 'the host refuses the login already' 1 '' \
	"towerify-host: o1: nothing was taken off: login as * refused*
hint: if it is to stay so: towerify-host revoke --yes o1; the tower's files there stay"
revoke o1 --yes
is '... which is as good' 0 '' \
	"o1 is revoked: it refuses the login already; the tower's files there stay"
rm -r "$work/spool-o1"

host p1
sshd_stop "$work/sshd"
revoke p1
like 'a host that can not be reached' 75 '' \
	'towerify-host: p1: nothing was taken off: cannot connect to *'
ok '... is as it was' host_is p1 ready
SSHD_PORT=$port SSHD_EXTRA="AuthorizedKeysFile $keys" sshd_start "$work/sshd"
ok '... and lets in again' lets_in

noloop=${abs_top_builddir:-$top}/tests/e2e/noloop.so
if [ ! -e "$noloop" ] ||
	LC_ALL=C grep -q __asan_init "$(command -v towerify-host)"; then
	skip 'nobody can be asked' 'needs noloop.so, and no sanitizers'
else
	try env LD_PRELOAD="$noloop" towerify-host revoke p1
	is 'nobody can be asked' 75 '' \
		'towerify-host: p1: nothing was taken off: cannot start the event loop'
	ok '... and it is not held' host_is p1 ready
fi

: >"$work/spool-p1/mine"
revoke p1
is 'files of others in the spool' 0 '' "p1 is revoked: 1 line taken out of its \
authorized_keys, its spool stays: other files are in it"
ok '... stay, alone' test "$(ls -A "$work/spool-p1")" = mine
rm -r "$work/spool-p1"
# The host's mv fails: other words of the same length on their way there.
cat >"$work/stuck" <<'END'
#!/bin/sh
LC_ALL=C sed -u 's/mv -fT -- "$FILE.tow/mv -fT -Q "$FILE.tow/' |
	sh -c "$SSH_ORIGINAL_COMMAND"
END
chmod 755 "$work/stuck"
host u1
: >"$work/spool-u1/mine"
printf 'command="%s" %s\n' "$work/stuck" "$mine" >"$keys"
revoke u1
is 'a file of keys that can not be changed, seen too late' 1 '' \
	"towerify-host: u1: the host stopped: cannot change $keys: no line taken out of its authorized_keys, its spool stays: other files are in it; the tower has not left, and it is held
hint: towerify-host revoke u1 tries again"
ok '... is as it was' grep -q stuck "$keys"
ok '... and nothing is beside it' \
	test "$(ls -A "$home/.ssh")" = authorized_keys
ok '... the host is held' host_is u1 held 'the tower is leaving it'
printf '%s\n' "$mine" >"$keys"
revoke u1
is '... and can be left again' 0 '' "u1 is revoked: 1 line taken out of its \
authorized_keys, its spool stays: other files are in it"
rm -r "$work/spool-u1"
host v1
printf 'command="%s" %s\n' "$work/stuck" "$mine" >"$keys"
revoke v1
like '... without its spool' 1 '' '*: no line taken out *, its spool is gone; *'
printf '%s\n' "$mine" >"$keys"
revoke v1
is '... which is still gone' 0 '' "v1 is revoked: 1 line taken out of its \
authorized_keys, it had no spool"
host q1
rm -r "$work/spool-q1"
revoke q1
is 'no spool' 0 '' "q1 is revoked: 1 line taken out of its authorized_keys, \
it had no spool"
host r1
quietly towerify-op org add red
towerify-host --org red key >>"$keys"
towerify-host -q add s1 "$address" --host-key "$fingerprint" --org red \
	--spool "$work/spool-r1"
revoke r1
is "another organisation's spool" 0 '' "r1 is revoked: 1 line taken out of its \
authorized_keys, its spool stays: another queue uses it too"
try towerify-host -q check s1 --org red
like '... which still works' 0 '*' ''
try towerify-host revoke s1 --org red
like '... until it leaves too' 0 '' 's1 is revoked: *its spool is gone'
host t1
cp -a "$work/spool-t1" "$work/t1"
sed -i 's/^1 ./1 0/; s/^1 \(.\{31\}\)./1 \10/' "$work/spool-t1/id"
revoke t1
like 'a spool that is not the one it was' 1 '' \
	"towerify-host: t1: nothing was taken off: the host refused: spool different: *"
ok '... and the key stays' lets_in
rm -r "$work/spool-t1"
mv "$work/t1" "$work/spool-t1"
leave
