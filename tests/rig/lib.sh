# lib.sh - a tower and real Debian hosts, for the tests of this folder; sourced
# shellcheck shell=sh
# shellcheck source=tests/e2e/lib.sh
#
# On top of tests/e2e/lib.sh; it skips the whole file aloud where rig.sh can't
# work.  Everything ends with the script.
#
#   hosts NAME…           boots them; root, deploy and plain let the tower in
#   known NAME [USER[@HOST] [OPTION…]]   the tower gets to know HOST (NAME) by
#                         that name, as USER (root)
#   rig …                 rig.sh
#   on NAME COMMAND       a shell command as root in the host, past its network
#   run_ …                as there, ended after two minutes
#   within N COMMAND…     waits until it succeeds, N seconds at most
#   pass_ends [N]         of run_bg, within N (default 120) seconds: $status
#   detach                ends the pass in the background; hosts go on
#   marks_are NAME LINES  exactly these are in its log, in this order
#   here NAME WORD        a step of it stands at "block WORD" …
#   go NAME WORD          … and may go on
#   idle NAME             no executor, step or unit is there
#   spool_is_empty NAME [HOST [SPOOL]]   and no job
#   leave                 the last tests of each script
#
# $rig_more, set before: the hosts have cron, curl and python3 too.
#
# For the steps, on each host:
#
#   mark WORD     a line "CHANGE STEP WORD" to /var/log/marks, synced
#   block WORD    says it is here, then waits for go; of this boot only

. "$top/tests/e2e/lib.sh"

rig() {
	"$top/tests/rig/rig.sh" "$@"
}

runner=
rig_clean() {
	trap - EXIT
	[ -z "$runner" ] || kill -KILL "$runner" 2>/dev/null || :
	rig clean || :
	tower_clean
}

skip_all() {
	echo "1..0 # SKIP $*"
	exit 0
}

# One base system for all that want any of them.
if [ -n "${rig_more-}" ]; then
	TOWERIFY_RIG_EXTRA=cron,curl,python3
	export TOWERIFY_RIG_EXTRA
fi
why=$(rig check 2>&1) || skip_all "$why"
why=$(rig base 2>&1) || skip_all "no base system: $why"
TOWERIFY_RIG_DIR=$work/rig
TOWERIFY_RIG_KEY=$work/key.pub
TOWERIFY_RIG_TTL=900
TOWERIFY_RIG_PARENT=$$
export TOWERIFY_RIG_DIR TOWERIFY_RIG_KEY TOWERIFY_RIG_TTL TOWERIFY_RIG_PARENT
trap rig_clean EXIT
trap 'exit 1' HUP INT TERM PIPE

spool=/var/spool/towerify

on() {
	on_host=$1
	shift
	rig exec "$on_host" sh -c "$@"
}

within() {
	within_end=$(($(date +%s) + $1))
	shift
	until "$@" >"$work/within" 2>&1; do
		if [ "$(date +%s)" -gt "$within_end" ]; then
			cat "$work/within"
			return 1
		fi
		sleep 0.1
	done
}

# The words of steps, and a log that every user of the host may write to.
# shellcheck disable=SC2016 # for the host's shell
furnish() {
	on "$1" 'cd /usr/local/bin || exit
	printf "%s\n" "#!/bin/sh" \
	    "echo \"\$TOWERIFY_CHANGE \$TOWERIFY_STEP \$*\" >>/var/log/marks" \
	    "exec sync /var/log/marks" >mark
	printf "%s\n" "#!/bin/sh" ": >/dev/shm/\$1.here" \
	    "until test -e /dev/shm/\$1.go; do sleep 0.05; done" >block
	chmod 755 mark block
	: >/var/log/marks
	chmod 666 /var/log/marks
	sync'
}

hosts() {
	towerify-host key >"$TOWERIFY_RIG_KEY"
	{
		rig up "$@" && rig wait "$@" &&
			for host_name; do furnish "$host_name" || break; done
	} 2>"$work/rig.err" || {
		sed 's/^/# /' "$work/rig.err"
		echo 'Bail out! the hosts do not come up'
		exit 1
	}
}

fingerprint_of() {
	rig hostkey "$1" | ssh-keygen -lf - | cut -d ' ' -f 2
}

known() {
	known_name=$1
	known_user=${2:-root}
	known_host=$1
	shift "$(($# < 2 ? $# : 2))"
	case $known_user in *@*) known_host=${known_user#*@} ;; esac
	towerify-host -q add "$known_name" \
		"${known_user%@*}@$(rig addr "$known_host")" \
		--host-key "$(fingerprint_of "$known_host")" "$@"
}

# A pass waits for a host that vanished; not for ever, here.
run_() {
	status=0
	tried="towerify-run $*"
	timeout -k 5 120 towerify-run "$@" >"$work/out" 2>"$work/err" ||
		status=$?
}

pass_ends() {
	within "${1:-120}" ended "$runner" || kill -KILL "$runner"
	status=0
	wait "$runner" || status=$?
	runner=
}

detach() {
	kill -TERM "$runner"
	pass_ends 20
}

marks_are() {
	have=$(on "$1" 'cat /var/log/marks')
	[ "$have" = "$2" ] && return
	printf -- '--- marks\n%s\n--- wanted\n%s\n' "$have" "$2"
	return 1
}

forget() {
	on "$1" ': >/var/log/marks; rm -f /dev/shm/*'
}

here() {
	within 30 on "$1" "test -e /dev/shm/$2.here"
}

go() {
	on "$1" ": >/dev/shm/$2.go"
}

# The unit of the change that is on host $1.
unit() {
	# shellcheck disable=SC2016 # for the host's shell
	on "$1" 'set -- /var/spool/towerify/jobs/*/meta
	test -e "$1" || exit
	shift $(($# - 1))
	j=${1%/meta}
	echo "towerify-${j##*/}.service"'
}

# What belongs to this tower's work: executors, their steps, units, groups.
# shellcheck disable=SC2016 # for the host's shell
busy_with() {
	on "$1" 'systemctl list-units --all --no-legend --plain "towerify-*"
	for d in /sys/fs/cgroup/system.slice/towerify-*; do
		test ! -e "$d" || echo "$d"
	done
	for p in /proc/[0-9]*; do
		test "$p" != "/proc/$$" || continue
		if tr "\0" "\n" <"$p/environ" | grep -q "^TOWERIFY_TAG=" ||
		    tr "\0" " " <"$p/cmdline" | grep -q "/executor run "; then
			echo "$p: $(tr "\0" " " <"$p/cmdline")"
		fi
	done 2>/dev/null'
}

idle() {
	have=$(busy_with "$1") || return 1
	[ -z "$have" ] || { echo "$1: $have"; return 1; }
}

jobs_are_gone() {
	have=$(on "$1" "cd $2 && find jobs in -mindepth 1") || return 1
	[ -z "$have" ] || { echo "$1: $have"; return 1; }
}

# A host's leave of a job is taken with the next request.
spool_is_empty() {
	towerify-host -q check "$1" >"$work/out" 2>&1 || {
		cat "$work/out"
		return 1
	}
	within 10 jobs_are_gone "${2:-$1}" "${3:-$spool}"
}

leave() {
	ok 'the end: the audit trail is whole' towerify-audit verify
	ok 'the end: the hosts go' rig clean
	rig_clean
	if [ -e "$work" ]; then
		fail 'the end: no file is left' </dev/null
	else
		pass 'the end: no file is left'
	fi
	finish
}
