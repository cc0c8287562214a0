#!/bin/sh
# bench.sh - the project's figures, measured: `make bench [BENCH='PART...']`
#
# Runs the parts named, or all of them, one after the other: each is a script
# part-NAME.sh beside this one (see README).  Exits 1 when a figure was missed or
# a part broke.  Nothing of this is a test: a busy machine gives other times.
#
# Environment: the tools in PATH; BENCH_TOOLS, the directory of the programs;
# BENCH_OUT, where the results stay.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${BENCH_TOOLS:?the directory of the programs}"
: "${BENCH_OUT:?the directory of the results}"
export BENCH_TOOLS BENCH_OUT
mkdir -p "$BENCH_OUT"
broken=0

if [ $# -eq 0 ]; then
	for part in "$here"/part-*.sh; do
		part=${part##*/part-}
		set -- "$@" "${part%.sh}"
	done
fi
for part in "$@"; do
	if [ ! -f "$here/part-$part.sh" ]; then
		echo "bench: no part '$part'" >&2
		exit 2
	fi
done

BENCH_WORK=
trap '[ -z "$BENCH_WORK" ] || rm -rf "$BENCH_WORK"' EXIT
trap 'exit 130' HUP INT TERM
for BENCH_PART in "$@"; do
	printf '\n== %s\n' "$BENCH_PART"
	BENCH_WORK=$(mktemp -d "${TMPDIR:-/tmp}/towerify-bench.XXXXXX")
	TOWERIFY_STATE=$BENCH_WORK/state
	export BENCH_PART BENCH_WORK TOWERIFY_STATE
	rm -f "$BENCH_OUT/$BENCH_PART.csv" "$BENCH_OUT/$BENCH_PART.runs.csv"
	sh "$here/part-$BENCH_PART.sh" || {
		echo "bench: part $BENCH_PART broke" >&2
		broken=1
	}
	rm -rf "$BENCH_WORK"
done

# of these parts; of others, results of an earlier day may lie there
for BENCH_PART in "$@"; do
	[ ! -f "$BENCH_OUT/$BENCH_PART.csv" ] ||
		cat "$BENCH_OUT/$BENCH_PART.csv"
done >"$BENCH_OUT/last"
printf '\n%s figures, %s missed; in %s\n' \
	"$(grep -Ec ',(ok|MISSED)$' "$BENCH_OUT/last" || :)" \
	"$(grep -c ',MISSED$' "$BENCH_OUT/last" || :)" "$BENCH_OUT"
! grep -q ',MISSED$' "$BENCH_OUT/last" && [ "$broken" = 0 ]
