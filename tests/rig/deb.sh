# deb.sh - Debian's package, for the tests of this folder; sourced after lib.sh
# shellcheck shell=sh
# shellcheck disable=SC2154 # from lib.sh
#
# It skips the whole file aloud where packages can't be built.
#
#   packages N…   make deb, which does nothing where it has been done: the package
#                 is $work/1.deb, and the same as later versions $work/N.deb
#   take NAME N   it is /root/N.deb on that host
#
# $build is the build directory.

build=${abs_top_builddir:-}
[ -n "$build" ] || skip_all 'the build directory is not known'
why=$(dpkg-checkbuilddeps "$top/debian/control" 2>&1) || skip_all "$why"

packages() {
	# One at a time.  What make says of its parent must not reach it.
	flock "$build/deb.lock" env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		make -s -C "$build" deb >"$work/out" 2>&1 || {
		sed 's/^/# /' "$work/out"
		echo 'Bail out! make deb fails'
		exit 1
	}
	pass 'make deb'
	cp "$build"/deb/towerify_*.deb "$work/1.deb"
	for version; do
		rm -rf "$work/tree"
		dpkg-deb -R "$work/1.deb" "$work/tree"
		sed -i "s/^Version: .*/&+$version/" "$work/tree/DEBIAN/control"
		dpkg-deb --root-owner-group -Znone -b "$work/tree" \
			"$work/$version.deb" >/dev/null
	done
	rm -rf "$work/tree"
}

take() {
	rig exec "$1" sh -c "cat >/root/$2.deb" <"$work/$2.deb"
}
