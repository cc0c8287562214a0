#!/bin/sh
# part-executor.sh - what the executor costs a host
#
# The CPU of a change of five steps that do nothing, with all that it starts on
# the host, beside five such steps run by one shell: without sshd and network.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

runs=9

# Requests are made by what the executor's tests make them with.  Each tells
# that the change before is stored, so its job is removed.
# shellcheck disable=SC2154 # set by that
make_requests() {
	TMPDIR=$BENCH_WORK
	# shellcheck source=tests/executor/lib.sh
	. "$here/../executor/lib.sh"
	trap - EXIT
	spool=$BENCH_WORK/spool
	init
	printf '%s' "$remote" >"$BENCH_WORK/remote"
	for steps_wanted in 1 5; do
		i=0
		while [ "$i" -le "$runs" ]; do
			new
			ack=$((seq - 1))
			while [ "$steps" -lt "$steps_wanted" ]; do
				does true true
			done
			printf 's_end %s\n' "$steps" >>"$prog"
			request start >"$BENCH_WORK/request.$steps_wanted.$i"
			i=$((i + 1))
		done
	done
}

# sync is run that often for a change of five steps: twice to accept it, once
# for each group of events, once to acknowledge the one before
# shellcheck disable=SC2016 # for the shells that are measured
cost() { # WHAT ROUND
	case $1 in
	one)	"$tools/hostcost" "$work/request.1.$2" \
			sh -c "$(cat "$work/remote")" ;;
	five)	"$tools/hostcost" "$work/request.5.$2" \
			sh -c "$(cat "$work/remote")" ;;
	bare)	"$tools/hostcost" /dev/null sh -c \
			'for k in 1 2 3 4 5; do sh -euc ". $0" "$0"; done' \
			"$work/true" ;;
	sync)	"$tools/hostcost" /dev/null sh -c \
			'for k in 1 2 3 4 5 6 7 8 9; do sync "$0"; done' \
			"$work/true" ;;
	esac
}
try() {
	line=$(cost "$@")
	[ "$(field "$line" 4)" = 0 ] || {
		echo "bench: failed: $1" >&2
		return 1
	}
	echo "$line"
}

(make_requests)
echo true >"$work/true"
contest "$runs" one
contest "$runs" five bare sync
note 'a change of five steps, detached and recorded' "$(of five 2)" ms
note 'its five steps by one shell' "$(of bare 2)" ms
note 'its nine calls of sync' "$(of sync 2)" ms
figure 'CPU that the executor adds to five steps, without sync' \
	"$(calc "$(of five 2) - $(of bare 2) - $(of sync 2)")" 10 ms
note 'each step more, with its sync' \
	"$(calc "($(of five 2) - $(of one 2)) / 4")" ms
grep -q succeeded "$work/spool/done" || {
	echo 'bench: no change succeeded' >&2
	exit 1
}
