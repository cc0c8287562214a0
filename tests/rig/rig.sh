#!/bin/bash
# rig.sh: real Debian hosts for tests, on one machine, without a hypervisor.
#
# Each host is a Debian system of its own: systemd as PID 1, sshd, a file
# system, a network, a machine id, and a boot id that changes at each boot.
# It can be rebooted, lose its power and lose its network.
#
# The invariant: everything a host needs hangs from one process, its keeper.
# The keeper has a private mount namespace, so its mounts end with it; the
# container ends with it (parent-death signal, and a process namespace around
# the container); the network namespaces end with the container; the loop
# device frees itself.  The keeper itself ends at its time limit.  What can
# outlast a keeper that was killed is a pair of idle network interfaces, empty
# cgroup directories, and the work directory: "clean" removes them.
#
# It does not isolate hostile code, share hosts between machines, or give
# hosts a way to the outside: a host can talk to the tower end of its own
# cable and to nothing else.
#
# README says what each command and variable means.

set -u
export LC_ALL=C

SELF=$(readlink -f -- "$0")
RIG=${TOWERIFY_RIG_DIR:-${TMPDIR:-/tmp}/towerify-rig-$UID}
TTL=${TOWERIFY_RIG_TTL:-3600}
PATIENCE=${TOWERIFY_RIG_WAIT:-60}
DISK_MB=${TOWERIFY_RIG_DISK_MB:-1024}
MARK=.towerify-rig

# shellcheck source-path=SCRIPTDIR disable=SC1091
. "${SELF%/*}/base.sh"
# shellcheck source-path=SCRIPTDIR disable=SC1091
. "${SELF%/*}/keeper.sh"

say()
{
	printf 'rig: %s\n' "$*" >&2
}

die()
{
	say "$*"
	exit 1
}

usage()
{
	cat >&2 <<'END'
usage: rig.sh check | base | list | clean
       rig.sh up NAME... | down [NAME...] | wait [-b BOOTS] NAME...
       rig.sh kill NAME | start NAME | poweroff NAME | cut NAME | join NAME
       rig.sh addr NAME | boots NAME | hostkey NAME | exec NAME COMMAND...
END
	exit 2
}

# Names, paths, pids

check_name()
{
	[[ $1 =~ ^[a-z][a-z0-9-]{0,30}$ ]] || die "$1: not a host name"
}

host_dir()
{
	printf '%s/hosts/%s\n' "$RIG" "$1"
}

need_host()
{
	check_name "$1"
	[ -d "$(host_dir "$1")" ] || die "$1: no such host"
}

read_line()
{
	local line=

	IFS= read -r line 2>/dev/null <"$1"
	printf '%s\n' "$line"
}

# keeper_pid NAME: the keeper's pid, if the process of that number is it.
keeper_pid()
{
	local IFS=' ' pid arg want="_keep $RIG $1" args=()

	pid=$(read_line "$(host_dir "$1")/pid" 2>/dev/null)
	[[ $pid =~ ^[0-9]+$ ]] || return 1
	while IFS= read -r -d '' arg; do
		args+=("$arg")
	done 2>/dev/null <"/proc/$pid/cmdline"
	[ "${args[*]: -3}" = "$want" ] || return 1
	printf '%s\n' "$pid"
}

# runner_pid NAME: the pid of the process around systemd-nspawn, likewise.
runner_pid()
{
	local pid

	pid=$(read_line "$(host_dir "$1")/runner.pid" 2>/dev/null)
	[[ $pid =~ ^[0-9]+$ ]] || return 1
	tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" |
		grep -q -F -e "systemd-nspawn --boot --machine=$1 " || return 1
	printf '%s\n' "$pid"
}

child_of()
{
	local pid=

	read -r pid _ 2>/dev/null <"/proc/$1/task/$1/children"
	[ -n "$pid" ] && printf '%s\n' "$pid"
}

# init_pid NAME: the host's PID 1, as this machine numbers it: the child of
# systemd-nspawn, which is the child of the runner.
init_pid()
{
	local pid

	pid=$(runner_pid "$1") && pid=$(child_of "$pid") &&
		pid=$(child_of "$pid") &&
		grep -q "^NSpid:.*[[:blank:]]1\$" "/proc/$pid/status" \
			2>/dev/null &&
		printf '%s\n' "$pid"
}

# in_keeper NAME VERB...: this program again, among the keeper's mounts.
in_keeper()
{
	local name=$1 pid

	shift
	pid=$(keeper_pid "$name") || die "$name: its keeper is gone"
	nsenter --target "$pid" --mount -- \
		/bin/bash "$SELF" "$1" "$RIG" "$name" "${@:2}"
}

