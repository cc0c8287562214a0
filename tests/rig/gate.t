#!/bin/sh
# gate.t - the gates of a tower, with a real sudo and a real sshd, set up as
# towerify-gate(8) says, and attacked
#
# The tower is a host of the rig, and the only host of itself.  alice is its
# administrator, mallory is in the group towerify but no operator, bob has a
# login and nothing else.  An attack that gets through shows the words it was
# after: those of `id', of /etc/shadow, of a private key.
#
# shellcheck disable=SC2016 # for the host's shells
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
# shellcheck source=tests/rig/lib.sh
. "$top/tests/rig/lib.sh"

build=${abs_top_builddir:-}
[ -n "$build" ] || skip_all 'the build directory is not known'
hosts tower

# --- the tools are installed ---

# What make says of its parent must not reach it.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$build" install \
	DESTDIR="$work/dest" >"$work/out" 2>&1 || {
	sed 's/^/# /' "$work/out"
	echo 'Bail out! make install fails'
	exit 1
}
tar -C "$work/dest" --owner=0 --group=0 -c . | rig exec tower tar -x -C /
rm -rf "$work/dest"
bindir=$(on tower 'dirname "$(command -v towerify-queue)"')
data=${bindir%/bin}/share/towerify
on tower "ldd $bindir/towerify-queue | grep 'not found'" >"$work/out" &&
	skip_all "the tools don't run on the host: $(head -n 1 "$work/out")"

# --- set up by the manual page ---

# page SECTION: its commands, for where the tools are here.
page() {
	awk -v name=".Ss $1" '
		/^\.S[hs] / { on = $0 == name }
		on && /^\.Ed/ { show = 0 }
		show { gsub(/\\e/, "\\"); print }
		on && /^\.Bd -literal/ { show = 1 }' "$top/man/towerify-gate.8" |
		sed "s|/usr/share/towerify|$data|; s|/usr/bin|$bindir|"
}
on tower 'for u in alice bob mallory; do
		useradd -m -s /bin/bash "$u" || exit
	done
	mkdir -p /etc/cron.d
	# what the rig took away with procps, and systemctl reload wants
	printf "#!/bin/sh\nkill \"\$@\"\n" >/bin/kill
	chmod 755 /bin/kill
	echo "127.0.1.1 $(hostname)" >>/etc/hosts'
for section in 'Setting up the tower' 'The gate of sudo' 'The gate of keys'; do
	page "$section" >"$work/script"
	ok "towerify-gate(8): $section" on tower "set -eu
$(cat "$work/script")"
done
on tower 'adduser -q mallory towerify' >/dev/null 2>&1
for key in alice other; do
	ssh-keygen -q -t ed25519 -N '' -C "$key" -f "$work/key_$key"
done
key_in() {
	on tower "runuser -l alice -c 'sudo -n -u towerify towerify-op -q add \
		alice --ssh-key - --install'" <"$work/key_alice.pub"
}
ok "towerify-gate(8): alice's key is let in" key_in
ok 'the state is for its owner alone' test \
	"$(on tower 'stat -c "%U %a" /var/lib/towerify')" = 'towerify 700'

# --- who does what ---

# as USER SCRIPT: a login shell of that user on the tower.
as() {
	try rig exec tower runuser -l "$1" -c "$2"
}
# typed [OPTION…] COMMAND: over SSH, with alice's key
ssh_as() {
	key=$1
	shift
	try ssh -F none -i "$work/key_$key" -o IdentitiesOnly=yes \
		-o BatchMode=yes -o IdentityAgent=none -o LogLevel=ERROR \
		-o UserKnownHostsFile="$work/known" -o ConnectTimeout=10 "$@"
}
at=towerify@$(rig addr tower)
rig hostkey tower >"$work/known"
typed() {
	ssh_as alice "$at" "$@"
}
sudo='sudo -n -u towerify'

