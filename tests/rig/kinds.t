#!/bin/sh
# kinds.t - the kinds package and service, on a real host
#
# The packages are made here, the smallest there can be, and lie in a repository
# on the host: hosts have no network but the tower's.
#
# shellcheck disable=SC2016 # for the host's shell
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

command -v dpkg-deb >/dev/null || skip_all 'no dpkg-deb'

# deb NAME VERSION [FIELD…]: from the files in $work/root, if there are any
deb() {
	deb_name=$1
	deb_version=$2
	shift 2
	mkdir -p "$work/root/DEBIAN" "$work/repo"
	chmod 755 "$work/root" "$work/root/DEBIAN"
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: all\n' \
			"$deb_name" "$deb_version"
		printf 'Maintainer: test <t@example.org>\n'
		printf 'Description: test\n'
		for field; do printf '%s\n' "$field"; done
	} >"$work/root/DEBIAN/control"
	deb_file=${deb_name}_$(printf %s "$deb_version" | sed 's/:/%3a/')_all.deb
	dpkg-deb --root-owner-group -b "$work/root" \
		"$work/repo/$deb_file" >/dev/null
	rm -rf "$work/root"
	{
		dpkg-deb -f "$work/repo/$deb_file"
		echo "Filename: ./$deb_file"
		echo "Size: $(wc -c <"$work/repo/$deb_file")"
		echo "SHA256: $(sha256sum <"$work/repo/$deb_file" |
			cut -d ' ' -f 1)"
		echo
	} >>"$work/repo/Packages"
}

# script NAME TEXT: a maintainer's script of the next one
script() {
	mkdir -p "$work/root/DEBIAN"
	printf '#!/bin/sh\n%s\n' "$2" >"$work/root/DEBIAN/$1"
	chmod 755 "$work/root/DEBIAN/$1"
}

# conf NAME TEXT: a configuration file of it
conf() {
	mkdir -p "$work/root/etc" "$work/root/DEBIAN"
	printf '%s\n' "$2" >"$work/root/etc/$1"
	echo "/etc/$1" >>"$work/root/DEBIAN/conffiles"
}

unit() {
	mkdir -p "$work/root/lib/systemd/system"
	printf '%s\n' '[Service]' \
		"ExecStart=/bin/sh -c 'echo started >>/var/log/$1; exec sleep infinity'" \
		"ExecReload=/bin/sh -c 'echo reloaded >>/var/log/$1'" \
		'[Install]' 'WantedBy=multi-user.target' "Alias=$1-alias.service" \
		>"$work/root/lib/systemd/system/$1.service"
}

# helped NAME: the scripts that debhelper gives to a package with a unit
helped() {
	script postinst "deb-systemd-helper unmask $1.service
if deb-systemd-helper --quiet was-enabled $1.service; then
	deb-systemd-helper enable $1.service
else
	deb-systemd-helper update-state $1.service
fi
systemctl daemon-reload
if test -n \"\$2\"; then
	deb-systemd-invoke restart $1.service
else
	deb-systemd-invoke start $1.service
fi"
	script prerm "if test \"\$1\" = remove; then
	deb-systemd-invoke stop $1.service
fi"
	script postrm "# Automatically added by dh_installsystemd/13.11.4
systemctl daemon-reload
if test \"\$1\" = purge; then deb-systemd-helper purge $1.service; fi
# End automatically added section"
}

conf twa.conf one
unit twa
deb twa 1:1.0
conf twa.conf two
unit twa
deb twa 1:2.0 'Depends: twdep (>= 1)' 'Recommends: twrec'
deb twdep 1.5
deb twrec 1
deb twb 1.0 'Conflicts: twa'
deb twbad 1
script postinst 'exit 1'
deb twbad 2 'Depends: twdep'
script postinst 'touch /dev/shm/slow.here; until test -e /dev/shm/slow.go; do sleep 0.05; done'
deb twslow 1 'Depends: twdep'
deb twneeds 1 'Depends: twdep'
unit twsvc
helped twsvc
conf twsvc.conf one
deb twsvc 1
unit twsvc
helped twsvc
conf twsvc.conf two
deb twsvc 2
deb twpurge 1
script postrm 'if test "$1" = purge; then rm -rf /var/lib/twpurge; fi'
deb twpurge 2

