#!/bin/sh
# analyse.sh - `make analyse': gcc -fanalyzer and clang-tidy over lib and bin
#
#   analyse.sh [-gcc | -tidy] SRCDIR [FILE...]
#
# Prints a line for each finding that tests/lint/accepted gives no reason for,
# and how many there are; fails when there is one, when a file can't be
# compiled, and when one of the two is not there.  With -gcc or -tidy it asks
# the one alone.
#
# A finding is known by its file, its check and the text of its line, so that
# it stays the same when lines move.
set -u

# Of gcc's checks not malloc-leak: what is stored by a pointer to the caller's
# it takes for lost, and what was looked at of its 20 was such.  ASan and valgrind
# look for leaks.  Of clang-tidy's what is a fault whoever the code is by; no
# style.
checks='-*,clang-analyzer-core*,clang-analyzer-unix*,clang-analyzer-deadcode*'
checks="$checks,clang-analyzer-nullability*,misc-redundant-expression"
for check in argument-comment assert-side-effect bool-pointer-implicit-conversion \
    copy-constructor-init infinite-loop integer-division misplaced-widening-cast \
    not-null-terminated-result posix-return signed-char-misuse \
    string-integer-assignment suspicious-enum-usage \
    suspicious-memset-usage suspicious-missing-comma suspicious-semicolon \
    suspicious-string-compare swapped-arguments terminating-continue \
    too-small-loop-variable undefined-memory-manipulation \
    unused-return-value; do
	checks="$checks,bugprone-$check"
done
checks="$checks,readability-misleading-indentation"
checks="$checks,readability-inconsistent-declaration-parameter-name"

# shellcheck disable=SC2089 # the quotes are C's
flags='-std=gnu11 -D_GNU_SOURCE -Ilib -DPACKAGE_VERSION="0" -DTW_KINDS_DIR=""'
flags="$flags"' -DTW_CATALOG_DIR="" -DTW_LIBEXEC_DIR=""'
flags="$flags"' -DTW_CONFIG_DIR="" -DTW_LOCALE_DIR=""'

# shellcheck disable=SC2089 # as above
flags="$flags $(pkg-config --cflags smartcols jansson sqlite3 2> /dev/null)"

# one RESULTS TOOLS FILE: what the tools find in one file, in a file of its own.
one() {
	out=$1/$(printf '%s' "$3" | tr / .)
	[ "$3" = lib/base/err.c ] || flags="$flags -include tests/lint/analyse.h"
	case $2 in
	*gcc*)
		# shellcheck disable=SC2086,SC2090 # words
		gcc $flags -O1 -fanalyzer -Wno-analyzer-too-complex -Wno-analyzer-malloc-leak \
			-fdiagnostics-plain-output -c "$3" -o /dev/null \
			2> "$out.said" ||
			grep -E '(error:|fatal)' "$out.said" >> "$out.bad"
		grep 'warning:.*\[-Wanalyzer' "$out.said" >> "$out.found"
		;;
	esac
	case $2 in
	*tidy*)
		# shellcheck disable=SC2086,SC2090 # words
		clang-tidy --quiet --checks="$checks" "$3" -- $flags \
			> "$out.said" 2> /dev/null
		grep 'error:' "$out.said" >> "$out.bad"
		grep -E 'warning:.*\[[a-z]' "$out.said" >> "$out.found"
		;;
	esac
	return 0
}

if [ "$1" = --one ]; then
	shift
	one "$@"
	exit
fi
tools='gcc tidy'
case $1 in
-gcc | -tidy)
	tools=${1#-}
	shift
	;;
esac
here=$(cd "$(dirname "$0")" && pwd)
cd "$1" || exit 1
shift
all=no
[ $# -gt 0 ] || {
	set -- lib/*/*.c bin/*.c
	all=yes
}
case $tools in *gcc*) command -v gcc > /dev/null || {
	echo 'analyse: gcc is not there' >&2
	exit 1
} ;; esac
case $tools in *tidy*) command -v clang-tidy > /dev/null || {
	echo 'analyse: clang-tidy is not there (package clang-tidy)' >&2
	exit 1
} ;; esac

work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-analyse.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
mkdir "$work/of"
printf '%s\n' "$@" | xargs -P "${JOBS:-$(nproc)}" -n 1 \
	sh "$here/analyse.sh" --one "$work/of" "$tools"

cat "$work/of"/*.found | sed "s|^$PWD/||" | sort -u > "$work/all"
cat "$work/of"/*.bad 2> /dev/null | sort -u > "$work/bad"
cat "$work/bad"

# accepted: FILE: CHECK: TEXT OF THE LINE, then the reason, indented.
awk -v all="$all" -v tools="$tools" '
FNR == 1 { section++ }
section == 1 {
	if ($0 ~ /^#/ || $0 == "")
		next
	if ($0 ~ /^\t/)
		reason[key] = $0
	else
		known[key = $0] = 0
	next
}
{
	split($0, part, ":")
	file = part[1]
	line = part[2] + 0
	check = $0
	sub(/.*\[/, "", check)
	sub(/\].*/, "", check)
	text = ""
	for (i = 1; i <= line && (getline text < file) > 0; i++)
		;
	close(file)
	gsub(/^[ \t]+|[ \t]+$/, "", text)
	key = file ": " check ": " text
	if (key in known) {
		known[key] = 1
		accepted++
		next
	}
	print
	print "    " key
	new++
}
END {
	for (key in known) {
		if (reason[key] == "") {
			print "tests/lint/accepted: no reason: " key
			new++
		}
		if (!known[key] && all == "yes" && tools == "gcc tidy")
			print "tests/lint/accepted: not found: " key
	}
	printf "# figures: %d findings, %d accepted ones\n", new, accepted
	exit new > 0
}' "$here/accepted" "$work/all" && ! [ -s "$work/bad" ]
