#!/bin/sh
# analyse.sh - `make analyse': gcc -fanalyzer and clang-tidy over lib and bin
#
#   analyse.sh SRCDIR [FILE...]
#
# Prints a line for each finding, for a person to look at, and how many there
# are; says when one of the two is not there.  It is no test: neither follows
# that a function has set *out when it said TW_OK, and so most of what they find
# is none.  Fails when a file can't be compiled.
set -u

srcdir=$1
shift
cd "$srcdir" || exit 1
[ $# -gt 0 ] || set -- lib/*/*.c bin/*.c
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-analyse.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

# What they find that is a fault whoever the code is by; no style.
checks='-*,clang-analyzer-core*,clang-analyzer-unix*,clang-analyzer-deadcode*'
checks="$checks,clang-analyzer-nullability*,misc-redundant-expression"
for check in argument-comment assert-side-effect bool-pointer-implicit-conversion \
    copy-constructor-init infinite-loop integer-division misplaced-widening-cast \
    not-null-terminated-result posix-return signed-char-misuse \
    sizeof-expression string-integer-assignment suspicious-enum-usage \
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
bad=0

if command -v gcc > /dev/null; then
	for file; do
		# shellcheck disable=SC2086,SC2090 # words
		gcc $flags -O1 -fanalyzer -Wno-analyzer-too-complex \
			-fdiagnostics-plain-output -c "$file" -o /dev/null \
			2> "$work/said" || {
			grep 'error:' "$work/said"
			bad=1
		}
		grep 'warning:.*\[-Wanalyzer' "$work/said" >> "$work/found"
	done
else
	echo 'gcc is not there: no -fanalyzer'
fi
if command -v clang-tidy > /dev/null; then
	for file; do
		# shellcheck disable=SC2086,SC2090 # words
		clang-tidy --quiet --checks="$checks" "$file" -- $flags \
			2> /dev/null |
			grep -E '(warning|error):.*\[[a-z]' >> "$work/found"
	done
else
	echo 'clang-tidy is not there'
fi
touch "$work/found"
sed "s|^$PWD/||" "$work/found" | sort -u > "$work/all"
cat "$work/all"
echo "$# files, $(wc -l < "$work/all") findings"
exit "$bad"
