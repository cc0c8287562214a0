#!/bin/sh
# part-fleet.sh - 50 hosts and 5 steps on loopback, against the limit and peers
#
# The hosts' side, sshd's share of it above all, runs on the same processors.
# BENCH_ROUNDS (5) and BENCH_PEERS (all five) make it shorter.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/bench/hosts.sh
. "$here/hosts.sh"

hosts_up 50
hosts_add 1 50
mkdir "$work/peer"
hosts_for_peers "$work/peer" 50
steps 5 true >"$work/five.yaml"

try() {
	case $1 in
	towerify)
		towerify-queue add -q 'h[1-50]' "$work/five.yaml" >/dev/null
		line=$(timed 1 towerify-run)
		;;
	limit) line=$(timed 1 "$tools/limit" "$work/peer" 50 5 true) ;;
	*) line=$(timed 1 sh "$here/peers.sh" "$1" "$work/peer" 50 5 true) ;;
	esac
	printf '%s,50,5,%s,%s\n' "$1" "$2" "$(echo "$line" | tr ' ' ,)" \
		>>"$BENCH_OUT/$BENCH_PART.runs.csv"
	echo "$line"
}

find_peers
# the first contact pins each spool, the second is like any other
try towerify 0 >/dev/null
# shellcheck disable=SC2086 # words
contest "${BENCH_ROUNDS:-5}" towerify limit $peers

for name in towerify limit $peers; do
	note "50 hosts x 5 steps: $name" "$(of "$name" 1)" ms
	note "  client CPU" "$(of "$name" 2)" ms
done
figure 'towerify / limit' "$(calc "$(of towerify 1) / $(of limit 1)")" 2 x
figure 'towerify / limit, client CPU' \
	"$(calc "$(of towerify 2) / $(of limit 2)")" 3 x
for peer in $peers; do
	case $peer in
	pssh | clush) least=4 ;;
	ansible) least=25 ;;
	*) least=1 ;;
	esac
	figure_over "$peer / towerify" \
		"$(calc "$(of "$peer" 1) / $(of towerify 1)")" "$least" x
done
