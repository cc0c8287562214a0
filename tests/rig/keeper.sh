# shellcheck shell=bash
# keeper.sh: one process per host, from "up" to "down", that owns its disk,
# its cable and its power.
#
# It works in the host's directory and says nothing to anybody but through
# the files there: state, boots, runner.pid, and the answer "ready" at each
# power on.  The locks: alive.lock is held as long as the keeper lives,
# power.lock as long as the host is on, net.lock while its cable is moved.

keeper_fail()
{
	echo "$*" >&7
	say "$*"
	exit 1
}

# The disk is an image with a file system of its own, because then power loss
# takes with it what was not synced.  Where there is no loop device it is a
# directory, and that is lost: said aloud once.
disk_make()
{
	mkdir -p disk merged lower net
	if [ "${TOWERIFY_RIG_DISK:-image}" = image ] &&
	    command -v mkfs.ext4 >/dev/null && command -v perl >/dev/null &&
	    truncate -s "${DISK_MB}M" disk.img &&
	    mkfs.ext4 -q -F -m 0 disk.img >>keeper.log 2>&1 &&
	    mount -o loop disk.img disk && umount disk; then
		echo image >disk.kind
		return
	fi
	rm -f disk.img
	echo directory >disk.kind
	[ "${TOWERIFY_RIG_DISK:-image}" != image ] ||
		echo "no disk image: power loss will not lose unsynced data" \
			>>notes
	# overlayfs takes no overlayfs as its upper layer
	case $(stat -f -c %T .) in
	overlay*)
		echo copy >disk.kind
		echo "the work directory is on overlayfs: copying the base" \
			>>notes ;;
	esac
}

disk_attach()
{
	case $(read_line disk.kind) in
	image)
		wait_for 15 disk_is_free disk.img || return
		mount -o loop disk.img disk || return ;;
	copy)
		if [ ! -d disk/root ]; then
			cp -a --reflink=auto "$1" disk/temp &&
				mv -T disk/temp disk/root || return
		fi
		mount --bind disk/root merged
		return ;;
	esac
	mkdir -p disk/upper disk/work &&
	mount --bind "$1" lower &&
	mount -t overlay overlay \
		-o lowerdir=lower,upperdir=disk/upper,workdir=disk/work merged
}

disk_detach()
{
	local at

	for at in merged lower disk; do
		while mountpoint -q "$at"; do
			umount "$at" 2>/dev/null || umount -l "$at" || break
		done
	done
	[ ! -f disk.img ] || wait_for 15 disk_is_free disk.img
}

# host_install: what this host has and no other: names and keys.
host_install()
{
	local name=$1 user home ids

	tr -d - </proc/sys/kernel/random/uuid >merged/etc/machine-id
	echo "$name" >merged/etc/hostname
	printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$name" >merged/etc/hosts
	ssh-keygen -q -A -f merged >/dev/null || return
	cp merged/etc/ssh/ssh_host_ed25519_key.pub hostkey || return
	for user in root deploy plain; do
		home=$(awk -F : -v u="$user" '$1 == u { print $6 }' \
			merged/etc/passwd)
		ids=$(awk -F : -v u="$user" '$1 == u { print $3 ":" $4 }' \
			merged/etc/passwd)
		mkdir -p "merged$home/.ssh" &&
			cp key "merged$home/.ssh/authorized_keys" &&
			chmod 0700 "merged$home/.ssh" &&
			chmod 0600 "merged$home/.ssh/authorized_keys" &&
			chown -R "$ids" "merged$home/.ssh" || return
	done
	sync -f merged
}

# Each boot has a network namespace of its own, so that no connection of the
# boot before is remembered.  The cable is parked with the keeper between.
net_attach()
{
	local index addr

	index=$(read_line index)
	addr=$(read_line addr)
	: >net/now
	unshare --net=net/now true || return
	(
		flock 5
		ip link set "twp$index" netns "$PWD/net/now" name eth0 ||
			exit 1
		nsenter --net=net/now ip link set lo up
		nsenter --net=net/now ip addr add "$addr/30" dev eth0 || exit 1
		[ -e cut ] || nsenter --net=net/now ip link set eth0 up
	) 5>>net.lock
}

net_detach()
{
	mountpoint -q net/now || return 0
	(
		flock 5
		nsenter --net=net/now ip link set eth0 down
		nsenter --net=net/now ip link set eth0 netns "/proc/$$/ns/net" \
			name "twp$(read_line index)"
		umount net/now
	) 5>>net.lock
}

