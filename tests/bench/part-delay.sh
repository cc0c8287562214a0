#!/bin/sh
# part-delay.sh - 10 hosts and 10 steps, 100 ms of round trip away
#
# BENCH_ROUNDS (5) and BENCH_PEERS (all five) make it shorter.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/bench/hosts.sh
. "$here/hosts.sh"
# shellcheck source=tests/bench/delay.sh
. "$here/delay.sh"

host_address() { echo "198.18.0.$1"; }

hosts_up 1
if ! delay_can; then
	skip 'figures at 100 ms: they need root and network namespaces'
	exit 0
fi
delay_up 100
hosts_add 1 10
mkdir "$work/peer"
hosts_for_peers "$work/peer" 10
steps 10 true >"$work/ten.yaml"
steps 1 true >"$work/one.yaml"

filed() { # FILE
	towerify-queue add -q 'h[1-10]' "$1" >/dev/null
	reach "$tools/stopwatch" 1 towerify-run
}
try() {
	case $1 in
	one) line=$(filed "$work/one.yaml") ;;
	towerify) line=$(filed "$work/ten.yaml") ;;
	limit) line=$(reach "$tools/stopwatch" 1 "$tools/limit" \
		"$work/peer" 10 10 true) ;;
	*) line=$(reach "$tools/stopwatch" 1 sh "$here/peers.sh" "$1" \
		"$work/peer" 10 10 true) ;;
	esac
	[ "$(field "$line" 4)" = 0 ] || {
		echo "bench: $1 failed" >&2
		return 1
	}
	echo "$line"
}

find_peers
try towerify 0 >/dev/null
# shellcheck disable=SC2086 # words
contest "${BENCH_ROUNDS:-5}" towerify one limit $peers

for name in towerify limit $peers; do
	note "10 hosts x 10 steps, 100 ms: $name" "$(of "$name" 1)" ms
done
figure 'towerify / limit' "$(calc "$(of towerify 1) / $(of limit 1)")" 1.25 x
figure 'ten steps / one step' "$(calc "$(of towerify 1) / $(of one 1)")" 1.1 x
for peer in $peers; do
	figure_over "$peer / towerify" \
		"$(calc "$(of "$peer" 1) / $(of towerify 1)")" 1 x
done
