#!/bin/sh
# aside.t - a pass for some hosts steps aside for one over the whole tower,
# which goes on with what runs; nobody's reading holds up a pass behind a gate
#
# TOWERIFY_FAULT_LONG: killed at 100 moments; else at some.
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

tower_sshd
tower_hosts 2
echo "# seed $seed"

change blocks <<'END_'
steps:
  - name: blocks
    run: |
      "$HOME/mark" begin
      "$HOME/block" "$TOWERIFY_HOST"
      "$HOME/mark" end
    undo: nothing
END_
change note <<'END_'
steps:
  - name: note
    run: '"$HOME/mark" ran'
    undo: nothing
END_

# limited COMMAND…: in the background: $limited; its change is $long
limited() {
	rm -f "$log" "$home"/*.here "$home"/*.go
	"$@" >"$work/limited.out" 2>"$work/limited.err" </dev/null &
	limited=$!
	until_ test -e "$home/h1.here"
	long=$(towerify-queue list h1 -n --tsv -o id)
	until_ is_accepted "$long"
}
is_accepted() {
	towerify-queue show "$1" -J | grep -q '"state": *"running"'
}
limited_ends() {
	until_ ended "$limited" || kill -KILL "$limited"
	status=0
	wait "$limited" || status=$?
}
once() {
	log_is "h1 $long 1 begin
h2 $id 1 ran
h1 $long 1 end"
}

# --- add --run, with --wait and without --------------------------------------------

for wait in --wait --wait=60s -q; do
	limited towerify-queue -q add h1 "$work/blocks.yaml" --run "$wait"
	add h2 "$work/note.yaml"
	run_bg
	ok "add --run $wait: a whole pass carries out the other host's change" \
		until_ status_is "$id" succeeded
	ok '... while the long one runs' status_is "$long" running
	ok '... and its caller waits' kill -0 "$limited"
	ok '... the pass works on' kill -0 "$runner"
	: >"$home/h1.go"
	run_ends
	ok '... it follows the long one to its end' test "$status" -eq 0
	ok '... in silence' test ! -s "$work/out" -a ! -s "$work/err"
	limited_ends
	ok '... the caller gets the result' test "$status" -eq 0
	ok '... the number and no more' test \
		"$(cat "$work/limited.out" "$work/limited.err")" = "$long"
	ok '... each step ran once' once
done

# --- towerify-run --hosts ------------------------------------------------------------

add h1 "$work/blocks.yaml"
limited towerify-run --hosts h1
add h2 "$work/note.yaml"
try towerify-run --hosts h2
is 'another one for some hosts: silence' 0 '' ''
ok '... it asks for nothing' kill -0 "$limited"
run_bg --watch
limited_ends
ok '--hosts: exit status 5' test "$status" -eq 5
ok '... in silence' test ! -s "$work/limited.out" -a ! -s "$work/limited.err"
ok '... --watch does the rest' until_ status_is "$id" succeeded
try towerify-run
is '... a second whole pass leaves in silence' 0 '' ''
: >"$home/h1.go"
until_ status_is "$long" succeeded
kill -TERM "$runner"
run_ends
ok '... each step ran once' once

# --- one that can't step aside -------------------------------------------------------

add h1 "$work/blocks.yaml"
limited towerify-run --hosts h1
kill -STOP "$limited"
try towerify-run
like 'one that does not step aside is named' 75 '' "towerify-run: a pass for \
some hosts is at work and has not stepped aside for 15 s*"
touch -d '5 minutes ago' "$TOWERIFY_STATE/run.lock"
try towerify-run
like '... and one that has not moved' 75 '' \
	"towerify-run: another pass is at work but has not moved for 3?? s*"
kill -CONT "$limited"
: >"$home/h1.go"
limited_ends
ok '... it goes on when it can' status_is "$long" succeeded

# --- killed at any moment --------------------------------------------------------------

change slow <<'END_'
steps:
  - name: slow
    run: |
      "$HOME/mark" begin
      sleep 0.4
      "$HOME/mark" end
    undo: nothing
END_
rm -f "$log"
moments=12
[ -z "${TOWERIFY_FAULT_LONG-}" ] || moments=100
random "$moments" 600 >"$work/moments"
round=0
killed=0
: >"$work/wanted"
while read -r moment; do
	round=$((round + 1))
	add h1 "$work/slow.yaml"
	printf 'h1 %s 1 begin\nh1 %s 1 end\n' "$id" "$id" >>"$work/wanted"
	add h2 "$work/note.yaml"
	echo "h2 $id 1 ran" >>"$work/wanted"
	towerify-run --hosts h1 >>"$work/said" 2>&1 &
	limited=$!
	sleep 0.1
	towerify-run >>"$work/said" 2>&1 &
	runner=$!
	sleep "0.$(printf %03d "$moment")"
	case $((round % 2)) in
	0) victim=$limited ;;
	*) victim=$runner ;;
	esac
	! kill -KILL "$victim" 2>/dev/null || killed=$((killed + 1))
	wait "$limited" 2>/dev/null || :
	wait "$runner" 2>/dev/null || :
done <"$work/moments"
echo "# killed $killed times"
run_
until_ sh -c 'towerify-run; test -z "$(towerify-queue list -n --tsv -o id)"'
same() {
	sort "$work/wanted" >"$work/wanted.sorted"
	sort "$log" | diff "$work/wanted.sorted" -
}
ok 'killed at any moment: each step ran once' same
ok '... nobody says a word' test ! -s "$work/said"
add h1 "$work/note.yaml"
try towerify-run --hosts h1
is '... what the killed ones asked for is forgotten' 0 '' ''
ok '... and a pass for some hosts works' status_is "$id" succeeded

# --- behind a gate, nobody reads -------------------------------------------------------

# A pipe that is full and stays so: fd 8 keeps it open, nothing reads it.
mkfifo "$work/full"
exec 8<>"$work/full"
dd if=/dev/zero of="$work/full" bs=4096 oflag=nonblock 2>"$work/err" || :

add h1 "$work/note.yaml"
TOWERIFY_OPERATOR=$me towerify-run -v >&8 2>&8 &
runner=$!
ok 'a full pipe as stderr: a pass behind a gate ends' until_ ended "$runner"
status=0
wait "$runner" || status=$?
ok '... well' test "$status" -eq 0
ok '... the change too' status_is "$id" succeeded
exec 8>&-

# And one that fills up meanwhile.
change chatty <<END_
steps:
$(for i in $(seq 150); do printf '  - {name: "%s", run: "true", undo: nothing}\n' \
	"s$i"; done)
END_
mkfifo "$work/filling"
exec 8<>"$work/filling"
dd if=/dev/zero of="$work/filling" bs=4096 count=14 2>"$work/err"
add h1 "$work/chatty.yaml"
TOWERIFY_OPERATOR=$me towerify-run -v >&8 2>&8 &
runner=$!
ok 'a pipe that fills up: the pass ends' until_ ended "$runner"
ok '... the change too' status_is "$id" succeeded
exec 8>&-

add h1 "$work/note.yaml"
TOWERIFY_OPERATOR=$me towerify-run -v 2>"$work/err"
ok 'who reads gets all' grep -q "change=$id host=h1 step=1 status=done" \
	"$work/err"

leave
