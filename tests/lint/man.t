#!/bin/sh
# man.t - the pages are mdoc without faults
# shellcheck source=tests/lint/lint.sh
. "$(dirname "$0")/lint.sh"

# -W warning: style remarks speak of the mandoc.db of this machine.
rule_mandoc() {
	files "$1" '*.[1-8]' man | while IFS= read -r file; do
		mandoc -T lint -W warning "$file" 2>&1 || :
	done
}

# A page for each tool, and no link to a page of ours that isn't there.
rule_pages() {
	for tool in "$1"/bin/towerify-*.c; do
		[ -e "$tool" ] || continue
		page=man/$(basename "$tool" .c)
		[ -e "$1/$page.1" ] || [ -e "$1/$page.8" ] ||
			echo "$page.1: not there"
	done
	files "$1" '*.[1-8]' man | while IFS= read -r file; do
		sed -n 's/^\.Xr \(towerify[a-z-]*\) \([1-8]\).*/\1.\2/p' \
			"$file" | sort -u | while IFS= read -r page; do
			[ -e "$1/man/$page" ] ||
				echo "$file: refers to $page"
		done
	done
}

if command -v mandoc > /dev/null; then
	holds mandoc 'mandoc has nothing to say'
else
	skips 'mandoc has nothing to say' 'no mandoc'
fi
holds pages 'every tool has its page and every reference leads to one'

sample man/towerify-bad.1 <<'END'
.Dt TOWERIFY-BAD 1
.Sh NAME
.Nm towerify-bad
.Foo
.Xr towerify-none 7
END
if command -v mandoc > /dev/null; then
	catches mandoc 'a page with faults is found'
else
	skips 'a page with faults is found' 'no mandoc'
fi
catches pages 'a reference to nowhere is found'
finish
