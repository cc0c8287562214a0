#!/bin/sh
# stop.t - a runner that is stopped (SIGSTOP) past every limit, and woken when its
# connection is long gone or another tower has taken its place; a copy of the
# state that runs beside the first: nothing runs twice, and who is behind is told
# so by name
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/wire/lib.sh
. "$top/tests/wire/lib.sh"

tower_sshd
tower_hosts 2
first=$TOWERIFY_STATE
copy=$work/copy

change blocks <<'END'
steps:
  - name: blocks
    run: |
      "$HOME/mark" begin
      echo before
      "$HOME/block" "$TOWERIFY_HOST"
      echo after
      "$HOME/mark" end
    undo: '"$HOME/mark" undo'
  - name: next
    run: '"$HOME/mark" run'
    undo: '"$HOME/mark" undo'
END
for word in first copy; do
	change "$word" <<END
params:
  word: {type: string, default: $word}
steps:
  - name: note
    run: '"\$HOME/mark" "\$word"'
    undo: nothing
END
done

said() {
	towerify-queue log -J "$1" | jq -j .data
}

# Stopped in mid-step, when the state is not being written.
stopped() {	# stopped HOST
	run_bg
	until_ test -e "$home/$1.here"
	until_ sh -c 'towerify-queue log "$1" | grep -q before' sh "$id"
	kill -STOP "$runner"
	touch -d '10 minutes ago' "$first/run.lock"
}

# --- woken when its connection is gone and all is over ---------------------------------

add h1 "$work/blocks.yaml"
stopped h1
sshd_sessions "$work/sshd"
: >"$home/h1.go"
until_ lines 3 "$log"
until_ ended "$(executor "$work/spool-h1")"
for n in 1 2 3; do
	try towerify-run
	like "stopped past its limit: pass $n complains" 75 '' \
		'towerify-run: another pass is at work but has not moved for 6?? s*'
done
ok '... and does nothing' status_is "$id" running
try towerify-run --status --within=5m
ok '... --status says that none moves' test "$status" -ne 0
kill -CONT "$runner"
run_ends
ok 'woken on a connection that is gone: it brings the change home' \
	status_is "$id" succeeded
ok '... each step ran once' log_is "h1 $id 1 begin
h1 $id 1 end
h1 $id 2 run"
ok '... its output is there, once' test "$(said "$id")" = 'before
after'

# --- woken when another tower has taken its place ----------------------------------------