whoami='towerify-op whoami --tsv -n -o operator,state'
alice="alice	/var/lib/towerify"
as alice "$sudo $whoami"
is 'sudo: alice is alice' 0 "$alice" ''
typed "$whoami"
is 'her key: so she is' 0 "$alice" ''
as mallory "$sudo towerify-op whoami"
is 'sudo: mallory is no operator' 77 '' \
	'towerify-op: mallory is not an operator of this tower'
as bob "$sudo towerify-op whoami"
is 'sudo: bob has no gate' 1 '' 'sudo: a password is required'
try on tower "$sudo towerify-op whoami"
is 'sudo: root is root' 77 '' \
	'towerify-op: root is not an operator of this tower'

as alice "$sudo towerify-host key"
like 'alice gets the key' 0 'ssh-ed25519 *' ''
on tower 'cat >>/root/.ssh/authorized_keys' <"$work/out"
as alice "$sudo towerify-host add web1 root@127.0.0.1 --accept-host-key"
like '... and adds a host' 0 '' '*web1 is added'
as alice "$sudo towerify-queue add web1 - -p word=good --run --wait" <<'END1'
towerify: 1
title: A word
params:
  word: {type: string, required: true}
steps:
  - name: says
    run: echo "$word" >/root/said
    undo: nothing
END1
like '... and files a change, which runs' 0 1 '*'
ok '... on the host' test "$(on tower 'cat /root/said')" = good
typed 'towerify-queue show 1 -J'
json '... as is seen by her key' \
	'.status == "succeeded" and .operator == "alice"'
sed 's/^/# /' "$work/err"
change_file='towerify: 1
steps:
  - name: nothing
    run: "true"
    undo: nothing'
printf '%s\n' "$change_file" >"$work/good.yaml"
typed "towerify-queue add web1 - --reason 'a \"b\" \$(id); c'" <"$work/good.yaml"
is 'by her key she files one too' 0 2 ''
typed 'towerify-audit list --tsv -n -o operator,change --change 2'
is '... as herself' 0 "alice	2" ''
typed towerify-queue cancel 2
like '... and cancels it' 0 '' 'change 2 is cancelled'

# --- attacks by sudo ---

on tower 'mkdir -m 777 /tmp/evil && cd /tmp/evil
	printf "#!/bin/sh\nid\n" >towerify-queue
	cp towerify-queue id
	cp towerify-queue ssh
	chmod 755 towerify-queue id ssh
	ln -s /bin/sh towerify-host
	ln -s /etc/shadow shadow
	ln -s /var/lib/towerify state
	printf "id\n" >rc
	touch /tmp/mark'

# No attack shows what it was after, nor leaves a file of the owner's.
no_leak() {
	cat "$work/out" "$work/err"
	! grep -q -e 'uid=' -e '^root:' -e 'PRIVATE KEY' -e 'SQLite format' \
		"$work/out" "$work/err"
}
fails_and_tells_nothing() {
	no_leak && [ "$status" -ne 0 ]
}
attack() {	# attack USER SCRIPT
	as "$1" "$2"
	ok "$1: $2" fails_and_tells_nothing
}

for user in alice mallory; do
	while IFS= read -r line; do
		attack "$user" "cd /tmp/evil; $line"
	done <<END1
