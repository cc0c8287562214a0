#!/bin/sh
# replay.t - the corpora of tests/fuzz once more, seeds and findings; and faults
# that are planted for each check
# shellcheck disable=SC2154 # abs_top_*: see tests/local.mk
# shellcheck source=tests/lib/tap.sh
. "$abs_top_srcdir/tests/lib/tap.sh"

corpus=$abs_top_srcdir/tests/fuzz/corpus
fuzz=$abs_top_builddir/tests/fuzz
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-replay.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
TMPDIR=$work
export TMPDIR
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}handle_abort=0
export ASAN_OPTIONS

finds() {
	"$fuzz/$1" --plant "$2" "$corpus/$1" > "$work/out" 2>&1
	[ $? -eq 134 ]
}

for dir in "$corpus"/*/; do
	name=$(basename "$dir")
	[ -x "$fuzz/$name" ] || {
		ok "$name: there is such a target" false
		continue
	}
	if "$fuzz/$name" -help=1 2> /dev/null | grep -q libFuzzer; then
		echo '1..0 # SKIP libFuzzer is built in: use make fuzz'
		exit 0
	fi
	ok "$name: its corpus" "$fuzz/$name" "$corpus/$name"
	for plant in $("$fuzz/$name" --plants); do
		ok "$name: planted: $plant" finds "$name" "$plant"
	done
done
for source in $(cd "$fuzz" && ls); do
	case $source in *.* | grown) continue ;; esac
	[ -d "$corpus/$source" ] || ok "$source: it has a corpus" false
done
finish
