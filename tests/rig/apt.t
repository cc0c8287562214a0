#!/bin/sh
# apt.t - changes that install Debian packages
#
# Hosts have no network but the tower's: a package that this machine's apt
# fetches is laid, as a repository of one, on the host by file steps.
#
# shellcheck disable=SC2016 # for the host's shell
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

mkdir "$work/repo"
deb() {
	cd "$work/repo" && timeout 60 apt-get -q -o APT::Sandbox::User=root \
		download hello >"$work/apt" 2>&1
	cd "$top" && mv "$work"/repo/hello_*.deb "$work/repo/hello.deb"
} 2>/dev/null
deb || skip_all "apt cannot fetch a package here: $(tail -n 1 "$work/apt")"
{
	dpkg-deb -f "$work/repo/hello.deb"
	echo 'Filename: ./hello.deb'
	echo "Size: $(wc -c <"$work/repo/hello.deb")"
	echo "SHA256: $(sha256sum <"$work/repo/hello.deb" | cut -d ' ' -f 1)"
} >"$work/repo/Packages"

hosts one
known one

package() {	# package FAILS: installs, and then fails or not
	change "$1" <<END
steps:
  - name: directory
    check: test -d /srv/repo
    run: mkdir -p /srv/repo
    undo: rmdir /srv/repo
  - name: package
    file: {path: /srv/repo/hello.deb, source: $work/repo/hello.deb}
  - name: index
    file: {path: /srv/repo/Packages, source: $work/repo/Packages}
  - name: sources
    file:
      path: /etc/apt/sources.list
      content: "deb [trusted=yes] file:/srv/repo ./\\n"
  - name: hello is installed
    check: |
      dpkg-query -W -f '\${db:Status-Abbrev}' hello | grep -q '^.i'
    run: |
      apt-get -q update
      apt-get -q install -y hello
    undo: apt-get -q purge -y hello
  - name: it works
    run: hello
    undo: nothing
  - name: the last
    run: '$2'
    undo: nothing
END
}
package fails false
package works true

sources=$(on one 'cat /etc/apt/sources.list')
add one "$work/fails.yaml"
run_
ok 'a change that fails after the installation: rolled back' \
	status_is 1 rolled-back
ok '... steps' steps_are 1 \
	'done/done done/done done/done done/done done/done done/- failed/-'
ok '... the package was there' sh -c \
	'towerify-queue log 1 | grep -qx "Hello, world!"'
ok '... and is gone' on one \
	'! test -e /usr/bin/hello && ! dpkg-query -W hello'
ok '... so is its file, the sources are as before' on one \
	"! test -e /srv/repo && test \"\$(cat /etc/apt/sources.list)\" = '$sources'"
ok '... dpkg is sound' on one 'test -z "$(dpkg --audit)"'

add one "$work/works.yaml"
add one "$work/works.yaml"
run_
ok 'one that works: succeeded' status_is 2 succeeded
ok '... the package is there' on one '/usr/bin/hello'
ok 'the same again' status_is 3 succeeded
ok '... changes nothing' steps_are 3 \
	'unchanged/- unchanged/- unchanged/- unchanged/- unchanged/- done/- done/-'

leave
