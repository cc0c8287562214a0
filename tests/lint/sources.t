#!/bin/sh
# sources.t - the fragments list every file of the tree, and no other
#
# A .c file that is not listed is not built, a test that is not listed never
# runs, a page that is not listed is missing in the tarball.
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# Every word of the fragments that looks like a file's path; for a program, its
# source.
listed() {
	for fragment in "$1"/*/local.mk "$1/Makefile.am"; do
		[ -f "$fragment" ] || continue
		sed 's/#.*//' "$fragment"
	done | awk '{
		for (i = 1; i <= NF; i++)
			if ($i ~ /^(bin|debian|lib|man|share|tests)\/[^$()%:]+$/ && \
			    $i != "tests/fuzz/corpus")
				print $i (program($i) ? ".c" : "")
	}
	function program(name) {
		return name ~ /^bin\/towerify-[a-z]+$/ || \
		    name ~ /^tests\/unit\/.*\/test_[a-z0-9_]+$/ || \
		    name ~ /^tests\/(bench|conc|executor|fault|fuzz|wire)\/[a-z]+$/ || \
		    name == "tests/sim/sim"
	}' | sort -u
}

# Fragments come by `include'; what is in a corpus is no source.
present() {
	(
		cd "$1"
		find bin debian lib man share tests -type f \
			! -name local.mk ! -name '*.o' ! -name '*.a' \
			! -name '*.log' ! -name '*.trs' ! -name '.*' \
			! -name '*~' ! -path '*/.deps/*' \
			! -name '*_data.c' \
			! -path 'tests/fuzz/corpus/*' 2> /dev/null
	) | while IFS= read -r file; do
		# Not a program that a build in the source tree left.
		[ -e "$1/$file.c" ] || echo "$file"
	done | sort
}

rule_unlisted() {
	listed "$1" > "$bad/.listed"
	present "$1" | while IFS= read -r file; do
		grep -qxF "$file" "$bad/.listed" ||
			echo "$file: list it in ${file%%/*}/local.mk"
	done
}

# Archives, shared objects, embedded text and what has an .in are made by the build.
rule_absent() {
	listed "$1" | while IFS= read -r file; do
		case $file in *.a | *.so | *_data.c) continue ;; esac
		[ -e "$1/$file" ] || [ -e "$1/$file.in" ] ||
			echo "$file: listed, but not there"
	done
}

# A test that nobody may execute is still run (by sh), but not by hand.
rule_executable() {
	files "$1" '*.t' tests | while IFS= read -r file; do
		[ -x "$file" ] || echo "$file: not executable"
	done
}

holds unlisted 'every file is listed in its fragment'
holds absent 'every file that is listed is there'
holds executable 'every test script is executable'

sample lib/local.mk <<'END'
lib_libtowerify_a_SOURCES = \
	lib/base/gone.c
END
sample lib/base/new.c < /dev/null
sample tests/lint/new.t < /dev/null
catches unlisted 'a file that is not listed is found'
catches absent 'a listed file that is missing is found'
catches executable 'a test script without its mode is found'
finish
