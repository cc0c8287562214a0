#!/bin/sh
# rig.t: are the hosts of rig.sh what the other tests take them for?
#
# Two hosts are booted, rebooted, cut off and killed; then nothing may be left.

set -u
LC_ALL=C
export LC_ALL

here=$(cd "$(dirname "$0")" && pwd)
rig=$here/rig.sh
n=0
failed=0

skip()
{
	echo "1..0 # SKIP $*"
	exit 0
}

# ok STATUS TEXT
ok()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
}

# is GOT WANTED TEXT
is()
{
	[ "$1" = "$2" ]
	ok $? "$3"
	[ "$1" = "$2" ] || printf '# got: %s\n# wanted: %s\n' "$1" "$2"
}

# differ A B TEXT: both there, and not the same
differ()
{
	[ -n "$1" ] && [ -n "$2" ] && [ "$1" != "$2" ]
	ok $? "$3"
}

on()
{
	who=$1
	shift
	ssh -F none -n -i "$dir/key" -o BatchMode=yes -o IdentitiesOnly=yes \
		-o UserKnownHostsFile="$dir/known" \
		-o StrictHostKeyChecking=yes -o ConnectTimeout=5 \
		-o ServerAliveInterval=2 -o ServerAliveCountMax=2 \
		-o LogLevel=ERROR \
		"${who%@*}@$("$rig" addr "${who#*@}")" "$@"
}

boot_id()
{
	on "root@$1" cat /proc/sys/kernel/random/boot_id
}

# interfaces: the numbers of the network interfaces of our hosts.  The kernel
# gives a number once only.
interfaces()
{
	for i in "$dir"/rig/hosts/*/index; do
		cat "/sys/class/net/twr$(cat "$i")/ifindex"
	done
}

# What the rig could leave behind on this machine, where others may be at
# work at the same time.
traces()
{
	grep -F "$dir" /proc/self/mounts
	losetup -a | grep -F "$dir"
	for i in $links; do
		ip -o link | grep "^$i:"
	done
	find /sys/fs/cgroup -type d -name "towerify-rig-$hash*" 2>/dev/null
	for p in /proc/[0-9]*; do
		tr '\0' ' ' 2>/dev/null <"$p/cmdline" |
			grep -F -e "_keep $dir" -e "$dir/rig/hosts"
	done
}

why=$("$rig" check 2>&1) || skip "$why"
command -v ssh >/dev/null || skip "no ssh on this machine"
why=$("$rig" base 2>&1) || skip "no base system: $why"

dir=$(mktemp -d "${TMPDIR:-/tmp}/rig-t.XXXXXX") || exit 1
dir=$(cd "$dir" && pwd -P)
TOWERIFY_RIG_DIR=$dir/rig
TOWERIFY_RIG_KEY=$dir/key.pub
TOWERIFY_RIG_TTL=600
TOWERIFY_RIG_PARENT=$$
export TOWERIFY_RIG_DIR TOWERIFY_RIG_KEY TOWERIFY_RIG_TTL TOWERIFY_RIG_PARENT
trap '"$rig" clean; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
ssh-keygen -q -t ed25519 -N '' -C test -f "$dir/key" || exit 1

"$rig" up one two
ok $? "two hosts are made"
"$rig" wait one two
ok $? "their sshd answers"
links=$(interfaces)
hash=$(printf %s "$dir/rig" | sha256sum | cut -c 1-12)
test "$(traces | wc -l)" -ge 8
ok $? "what they take of this machine is seen"
for host in one two; do
	"$rig" hostkey "$host"
done >"$dir/known"

is "$(on root@one hostname)" one "root logs in by key, to the right host"
is "$(on root@one cat /proc/1/comm)" systemd "systemd is process 1"
is "$(on root@one systemctl is-system-running --wait)" running \
	"every unit started"
is "$(on deploy@two sudo -n id -u)" 0 "deploy may sudo without a password"
on plain@two sudo -n true 2>/dev/null
is $? 1 "plain may not"
is "$(on plain@two id -un)" plain "but logs in"

boot=$(boot_id one)
differ "$boot" "$(boot_id two)" "two hosts have two boot ids"
differ "$boot" "$(cat /proc/sys/kernel/random/boot_id)" \
	"a host's boot id is not the machine's"
machine=$(on root@one cat /etc/machine-id)
differ "$machine" "$(on root@two cat /etc/machine-id)" \
	"two hosts have two machine ids"

on root@one 'echo kept >/root/reboot && sync'
on root@one systemctl reboot >/dev/null 2>&1
"$rig" wait -b 2 one
ok $? "a host that reboots comes back"
differ "$boot" "$(boot_id one)" "a reboot gives a new boot id"
is "$(on root@one cat /etc/machine-id)" "$machine" \
	"a reboot keeps the machine id"
is "$(on root@one cat /root/reboot)" kept "a reboot keeps files"

boot=$(boot_id two)
on root@two 'echo kept >/root/synced && sync && echo lost >/root/unsynced'
"$rig" kill two
ok $? "the power goes"
is "$("$rig" list | awk '$1 == "two" { print $3 }')" off "the host is off"
on root@two true 2>/dev/null
is $? 255 "a host without power does not answer"
"$rig" exec two true 2>/dev/null
is $? 1 "nothing runs on it"
"$rig" start two && "$rig" wait two
ok $? "the host starts again"
is "$(on root@two cat /root/synced)" kept "power loss keeps what was synced"
if [ "$(cat "$dir/rig/hosts/two/disk.kind")" = image ]; then
	on root@two test -e /root/unsynced
	is $? 1 "power loss takes what was not synced"
else
	n=$((n + 1))
	echo "ok $n - power loss takes what was not synced # SKIP no disk image"
fi
differ "$boot" "$(boot_id two)" "power loss gives a new boot id"

boot=$(boot_id one)
"$rig" cut one
on root@one true 2>/dev/null
is $? 255 "a host cut off does not answer"
is "$("$rig" exec one cat /proc/sys/kernel/random/boot_id)" "$boot" \
	"but it runs on"
"$rig" join one && "$rig" wait one
ok $? "joined, it answers"
is "$(boot_id one)" "$boot" "and has not booted meanwhile"

"$rig" poweroff one
ok $? "a host powers off in good order"
"$rig" start one && "$rig" wait one
ok $? "and starts again"

"$rig" down one
is "$("$rig" list | cut -d ' ' -f 1)" two "down removes one host"

# "up" that is told to end takes back what it has begun.
"$rig" up three &
up=$!
until [ -s "$dir/rig/hosts/three/pid" ] || ! kill -0 "$up" 2>/dev/null; do
	:
done
kill -TERM "$up"
wait "$up"
is $? 143 "up is interrupted"
is "$("$rig" list | cut -d ' ' -f 1)" two "and leaves no half-made host"

# A keeper that is killed takes its host along.
keeper=$(cat "$dir/rig/hosts/two/pid")
kill -KILL "$keeper"
flock -w 20 "$dir/rig/hosts/two/alive.lock" true
on root@two true 2>/dev/null
is $? 255 "a host ends with its keeper"

"$rig" clean
ok $? "clean works after that too"
test ! -e "$dir/rig"
ok $? "the work directory is gone"
is "$(traces)" "" \
	"no mount, device, interface, control group or process is left"

echo "1..$n"
exit "$failed"