hosts one
known one
# an older version that no repository has any more, but the cache may
(cd "$work" && mkdir old && mv repo/twbad_1_all.deb old &&
	awk -v RS= -v ORS='\n\n' '!/Package: twbad\nVersion: 1\n/' repo/Packages >old/Packages &&
	mv old/Packages repo/Packages)
tar -C "$work" -c repo old | on one 'tar -C /srv -x --no-same-owner &&
	rm -f /etc/apt/sources.list.d/* &&
	echo "deb [trusted=yes] file:/srv/repo ./" >/etc/apt/sources.list &&
	apt-get -q update' >"$work/apt" 2>&1 || sed 's/^/# /' "$work/apt"

# All that a package can change on a host, but for the times of links that were
# made anew.
state() {
	on one 'dpkg-query -W -f "\${binary:Package} \${Version} \${db:Status-Abbrev}\n"
	apt-mark showauto | sort | sed "s/^/auto /"
	apt-mark showhold | sed "s/^/hold /"
	dpkg --audit
	find /etc /lib/systemd/system ! -type d -printf "%M %u:%g %s %p %l\n" |
		grep -v "/ld.so.cache " | grep "twa\|twb\|twdep\|twsvc\|multi-user"
	sha256sum /etc/twa.conf /etc/twsvc.conf
	systemctl is-active twa twsvc; systemctl is-enabled twa twsvc; true' 2>&1
}

# steps NAME: the steps of stdin, then one that fails, or none
fails() {
	{
		printf 'steps:\n'
		cat
		printf '  - {name: the last, run: "false", undo: nothing}\n'
	} | change fails
	state >"$work/before"
	add one "$work/fails.yaml"
	run_
	state >"$work/after"
}
works() {
	{
		printf 'steps:\n'
		cat
	} | change works
	add one "$work/works.yaml"
	run_
}
as_before() {
	status_is "$id" rolled-back && diff "$work/before" "$work/after"
}
log_has() {
	towerify-queue log "$id" >"$work/log" 2>&1
	grep -q -e "$1" "$work/log" || { cat "$work/log"; return 1; }
}
version() {
	on one "dpkg-query -W -f '\${Version} \${db:Status-Abbrev}' $1" 2>/dev/null
}

# --- installed
fails <<'END'
  - package: {name: twa}
END
ok 'a new package goes again, and what came with it' as_before
ok '... it was there' log_has 'Setting up twa (1:2.0)'
ok '... without recommended ones' eval '! grep -q "Setting up twrec" "$work/log"'
fails <<'END'
  - package: {name: twa, recommends: true}
END
ok 'with recommended ones' log_has 'Setting up twrec'
ok '... and back' as_before
works <<'END'
  - package: {name: "twa=1:1.0 twrec"}
END
ok 'a version, and two at once' eval 'status_is "$id" succeeded && test "$(version twa)" = "1:1.0 ii "'
works <<'END'
  - package: {name: twa}
  - package: {name: "twa=1:1.0"}
END
ok 'any version is enough' steps_are "$id" 'unchanged/- unchanged/-'

# --- upgraded
fails <<'END'
  - package: {name: twa, state: latest}
END
ok 'an upgrade' log_has 'Setting up twa (1:2.0)'
ok '... and its undo: version, configuration, dependencies' as_before
on one 'echo mine >/etc/twa.conf'
fails <<'END'
  - package: {name: twa, state: latest}
END
ok 'an upgrade over a configuration that was changed, and back' as_before
ok '... which stayed' test "$(on one 'cat /etc/twa.conf')" = mine
works <<'END'
  - package: {name: twa, state: latest, update: true}
END
ok 'an upgrade that stays' eval 'status_is "$id" succeeded && test "$(version twa) $(version twdep)" = "1:2.0 ii  1.5 ii "'
works <<'END'
  - package: {name: twa, state: latest, update: true}
END
ok '... is unchanged then' steps_are "$id" unchanged/-
fails <<'END'
  - package: {name: "twa=1:1.0"}
END
ok 'a downgrade, and back' as_before

# --- removed
fails <<'END'
  - package: {name: twa, state: absent, autoremove: true}
END
ok 'removed with what nobody needs' log_has 'Removing twdep'
ok '... and back, marks too' as_before
fails <<'END'
  - package: {name: twa, state: purged}
END
ok 'purged' log_has 'Purging configuration files for twa'
ok '... and back, with the configuration that was changed' as_before

# --- conflicts
fails <<'END'
  - package: {name: twb}
END
ok 'what would remove another fails before anything is done' \
	steps_are "$id" 'failed/- waiting/-'
ok '... and says why' log_has 'twa'
fails <<'END'
  - package: {name: twb, removes: true}
END
ok 'where it may, it does' log_has 'Removing twa'
ok '... and back' as_before

# --- held
on one 'apt-mark -q hold twa' >/dev/null
fails <<'END'
  - package: {name: "twa=1:1.0"}
END
ok 'a held package stays' steps_are "$id" 'failed/- waiting/-'
ok '... and it is said' log_has '[Hh]eld'
ok '... as it was' as_before
on one 'apt-mark -q unhold twa' >/dev/null

# --- broken ones
fails <<'END'
  - package: {name: twbad}
END
ok 'one whose installation fails' steps_are "$id" 'failed/done waiting/-'
ok '... leaves nothing' as_before
on one 'dpkg -i /srv/old/twbad_1_all.deb' >/dev/null 2>&1
change bad <<'END'
steps:
  - package: {name: twbad, state: latest}
END
try towerify-queue plan one "$work/bad.yaml" -o plan,output
ok 'without the old version there is no way back, and plan says so' \
	eval 'grep -q "no undo here" "$work/out" && grep -q "twbad=1" "$work/out"'
fails <<'END'
  - package: {name: twbad, state: latest}
END
ok '... and nothing is begun' eval 'steps_are "$id" "failed/- waiting/-" && as_before'
ok '... for that reason' log_has 'cannot be undone: .*twbad=1'
on one 'cp /srv/old/twbad_1_all.deb /var/cache/apt/archives'
fails <<'END'
  - package: {name: twbad, state: latest}
END
ok 'with it in the cache there is, even where the upgrade fails' as_before
ok '... which it did' steps_are "$id" 'failed/done waiting/-'

# --- somebody else's
change other <<'END'
steps:
  - package: {name: twslow}
  - name: somebody installs what needs twdep
    run: apt-get -q -y install twneeds
    undo: nothing
  - {name: the last, run: "false", undo: nothing}
END
on one 'apt-get -q -y purge twa twdep twbad; touch /dev/shm/slow.go' >/dev/null 2>&1
add one "$work/other.yaml"
run_
ok 'what somebody else needs since is not removed' status_is "$id" failed
ok '... and it is said' log_has 'twneeds, which came since'
on one 'apt-get -q -y purge twneeds twslow twdep; rm -f /dev/shm/slow.*' >/dev/null 2>&1
towerify-host -q release one >/dev/null 2>&1 || :

# --- locks and power
state >"$work/before"
on one 'flock_(){ perl -e "use Fcntl; open F, q(>>), q(/var/lib/dpkg/lock-frontend); my \$l = pack(q(s s l l i), F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, \$l) or die; open G, q(>), q(/dev/shm/locked); close G; sleep 1 until -e q(/dev/shm/unlock)"; }; flock_ >/dev/null 2>&1 &'
within 10 on one 'test -e /dev/shm/locked'
change locked <<'END'
steps:
  - package: {name: twa, lock: 1}
END
add one "$work/locked.yaml"
run_
ok 'a lock that is held for too long' status_is "$id" rolled-back
ok '... is named' log_has 'lock'
on one 'touch /dev/shm/unlock'
state >"$work/after"
ok '... nothing was changed' diff "$work/before" "$work/after"
change slow <<'END'
steps:
  - package: {name: twslow}
END
add one "$work/slow.yaml"
run_bg
within 30 on one 'test -e /dev/shm/slow.here'
rig kill one
rig start one
rig wait -b 2 one 2>/dev/null
pass_ends || :
hurry
run_
state >"$work/after"
ok 'power loss in the midst of an installation' as_before
ok '... is an interruption' steps_are "$id" interrupted/done

# --- services
works <<'END'
  - package: {name: twa}
END
fails <<'END'
  - service: {name: twa, state: running, enabled: true}
END
ok 'started and enabled' log_has 'Created symlink'
ok '... and back' as_before
works <<'END'
  - service: {name: twa.service, state: running, enabled: true}
END
ok 'started and enabled for good' eval 'status_is "$id" succeeded && test "$(on one "systemctl is-active twa; systemctl is-enabled twa")" = "active
enabled"'
works <<'END'
  - service: {name: twa, state: running, enabled: true, changed: /etc/twa.conf /nowhere}
END
ok '... unchanged then' steps_are "$id" unchanged/-
# a link that [Install] knows nothing of
on one 'mkdir -p /etc/systemd/system/sysinit.target.wants; ln -s /lib/systemd/system/twa.service /etc/systemd/system/sysinit.target.wants/twa.service; systemctl daemon-reload'
fails <<'END'
  - service: {name: twa, state: stopped, enabled: false}
END
ok 'stopped and disabled, and back' as_before
# an attempt that fails, and another that does not come to its end
on one 'cat >/etc/systemd/system/twtry.service; systemctl daemon-reload' <<'END'
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'test -e /run/never'
[Install]
WantedBy=multi-user.target
Alias=twa-try.service
END
fails <<'END'
  - service: {name: twtry, state: running, enabled: true}
    retries: 1
    retry_delay: 0s
END
ok 'enabled, but not to be started, tried twice, and back' as_before
on one 'rm /etc/systemd/system/twtry.service; systemctl daemon-reload'
on one 'echo changed >>/etc/twa.conf; : >/var/log/twa'
works <<'END'
  - service: {name: twa, changed: /etc/twa.conf}
END
ok 'what it reads has changed: restarted' test "$(on one 'cat /var/log/twa')" = started
works <<'END'
  - service: {name: twa, changed: /etc/twa.conf}
END
ok '... once' steps_are "$id" unchanged/-
on one 'echo changed >>/etc/twa.conf; : >/var/log/twa'
works <<'END'
  - service: {name: twa, changed: /etc/twa.conf, reload: true}
  - service: {name: twa, changed: /etc/twa.conf, reload: true}
END
ok 'or reloaded' eval 'test "$(on one "cat /var/log/twa")" = reloaded && steps_are "$id" "done/- unchanged/-"'
# what a link leads to counts, and so does the link
on one 'mkdir -p /srv/real /srv/on; echo a >/srv/real/a; ln -s /srv/real/a /srv/on/a; ln -s /srv/on /srv/link; : >/var/log/twa; systemctl restart twa; until test -s /var/log/twa; do sleep 0.1; done; : >/var/log/twa'
works <<'END'
  - service: {name: twa, changed: /srv/link}
END
ok 'links that lead to nothing new' steps_are "$id" unchanged/-
on one 'echo b >/srv/real/a'
works <<'END'
  - service: {name: twa, changed: /srv/link}
  - service: {name: twa, changed: /srv/link}
END
ok 'what a link leads to has changed: restarted, once' eval 'test "$(on one "cat /var/log/twa")" = started && steps_are "$id" "done/- unchanged/-"'
on one 'ln -sfn /srv/real/a /srv/on/a; : >/var/log/twa'
works <<'END'
  - service: {name: twa, changed: /srv/link /srv/on}
END
ok '... or the link itself' test "$(on one 'cat /var/log/twa')" = started
change relative <<'END'
steps:
  - service: {name: twa, changed: etc/twa.conf}
END
try towerify-queue check "$work/relative.yaml"
ok 'a path that is not absolute is refused' eval 'test "$status" -eq 65 && grep -q "relative.yaml:[0-9]*:[0-9]*: changed must match" "$work/err"'
on one 'printf "[Service]\nExecStart=/bin/false\nRestart=always\nRestartSec=1h\nStartLimitIntervalSec=0\n" >/etc/systemd/system/twloop.service; systemctl daemon-reload; systemctl start twloop'
within 10 on one 'systemctl show -p SubState twloop | grep -q auto-restart'
fails <<'END'
  - service: {name: twloop, state: running}
    timeout: 20s
END
ok 'what only starts again and again does not run' steps_are "$id" 'failed/done waiting/-'
on one 'systemctl stop twloop; rm /etc/systemd/system/twloop.service; systemctl daemon-reload'
fails <<'END'
  - service: {name: nobody, state: running}
END
ok 'no such unit' eval 'steps_are "$id" "failed/- waiting/-" && log_has "there is no unit nobody.service"'
fails <<'END'
  - package: {name: twa, state: purged}
END
ok 'purged while it runs, and back' eval 'status_is "$id" rolled-back && test "$(version twa)" = "1:2.0 ii "'

# --- packages with services
upgrades() {
	fails <<-END
		  - package: {name: twsvc, state: latest}
	END
	as_before && log_has 'Setting up twsvc (2)'
}
purges() {
	fails <<-END
		  - package: {name: twsvc, state: purged}
	END
	as_before && log_has 'Purging configuration files for twsvc'
}
fails <<'END'
  - package: {name: twsvc}
END
ok 'a package that starts a service, and back' as_before
works <<'END'
  - package: {name: twsvc=1}
END
ok 'it runs, and is enabled' test "$(on one 'systemctl is-active twsvc; systemctl is-enabled twsvc')" = "active
enabled"
ok 'upgraded, and back' upgrades
ok 'purged, and back' purges
on one 'systemctl -q stop twsvc'
ok 'stopped: upgraded, and back' upgrades
ok 'stopped: purged, and back' purges
on one 'systemctl -q disable twsvc'
ok 'stopped and disabled: upgraded, and back' upgrades
ok 'stopped and disabled: purged, and back' purges
on one 'systemctl -q start twsvc'
ok 'disabled, but running: upgraded, and back' upgrades
ok 'disabled, but running: purged, and back' purges
on one 'systemctl -q stop twsvc; systemctl -q mask twsvc'
ok 'masked: upgraded, and back' upgrades
ok 'masked: purged, and back' purges
on one 'systemctl -q unmask twsvc; apt-get -q -y remove twsvc' >/dev/null 2>&1
fails <<'END'
  - package: {name: twsvc, state: purged}
END
ok 'what is gone but for its configuration could not come back' eval 'steps_are "$id" "failed/- waiting/-" && as_before && log_has "nothing is left but its configuration"'
on one 'apt-get -q -y purge twsvc; apt-get -q -y install twpurge; mkdir /var/lib/twpurge' >/dev/null 2>&1
fails <<'END'
  - package: {name: twpurge, state: purged}
END
ok 'what a purge removes beyond that, neither' eval 'steps_are "$id" "failed/- waiting/-" && as_before && log_has "postrm removes more than configuration files"'
works <<'END'
  - package: {name: twpurge, state: purged}
    undo: impossible
END
ok '... unless there need be no undo' eval 'status_is "$id" succeeded && test "$(on one "ls /var/lib")" = "$(on one "ls /var/lib" | grep -v twpurge)"'

# --- names
on one 'apt-get -q -y install twa twdep' >/dev/null 2>&1
works <<'END'
  - package: {name: twa t.d.p, state: absent}
END
ok 'a name is no pattern' eval 'status_is "$id" succeeded && test "$(version twa) $(version twdep)" = "1:2.0 rc  1.5 ii "'
works <<'END'
  - package: {name: twdep twb+, state: absent}
END
ok '... and has no sign of what to do' eval 'status_is "$id" succeeded && test "$(version twb)" = ""'
fails <<'END'
  - package: {name: twb+}
END
ok '... of what is there not' eval 'steps_are "$id" "failed/- waiting/-" && as_before && log_has "there is no package twb+"'
fails <<'END'
  - package: {name: t.b}
END
ok '... and nothing else is taken for it' eval 'steps_are "$id" "failed/- waiting/-" && as_before'

leave
