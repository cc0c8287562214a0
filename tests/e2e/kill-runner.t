#!/bin/sh
# kill-runner.t - the runner dies at any moment, with the sessions or without:
# each step runs exactly once, in order, and the next pass finishes
#
# TOWERIFY_FAULT_LONG: at 200 moments; else at some.
# the host's and jq's variables; functions with optional arguments:
# shellcheck disable=SC2016,SC2119
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/e2e/lib.sh
. "$top/tests/e2e/lib.sh"

if [ -n "${TOWERIFY_FAULT_LONG-}" ]; then
	rounds=224
	kills=200
else
	rounds=28
	kills=24
fi
tower_sshd
tower_hosts 4
echo "# seed $seed"

change good <<'END'
steps:
  - name: one
    run: |
      "$HOME/mark" begin
      echo out
      sleep 0.03
      "$HOME/mark" end
    undo: nothing
  - name: two
    check: test -e "$HOME/$TOWERIFY_HOST.$TOWERIFY_CHANGE"
    run: |
      "$HOME/mark" begin
      echo out
      : >"$HOME/$TOWERIFY_HOST.$TOWERIFY_CHANGE"
      "$HOME/mark" end
    undo: nothing
  - name: three
    run: |
      "$HOME/mark" begin
      echo out
      "$HOME/mark" end
    undo: nothing
END
change bad <<'END'
steps:
  - name: one
    run: |
      "$HOME/mark" begin
      echo out
      "$HOME/mark" end
    undo: |
      "$HOME/mark" undo
      echo out
  - name: two
    run: |
      "$HOME/mark" begin
      echo out
      sleep 0.03
      "$HOME/mark" end
      false
    undo: |
      "$HOME/mark" undo
      sleep 0.03
      echo out
END

# --- the loop ------------------------------------------------------------------------

# Odd rounds file changes that succeed, even ones some that do not; each second
# pair of rounds kills the sessions too.  A round may find nothing to do.
random "$rounds" 280 >"$work/moments"
round=0
killed=0
: >"$work/filed"
while read -r moment; do
	round=$((round + 1))
	case $((round % 2)) in
	1) name=good ;;
	*) name=bad ;;
	esac
	towerify-queue -q add 'h[1-4]' "$work/$name.yaml" >"$work/ids"
	while read -r id; do echo "$id $name"; done <"$work/ids" >>"$work/filed"
	run_bg
	sleep "0.$(printf %03d "$moment")"
	case $((round % 4)) in
	0 | 3)
		kill -STOP "$runner" 2>/dev/null || :
		sshd_sessions "$work/sshd"
		;;
	esac
	! kill -KILL "$runner" 2>/dev/null || killed=$((killed + 1))
	wait "$runner" 2>/dev/null || :
done <"$work/moments"
echo "# killed $killed times"
ok "the runner was killed at $kills moments and more" \
	test "$killed" -ge "$kills"
run_
until_ sh -c 'towerify-run; test -z "$(towerify-queue list -n --tsv -o id)"'
ok 'the next pass finishes' test -z "$(towerify-queue list -n --tsv -o id)"

# --- what it came to ----------------------------------------------------------------

expected() {	# expected HOST: its log; changes went to h1 to h4 in turn
	while read -r id name; do
		[ $(((id - 1) % 4 + 1)) -eq "${1#h}" ] || continue
		case $name in
		good) set -- "$1" '1 begin' '1 end' '2 begin' '2 end' \
			'3 begin' '3 end' ;;
		*) set -- "$1" '1 begin' '1 end' '2 begin' '2 end' \
			'2 undo' '1 undo' ;;
		esac
		for line in "$2" "$3" "$4" "$5" "$6" "$7"; do
			echo "$1 $id $line"
		done
	done <"$work/filed"
}
once() {
	expected "$1" >"$work/wanted"
	grep "^$1 " "$log" >"$work/have"
	diff "$work/wanted" "$work/have" || { echo "seed $seed"; return 1; }
}
for host in h1 h2 h3 h4; do
	ok "$host: each step and each undo exactly once, in order" once "$host"
done

ends_are() {
	while read -r id name; do
		case $name in good) echo "$id succeeded" ;;
		*) echo "$id rolled-back" ;; esac
	done <"$work/filed" >"$work/wanted"
	towerify-queue list --all --tsv -n -o id,status | tr '\t' ' ' |
		sort -n >"$work/have"
	diff "$work/wanted" "$work/have"
}
ok 'every change ended as it had to' ends_are

# No output is lost or doubled: three words a change, or two and two of undo.
outputs() {
	sql "WITH a AS (SELECT num, status, (SELECT group_concat(piece, '')
			FROM (SELECT CAST(data AS TEXT) AS piece FROM output
			WHERE change_id = change.id ORDER BY id)) AS said
			FROM change)
		SELECT * FROM a WHERE said IS NOT replace(CASE status
			WHEN 'succeeded' THEN '...' ELSE '....' END, '.',
			'out' || char(10))" >"$work/have"
	[ ! -s "$work/have" ] || { cat "$work/have"; echo "seed $seed"
		return 1; }
}
ok 'no output was lost or doubled' outputs

records() {
	towerify-audit list -J >"$work/audit"
	jq -r '.records[] | select(.action == "change.start" or
		.action == "change.accept" or .action == "change.end" or
		.action == "step.end" or .action == "step.undone") |
		[.action, .change, (.detail | if type == "string" then
		fromjson else . end | .k)] | @tsv' "$work/audit" | sort |
		uniq -d >"$work/have"
	[ ! -s "$work/have" ] || { cat "$work/have"; return 1; }
	[ "$(jq '[.records[] | select(.action == "change.end")] | length' \
		"$work/audit")" -eq "$(wc -l <"$work/filed")" ]
}
ok 'each start, step and end is in the audit trail, once' records

# --- in order: TERM and INT detach ----------------------------------------------------

change blocks <<'END'
steps:
  - name: blocks
    run: |
      "$HOME/mark" run
      echo before
      "$HOME/block" "$TOWERIFY_HOST"
      echo after
    undo: '"$HOME/mark" undo'
END
for signal in TERM INT; do
	rm -f "$log" "$home"/*.here "$home"/*.go
	add 'h[1,2]' "$work/blocks.yaml"
	# ^C and kill must be heard by a background job of sh as well
	env --default-signal=INT towerify-run >"$work/out" 2>"$work/err" &
	runner=$!
	until_ test -e "$home/h1.here" -a -e "$home/h2.here"
	kill -s "$signal" "$runner"
	run_ends
	ok "$signal detaches: exit status 5, it still runs" test "$status" -eq 5
	ok '... and it does' status_is "$id" running
	ok '... the hosts go on' kill -0 "$(executor "$work/spool-h2")"
	: >"$home/h1.go"
	: >"$home/h2.go"
	until_ ended "$(executor "$work/spool-h1")"
	run_
	ok '... the next pass brings them home' status_is "$id" succeeded
	ok '... each step ran once' lines 2 "$log"
	ok '... with all output' test \
		"$(towerify-queue log -J "$id" | jq -j .data)" = "before
after"
done

leave
