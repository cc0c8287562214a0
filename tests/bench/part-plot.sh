#!/bin/sh
# part-plot.sh - wall time of five steps against hosts: a plot, wall.svg
#
# BENCH_HOSTS ("10 25 50 100") are the numbers of hosts, BENCH_ROUNDS (3) the runs
# of which the median is shown, BENCH_PEERS (all five) the peers.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/bench/hosts.sh
. "$here/hosts.sh"

counts=${BENCH_HOSTS:-10 25 50 100}
most=${counts##* }
hosts_up "$most"
hosts_add 1 "$most"
mkdir "$work/peer"
hosts_for_peers "$work/peer" "$most"
steps 5 true >"$work/five.yaml"

try() {
	case $1 in
	towerify)
		towerify-queue add -q "h[1-$count]" "$work/five.yaml" >/dev/null
		timed 1 towerify-run
		;;
	limit) timed 1 "$tools/limit" "$work/peer" "$count" 5 true ;;
	*)
		timed 1 sh "$here/peers.sh" "$1" "$work/peer" "$count" 5 true
		;;
	esac
}

find_peers
names="towerify limit$peers"
for count in $counts; do
	# shellcheck disable=SC2086 # words
	contest "${BENCH_ROUNDS:-3}" $names
	for name in $names; do
		note "$count hosts x 5 steps: $name" "$(of "$name" 1)" ms
		echo "$name,$count,$(calc "$(of "$name" 1) / 1000")" \
			>>"$BENCH_OUT/$BENCH_PART.runs.csv"
	done
done
awk -v title='five steps on each host: wall time, client and hosts on one machine' \
	-f "$here/plot.awk" "$BENCH_OUT/$BENCH_PART.runs.csv" \
	>"$BENCH_OUT/wall.svg"
echo "plot: $BENCH_OUT/wall.svg"
