#!/bin/sh
# part-scale.sh - what one tower carries, by simulation
#
# The real state, queue and runner; the hosts are made up (scale.c), so that
# there can be as many as one likes.  The state lies in memory: what a disk
# needs to sync comes on top.  BENCH_SCALE=full goes to 100,000 hosts and
# 1,000,000 changes, which takes an hour.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

if [ ! -w /dev/shm ]; then
	skip 'scale: no /dev/shm'
	exit 0
fi
shm=$(mktemp -d /dev/shm/towerify-bench.XXXXXX)
trap 'rm -rf "$shm"' EXIT

# A pass of SECONDS with JOBS hosts at work, on a copy of a state: ended, ended a
# second, us of CPU each, KiB, ms that the loop stood still at the longest.
# pass STATE JOBS SECONDS
pass() {
	cp -r "$shm/$1" "$shm/copy"
	"$tools/scale" run "$shm/copy" "$2" 100 "$3" >"$work/run"
	rm -rf "$shm/copy"
	cat "$work/run"
}

# row_of WHAT: notes of the last pass
row_of() {
	read -r _ rate us kib still <"$work/run"
	note "$1: changes a second" "$rate" ''
	note "$1: CPU a change" "$(calc "$us / 1000")" ms
	note "$1: memory" "$(calc "$kib / 1024")" MiB
	note "$1: longest without hearing a host" "$still" ms
}

sizes='1000 10000'
[ "${BENCH_SCALE-}" != full ] || sizes='1000 10000 100000 1000000'
for n in $sizes; do
	hosts=$n
	[ "$n" -le 100000 ] || hosts=100000
	"$tools/scale" fill "$shm/q$n" "$hosts" "$n" >"$work/fill"
	read -r us bytes <"$work/fill"
	note "filing, queue of $n: CPU a change" "$(calc "$us / 1000")" ms
	note "filing, queue of $n: state a change" "$bytes" B
	pass "q$n" 256 20 >/dev/null
	row_of "queue of $n, 256 hosts at once"
	last=q$n
done
for jobs in 50 250 1000 4000 10000; do
	pass "$last" "$jobs" 20 >/dev/null
	row_of "$jobs hosts at once"
	[ "$jobs" != 50 ] || few=$(cut -d ' ' -f 3 "$work/run")
done
many=$(cut -d ' ' -f 3 "$work/run")
figure 'CPU a change, 10,000 hosts at once over 50' \
	"$(calc "$many / $few")" 2 x
