#!/bin/sh
# story.t - the whole story, by the README: a tower installed from the package,
# two hosts, operators by sudo and by SSH, mail about a failure, an upgrade while
# a change runs, and the end, which leaves nothing
#
# The commands are those of the README and of towerify-gate(8), taken from there;
# what they stand beside in words is done by hand, and said.  alice is a user of
# the tower's machine, bob has a key elsewhere.  Mail is a file a message in
# /var/mails.  All is in a network of its own, in which this machine is the
# router: hosts of the rig reach each other through it.
#
# shellcheck disable=SC2016 # for the hosts' shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
if [ "${1-}" != inside ]; then
	if why=$("$top/tests/rig/rig.sh" check 2>&1); then
		exec unshare --net sh "$0" inside
	fi
	echo "1..0 # SKIP $why"
	exit 0
fi
ip link set lo up
echo 1 >/proc/sys/net/ipv4/ip_forward
rig_more=yes
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"
# shellcheck source=tests/rig/deb.sh
. "$top/tests/rig/deb.sh"

packages 2
hosts tower web1 web2
take tower 1
take tower 2

# --- the machines, before there is a tower ---

router_of() {
	addr=$(rig addr "$1")
	echo "${addr%.*}.$((${addr##*.} - 1))"
}
for name in tower web1 web2; do
	on "$name" "ip route add default via $(router_of "$name")
		echo 127.0.1.1 $name >>/etc/hosts"
done
for name in web1 web2; do
	on tower "echo $(rig addr "$name") $name.example.org >>/etc/hosts"
done
# What carries mail, as default-mta would: the rig has none, nor a mirror.
mkdir -p "$work/mta/DEBIAN" "$work/mta/usr/sbin"
printf '%s\n' 'Package: default-mta' 'Version: 1' 'Architecture: all' \
	'Provides: mail-transport-agent' 'Maintainer: none <none@example.org>' \
	'Description: stands for one' >"$work/mta/DEBIAN/control"
printf '%s\n' '#!/bin/sh' 'umask 022' \
	'f=$(mktemp /var/mails/XXXXXX) && cat >"$f" && mv "$f" "$f.mail"' \
	>"$work/mta/usr/sbin/sendmail"
chmod 755 "$work/mta/usr/sbin/sendmail"
dpkg-deb --root-owner-group -b "$work/mta" "$work/mta.deb" >/dev/null
take tower mta
on tower 'mkdir -m 1777 /var/mails && dpkg -i /root/mta.deb
	useradd -m -s /bin/bash alice
	# what the rig took away with procps, and systemctl reload wants
	printf "#!/bin/sh\nkill \"\$@\"\n" >/bin/kill
	chmod 755 /bin/kill
	find / -xdev -name "*towerify*" ! -path "/proc/*" >/root/before' \
	>"$work/out" 2>&1
ssh-keygen -q -t ed25519 -N '' -C bob -f "$work/bob"

cat >"$work/page.yaml" <<'END'
towerify: 1
title: A page
steps:
  - {name: page, run: mark page, undo: nothing}
END
cat >"$work/broken.yaml" <<'END'
towerify: 1
title: A broken page
steps:
  - {name: page, run: mark begun, undo: mark undone}
  - {name: reload, run: "echo no such service >&2; exit 7", undo: nothing}
END
cat >"$work/long.yaml" <<'END'
towerify: 1
title: A long one
steps:
  - {name: a, run: mark a, undo: nothing}
  - {name: b, run: block long, undo: nothing}
  - {name: c, run: mark c, undo: nothing}
END

# --- the words of the README ---

# readme WORDS: the commands of its section Install that have these words in the
# first line, or the only one
readme() {
	awk -v words="$1" '
		/^Install$/ { on = 1 }
		/^What it looks like$/ { exit }
		on && /^    / {
			if (!block)
				show = index($0, words) == 5
			block = 1
			if (show) { sub(/^    /, ""); print; found = 1 }
			next
		}
		{ block = show = 0 }
		END { exit !found }' "$top/README" >"$work/script"
}
# as_root WORDS [SED]: they are done on the tower, with SED's difference
as_root() {
	readme "$1" && sed -i "${2-}" "$work/script" && cat "$work/script" &&
		on tower "export DEBIAN_FRONTEND=noninteractive; set -eux
$(cat "$work/script")" </dev/null
}
# typed WORDS [SED]: alice types them, in a shell that knows the word `tower'
typed() {
	readme "$1" && sed -i "${2-}" "$work/script" && cat "$work/script" &&
		{
			echo 'shopt -s expand_aliases'
			echo "alias tower='sudo -n -u towerify'"
			echo 'set -e'
			cat "$work/script"
		} | on tower 'cat >/home/alice/typed' &&
		rig exec tower runuser -l alice -c 'bash typed' </dev/null
}
# bob COMMAND…: from elsewhere, as the README has it
at=$(rig addr tower)
rig hostkey tower >"$work/known"
bob() {
	timeout 120 ssh -F none -i "$work/bob" -o IdentitiesOnly=yes \
		-o BatchMode=yes -o IdentityAgent=none -o LogLevel=ERROR \
		-o UserKnownHostsFile="$work/known" "towerify@$at" "$@"
}
mails() {
	on tower 'cat /var/mails/*.mail 2>/dev/null || :'
}

# --- installed ---

ok 'the README: the package is installed' as_root 'apt install' \
	's|^apt install [^ ]*|apt install -y /root/1.deb|'
ok 'the README: the tower is begun' as_root 'towerify-op init'
ok 'the README: who comes by sudo' as_root 'install -m 0440'
ok 'the README: who gets mail' as_root 'sed -i'
ok '... the file still has its owner' test "$(on tower \
	'stat -c "%U %a" /etc/towerify/towerify.yaml')" = 'towerify 600'