$sudo id
$sudo /bin/sh -c id
$sudo /usr/bin/env id
$sudo -s id
$sudo -i id
$sudo -i towerify-queue list
$sudo $bindir/towerify-shell alice
SSH_ORIGINAL_COMMAND='towerify-queue list' $sudo towerify-shell alice
$sudo /tmp/evil/towerify-queue list
$sudo ./towerify-queue list
$sudo /tmp/evil/towerify-host -c id
$sudo $bindir/../../bin/id
$sudo $bindir/towerify-queue/../../bin/id
$sudo -e /var/lib/towerify/x
EDITOR=id sudoedit -n -u towerify /var/lib/towerify/x
sudo -n towerify-op whoami
sudo -n -u root towerify-op whoami
sudo -n -u '#0' towerify-op whoami
sudo -n -u '#-1' towerify-op whoami
sudo -n -u '#4294967295' towerify-op whoami
sudo -n -u bob towerify-op whoami
sudo -n -u towerify -g root towerify-op whoami
sudo -n -u towerify -g shadow towerify-op whoami
$sudo -E towerify-op whoami
$sudo --preserve-env=PATH towerify-op whoami
$sudo -C 10 towerify-op whoami
$sudo -D / towerify-op whoami
$sudo -R /tmp towerify-op whoami
$sudo TOWERIFY_STATE=/tmp/evil/state towerify-op whoami
$sudo TOWERIFY_OPERATOR=alice towerify-op whoami
$sudo SUDO_UID=0 towerify-op whoami
$sudo LD_PRELOAD=/tmp/evil/x.so towerify-op whoami
$sudo OPENSSL_CONF=/tmp/evil/rc towerify-op whoami
$sudo PATH=/tmp/evil towerify-op whoami
$sudo towerify-queue --state /var/lib/towerify list
$sudo towerify-queue list --state=/tmp/evil
$sudo towerify-queue list --state
$sudo towerify-op init mallory
$sudo towerify-op init $user --state /tmp/evil/new
$sudo towerify-queue check /etc/shadow
$sudo towerify-queue check /tmp/evil/shadow
$sudo towerify-queue check state/state.db
$sudo towerify-queue check /var/lib/towerify/keys/default/id_ed25519
$sudo towerify-queue check /dev/stdin </tmp/evil/rc
$sudo towerify-queue check /proc/self/environ
$sudo towerify-queue check ../../etc/shadow
$sudo towerify-queue check - -p x@/etc/shadow </tmp/evil/rc
$sudo towerify-queue add web1 /etc/shadow
$sudo towerify-queue add /etc/shadow -
$sudo towerify-queue add web1 - -p x@/etc/shadow </tmp/evil/rc
$sudo towerify-queue plan web1 /etc/shadow
$sudo towerify-audit verify --checkpoint /etc/shadow
$sudo towerify-audit verify --checkpoint=/etc/shadow
$sudo towerify-host add web2 root@127.0.0.1 --accept-host-key --identity /etc/shadow
$sudo towerify-host add -- --accept-host-key root@127.0.0.1
$sudo towerify-host add web2 -oProxyCommand=id
$sudo towerify-host add web2 'ssh://-oProxyCommand=id' --accept-host-key
$sudo towerify-host add web2 root@127.0.0.1 --via -oProxyCommand=id --accept-host-key
$sudo towerify-host add web2 root@127.0.0.1 --via 'x;id' --transport ssh --accept-host-key
$sudo towerify-host add web2 '-lroot@127.0.0.1' --accept-host-key
$sudo towerify-host add web2 'a\`id\`@127.0.0.1' --accept-host-key
$sudo towerify-host set web1 identity=/etc/shadow
$sudo towerify-host set web1 identity=/var/lib/towerify/keys/default/id_ed25519
$sudo towerify-host set web1 spool='/tmp/\$(id)'
$sudo towerify-host set web1 via='-oProxyCommand=id'
$sudo towerify-host set web1 port='22 -oProxyCommand=id'
$sudo towerify-host show ../../../etc/shadow
$sudo towerify-host show 'x%s%n'
$sudo towerify-queue list --org ../../etc
$sudo towerify-queue list -o /etc/shadow
$sudo towerify-queue show '1 OR 1=1'
towerify-op whoami
TOWERIFY_OPERATOR=alice towerify-op whoami
SUDO_UID=\$(id -u alice) towerify-op whoami
SUDO_UID=0 towerify-op whoami
towerify-op whoami --state /var/lib/towerify
TOWERIFY_OPERATOR=alice TOWERIFY_STATE=/var/lib/towerify towerify-op whoami
SSH_ORIGINAL_COMMAND='towerify-op whoami' towerify-shell alice
SSH_ORIGINAL_COMMAND='towerify-op whoami' towerify-shell --state /var/lib/towerify alice
cat /var/lib/towerify/state.db
ls /var/lib/towerify
ls /var/lib/towerify/keys
echo x >>/var/lib/towerify/.ssh/authorized_keys
cat /var/spool/towerify/id
END1
done
for line in "$sudo towerify-op whoami" "$sudo id" 'towerify-op whoami' \
	'TOWERIFY_OPERATOR=alice towerify-op whoami --state /var/lib/towerify' \
	"SSH_ORIGINAL_COMMAND='towerify-op whoami' towerify-shell alice"; do
	attack bob "$line"
