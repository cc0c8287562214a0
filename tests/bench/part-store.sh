#!/bin/sh
# part-store.sh - filing, start-up, and a tower with years behind it
#
# BENCH_HISTORY (10): percent of 1,000,000 ended changes, 10,000,000 audit records and
# 100,000 queued changes; 100 takes about 6 GiB in TMPDIR and a quarter of an
# hour to make.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

percent=${BENCH_HISTORY:-10}
# within RUNS COMMAND...: $ms and $cpu, medians
within() {
	line=$(timed "$@")
	ms=$(field "$line" 1)
	cpu=$(field "$line" 2)
}
printf '%s\n' 'towerify: 1' 'steps:' '  - {run: "true", undo: nothing}' \
	>"$work/one.yaml"

# --- filing --------------------------------------------------------------------

"$tools/history" hosts "$work/state" 10000
within 3 towerify-queue add -q 'node[0-9999]' "$work/one.yaml"
figure '10,000 changes by one queue add' "$ms" 2000 ms
note 'the same, CPU' "$cpu" ms
hundred="i=0; while [ \$i -lt 100 ]; do
	towerify-queue add -q node\$i '$work/one.yaml'; i=\$((i + 1)); done"
within 3 sh -c "$hundred"
figure '100 separate queue adds' "$ms" 1500 ms
note 'the same, CPU' "$cpu" ms
rm -rf "$work/state"

# --- start-up --------------------------------------------------------------------

towerify-host -q key >/dev/null
for tool in host queue app op run audit; do
	within 41 "towerify-$tool" --version
	figure "towerify-$tool --version" "$ms" 5 ms
done
for query in 'host list' 'queue list' 'app list' 'op whoami' \
	'run --status' 'audit list -q --limit 1'; do
	# shellcheck disable=SC2086 # words
	within 41 towerify-$query
	figure "towerify-$query" "$ms" 15 ms
done

# --- history ---------------------------------------------------------------------

export TOWERIFY_STATE="$work/big"
"$tools/history" fill "$TOWERIFY_STATE" "$percent"
note 'history, of 1,000,000 ended changes' "$percent" percent
note 'its file' "$(($(wc -c <"$TOWERIFY_STATE/state.db") / 1048576))" MiB
last=$(towerify-queue list -q --limit 1 -n -o id)
within 21 towerify-queue -q list --limit 100
figure 'queue list, the first hundred that wait' "$ms" 50 ms
within 21 towerify-queue -q list --limit 100 node7
figure 'queue list of one host' "$ms" 50 ms
within 21 towerify-queue why "$((last + 1007))"
figure 'queue why' "$ms" 20 ms
within 21 towerify-audit -q list --host node7 --limit 100
figure 'audit list --host, the first hundred' "$ms" 50 ms
within 5 towerify-audit list --host node7
figure 'audit list --host, all' "$ms" 50 ms
within 21 towerify-audit list --since 1h
figure 'audit list --since' "$ms" 50 ms
figure 'claiming the next change' \
	"$("$tools/history" claim "$TOWERIFY_STATE")" 1 ms
"$tools/history" hold "$TOWERIFY_STATE"
within 21 towerify-run
figure 'a pass with nothing due' "$ms" 10 ms
records=$(towerify-audit verify 2>&1 | cut -d ' ' -f 1)
within 3 towerify-audit verify
figure_over 'audit verify' "$(calc "$records * 1000 / $ms")" 500000 rec/s
within 1 towerify-audit prune --older-than 365d
note 'audit prune of two years of three' "$ms" ms
note 'the file then' "$(($(wc -c <"$TOWERIFY_STATE/state.db") / 1048576))" MiB
towerify-audit -q verify
