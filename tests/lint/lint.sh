# lint.sh - what the tests in this folder share; sourced
# shellcheck shell=sh
#
# A rule is a shell function `rule_NAME ROOT` that prints a line for each
# offence under ROOT and nothing otherwise.  `holds NAME TEXT` demands silence
# for the tree; `catches NAME TEXT` demands that the rule speaks about $bad, a
# tree of the test's own that breaks it: a rule that can't fail proves nothing.

set -eu
LC_ALL=C.UTF-8
export LC_ALL

root=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
bad=$(mktemp -d "${TMPDIR:-/tmp}/towerify-lint.XXXXXX")
trap 'rm -rf "$bad"' EXIT
trap 'exit 1' HUP INT TERM
tests=0

holds() {
	tests=$((tests + 1))
	found=$("rule_$1" "$root")
	if [ -z "$found" ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		printf '%s\n' "$found" | sed "s|^$root/||; s/^/# /"
	fi
}

catches() {
	tests=$((tests + 1))
	found=$("rule_$1" "$bad")
	if [ -n "$found" ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
	fi
}

skips() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

finish() {
	echo "1..$tests"
}

# sample FILE: the file of the bad tree, from stdin.
sample() {
	mkdir -p "$bad/$(dirname "$1")"
	cat > "$bad/$1"
}

# files ROOT PATTERN FOLDER…: the names that match, where the folder exists.
files() {
	files_root=$1
	files_pattern=$2
	shift 2
	for files_folder in "$@"; do
		[ -e "$files_root/$files_folder" ] || continue
		find "$files_root/$files_folder" -type f \
			-name "$files_pattern" | sort
	done
}

# C, headers and the C++ of the tools and the library.
code() {
	files "$1" '*.[ch]' bin lib
	files "$1" '*.cc' bin lib
}

# Every shell script: by name, the step kinds, and the two that have neither.
scripts() {
	files "$1" '*' share/kinds
	files "$1" '*.sh' bin lib man share tests
	files "$1" '*.t' tests
	files "$1" 'towerify.p*' debian
	for script in "$1/bootstrap" "$1/.ci/run"; do
		[ ! -f "$script" ] || echo "$script"
	done
}
