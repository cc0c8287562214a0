#!/bin/sh
# package.t - Debian's package on a real host: installed, at work by cron and by
# systemd, upgraded while changes run, removed, purged
#
# The tower is a host of the rig, and the only host of itself.  root is its
# administrator.  What cron mails is a file a mail in /var/mails.
#
# shellcheck disable=SC2016 # for the host's shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
rig_more=yes
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"
# shellcheck source=tests/rig/deb.sh
. "$top/tests/rig/deb.sh"

# --- the packages are built ---

packages 2 3
if command -v lintian >/dev/null; then
	ok 'lintian finds no error and no warning' lintian --allow-root \
		--fail-on error,warning "$build"/deb/*.changes
else
	skip 'lintian finds no error and no warning' 'no lintian'
fi

hosts tower
for version in 1 2 3; do
	take tower "$version"
done
on tower 'mkdir -m 1777 /var/mails
	cat >/usr/sbin/sendmail <<-"END"
	#!/bin/sh
	exec cat >"$(mktemp /var/mails/XXXXXX)"
	END
	chmod 755 /usr/sbin/sendmail
	echo "127.0.1.1 $(hostname)" >>/etc/hosts'
mails() {
	on tower 'cat /var/mails/* 2>/dev/null || :'
}

# --- installed ---

# dpkg OPTION…: without a terminal
dpkg_() {
	on tower "DEBIAN_FRONTEND=noninteractive dpkg $*" </dev/null
}
is_there() {
	on tower "stat -c '%U %G %a' $1"
}
# line: cron's command, as cron runs it
line() {
	try on tower 'exec runuser -u towerify -- env -i HOME=/var/lib/towerify \
		LOGNAME=towerify SHELL=/bin/sh PATH=/usr/bin:/bin sh -c "$(
			sed -n "s/^[*] [*] [*] [*] [*] towerify //p" \
				/etc/cron.d/towerify)"'
}
last_pass() {
	on tower 'towerify-run --status --within 999d -n --tsv -o ended'
}

ok 'it is installed' dpkg_ -i /root/1.deb
ok '... and all that it depends on is there' on tower \
	'test -z "$(dpkg --audit)"'
ok 'the user has a home, and the shell of the gate' test \
	"$(on tower 'getent passwd towerify' | cut -d : -f 6,7)" = \
	/var/lib/towerify:/bin/sh
ok '... and no password' on tower \
	'getent shadow towerify | cut -d : -f 2 | grep -q "^[!*]"'
ok 'the state is for its owner alone' test \
	"$(is_there /var/lib/towerify)" = 'towerify towerify 700'
ok '... and so is the directory at run time' test \
	"$(is_there /run/towerify)" = 'towerify towerify 700'
ok 'systemd finds nothing wrong with the units' on tower \
	'! systemd-analyze verify --man=no towerify.service towerify.timer 2>&1 |
		grep .'
ok 'the timer is off' on tower '! systemctl -q is-enabled towerify.timer &&
	! systemctl -q is-active towerify.timer'
config=/etc/towerify/towerify.yaml
ok 'what is set is for the state'"'"'s owner alone' test \
	"$(is_there "$config")" = 'towerify root 600'
links() {
	on tower 'cd /etc/towerify/hooks.d && for link in *; do
		test -h "$link" && test -f "$link" -a -x "$link" &&
			echo "$link $(readlink "$link")"
	done'
}
ok 'two hooks are linked' test "$(links)" = \
	"mail ../../../usr/share/towerify/hooks/mail
webhook ../../../usr/libexec/towerify/towerify-webhook"
ok 'each program has its page' on tower '
	for f in /usr/bin/towerify-* /usr/libexec/towerify/*; do
		zcat /usr/share/man/man[18]/"${f##*/}".[18].gz >/dev/null || exit
	done'
ok '... and what else the package is to have is there' on tower 'cd /usr/share &&
	ls man/man5/towerify.yaml.5.gz man/man7/towerify-hooks.7.gz \
		man/fr/man7/towerify.7.gz locale/fr/LC_MESSAGES/towerify.mo \
		zsh/vendor-completions/_towerify \
		fish/vendor_completions.d/towerify-queue.fish \
		bash-completion/completions/towerify-queue'
on tower 'install -d -o plain /home/own'
ok "another's own tower has the defaults" on tower 'cd / &&
	runuser -u plain -- towerify-op -q init plain --state /home/own/tower &&
	runuser -u plain -- towerify-host list --state /home/own/tower'
try on tower 'runuser -u plain -- towerify-op config'
is '... and may not read what is set' 78 '' \
	"towerify-op: $config: cannot open: Permission denied"
# What the administrator makes of it stays: passes are cron's here, and of the
# hooks one is gone.
on tower "sed -i 's/^start: yes/start: no/' $config
	rm /etc/towerify/hooks.d/webhook"
line
is 'before there is a tower, cron has nothing to do' 0 '' ''
try on tower 'runuser -u nobody -- towerify-queue list'
is 'others hear whom to become' 77 '' \
	"towerify-queue: /var/lib/towerify: belongs to another user
hint: sudo -u towerify towerify-queue …"
ok 'the tower is begun' on tower 'towerify-op init root'
on tower 'towerify-host key >>/root/.ssh/authorized_keys'
ok 'a host is added' on tower \
	'towerify-host -q add web1 root@127.0.0.1 --accept-host-key'
ok "all of the state is its owner's" on tower \
	'! find /var/lib/towerify ! -user towerify | grep .'

# --- cron, and an upgrade under its pass ---