lock_host()
{
	exec 4>>"$(host_dir "$1")/command.lock"
	flock -w 120 4 || die "$1: another command is at work on it"
}

# wait_for SECONDS COMMAND...: until it succeeds.  For the few things that
# the kernel does a moment later and tells nobody of.
wait_for()
{
	local left=$(($1 * 20))

	shift
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || return 1
		sleep 0.05
	done
}

disk_is_free()
{
	[ -z "$(losetup --associated "$1" 2>/dev/null)" ]
}

cgroup_remove()
{
	[ ! -d "$1" ] ||
		find "$1" -depth -type d -exec rmdir -- '{}' ';' 2>/dev/null
	[ ! -d "$1" ]
}

# check: can it work here?

why_not()
{
	local tool

	[ "$(id -u)" -eq 0 ] || { echo "not root"; return; }
	for tool in debootstrap systemd-nspawn ip unshare nsenter setpriv \
	    setsid flock timeout ssh-keygen mountpoint losetup; do
		command -v "$tool" >/dev/null ||
			{ echo "no $tool on this machine"; return; }
	done
	unshare --mount --propagation private --net true 2>/dev/null ||
		{ echo "no mount or network namespaces"; return; }
	grep -q -w overlay /proc/filesystems ||
		modprobe overlay 2>/dev/null ||
		{ echo "no overlayfs in this kernel"; return; }
	unshare --net ip link add name twr0 type veth peer name twp0 \
	    2>/dev/null ||
		{ echo "no veth interfaces"; return; }
	# shellcheck disable=SC2016 # the inner shell expands them
	unshare --mount --propagation private sh -c '
		[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] ||
		mount -t cgroup2 cgroup2 /sys/fs/cgroup || exit 1
		d=/sys/fs/cgroup/towerify-rig-check.$$
		mkdir "$d" && rmdir "$d"' 2>/dev/null ||
		{ echo "no writable cgroup v2 hierarchy"; return; }
	if ip -4 route show to match 198.18.0.1 | grep -v '^default' |
	    grep -q -v ' dev twr'; then
		echo "addresses of 198.18.0.0/15 are in use here"
		return
	fi
	[ -d "$(base_dir)" ] || [ -n "$(mirror)" ] ||
		echo "no base system yet, and apt knows no Debian mirror"
}

cmd_check()
{
	local why

	why=$(why_not)
	[ -z "$why" ] || die "cannot work here: $why"
	echo "ok"
}

# Commands

make_rig()
{
	if [ ! -d "$RIG" ]; then
		(umask 077 && mkdir -p "$RIG") || die "$RIG: cannot be made"
		: >"$RIG/$MARK"
	fi
	[ -O "$RIG" ] || die "$RIG: not ours"
	if [ ! -e "$RIG/$MARK" ]; then
		[ -z "$(ls -A "$RIG")" ] || die "$RIG: not a rig, and not empty"
		: >"$RIG/$MARK"
	fi
	mkdir -p "$RIG/hosts"
}

# public_key: the key in $TOWERIFY_RIG_KEY (its text, or a file), or one made.
public_key()
{
	local key=${TOWERIFY_RIG_KEY:-}

	case $key in
	'')
		[ -f "$RIG/id_ed25519" ] ||
			ssh-keygen -q -t ed25519 -N '' -C rig \
				-f "$RIG/id_ed25519" || return
		cat "$RIG/id_ed25519.pub" ;;
	ssh-*|ecdsa-*|sk-*)
		printf '%s\n' "$key" ;;
	*)
		cat -- "$key" ;;
	esac
}

# cable NAME: a pair of interfaces nobody else has; the kernel is the judge.
cable()
{
	local index=0 net dir

	dir=$(host_dir "$1")
	until ip link add name "twr$index" type veth peer name "twp$index" \
	    2>/dev/null; do
		index=$((index + 1))
		[ "$index" -lt 1024 ] || die "$1: no free network interface"
	done
	echo "$index" >"$dir/index"
	net=198.18.$((index / 64))
	echo "$net.$((index % 64 * 4 + 2))" >"$dir/addr"
	{
		ip addr add "$net.$((index % 64 * 4 + 1))/30" \
			dev "twr$index" && ip link set "twr$index" up
	} || die "$1: its network cannot be made"
}

# launch_keeper NAME: with no open file of the caller's, who may be waiting
# for the end of one.
launch_keeper()
{
	local fd

	for fd in /proc/self/fd/*; do
		fd=${fd##*/}
		[ "$fd" -le 2 ] || eval "exec $fd>&-"
	done
	exec setsid timeout -k 30 "$TTL" setpriv --pdeathsig KILL \
		unshare --mount --propagation private \
		/bin/bash "$SELF" _keep "$RIG" "$1"
}

