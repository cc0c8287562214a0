#!/bin/sh
# spool.t - a host that is not the one the tower knew: its spool wiped, another
# one's, restored from yesterday; and a request sent again by hand
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 4

change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END

# --- wiped ---------------------------------------------------------------------------

add h1 "$work/note.yaml"
run_
ok 'a change, to begin with' log_is "h1 $id 1 ran"
rm -rf "$work/spool-h1"
add h1 "$work/note.yaml"
run_
ok 'the spool is wiped: held' host_is h1 held \
	'*spool lost or host replaced*absent*'
ok '... exit status: it waits' test "$status" -eq 5
ok '... loudly' grep -q 'h1.*spool lost or host replaced' "$work/err"
ok '... nothing ran' lines 1 "$log"
ok '... nothing was made there' test ! -e "$work/spool-h1"
run_
ok '... and is left alone from then on' test "$status" -eq 0 -a ! -s "$work/err"
towerify-host -q release h1
run_
ok 'released but not accepted anew: held again' host_is h1 held
try towerify-host -q set h1 spool-id=accept
ok 'spool-id=accept' test "$status" -eq 0
towerify-host -q release h1 2>/dev/null || :
run_
ok '... it goes on' status_is "$id" succeeded
ok '... once' log_is "h1 $((id - 1)) 1 ran
h1 $id 1 ran"

# --- swapped -------------------------------------------------------------------------

rm "$log"
mv "$work/spool-h1" "$work/aside"
mv "$work/spool-h2" "$work/spool-h1"
mv "$work/aside" "$work/spool-h2"
add 'h[1,2]' "$work/note.yaml"
run_
ok 'two spools exchanged: both are held' host_is h1 held '*different*'
ok '... the other' host_is h2 held '*different*'
ok '... nothing ran' log_is ''
mv "$work/spool-h1" "$work/aside"
mv "$work/spool-h2" "$work/spool-h1"
mv "$work/aside" "$work/spool-h2"
towerify-host -q release h1
towerify-host -q release h2
run_
ok 'changed back and released: both go on' lines 2 "$log"

# --- wiped in mid-change: the host lost it ---------------------------------------------

rm "$log"
change blocks <<'END'
steps:
  - name: blocks
    run: '"$HOME/mark" ran; "$HOME/block" "$TOWERIFY_HOST"'
    undo: nothing