done

# The same words whatever the file is.
for file in /etc/shadow /etc/passwd /nowhere /etc /tmp/evil/shadow \
	/tmp/evil/state/state.db /root/.ssh/authorized_keys /dev/zero; do
	as alice "$sudo towerify-queue add web1 $file"
	is "alice: a file of hers or not: $file" 77 '' \
		"towerify-queue: a file can't be used behind a gate
hint: give it on standard input, as '-'"
done
for source in /etc/shadow /nowhere rc /tmp/evil/shadow ../../etc/shadow; do
	{
		printf 'towerify: 1\nsteps:\n  - name: x\n    file:\n'
		printf '      path: /tmp/x\n      source: "%s"\n' "$source"
	} >"$work/source.yaml"
	as alice "cd /tmp/evil; $sudo towerify-queue add web1 -" \
		<"$work/source.yaml"
	sed "s|$source|SOURCE|" "$work/err" >"$work/same.$$"
	ok "alice: source: $source" fails_and_tells_nothing
	ok '... is refused for the gate' grep -q 'behind a gate' "$work/err"
	[ -e "$work/same" ] || cp "$work/same.$$" "$work/same"
	ok '... in the same words' cmp "$work/same" "$work/same.$$"
done

# What the environment says does not arrive.
as alice "SUDO_UID=0 SUDO_USER=root TOWERIFY_OPERATOR=root LC_ALL=/tmp/evil \
	TOWERIFY_STATE=/tmp/evil/state LD_PRELOAD=/tmp/evil/x.so IFS=/ \
	LD_LIBRARY_PATH=/tmp/evil HOME=/tmp/evil XDG_STATE_HOME=/tmp/evil \
	SSH_AUTH_SOCK=/tmp/evil/s ENV=/tmp/evil/rc BASH_ENV=/tmp/evil/rc \
	OPENSSL_CONF=/tmp/evil/rc TZ=/etc/shadow TERM=../../etc/shadow \
	PATH=/tmp/evil /usr/bin/$sudo $whoami 2>&1 |
	grep -v LD_PRELOAD"
is 'the environment names neither operator nor state' 0 \
	"$alice" ''
as alice "cd /tmp/evil; PATH=/tmp/evil:\$PATH $sudo towerify-host check web1"
like 'the tools call the programs of the system' 0 '*' '*'
ok '... not those of a PATH' no_leak
# A sudo that keeps everything is no reason to use it.
on tower 'printf "%s\n" "Defaults:alice !env_reset, setenv" \
	"alice ALL = (towerify) NOPASSWD: SETENV: /usr/local/bin/towerify-op" \
	>/etc/sudoers.d/zz && chmod 440 /etc/sudoers.d/zz' >"$work/out" 2>&1
as alice "$sudo TOWERIFY_OPERATOR=root XDG_STATE_HOME=/tmp/evil HOME=/tmp/evil \
	SSH_AUTH_SOCK=/tmp/evil/s TZ=/etc/shadow $whoami"
is 'a careless rule: the tool keeps the name and the state' 0 \
	"$alice" ''
as alice "$sudo TOWERIFY_STATE=/tmp/evil/state towerify-op whoami"
is '... and says what it refuses' 77 '' \
	"towerify-op: TOWERIFY_STATE can't be used behind a gate"
on tower 'rm /etc/sudoers.d/zz'

# --- limits, descriptors, deaths ---