up_one()
{
	local name=$1 base=$2 dir answer=''

	dir=$(host_dir "$name")
	mkdir "$dir" 2>/dev/null || die "$name: exists already"
	UNDO=$name
	lock_host "$name"
	public_key >"$dir/key" || die "$name: no public key"
	printf '%s\n' "$base" >"$dir/base"
	echo 0 >"$dir/boots"
	printf '/sys/fs/cgroup/towerify-rig-%.12s-%s\n' \
		"$(printf %s "$RIG" | sha256sum)" "$name" >"$dir/cgroup"
	: >"$dir/notes"
	mkfifo "$dir/control" || die "$name: no fifo"
	cable "$name"
	exec 3< <(launch_keeper "$name" </dev/null 2>>"$dir/keeper.log")
	IFS= read -r -t 120 answer <&3
	exec 3<&-
	sed "s/^/rig: $name: /" "$dir/notes" >&2
	if [ "$answer" != ready ]; then
		tail -n 5 "$dir/keeper.log" >&2
		die "${answer:-$name: did not start}"
	fi
	UNDO=
	exec 4>&-
}

# up_undo: a trap may run while "read" has an empty IFS.
up_undo()
{
	local IFS=$' \t\n' name=${UNDO:-}

	UNDO=
	[ -z "$name" ] || down_one "$name"
}

cmd_up()
{
	local name base why

	[ $# -gt 0 ] || usage
	for name in "$@"; do
		check_name "$name"
	done
	why=$(why_not)
	[ -z "$why" ] || die "cannot work here: $why"
	base=$(make_base) || exit 1
	make_rig
	UNDO=
	trap up_undo EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	for name in "$@"; do
		up_one "$name" "$base"
	done
}

# down_one NAME: asks the keeper to end; ends it if it does not.
down_one()
{
	local name=$1 dir pid index cgroup

	dir=$(host_dir "$name")
	if pid=$(keeper_pid "$name"); then
		kill -TERM "$pid"
		flock -w 40 "$dir/alive.lock" true ||
			{ pid=$(keeper_pid "$name") && kill -KILL "$pid"; }
	fi
	if pid=$(runner_pid "$name"); then
		kill -KILL "$pid"
	fi
	flock -w 20 "$dir/alive.lock" true || say "$name: its keeper stays"
	index=$(read_line "$dir/index" 2>/dev/null)
	[ -z "$index" ] || ip link del "twr$index" 2>/dev/null
	cgroup=$(read_line "$dir/cgroup" 2>/dev/null)
	for cgroup in "$cgroup" "${cgroup/cgroup/cgroup/unified}"; do
		wait_for 10 cgroup_remove "$cgroup" || say "$cgroup: stays"
	done
	wait_for 10 disk_is_free "$dir/disk.img" ||
		say "$name: its disk is still in use"
	rm -rf --one-file-system "$dir" || say "$dir: not wholly removed"
}

all_hosts()
{
	local dir

	for dir in "$RIG"/hosts/*/; do
		[ -d "$dir" ] || continue
		dir=${dir%/}
		printf '%s\n' "${dir##*/}"
	done
}

