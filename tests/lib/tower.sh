# tower.sh - a throw-away tower for TAP scripts; sourced
# shellcheck shell=sh
#
# Gives the script a directory $work, a HOME of its own in it and the tools in
# PATH.  The state is $work/state, made by the first verb that adds.  What the
# caller's environment says of towers, sudo, terminals and agents is forgotten,
# and this machine's configuration file does not count.
#
#   tower_sshd            an sshd on loopback, which lets the tower's key in:
#                         $fingerprint, $port, $address (USER@127.0.0.1:PORT)
#   tower_host NAME [OPTION…]   adds a host with a spool of its own
#   tower_hosts N         h1 to hN
#   quietly COMMAND…      a step on the way: nothing is shown, any end is fine
#   on_terminal TYPED COMMAND   runs a shell command with a terminal as stdin,
#                         stdout and stderr, where TYPED is typed; what it
#                         shows is $work/screen ($work/screen.raw meanwhile),
#                         $status its exit status
#
# Everything ends and goes when the script does.

set -eu
LC_ALL=C.UTF-8
TZ=UTC
export LC_ALL TZ
unset TOWERIFY_STATE TOWERIFY_ORG TOWERIFY_OPERATOR TOWERIFY_LINK_TIMEOUT_MS \
	SUDO_UID SUDO_GID SUDO_USER SUDO_COMMAND SSH_ORIGINAL_COMMAND \
	NO_COLOR XDG_STATE_HOME SSH_AUTH_SOCK COLUMNS || :

top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/lib/tap.sh"
. "$top/tests/lib/sshd.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-cli.XXXXXX")
work=$(cd "$work" && pwd -P)
mkdir "$work/home"
HOME=$work/home
TOWERIFY_STATE=$work/state
TOWERIFY_KINDS=$top/share/kinds
TOWERIFY_CONFIG=
export HOME TOWERIFY_STATE TOWERIFY_KINDS TOWERIFY_CONFIG
SSHD_TTL=1200
me=$(id -un)

# What sessions detached: executors by their pid files, steps by their HOME.
tower_left() {
	for pid_file in "$work"/spool-*/jobs/*/pid; do
		[ -e "$pid_file" ] || continue
		read -r _ pid _ <"$pid_file" || :
		case $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline") in
		*"$work"*) echo "$pid" ;;
		esac
	done
	grep -lsF "HOME=$work/sshd/home" /proc/[0-9]*/environ |
		sed 's|/proc/\([0-9]*\)/environ|\1|' || :
}

tower_clean() {
	trap - EXIT
	[ ! -d "$work/sshd" ] || sshd_stop "$work/sshd"
	for pid in $(tower_left); do
		[ "$pid" = $$ ] || kill -KILL "$pid" 2>/dev/null || :
	done
	chmod -R u+rwX "$work" 2>/dev/null || :
	rm -rf "$work" 2>/dev/null || { sleep 0.2; rm -rf "$work"; }
}
trap tower_clean EXIT
trap 'exit 1' HUP INT PIPE TERM

command -v towerify-queue >/dev/null || {
	echo '1..0 # SKIP the tools are not in PATH'
	exit 0
}

tower_sshd() {
	SSHD_PATH=$PATH
	sshd_start "$work/sshd"
	# An ssh that knows nothing of the caller's configuration.
	PATH=$work/sshd/bin:$PATH
	export PATH
	port=$(cat "$work/sshd/port")
	fingerprint=$(ssh-keygen -lf "$work/sshd/host_ed25519.pub" |
		cut -d ' ' -f 2)
	address=$me@127.0.0.1:$port
	towerify-host key >>"$work/sshd/authorized_keys"
}

tower_host() {
	name=$1
	shift
	towerify-host -q add "$name" "$address" --host-key "$fingerprint" \
		--spool "$work/spool-$name" "$@"
}

tower_hosts() {
	host_i=0
	while [ "$host_i" -lt "$1" ]; do
		host_i=$((host_i + 1))
		tower_host "h$host_i"
	done
}

quietly() {
	"$@" >/dev/null 2>&1 || :
}

on_terminal() {
	status=0
	tried=$2
	{
		[ -z "$1" ] || printf '%s\n' "$1"
	} | script -q -e -f -c "$2" "$work/screen.raw" >/dev/null 2>&1 ||
		status=$?
	tr -d '\r\004' <"$work/screen.raw" |
		sed '/^Script \(started\|done\) on /d' >"$work/screen"
}

# sql STATEMENT: on the state, whatever its triggers say.
sql() {
	sqlite3 "$TOWERIFY_STATE/state.db" "$1"
}