sound() {
	on tower 'runuser -u towerify -- towerify-run -q --hosts web1 || :
	runuser -l alice -c "sudo -n -u towerify towerify-audit verify &&
	sudo -n -u towerify towerify-host show web1 -o name --tsv -n"'
}
for limit in '-f 0' '-f 1' '-f 8' '-f 64' '-n 3' '-n 4' '-n 6' '-n 8' '-n 10' \
	'-v 4000' '-v 20000' '-s 8' '-t 0' '-u 0'; do
	as alice "ulimit $limit; $sudo towerify-host set web1 label.x=y"
	ok "ulimit $limit" no_leak
	ok '... leaves the state sound' sound
done
for how in '<&-' '>&-' '2>&-' '<&- >&-' '<&- >&- 2>&-'; do
	as alice "$sudo towerify-host set web1 label.x=z $how"
	ok "$how: it works" test "$status" -eq 0
	ok '... leaves the state sound' sound
done
on tower 'for i in $(seq 1 40); do
		runuser -l alice -c "sudo -n -u towerify towerify-host set web1 label.n=$i" &
		sleep 0.0$((i % 10))
		for p in /proc/[0-9]*; do
			case $(tr "\0" " " <"$p/cmdline") in
			towerify-host*) kill -KILL "${p#/proc/}" ;;
			esac
		done
		wait
	done' >/dev/null 2>&1
ok 'killed at forty moments: the state is sound' sound
as alice "$sudo towerify-queue add web1 - --not-before +1h" <"$work/good.yaml"
cp "$work/out" "$work/id"
rig exec tower runuser -l alice -c \
	"$sudo towerify-queue wait $(cat "$work/id") --timeout 20s" &
waiter=$!
find_tool() {
	on tower 'for p in /proc/[0-9]*; do
		[ "$(stat -c %U "$p" 2>/dev/null)" = towerify ] || continue
		case $(tr "\0" " " <"$p/cmdline") in
		towerify-queue\ wait*) echo "${p#/proc/}" && exit ;;
		esac
	done
	exit 1' >"$work/pid"
}
ok "a tool of alice's runs as towerify" within 10 find_tool
pid=$(cat "$work/pid")
as alice "kill -STOP $pid && echo uid=stopped; cat /proc/$pid/environ &&
	echo uid=seen; cat /proc/$pid/mem; ls /proc/$pid/fd/; false"
ok '... and she neither stops it nor looks into it' fails_and_tells_nothing
wait "$waiter" || :

# --- attacks over SSH ---

typed
like 'no command: the help' 2 '' 'Usage: towerify-shell *'
while IFS= read -r line; do
	typed "$line"
	ok "ssh: $line" fails_and_tells_nothing
