#!/bin/sh
# session.t - hosts that know login sessions and end them
#
# The base system has no libpam-systemd, without which a login is part of
# ssh.service.  With it each login is a scope, and KillUserProcesses=yes ends
# all that is in it when the login ends.
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

hosts root sudo plain
version=$(on root 'dpkg-query -W -f "\${Version}" systemd')
mkdir "$work/deb"
(cd "$work/deb" && timeout 60 apt-get -q -o APT::Sandbox::User=root \
	download "libpam-systemd=$version" && mv ./*.deb pam.deb) >"$work/apt" 2>&1 ||
	skip_all "no libpam-systemd $version: $(tail -n 1 "$work/apt")"
for h in root sudo plain; do
	on "$h" 'cat >/root/pam.deb && dpkg -i /root/pam.deb &&
		mkdir -p /etc/systemd/logind.conf.d && {
		echo "[Login]"
		echo KillUserProcesses=yes
		} >/etc/systemd/logind.conf.d/kill.conf &&
		systemctl restart systemd-logind' \
		<"$work/deb/pam.deb" >"$work/out" 2>&1 || {
		sed 's/^/# /' "$work/out"
		echo 'Bail out! libpam-systemd is not installed'
		exit 1
	}
done
known root
known sudo deploy --sudo
known plain plain

change speaks <<'END'
steps:
  - name: first
    run: mark run
    undo: mark undo
  - name: speaks
    run: |
      mark run
      for i in $(seq 1 30000); do echo "$i"; done
      block one
      for i in $(seq 30001 60000); do echo "$i"; done
      block two
    undo: mark undo
END
heard_all() {
	towerify-queue log "$1" | grep '^[0-9][0-9]*$' >"$work/heard"
	seq 60000 | cmp - "$work/heard"
}
sessions() {
	on "$1" 'loginctl list-sessions --no-legend' | awk '{ print $1 }'
}
begin() {
	for h in root sudo plain; do
		forget "$h"
		add "$h" "$work/speaks.yaml"
	done
	first=$((id - 2))
	run_bg
	for h in root sudo plain; do
		ok "$1, $h: a step runs" here "$h" one
		ok '... in a login session' test -n "$(sessions "$h")"
	done
}
end() {
	go "$1" one
	here "$1" two
	go "$1" two
}

# An administrator ends the sessions.
begin 'sessions are ended'
for h in root sudo plain; do
	for s in $(sessions "$h"); do
		on "$h" "loginctl terminate-session $s"
	done
done
end root
end sudo
pass_ends
i=$first
for h in root sudo; do
	ok "$h: the change goes on" status_is "$i" succeeded
	ok '... its steps ran once' marks_are "$h" "$i 1 run
$i 2 run"
	ok '... its output is whole' heard_all "$i"
	i=$((i + 1))
done
# Without root the executor is part of the session, and goes with it.
ok 'plain: interrupted and rolled back' status_is "$i" rolled-back
ok '... each effect once' marks_are plain "$i 1 run
$i 2 run
$i 2 undo
$i 1 undo"

# The tower goes, and so the session ends.
begin 'the tower leaves'
detach
gone() {
	test -z "$(sessions "$1")"
}
for h in root sudo plain; do
	ok "$h: the session is over" within 20 gone "$h"
done
end root
end sudo
run_
i=$first
for h in root sudo; do
	ok "$h: the change went on" status_is "$i" succeeded
	ok '... its steps ran once' marks_are "$h" "$i 1 run
$i 2 run"
	ok '... its output is whole' heard_all "$i"
	i=$((i + 1))
done
ok 'plain: interrupted and rolled back' status_is "$i" rolled-back
ok '... each effect once' marks_are plain "$i 1 run
$i 2 run
$i 2 undo
$i 1 undo"
for h in root sudo plain; do
	ok "$h: is not held" host_is "$h" ready
	ok '... unit, processes and control group are gone' within 10 idle "$h"
done

leave