# The connection of the first stays open, or is cut meanwhile.
replaced() {	# replaced HOST
	rm -f "$log" "$home"/*.here "$home"/*.go
	add "$1" "$work/blocks.yaml"
	one=$id
	add "$1" "$work/first.yaml" -p word=waits
	two=$id
	id=$one
	stopped "$1"
	rm -rf "$copy"
	cp -a "$first" "$copy"
	rm -f "$copy/run.lock"
	TOWERIFY_STATE=$copy
	[ "$1" = h1 ] || sshd_sessions "$work/sshd"
	towerify-run >"$work/copy.out" 2>"$work/copy.err" &
	copied=$!
	: >"$home/$1.go"
	until_ ended "$copied" || kill -KILL "$copied"
	ok "$1: a copy of the state follows what a stopped one began" \
		wait "$copied"
	ok '... to its end' status_is "$one" succeeded
	ok '... and goes on with the queue' status_is "$two" succeeded
	add "$1" "$work/copy.yaml"
	run_
	ok '... and with what is filed there' status_is "$id" succeeded
	cp "$log" "$work/before"
	ok '... each step ran once' log_is "$1 $one 1 begin
$1 $one 1 end
$1 $one 2 run
$1 $two 1 waits
$1 $id 1 copy"
	TOWERIFY_STATE=$first
	kill -CONT "$runner"
	run_ends
	ok '... the first is woken: it harms nothing' cmp "$log" "$work/before"
	hurry
	run_
	ok '... it learns how its change ended' status_is "$one" succeeded
	ok '... and what waited there, without doing it again' \
		status_is "$two" succeeded
	add "$1" "$work/first.yaml"
	late=$id
	hurry
	run_
	ok '... for anything new it is behind, and told so by name' \
		host_is "$1" held "*this state is an old copy*release $1*"
	ok '... nothing ran' cmp "$log" "$work/before"
	ok '... why says it' sh -c 'towerify-queue why "$1" |
		grep -q "this state is an old copy"' sh "$late"
	ok '... the audit trail of both is whole' towerify-audit verify
	TOWERIFY_STATE=$copy
	ok '... of the copy, too' towerify-audit verify
	rm -f "$log"
	add "$1" "$work/copy.yaml"
	run_
	ok '... the copy goes on' log_is "$1 $id 1 copy"
	# it is the tower now
	rm -rf "$first"
	mv "$copy" "$first"
	TOWERIFY_STATE=$first
}
replaced h1
replaced h2

# --- both at once -----------------------------------------------------------------------

both_run() {
	towerify-run >"$work/out.first" 2>"$work/err.first" &
	one_pass=$!
	TOWERIFY_STATE=$copy towerify-run >"$work/out.copy" \
		2>"$work/err.copy" &
	other_pass=$!
	until_ ended "$one_pass" || kill -KILL "$one_pass"
	until_ ended "$other_pass" || kill -KILL "$other_pass"
	wait "$one_pass" || :
	wait "$other_pass" || :
}

is_settled() {	# is_settled STATE ID HOST: it has ended, or is held
	case $(TOWERIFY_STATE=$1 status_of "$2") in
	queued | running)
		[ "$(TOWERIFY_STATE=$1 towerify-host show -J "$3" |
			jq -r .status)" = held ]
		;;
	esac
}

both_settle() {	# of change $1 there and $2 in the copy, on host $3
	settling=0
	while both_run; ! is_settled "$first" "$1" "$3" ||
		! is_settled "$copy" "$2" "$3"; do
		settling=$((settling + 1))
		[ "$settling" -lt 20 ] || return 1
		hurry
		(TOWERIFY_STATE=$copy hurry)
	done
}

clone() {
	rm -rf "$copy"
	cp -a "$first" "$copy"
	rm -f "$copy/run.lock"
}

# What was filed before the copy was made is the same change in both.
same() {
	n=0
	while [ "$n" -lt "$1" ]; do
		n=$((n + 1))
		rm -f "$log"
		add h1 "$work/first.yaml"
		one=$id
		add h1 "$work/first.yaml" -p word=second
		clone
		both_settle "$id" "$id" h1 || return 1
		status_is "$one" succeeded || return 1
		status_is "$id" succeeded || return 1
		(TOWERIFY_STATE=$copy status_is "$id" succeeded) || return 1
		log_is "h1 $one 1 first
h1 $id 1 second" || return 1
	done
}
ok 'a tower and its copy run the same changes at once: each ran once' \
	same "$(sample 4 60)"

# What was filed later bears the same number in both, and is another.
others() {
	n=0
	firsts=0
	copies=0
	while [ "$n" -lt "$1" ]; do
		n=$((n + 1))
		rm -f "$log"
		clone
		(TOWERIFY_STATE=$copy add h1 "$work/copy.yaml")
		add h1 "$work/first.yaml"
		both_settle "$id" "$id" h1 || return 1
		lines 1 "$log" || return 1
		case $(cat "$log") in
		*first)
			firsts=$((firsts + 1))
			loser=$copy
			;;
		*)
			copies=$((copies + 1))
			loser=$first
			;;
		esac
		(TOWERIFY_STATE=$loser host_is h1 held \
			'*this state is an old copy*release h1*') || return 1
		# who came first is the tower
		[ "$loser" = "$copy" ] || {
			rm -rf "$first"
			mv "$copy" "$first"
		}
		status_is "$id" succeeded || return 1
	done
}
ok 'they run others of the same number: one is done, who is behind is told so' \
	others "$(sample 6 60)"
echo "# the first came first $firsts times, its copy $copies times"

# What keeps them apart is the host's fence: when that is put back, both are
# done, and this script would see it.
unfenced() {
	rm -f "$log"
	towerify-host -q check h2	# and acknowledges: its fence is up to date
	clone
	(TOWERIFY_STATE=$copy add h2 "$work/copy.yaml")
	add h2 "$work/first.yaml"
	mkdir "$work/kept"
	cp -a "$work/spool-h2/fence" "$work/spool-h2/done" "$work/kept"
	run_
	towerify-host -q check h2
	until_ rmdir_would "$work/spool-h2/jobs"
	cp -a "$work/kept/fence" "$work/kept/done" "$work/spool-h2"
	(TOWERIFY_STATE=$copy run_)
	! lines 1 "$log" && lines 2 "$log"
}
ok 'planted: a fence that goes back is found' unfenced

leave