ok 'the README: who comes by SSH' as_root 'install -m 0644'
ok 'cron is at work' on tower 'systemctl -q is-active cron'
# For now: what is done at once is not cron's doing.
on tower 'systemctl stop cron'

# --- hosts, and the first change ---

# The key is asked for, then appended on the hosts by hand; that the host's own
# key is right is an answer to a question.
ok 'the README: the key' typed 'alias tower' '/towerify-host key/q'
sed -n '/^ssh-/p' "$work/said" >"$work/tower.pub"
for name in web1 web2; do
	on "$name" 'cat >>/root/.ssh/authorized_keys' <"$work/tower.pub"
	on tower "cat >/home/alice/page.yaml" <"$work/page.yaml"
	id=${name#web}
	ok "the README: $name is added, and has a change" typed 'alias tower' \
		"/towerify-host key/,/authorized_keys/d
		s/web1/$name/g; s/wait 1/wait $id/
		/host add/s/\$/ --accept-host-key/"
	ok '... which was made at once' marks_are "$name" "$id 1 page"
done

# --- an operator comes in over SSH ---

on tower 'cat >/home/alice/bob.pub' <"$work/bob.pub"
try bob towerify-queue list
ok 'bob is not let in' test "$status" -eq 255
ok 'the README: bob is let in, for web1' typed 'tower towerify-op add'
try bob towerify-queue add web2 - <"$work/page.yaml"
is '... and for web1 alone' 1 '' 'towerify-queue: unknown host: web2'
on tower 'runuser -l alice -c "sudo -n -u towerify towerify-op -q grant bob \
	view,change --on web2"' >"$work/out"
readme 'ssh towerify@'
ok 'the README: how he files' grep -qx \
	'ssh towerify@tower.example.org towerify-queue add web1 - <page.yaml' \
	"$work/script"
forget web1
forget web2
try bob towerify-queue add web1,web2 - <"$work/page.yaml"
is 'bob files a change for both' 0 "3${newline}4" ''
try bob towerify-queue wait 3 4
ok '... a pass starts at once, and it succeeds' test "$status" -eq 0
ok '... on the one' marks_are web1 '3 1 page'
ok '... and the other' marks_are web2 '4 1 page'
ok 'nobody has got mail' test -z "$(mails)"
try bob towerify-queue add web1 - <"$work/broken.yaml"
is 'he files one that fails' 0 5 ''
try bob towerify-queue wait 5
ok '... it fails' test "$status" -ne 0
try bob towerify-queue show 5 -n --tsv -o status,operator
is '... and is undone' 0 'rolled-back	bob' ''
ok '... on the host' marks_are web1 '3 1 page
5 1 begun
5 1 undone'
ok 'that is mailed' within 30 on tower 'ls /var/mails/*.mail'
mails >"$work/mail"
ok '... to alice' grep -qx 'To: alice' "$work/mail"
ok '... with what the step said' grep -q 'no such service' "$work/mail"

# --- cron, and an upgrade under its pass ---

forget web2
try bob towerify-queue add web2 - --not-before +10s <"$work/long.yaml"
is 'a change for later' 0 6 ''
on tower 'systemctl start cron'
ok "... is begun by cron's pass" within 90 on web2 'test -e /dev/shm/long.here'
pass_pid() {
	on tower 'for p in /proc/[0-9]*; do
		case $(tr "\0" " " <"$p/cmdline") in
		*/towerify-run\ --cron\ ) readlink "$p/exe" | grep -q run &&
			echo "${p#/proc/}" ;;
		esac
	done 2>/dev/null || :'
}
pid=$(pass_pid)
ok '... which is there' test -n "$pid"
ok 'an upgrade' on tower \
	'DEBIAN_FRONTEND=noninteractive apt-get install -y /root/2.deb </dev/null'
ok '... to the new version' on tower \
	'dpkg-query -W -f "\${Version}\n" towerify | grep "+2\$"'
ok '... leaves the pass alone' on tower \
	"readlink '/proc/$pid/exe' | grep -q '/towerify-run (deleted)'"
ok '... and what is set' on tower \
	'grep -qx "mail: alice" /etc/towerify/towerify.yaml'
go web2 long
try bob towerify-queue wait 6
ok 'the change ends well' test "$status" -eq 0
ok '... each step ran once' marks_are web2 '6 1 a
6 3 c'
ok 'all is well' within 30 on tower 'towerify-run --status'
ok 'one mail was sent, no other' test \
	"$(on tower 'ls /var/mails/*.mail | wc -l')" -eq 1
ok 'the audit trail is whole' on tower \
	'runuser -l alice -c "sudo -n -u towerify towerify-audit verify"'

# --- the end ---

for name in web1 web2; do
	ok "the README: the tower leaves $name" typed 'tower towerify-host rev' \
		"s/web1/$name/"
done
ok 'the README: the package is purged' on tower \
	'DEBIAN_FRONTEND=noninteractive apt purge -y towerify </dev/null'
ok 'the README: what was copied goes' as_root 'rm /etc/sudoers.d'
ok 'nothing is left on the tower' on tower 'find / -xdev -name "*towerify*" \
	! -path "/proc/*" | diff /root/before -'
ok '... but the user' on tower 'getent passwd towerify'
for name in web1 web2; do
	ok "... nor on $name" on "$name" '! find / -xdev -name "*towerify*" \
		! -path "/proc/*" | grep .'
	ok '... nor the key' on "$name" "! grep -F '$(cut -d ' ' -f 2 \
		"$work/tower.pub")' /root/.ssh/authorized_keys"
done
try bob towerify-queue list
ok 'bob is not let in any more' test "$status" -eq 255

ok 'the end: the hosts go' rig clean
rig_clean
finish