# boot NAME: from power on to power off; the status is systemd-nspawn's.
# A container outlives a systemd-nspawn that is killed, hence the process
# namespace around it: its end is the end of all that is in it.
boot()
{
	local name=$1 cgroup status

	cgroup=$(read_line cgroup)
	mkdir -p "$cgroup" || return 1
	net_attach || return 1
	(
		export SYSTEMD_NSPAWN_TMPFS_TMP=0
		# shellcheck disable=SC2016 # the inner shell expands them
		exec setpriv --pdeathsig KILL \
			unshare --pid --fork --kill-child --mount-proc \
			sh -c 'echo 0 >"$1" && shift && exec "$@"' \
			- "$cgroup/cgroup.procs" \
			systemd-nspawn --boot "--machine=$name" --quiet \
			--directory=merged \
			--network-namespace-path="$PWD/net/now" \
			--capability=CAP_NET_ADMIN \
			--register=no --keep-unit --link-journal=no \
			--resolv-conf=off --timezone=off --console=read-only
	) </dev/null >>console.log 2>&1 5>&- 6>&- 7>&- 8>&- 9>&- &
	echo $! >runner.pid
	echo $(($(read_line boots) + 1)) >boots.new
	mv boots.new boots
	echo ready >&7
	exec 7>/dev/null
	wait $!
	status=$?
	rm -f runner.pid
	net_detach
	wait_for 15 cgroup_remove "$cgroup" || say "$cgroup: still in use"
	return "$status"
}

# power_on NAME: boots until it stays off.
power_on()
{
	local status=133

	exec 8>>power.lock
	flock 8
	echo on >state
	if mountpoint -q merged || disk_attach "$(read_line base)"; then
		while [ "$status" -eq 133 ] && [ ! -e off ]; do
			boot "$1"
			status=$?
		done
		say "$1: off, status $status"
	else
		say "$1: its disk cannot be mounted"
	fi
	disk_detach
	echo off >state
	echo "$1: its power does not come on" >&7
	exec 7>/dev/null
	exec 8>&-
}

# keeper_end: the child of a job is killed, not the job, for then the job's
# end says that all processes of the container are gone.
keeper_end()
{
	local IFS=$' \t\n' pid

	trap '' TERM INT HUP
	for pid in $(jobs -p); do
		kill -KILL "$(child_of "$pid" || echo "$pid")"
	done
	wait
	net_detach 2>/dev/null
	ip link del "twr$(read_line index)" 2>/dev/null
	disk_detach
	wait_for 10 cgroup_remove "$(read_line cgroup)"
}

# keep NAME: standard output is the pipe "up" waits at, fd 6 the fifo that
# "start" writes to, fd 9 the sign of life.
keep()
{
	local name=$1 word token

	exec 7>&1 >>keeper.log 2>&1 </dev/null
	exec 9>>alive.lock
	flock -n 9 || keeper_fail "$name: has a keeper already"
	echo "$$" >pid
	trap 'exit 143' TERM INT HUP
	trap keeper_end EXIT
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] ||
		mount -t cgroup2 cgroup2 /sys/fs/cgroup ||
		keeper_fail "$name: no cgroup v2 hierarchy"
	{
		mkdir -p /run/systemd && mount -t tmpfs tmpfs /run/systemd
	} || keeper_fail "$name: no /run/systemd"
	disk_make
	disk_attach "$(read_line base)" ||
		keeper_fail "$name: its disk cannot be mounted"
	host_install "$name" || keeper_fail "$name: cannot be set up"
	if [ -n "${TOWERIFY_RIG_PARENT:-}" ]; then
		# shellcheck disable=SC2016 # the inner shell expands them
		setpriv --pdeathsig KILL sh -c '
			setpriv --pdeathsig KILL tail -f /dev/null --pid="$1"
			kill -TERM "$2"' - "$TOWERIFY_RIG_PARENT" "$$" \
			7>&- 9>&- &
	fi
	exec 6<>control
	power_on "$name"
	while read -r word token <&6; do
		[[ "$word $token" =~ ^on\ [0-9]+$ ]] || continue
		exec 7<>"reply.$token" || continue
		rm -f off
		power_on "$name"
	done
}

# power_loss NAME: the moment the power goes.  First the cable, so that nothing said
# while dying is heard; then every process stands still; then the file system
# forgets what it has not written (EXT4_IOC_SHUTDOWN, no log flush); then the
# end of all processes at once.
power_loss()
{
	local name=$1 cgroup pid

	cgroup=$(read_line cgroup)
	set_link down
	if [ -e "$cgroup/cgroup.freeze" ]; then
		echo 1 >"$cgroup/cgroup.freeze"
		wait_for 2 grep -q '^frozen 1' "$cgroup/cgroup.events"
	fi
	if [ "$(read_line disk.kind)" = image ]; then
		perl -e '
			open(my $d, "<", "disk") or die "disk: $!\n";
			my $how = pack("L", 2);
			ioctl($d, 0x8004587d, $how) // die "shutdown: $!\n";
		' || say "$name: unsynced data was not lost"
	fi
	if [ -e "$cgroup/cgroup.kill" ]; then
		echo 1 >"$cgroup/cgroup.kill"
	elif pid=$(init_pid "$name"); then
		kill -KILL "$pid"
	fi
}

set_link()
{
	(
		flock 5
		mountpoint -q net/now || exit 0
		nsenter --net=net/now ip link set eth0 "$1"
	) 5>>net.lock
}
