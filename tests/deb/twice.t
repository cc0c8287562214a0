#!/bin/sh
# twice.t - Debian's packages are the same bytes wherever and by whomever they are
# built; a part of make check-long
#
# make deb, and the same tarball once more: another directory, umask, time zone,
# language, home and number of jobs, and at another time.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${abs_top_builddir:-}
# shellcheck source=tests/lib/tap.sh
. "$top/tests/lib/tap.sh"

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}
[ -n "$build" ] || skip_all 'the build directory is not known'
why=$(dpkg-checkbuilddeps "$top/debian/control" 2>&1) || skip_all "$why"

work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-twice.XXXXXX")
work=$(cd "$work" && pwd -P)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# What make says of its parent must not reach them.
unset MAKEFLAGS MFLAGS MAKELEVEL CFLAGS CXXFLAGS CPPFLAGS LDFLAGS CC CXX

once() {
	make -s -C "$build" deb
}
again() {
	mkdir -p "$work/another/place" &&
		cp "$build"/deb/*.orig.tar.gz "$work/another/place" &&
		cd "$work/another/place" || return
	umask 077
	tar -xzf ./*.orig.tar.gz && cd towerify-*/ &&
		env TZ=Pacific/Chatham LC_ALL=C LANG=fr_FR.UTF-8 \
			HOME=/nonexistent USER=somebody \
			DEB_BUILD_OPTIONS='nocheck parallel=1' \
			dpkg-buildpackage -us -uc
}
same() {
	n=0
	for deb in "$build"/deb/*.deb; do
		cmp "$deb" "$work/another/place/${deb##*/}" || return
		n=$((n + 1))
	done
	[ "$n" -ge 2 ]
}

ok 'make deb' once
ok 'the same tarball, elsewhere' again
ok 'the packages are the same bytes' same
finish