# add WORD [RUN]: a change that stands at "block WORD" between two marks
add() {
	printf '%s\n' 'towerify: 1' 'steps:' \
		"  - {name: a, run: mark a, undo: nothing}" \
		"  - {name: b, run: '${2:-block $1}', undo: nothing}" \
		"  - {name: c, run: mark c, undo: nothing}" |
		rig exec tower towerify-queue add web1 - >"$work/id"
}
# The pass is PID, with the program of that time.
pass_pid() {
	on tower 'for p in /proc/[0-9]*; do
		read -r name <"$p/comm" && test "$name" = towerify-run &&
			echo "${p#/proc/}"
	done 2>/dev/null || :'
}
same_pass() {
	have=$(pass_pid)
	[ -n "$1" ] && [ "$have" = "$1" ] || { echo "was $1, is $have"; return 1; }
}
no_pass() {
	[ -z "$(pass_pid)" ]
}
status_is() {
	[ "$(on tower "towerify-queue show $1 -n --tsv -o status")" = "$2" ]
}
ended() {
	within 90 status_is "$1" "$2"
}

add cron
add - 'exit 7'
ok 'cron starts a pass' within 90 on tower 'test -e /dev/shm/cron.here'
pid=$(pass_pid)
ok 'an upgrade under it' dpkg_ -i /root/2.deb
ok '... leaves it alone' same_pass "$pid"
ok '... and the tools of the new version work meanwhile' status_is 1 running
line
is '... as does the next pass, which finds it at work' 0 '' ''
ok '... what is set is as it was made' on tower "grep -qx 'start: no' $config &&
	test ! -h /etc/towerify/hooks.d/webhook"
ok "... and still its owner's" test "$(is_there "$config")" = \
	'towerify root 600'
go tower cron
ok '... the change ends well' ended 1 succeeded
ok '... and the next one, which fails' ended 2 rolled-back
ok '... each step ran once' marks_are tower '1 1 a
1 3 c
2 1 a'
ok 'that is mailed' within 30 on tower 'test -n "$(ls /var/mails)"'
ok '... to root, once' test "$(mails | grep -c '^To: root$')" = 1
ok '... and nothing else' test "$(mails | grep -c 'rolled back')" = 1
line
is '... not at the next pass' 0 '' ''

# --- the timer ---

within 30 no_pass >/dev/null
ok 'the timer takes over' on tower 'systemctl -q enable --now towerify.timer'
on tower 'systemctl stop towerify.timer'
was=$(last_pass)
line
is '... and cron does nothing' 0 '' ''
ok '... no pass at all' test "$(last_pass)" = "$was"
forget tower
add timer
on tower 'systemctl start --no-block towerify.service'
ok 'a pass in the sandbox' here tower timer
pid=$(pass_pid)
ok 'an upgrade under it' dpkg_ -i /root/3.deb
ok '... leaves it alone' same_pass "$pid"
ok '... and the timer enabled' on tower 'systemctl -q is-enabled towerify.timer'
ok 'the service is stopped' on tower 'systemctl stop towerify.service'
ok '... the pass is gone' no_pass
ok '... what runs on the host goes on' test -n "$(unit tower)"
on tower 'systemctl start --no-block towerify.service'
go tower timer
ok '... and the next pass takes it up' ended 3 succeeded
ok '... each step ran once' marks_are tower '3 1 a
3 3 c'
ok '... the service went well' on tower \
	'! systemctl -q is-failed towerify.service'
on tower 'systemctl start towerify.timer'

# --- removed ---

forget tower
add removed
ok 'the timer itself starts a pass' within 90 on tower \
	'test -e /dev/shm/removed.here'
ok 'the package is removed' dpkg_ -r towerify
ok '... the pass is gone' no_pass
ok '... the timer is stopped' on tower '! systemctl -q is-active towerify.timer'
ok '... what runs on the host goes on' test -n "$(unit tower)"
ok '... the state stays' on tower 'test -s /var/lib/towerify/state.db'
ok '... and its user' on tower 'getent passwd towerify'
line
is "... cron's line says nothing" 0 '' ''
go tower removed
ok 'it is installed again' dpkg_ -i /root/3.deb
ok '... the hook that was taken away stays away' on tower \
	'test ! -h /etc/towerify/hooks.d/webhook -a -h /etc/towerify/hooks.d/mail'
on tower 'systemctl disable -q --now towerify.timer'
line
is '... a pass takes up what was left' 0 '' ''
ok '... it succeeded' status_is 4 succeeded
ok '... each step ran once' marks_are tower '4 1 a
4 3 c'
ok 'the audit trail is whole' on tower 'towerify-audit verify'

# --- purged ---

answer() {
	on tower "echo towerify towerify/purge-state boolean $1 |
		debconf-set-selections"
}
answer false
on tower 'echo >/etc/towerify/hooks.d/own'
ok 'purged, the state is to stay' dpkg_ -P towerify
ok '... and stays' on tower 'test -s /var/lib/towerify/state.db'
ok '... a hook of the administrator stays, and nothing else' test \
	"$(on tower 'cd /etc/towerify && find . ! -type d')" = ./hooks.d/own
on tower 'rm /etc/towerify/hooks.d/own'
ok '... without the line of cron' on tower 'test ! -e /etc/cron.d/towerify'
ok 'it is installed again' dpkg_ -i /root/3.deb
ok '... and knows its hosts' on tower 'towerify-host show web1'
ok 'removed' dpkg_ -r towerify
answer true
ok 'purged, the state may go' dpkg_ -P towerify
ok '... and goes' on tower 'test ! -e /var/lib/towerify'
ok '... the user stays' on tower 'getent passwd towerify'
ok '... nothing of the package stays' on tower '! find /etc /usr /run /var \
	-xdev -path /var/spool/towerify -prune -o -name "*towerify*" -print |
	grep .'

ok 'the end: the hosts go' rig clean
rig_clean
finish