cmd_down()
{
	local name

	# shellcheck disable=SC2046 # host names have no blanks
	[ $# -gt 0 ] || set -- $(all_hosts)
	for name in "$@"; do
		need_host "$name"
		lock_host "$name"
		down_one "$name"
		exec 4>&-
	done
}

cmd_clean()
{
	[ -e "$RIG" ] || return 0
	[ -e "$RIG/$MARK" ] || die "$RIG: not a rig"
	cmd_down
	rm -rf --one-file-system "$RIG"
}

cmd_list()
{
	local name dir state link

	for name in $(all_hosts); do
		dir=$(host_dir "$name")
		state=$(read_line "$dir/state" 2>/dev/null)
		keeper_pid "$name" >/dev/null || state=gone
		link=joined
		[ ! -e "$dir/cut" ] || link='cut'
		printf '%s %s %s %s %s\n' "$name" "$(read_line "$dir/addr")" \
			"$state" "$link" "$(read_line "$dir/boots")"
	done
}

sshd_answers()
{
	# shellcheck disable=SC2016 # the inner shell expands them
	timeout 3 /bin/bash -c '
		exec 3<>"/dev/tcp/$1/22" && IFS= read -r -u 3 line &&
		[ "${line:0:4}" = SSH- ]' - "$1" 2>/dev/null
}

cmd_wait()
{
	local name dir boots=0 end

	if [ "${1:-}" = -b ]; then
		[ $# -gt 2 ] || usage
		boots=$2
		shift 2
	fi
	[ $# -gt 0 ] || usage
	end=$((SECONDS + PATIENCE))
	for name in "$@"; do
		need_host "$name"
		dir=$(host_dir "$name")
		until [ "$(read_line "$dir/boots")" -ge "$boots" ] &&
		    sshd_answers "$(read_line "$dir/addr")"; do
			[ "$SECONDS" -lt "$end" ] ||
				die "$name: no answer in $PATIENCE s"
			keeper_pid "$name" >/dev/null ||
				die "$name: its keeper is gone"
			sleep 0.1
		done
	done
}

# Again if need be: the host may have been between two boots.
cmd_kill()
{
	local dir tries=4

	need_host "$1"
	lock_host "$1"
	dir=$(host_dir "$1")
	keeper_pid "$1" >/dev/null || die "$1: its keeper is gone"
	: >"$dir/off"
	until flock -n "$dir/power.lock" true; do
		tries=$((tries - 1))
		[ "$tries" -ge 0 ] || die "$1: does not end"
		in_keeper "$1" _loss 4>&- ||
			die "$1: its power cannot be taken"
		flock -w 5 "$dir/power.lock" true && return
	done
}

cmd_start()
{
	local dir token answer=''

	need_host "$1"
	lock_host "$1"
	dir=$(host_dir "$1")
	keeper_pid "$1" >/dev/null || die "$1: its keeper is gone"
	flock -n "$dir/power.lock" true || die "$1: is on already"
	token=$$
	rm -f "$dir/reply.$token"
	mkfifo "$dir/reply.$token" || die "$1: no fifo"
	exec 3<>"$dir/reply.$token"
	# shellcheck disable=SC2016 # the inner shell expands them
	timeout 10 sh -c 'printf "on %s\n" "$1" >"$2/control"' - \
		"$token" "$dir" || die "$1: its keeper does not listen"
	IFS= read -r -t 60 answer <&3
	rm -f "$dir/reply.$token"
	[ "$answer" = ready ] || die "${answer:-$1: did not start}"
}

cmd_poweroff()
{
	need_host "$1"
	init_pid "$1" >/dev/null || die "$1: is off"
	# Its status says nothing: the bus may end before the answer is read.
	cmd_exec "$1" systemctl poweroff >/dev/null 2>&1
	flock -w "$PATIENCE" "$(host_dir "$1")/power.lock" true ||
		die "$1: is still on"
}

cmd_cut()
{
	need_host "$1"
	: >"$(host_dir "$1")/cut"
	in_keeper "$1" _link down
}

cmd_join()
{
	need_host "$1"
	rm -f "$(host_dir "$1")/cut"
	in_keeper "$1" _link up
}

cmd_exec()
{
	local name=$1 pid

	[ $# -gt 1 ] || usage
	need_host "$name"
	shift
	pid=$(init_pid "$name") || die "$name: is off"
	env -i HOME=/root USER=root TERM="${TERM:-dumb}" LC_ALL=C.UTF-8 \
	    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	    nsenter --target "$pid" --mount --uts --ipc --net --pid --cgroup \
		--root --wd -- "$@"
}

cmd_show()
{
	need_host "$1"
	read_line "$(host_dir "$1")/$2"
}

cmd_hostkey()
{
	need_host "$1"
	awk -v addr="$(cmd_show "$1" addr)" '{ print addr, $1, $2 }' \
		"$(host_dir "$1")/hostkey"
}

one_name()
{
	[ "$1" -eq 1 ] || usage
}

main()
{
	local verb=${1:-}

	[ $# -gt 0 ] || usage
	shift
	case $TTL$PATIENCE$DISK_MB in
	*[!0-9]*)
		die "TOWERIFY_RIG_TTL, _WAIT and _DISK_MB are whole numbers" ;;
	esac
	RIG=$(readlink -m -- "$RIG")
	case $verb in
	check|list|clean)
		[ $# -eq 0 ] || usage
		"cmd_$verb" ;;
	base)
		[ $# -eq 0 ] || usage
		make_base ;;
	up|down|wait)
		"cmd_$verb" "$@" ;;
	exec)
		[ $# -gt 0 ] || usage
		cmd_exec "$@" ;;
	kill|start|poweroff|cut|join|hostkey)
		one_name $#
		"cmd_$verb" "$1" ;;
	addr|boots)
		one_name $#
		cmd_show "$1" "$verb" ;;
	_base)
		build_base "$@" ;;
	_keep|_loss|_link)
		RIG=$1
		cd "$(host_dir "$2")" || exit 1
		case $verb in
		_keep)	keep "$2" ;;
		_loss)	power_loss "$2" ;;
		_link)	set_link "$3" ;;
		esac ;;
	*)
		usage ;;
	esac
}

main "$@"
