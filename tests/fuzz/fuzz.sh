#!/bin/sh
# fuzz.sh - `make fuzz': each target for FUZZ_SECONDS seconds with libFuzzer
#
#   fuzz.sh TARGET...
#
# Bytes that break something are kept in corpus/TARGET/, called by what they are
# and their hash, for replay.t.  What widens the coverage stays in the build
# (tests/fuzz/grown/TARGET) and is where the next run goes on.  Prints a table,
# for the README; fails when there were findings.
# shellcheck disable=SC2154 # abs_top_srcdir: see tests/local.mk
set -u

seconds=${FUZZ_SECONDS:-600}
source=$abs_top_srcdir/tests/fuzz
grown=tests/fuzz/grown
found=0
# A finding ends a run; it goes on, that others come up, but so often only.
RESTARTS=10

# field NAME LOG: the last of libFuzzer's statistics
field() {
	sed -n "s/^stat::$1: *//p" "$2" | tail -n 1
}

# fuzz_one NAME: until its time is over
fuzz_one() {
	name=$1
	mkdir -p "$grown/$name" "$source/corpus/$name"
	log=$grown/$name.log
	: > "$log"
	count=0
	execs=0
	end=$(($(date +%s) + seconds))
	while left=$((end - $(date +%s))); [ "$left" -gt 0 ]; do
		"tests/fuzz/$name" -max_total_time="$left" -timeout=20 \
			-rss_limit_mb=3000 -max_len=8192 -use_value_profile=1 \
			-print_final_stats=1 -dict="$source/words.dict" \
			-artifact_prefix="$source/corpus/$name/" \
			"$grown/$name" "$source/corpus/$name" \
			> "$grown/$name.run" 2>&1 < /dev/null
		status=$?
		cat "$grown/$name.run" >> "$log"
		ran=$(field number_of_executed_units "$grown/$name.run")
		execs=$((execs + ${ran:-0}))
		[ "$status" -ne 0 ] || break
		count=$((count + 1))
		[ "$count" -lt "$RESTARTS" ] || break
	done
	cover=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
	printf '%-10s %8s %12s %9s %9s\n' "$name" "$seconds" "$execs" \
		"${cover:--}" "$count"
	found=$((found + count))
	ran_all=$((ran_all + execs))
}
ran_all=0

printf '%-10s %8s %12s %9s %9s\n' target seconds executions coverage findings
for target; do
	fuzz_one "${target##*/}"
done
echo "# figures: $ran_all executions of $# targets, $found findings"
[ "$found" -eq 0 ]
