#!/bin/sh
# coverage.sh - which lines of lib/ the tests have run, and whether it is enough
#
#   coverage.sh [-l FILE]     in a build configured with --enable-coverage
#
#   -l FILE   also each line of FILE that was not run
#
# Reads what the tests of this build have left so far (gcov's counts; a program
# that is killed leaves none) and prints a line for each folder and file.  Fails
# when less than $floor % of lib's lines were run, or when one in $whole was not
# and tests/coverage/gaps gives no reason for it.  `make coverage' runs the
# tests first.
set -eu
LC_ALL=C
export LC_ALL

floor=${TOWERIFY_COVERAGE_FLOOR:-90}
whole='lib/engine/automaton.c lib/engine/journal.c lib/spec/program.c'
src=${abs_top_srcdir:?run by make coverage}
build=${abs_top_builddir:?}
show=
[ "${1-}" != -l ] || show=$2

work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-coverage.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

cd "$build"
# Objects that nothing ran have no counts yet, and their lines are not to be
# left out: the notes alone are enough for gcov.
find lib -name "*.gcno" ! -path lib/ssh/fake.gcno > "$work/notes"
if ! [ -s "$work/notes" ]; then
	echo 'coverage: wants configure --enable-coverage, with gcc' >&2
	exit 1
fi
# A source that is no more leaves its notes behind.
while IFS= read -r note; do
	stem=$(printf "%s" "${note%.gcno}" | sed "s,[a-z]*_a-,,")
	[ ! -e "$src/$stem.c" ] && [ ! -e "$src/$stem.cc" ] ||
		printf '%s\n' "$note"
done < "$work/notes" | xargs gcov -t -b > "$work/gcov" 2> "$work/said" || {
	cat "$work/said" >&2
	exit 1
}

# FILE TAB LINE TAB COUNT TAB FUNCTION TAB TEXT, a header's added up.
awk -v src="$src/" '
function is_count(s) { return s ~ /^[0-9]+\*?$/ || s ~ /^[#=]+$/ }
/^function / { func_name = $2; next }
{
	n = split($0, part, ":")
	if (n < 3)
		next
	count = part[1]; gsub(/ /, "", count)
	line = part[2] + 0
	if (line == 0) {
		if (part[3] == "Source") {
			file = part[4]
			if (index(file, src) == 1)
				file = substr(file, length(src) + 1)
			func_name = "-"
		}
		next
	}
	if (file !~ /^lib\// || !is_count(count))
		next
	text = substr($0, length(part[1]) + length(part[2]) + 3)
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	key = file "\t" line
	sub(/\*$/, "", count)
	sum[key] += (count ~ /^[0-9]/) ? count : 0
	if (!(key in who))
		who[key] = func_name
	what[key] = text
}
END {
	for (key in sum)
		printf "%s\t%s\t%s\t%s\n", key, sum[key], who[key], what[key]
}' "$work/gcov" | sort -t '	' -k 1,1 -k 2,2n > "$work/lines"

shown() {
	awk -F '\t' -v "by=$1" '
	{
		what = $1
		if (by != "file")
			sub(/\/[^\/]*$/, "/", what)
		if (by == "all")
			sub(/\/.*/, "/", what)
		all[what]++
		run[what] += $3 > 0
	}
	END {
		for (what in all)
			printf "%6.2f %% %6d of %6d  %s\n",
				100 * run[what] / all[what], run[what],
				all[what], what
	}' "$work/lines" | sort -k 6
	echo
}
shown file
shown folder
shown all
[ -z "$show" ] ||
	awk -F '\t' -v file="$show" '$1 == file && $3 == 0 {
		printf "%s:%s:%s:%s\n", $1, $2, $4, $5 }' "$work/lines"

bad=0
awk -F '\t' -v floor="$floor" '
{ all++; run += $3 > 0 }
END {
	if (all > 0)
		printf "# figures: %d %% of the lines of lib\n",
			100 * run / all
	if (all == 0 || run < all * floor / 100) {
		printf "coverage: below the floor of %s %%\n", floor
		exit 1
	}
}' "$work/lines" || bad=1

# A gap is FILE:FUNCTION:TEXT, then its reason, indented.  A line of that text
# in that function may stay as it is; a gap that is none is said.
awk -F '\t' -v whole=" $whole " '
FNR == NR {
	if ($0 ~ /^#/ || $0 == "")
		next
	if ($0 ~ /^\t/) {
		reason[gap] = reason[gap] $2
		next
	}
	gap = $0
	known[gap] = 0
	next
}
index(whole, " " $1 " ") && $3 == 0 {
	key = $1 ":" $4 ":" $5
	if (key in known) {
		known[key] = 1
		next
	}
	printf "coverage: not run, without a reason: %s:%s:%s:%s\n",
		$1, $2, $4, $5
	bad = 1
}
END {
	for (gap in known) {
		if (reason[gap] == "") {
			print "coverage: tests/coverage/gaps: no reason: " gap
			bad = 1
		}
		if (!known[gap])
			print "coverage: tests/coverage/gaps: is none: " gap
	}
	exit bad
}' "$src/tests/coverage/gaps" "$work/lines" || bad=1
exit "$bad"
