# shellcheck shell=sh
# lib.sh - what every part of the benchmark begins with: `. "${0%/*}/lib.sh"`
#
# bench.sh starts a part with these set, all directories there and absolute:
#
#   BENCH_PART	its name
#   BENCH_TOOLS	the programs of tests/bench (stopwatch, limit, wire, ...)
#   BENCH_OUT	where results stay: BENCH_PART.csv, BENCH_PART.runs.csv
#   BENCH_WORK	a directory of its own, removed afterwards
#   TOWERIFY_STATE	BENCH_WORK/state, which is not there yet
#
# and with the tools in PATH.  A part ends what it has started and exits 0,
# whatever the figures are: what was missed stands in its CSV file.  Another
# status says that it broke.
set -eu

# shellcheck disable=SC2034 # for the parts
here=$(cd "$(dirname "$0")" && pwd)
work=$BENCH_WORK
# shellcheck disable=SC2034 # for the parts
tools=$BENCH_TOOLS
# so that what a part has set for EXIT runs then too
trap 'exit 130' HUP INT TERM

# What could not be measured breaks the part: awk takes it for 0.
# measured WHAT VALUE
measured() {
	case $2 in
	'' | *[!0-9.-]*)
		echo "bench: no figure: $1" >&2
		exit 1
		;;
	esac
}

# A line on the terminal and one in the CSV file.
# row WHAT VALUE UNIT BOUND LIMIT VERDICT
row() {
	if [ -n "$4" ]; then
		printf '%-54s %9s %-5s %s %s  %s\n' "$1" "$2" "$3" "$4" "$5" \
			"$6"
	else
		printf '%-54s %9s %s\n' "$1" "$2" "$3"
	fi
	printf '%s,"%s",%s,%s,%s,%s,%s\n' "$BENCH_PART" "$1" "$2" "$3" "$4" \
		"$5" "$6" >>"$BENCH_OUT/$BENCH_PART.csv"
}

# judge WHAT VALUE LIMIT UNIT WORDS SIGN: 1, at most the limit; -1, at least
judge() {
	measured "$1" "$2"
	verdict=MISSED
	awk -v a="$2" -v b="$3" -v sign="$6" \
		'BEGIN { exit !(sign * a <= sign * b) }' && verdict=ok
	row "$1" "$2" "$4" "$5" "$3" "$verdict"
}

# figure WHAT VALUE LIMIT UNIT: at most the limit (UNIT x: a ratio)
figure() { judge "$1" "$2" "$3" "$4" 'at most' 1; }

# figure_over WHAT VALUE LIMIT UNIT: at least the limit
figure_over() { judge "$1" "$2" "$3" "$4" 'at least' -1; }

# note WHAT VALUE UNIT: measured, with no limit
note() {
	measured "$1" "$2"
	row "$1" "$2" "$3" '' '' ''
}

# skip WHAT: cannot be measured here
skip() {
	printf 'skipped: %s\n' "$1"
	printf '%s,"%s",,,,,skipped\n' "$BENCH_PART" "$1" \
		>>"$BENCH_OUT/$BENCH_PART.csv"
}

# calc EXPRESSION: of numbers, by awk, two places; nothing when one is missing
calc() {
	case $* in
	*[!0-9.\ \(\)*/+-]*) return 1 ;;
	esac
	awk "BEGIN { printf \"%.2f\", $* }"
}

# What stopwatch prints: wall and CPU in ms, memory in KiB, exit status, each
# the median of its runs but the memory and status, which are the worst.
# field LINE NUMBER
field() { echo "$1" | cut -d ' ' -f "$2"; }

# timed RUNS COMMAND...: one such line; a command that fails breaks the part
timed() {
	"$tools/stopwatch" "$@" >"$work/timed" || return
	if [ "$(field "$(cat "$work/timed")" 4)" != 0 ]; then
		shift
		echo "bench: failed: $*" >&2
		return 1
	fi
	cat "$work/timed"
}

# find_peers: $peers, those of BENCH_PEERS that are installed, each after a blank
find_peers() {
	peers=
	for peer in ${BENCH_PEERS-fabric pssh clush ssh ansible}; do
		if sh "$here/peers.sh" has "$peer"; then
			peers="$peers $peer"
		else
			skip "$peer: not installed"
		fi
	done
}

# contest ROUNDS NAME...: calls `try NAME ROUND`, which the part defines and
# which prints a line of stopwatch, for each name by turns, so that all meet the
# same machine.  Then `of NAME FIELD` is the median of a field over the rounds,
# "none" without one.
contest() {
	contest_rounds=$1
	shift
	for name in "$@"; do
		: >"$work/contest.$name"
	done
	round=1
	while [ "$round" -le "$contest_rounds" ]; do
		for name in "$@"; do
			try "$name" "$round" >>"$work/contest.$name"
		done
		round=$((round + 1))
	done
}

of() {
	cut -d ' ' -f "$2" "$work/contest.$1" | sort -n |
		awk '$1 != "" { v[++n] = $1 }
			END { print n ? v[int((n + 1) / 2)] : "none" }'
}
