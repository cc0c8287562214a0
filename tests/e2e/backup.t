#!/bin/sh
# backup.t - a restored tower, and a copy of one: hosts are not made to repeat
# what they have done, and a tower that is behind is told so by name
# functions with optional arguments: shellcheck disable=SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 3
state=$TOWERIFY_STATE

change note <<'END'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END
change slow <<'END'
steps:
  - name: slow
    run: |
      "$HOME/mark" begins
      "$HOME/block" slow
      "$HOME/mark" ends
    undo: '"$HOME/mark" undone'
END

# --- the state is lost, and put back -----------------------------------------------------

add h1,h2,h3 "$work/note.yaml"
run_
ok 'changes are carried out' lines 3 "$log"
add h1 "$work/note.yaml"
one=$id
add h3 "$work/slow.yaml"
slow=$id
towerify-op -q backup "$work/backup"

# what happens after the backup, and is forgotten
run_bg
until_ test -e "$home/slow.here"
until_ status_is "$one" succeeded
add h1 "$work/note.yaml"
ok 'what came after the backup is done' until_ status_is "$id" succeeded
two=$id
add h1 "$work/note.yaml"
until_ status_is "$id" succeeded
add h2 "$work/note.yaml"
until_ status_is "$id" succeeded
kill -KILL "$runner"
run_ends
cp "$log" "$work/before"
mv "$state" "$work/lost"
rm -f "$work/lost/run.lock"
towerify-op -q restore "$work/backup"
ok 'the tower is put back: it knows nothing of it' \
	test "$(status_of "$one")" = queued

: >"$home/slow.go"
run_
ok 'what was queued then, and was done, is not done again' \
	status_is "$one" succeeded
ok '... as the host says' reason_is "$one" '*carried it out before*'
ok 'what was under way is followed' status_is "$slow" succeeded
ok '... it ran once' test "$(grep -c 'h3.*begins' "$log")" -eq 1
wc -l <"$log" >"$work/count"
add h1 "$work/note.yaml"
ok 'another change of that number is filed' test "$id" -le "$two"
run_
ok '... the host is ahead: it is held' host_is h1 held \
	'*this state is an old copy*towerify-host release h1*'
ok '... nothing ran' lines "$(cat "$work/count")" "$log"
towerify-queue why "$id" >"$work/out"
ok '... why says so' grep -q 'this state is an old copy' "$work/out"
add h2 "$work/note.yaml"
h2=$id
add h3 "$work/note.yaml"
run_
ok 'another host that is ahead is held, too' host_is h2 held '*old copy*'
ok '... one that is not goes on' status_is "$id" succeeded

towerify-host -q release h1
run_
ok 'once a person has looked, it goes on' test "$(
	towerify-queue list --all -n -o status h1 | sort -u)" = succeeded
towerify-host -q release h2
run_
ok '... so does the other' status_is "$h2" succeeded
ok 'each change left its mark once' test -z "$(sort "$log" |
	grep -v ' ran$' | uniq -d)"

# --- the tower it replaces is still alive ---------------------------------------------------

mv "$state" "$work/restored"
cp -a "$work/lost" "$state"
add h1 "$work/note.yaml"
wc -l <"$log" >"$work/count"
run_
ok 'the old tower is shut out' host_is h1 held '*this state is an old copy*'
ok '... nothing ran' lines "$(cat "$work/count")" "$log"
rm -rf "$state"

# --- a copy of the state directory, behind the first ------------------------------------------

mv "$work/restored" "$state"
cp -a "$state" "$work/copy"
add h3 "$work/note.yaml"
run_
run_
wc -l <"$log" >"$work/count"
mv "$state" "$work/first"
mv "$work/copy" "$state"
add h3 "$work/slow.yaml"
copied=$id
rm -f "$home"/slow.*
: >"$home/slow.go"
towerify-host -q check h3
run_
ok 'a copy that is behind is told so' host_is h3 held '*old copy*'
ok '... nothing ran' lines "$(cat "$work/count")" "$log"
towerify-host -q release h3
run_
ok '... a person may say that it is the tower now' \
	status_is "$copied" succeeded
mv "$state" "$work/copy"
mv "$work/first" "$state"
add h3 "$work/note.yaml"
run_
ok '... then the first one is shut out' host_is h3 held '*old copy*'
towerify-queue -q abandon --reason 'the copy is the tower now' "$id"
rm -rf "$state"
mv "$work/copy" "$state"
leave