END
add h3 "$work/blocks.yaml"
run_bg
until_ test -e "$home/h3.here"
kill -KILL "$runner"
run_ends
: >"$home/h3.go"
until_ ended "$(executor "$work/spool-h3")"
rm -rf "$work"/spool-h3/jobs/*
run_
ok 'a job the host has lost: held' host_is h3 held "*lost change $id*"
ok '... it is not sent again' lines 1 "$log"
ok '... and says so' sh -c 'towerify-queue why "$1" | grep -q lost' sh "$id"

# --- yesterday's copy -----------------------------------------------------------------

rm "$log"
add h4 "$work/note.yaml"
run_
cp -a "$work/spool-h4" "$work/yesterday"
add h4 "$work/note.yaml"
run_
add h4 "$work/note.yaml"
run_
ok 'three changes on h4' lines 3 "$log"
rm -rf "$work/spool-h4"
mv "$work/yesterday" "$work/spool-h4"
add h4 "$work/note.yaml"
run_
ok 'a spool restored from a copy: the host went back in time' host_is h4 held \
	'*back in time*'
ok '... nothing ran' lines 3 "$log"
towerify-queue -q cancel "$id"
ok 'a cancel of what it was to begin waits for a person' status_is "$id" running
ok '... and says so' sh -c 'towerify-queue why "$1" | grep -q "back in time"' \
	sh "$id"
towerify-host -q release h4
run_
ok '... released, and not accepted anew: held again' host_is h4 held \
	'*back in time*'
accept_h4() {
	towerify-host -q set h4 spool-id=accept
	towerify-host -q release h4
	run_
}
accept_h4
ok '... accepted anew: cancelled' status_is "$id" cancelled
ok '... nothing ran' lines 3 "$log"

# --- a copy from the midst of a change whose end is stored -----------------------------

rm "$log"
change midst <<'END'
steps:
  - name: midst
    run: '"$HOME/mark" ran; "$HOME/block" midst'
    undo: '"$HOME/mark" undo'
END
add h4 "$work/midst.yaml"
run_bg
until_ test -e "$home/midst.here"
cp -a "$work/spool-h4" "$work/midst"
: >"$home/midst.go"
run_ends
ok 'a change, and a copy of the spool from its midst' status_is "$id" succeeded
old=$id
rm -rf "$work/spool-h4"
mv "$work/midst" "$work/spool-h4"
add h4 "$work/note.yaml"
run_
ok 'put back before the next contact: the host went back in time' \
	host_is h4 held '*back in time*'
ok '... nothing is undone' log_is "h4 $old 1 ran"
accept_h4
ok '... accepted anew: what stood in its midst is undone' until_ log_is \
	"h4 $old 1 ran
h4 $old 1 undo"
until_ ended "$(executor "$work/spool-h4")"
hurry
run_
ok '... then it goes on' status_is "$id" succeeded
ok '... once' log_is "h4 $old 1 ran
h4 $old 1 undo
h4 $id 1 ran"

# --- an old request, sent again by hand ------------------------------------------------

# The tower's own bytes, taken down by an ssh in between.
towerify-host -q add r1 "$address" --host-key "$fingerprint" \
	--spool "$work/spool-r1" --transport ssh
cat >"$work/sshd/bin/ssh.new" <<END
#!/bin/sh
case \$* in
*-G*) exec $work/sshd/bin/ssh.real "\$@" ;;
esac
tee "$work/request.\$\$" | $work/sshd/bin/ssh.real "\$@"
END
chmod 755 "$work/sshd/bin/ssh.new"
mv "$work/sshd/bin/ssh" "$work/sshd/bin/ssh.real"
mv "$work/sshd/bin/ssh.new" "$work/sshd/bin/ssh"
rm "$log"
add r1 "$work/note.yaml"
old=$id
run_
mv "$work/sshd/bin/ssh.real" "$work/sshd/bin/ssh"
ok 'a change whose request is taken down' log_is "r1 $old 1 ran"
set -- "$work"/request.*
request=$1
ok '... it is one' grep -aq 'towerify1 start ' "$request"

remote='IFS= read -r n && t=$(head -c "$n" && echo .) && t=${t%.} && [ "${#t}" -eq "$n" ] && eval "$t"; exit 65'
again() {
	"$work/sshd/bin/ssh" -T -i "$work/sshd/id_ed25519" -p "$port" \
		"$me@127.0.0.1" "exec sh -c '$remote'" <"$request" \
		>"$work/out" 2>"$work/err"
}
ok 'sent again, not yet acknowledged' again
ok '... it is followed, not run' log_is "r1 $old 1 ran"
ok '... the events are told again' grep -aq 'verdict succeeded' "$work/out"
add r1 "$work/note.yaml"
run_
towerify-host -q check r1 >"$work/out"
ok 'sent again when it is done' again
ok '... the host has its verdict' grep -aq ' done succeeded ' "$work/out"
ok '... nothing ran' log_is "r1 $old 1 ran
r1 $id 1 ran"
# under another name, as if forged from the old one
sed -i "s/ job=[0-9a-f]*/ job=00112233445566778899aabbccddeeff/" "$request"
ok 'an old number under a new name' again
ok '... is stale' grep -aq ' refused stale ' "$work/out"
ok '... nothing ran' log_is "r1 $old 1 ran
r1 $id 1 ran"

# h3 is beyond asking; what it holds was looked at
reachable='h1,h2,h4,r1'
rm -rf "$work/spool-h3"
leave
