#!/bin/sh
# long.sh - `make check-long': whole what `make check' samples
#
#   long.sh RESULTS [PART…]
#
# Run in the build directory.  A part is make's check-long-PART; its scripts
# print what they counted as "# figures: N things, M others".  The part's row in
# RESULTS, a file that is kept in the tree, is replaced; the other rows stay.
# Fails when a part has failed.
set -u

results=$1
shift
[ $# -gt 0 ] || set -- sim fault wire host conc deb valgrind analyse coverage fuzz
make=${MAKE:-make}
log=$(mktemp "${TMPDIR:-/tmp}/towerify-long.XXXXXX") || exit 1
trap 'rm -f "$log" "$log.new" "$log.begun"' EXIT
failed=0

head_of() {
	cat <<'END'
What `make check-long' found: the last whole run of each of its parts (LONG=PART
runs one).  A count is of what was injected or played; "ok" is that no check
failed on any of it.

part      date        minutes result  figures
END
}

# row PART RESULT MINUTES FIGURES
row() {
	{
		head_of
		[ ! -f "$results" ] || sed '1,/^part  /d' "$results" |
			grep -v "^$1 "
		printf '%-9s %s %7s %-7s %s\n' "$1" "$(date -u +%F)" "$3" "$2" "$4"
	} >"$log.new"
	cat "$log.new" >"$results"
}

# sum: "# figures: 3 faults, 2 kills", line by line, as one, added up by name.
sum() {
	awk 'sub(/^# figures: /, "") {
		n = split($0, item, /, */)
		for (i = 1; i <= n; i++) {
			number = item[i] + 0
			name = item[i]
			sub(/^[0-9]+ /, "", name)
			if (!(name in total))
				order[++names] = name
			total[name] += number
		}
	}
	/^# PASS: / { passed = $3 }
	END {
		if (names == 0 && passed)
			printf "%d tests", passed
		for (i = 1; i <= names; i++)
			printf "%s%d %s", (i > 1 ? ", " : ""),
				total[order[i]], order[i]
	}'
}

for part; do
	start=$(date +%s)
	: >"$log.begun"
	if $make -s "check-long-$part" >"$log" 2>&1 </dev/null; then
		result=ok
	else
		result=FAILED
		failed=1
		tail -n 100 "$log"
	fi
	figures=$({
		cat "$log"
		find tests -name '*.log' -newer "$log.begun" -exec cat {} +
	} | sum)
	minutes=$((($(date +%s) - start + 59) / 60))
	row "$part" "$result" "$minutes" "${figures:--}"
	printf '%-9s %s: %s\n' "$part" "$result" "${figures:--}"
done
exit "$failed"