done <<END1
id
sh
bash -i
/bin/sh -c id
$bindir/towerify-queue list
./towerify-queue list
../bin/towerify-queue list
towerify-shell bob
towerify-shell --state /tmp/evil bob
--state /tmp/evil bob
--help
-c id
scp -t /tmp
scp -f /etc/shadow
/usr/lib/openssh/sftp-server
internal-sftp
rsync --server . /tmp
env TOWERIFY_OPERATOR=root towerify-op whoami
TOWERIFY_OPERATOR=root towerify-op whoami
towerify-op whoami; id
towerify-op whoami && id
towerify-op whoami | id
towerify-op whoami || id
towerify-op whoami & id
towerify-op \$(id)
towerify-op \`id\`
towerify-op "\$(id)"
towerify-op "\`id\`"
towerify-op \${IFS}id
towerify-op 'whoami
towerify-op whoami >/tmp/evil/out
towerify-op whoami </etc/shadow
towerify-op whoami \\
towerify-op whoami --state /tmp/evil/state
towerify-op init mallory
towerify-queue check /etc/shadow
towerify-queue check ~/state.db
towerify-queue check /var/lib/towerify/keys/default/id_ed25519
towerify-queue check - -p x@/etc/shadow
towerify-queue add web1 /etc/shadow
towerify-audit verify --checkpoint /etc/shadow
towerify-host add web2 root@127.0.0.1 --accept-host-key --identity ~/.ssh/id
towerify-host add web2 -oProxyCommand=id
towerify-app list
sudo id
sudo -u towerify towerify-op whoami
END1
typed "towerify-op whoami${newline}id"
ok 'ssh: a newline' fails_and_tells_nothing
typed "$(printf 'towerify-op whoami\rid')"
ok 'ssh: a carriage return' fails_and_tells_nothing
typed "towerify-op '$(head -c 70000 /dev/zero | tr '\0' x)'"
ok 'ssh: a long command' fails_and_tells_nothing
typed "towerify-op 'whoami${newline}id'"
ok 'ssh: a newline in quotes' fails_and_tells_nothing

ssh_as alice -o 'SetEnv TOWERIFY_OPERATOR=root' "$at" "$whoami"
is 'ssh: SetEnv of the operator' 0 "$alice" ''
ssh_as alice -o 'SetEnv TOWERIFY_STATE=/tmp/evil SUDO_UID=0 SSH_ORIGINAL_COMMAND=id LC_ALL=/tmp/evil LANG=../../tmp' \
	"$at" "$whoami"
is 'ssh: SetEnv of more' 0 "$alice" ''
ssh_as alice -tt "$at" "$whoami"
ok 'ssh: no terminal' sh -c "! grep -q $(printf '\r') '$work/out'"
ssh_as alice -A "$at" "$whoami"
is 'ssh: agent forwarding is not there' 0 "$alice" ''
ok '... no socket was made' on tower \
	'! find /tmp -path "/tmp/ssh-*" -type s -newer /tmp/mark | grep .'
ssh_as alice -X "$at" "$whoami"
ok 'ssh: X11 forwarding is not there' test "$(cat "$work/out")" = "$alice"
ssh_as alice -o ExitOnForwardFailure=yes -R 0:127.0.0.1:22 "$at" "$whoami"
ok 'ssh: no port back' test "$status" -eq 255
ssh_as alice -W 127.0.0.1:22 "$at"
ok 'ssh: no port forth' test "$status" -ne 0 -a ! -s "$work/out"
ssh_as alice -W /run/dbus/system_bus_socket "$at"
ok 'ssh: no socket forth' test "$status" -ne 0 -a ! -s "$work/out"
ssh_as alice -o Tunnel=yes -w 0:0 -o ExitOnForwardFailure=yes "$at" "$whoami"
ok 'ssh: no tunnel' test "$status" -ne 0
ssh_as alice -s "$at" sftp
ok 'ssh: no sftp' fails_and_tells_nothing
ssh_as alice -N -o ExitOnForwardFailure=yes -L 127.0.0.1:0:127.0.0.1:22 "$at"
ok 'ssh: no -N -L on a bad port' test "$status" -ne 0
for old in '' -O; do
	status=0
	tried="scp $old"
	# shellcheck disable=SC2086 # one word or none
	scp $old -F none -q -i "$work/key_alice" -o IdentitiesOnly=yes \
		-o BatchMode=yes -o UserKnownHostsFile="$work/known" \
		"$at:/etc/passwd" "$work/got" >"$work/out" 2>"$work/err" ||
		status=$?
	ok "ssh: no scp $old" fails_and_tells_nothing
	ok '... nothing came' test ! -e "$work/got"
done
ssh_as other "$at" "$whoami"
ok "ssh: another key is not let in" test "$status" -eq 255
for user in root alice deploy; do
	ssh_as alice "$user@${at#*@}" id
	ok "ssh: alice's key is not $user's" test "$status" -eq 255
done

# What lies in the home of its user is not run for a key.
on tower 'echo "id >/tmp/evil/rc.ran" >/var/lib/towerify/.ssh/rc
	echo "TOWERIFY_OPERATOR=root" >/var/lib/towerify/.ssh/environment
	chown towerify /var/lib/towerify/.ssh/*'
typed "$whoami"
is 'ssh: no environment from its home' 0 "$alice" ''
ok '... and no rc file' on tower 'test ! -e /tmp/evil/rc.ran'

ok 'no attack left a file of the owner'\''s' on tower \
	'! find / -xdev \( -path /proc -o -path /sys \) -prune -o \
	-user towerify -newer /tmp/mark -not -path "/var/lib/towerify*" \
	-print | grep .'
ok 'the state is sound' sound
leave
