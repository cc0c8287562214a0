# lib.sh - a tower, an sshd and changes that leave traces; sourced
# shellcheck shell=sh
# shellcheck source=tests/lib/tower.sh
#
# On top of tests/lib/tower.sh.  The steps' HOME is $home; it holds what steps
# of these tests use:
#
#   "$HOME/mark" WORD     a line "HOST CHANGE STEP WORD" to $home/log; many at
#                         once don't mix
#   "$HOME/block" NAME    says NAME.here exists, then waits for NAME.go
#
# and for the script:
#
#   change NAME           $work/NAME.yaml from stdin, titled NAME
#   add …                 queue add, in silence; $id is the (last) number
#   run_ …                a pass; $status is its exit status
#   run_bg …              the same in the background: its pid is $runner
#   status_is ID WORD     of a change
#   steps_are ID TEXT     "STATE/UNDO" of each, with - for no undo
#   held ID-OF-HOST…      those hosts are held
#   other_sshd NAME       another one; other_host NAME HOST: a host there
#   sshd_again            the sshd once more, on the same port
#   random COUNT LIMIT    random numbers of $seed (tests/lib/tap.sh)
#   hurry                 no waiting for the next attempt
#   leave                 the last tests of each script: nothing is left of it

. "$top/tests/lib/tower.sh"

home=$work/sshd/home
log=$home/log

# sshd_start makes it too, with the same mode
mkdir -p "$home"
chmod 700 "$work/sshd" "$home"
cat >"$home/mark" <<'END'
#!/bin/sh
echo "$TOWERIFY_HOST $TOWERIFY_CHANGE $TOWERIFY_STEP $*" >>"$HOME/log"
END
cat >"$home/block" <<'END'
#!/bin/sh
: >"$HOME/$1.here"
until test -e "$HOME/$1.go"; do sleep 0.05; done
END
chmod 755 "$home/mark" "$home/block"

change() {
	{
		printf 'towerify: 1\ntitle: %s\n' "$1"
		cat
	} >"$work/$1.yaml"
}

add() {
	towerify-queue -q add "$@" >"$work/ids"
	# shellcheck disable=SC2034 # for the script
	id=$(tail -n 1 "$work/ids")
}

run_() {
	status=0
	tried="towerify-run $*"
	towerify-run "$@" >"$work/out" 2>"$work/err" || status=$?
}

run_bg() {
	towerify-run "$@" >"$work/out" 2>"$work/err" </dev/null &
	runner=$!
}

# The status of a pass in the background; one that hangs is ended.
run_ends() {
	until_ ended "$runner" || kill -KILL "$runner"
	status=0
	wait "$runner" || status=$?
}

ended() {	# it is no more, or a zombie
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	'' | Z*) return 0 ;;
	esac
	return 1
}

# Other sshds of a script live in $work/sshd-NAME.
others_clean() {
	for sshd_dir in "$work"/sshd-*; do
		[ ! -d "$sshd_dir" ] || sshd_clean "$sshd_dir"
	done
	tower_clean
}
trap others_clean EXIT

# other_sshd NAME: lets the tower's key in; other_host NAME HOST [OPTION…]
other_sshd() {
	sshd_start "$work/sshd-$1"
	towerify-host key >>"$work/sshd-$1/authorized_keys"
}

other_host() {
	other_dir=$work/sshd-$1
	other_name=$2
	shift 2
	towerify-host -q add "$other_name" \
		"$me@127.0.0.1:$(cat "$other_dir/port")" \
		--host-key "$(ssh-keygen -lf "$other_dir/host_ed25519.pub" |
			cut -d ' ' -f 2)" --spool "$work/spool-$other_name" "$@"
}

sshd_again() {
	towerify-host key >"$work/tower_key"
	SSHD_PORT=$port
	SSHD_EXTRA="AuthorizedKeysFile $work/tower_key"
	sshd_start "$work/sshd"
	unset SSHD_PORT SSHD_EXTRA
}

# Numbers from 0 to $2 - 1, $1 of them, the same for the same $seed.
random() {
	awk -v seed="$seed" -v n="$1" -v limit="$2" 'BEGIN {
		srand(seed)
		while (n-- > 0) print int(rand() * limit)
	}'
}

# The delays between attempts grow to minutes.
hurry() {
	sqlite3 -cmd '.timeout 10000' "$TOWERIFY_STATE/state.db" \
		'UPDATE host SET next_attempt = NULL'
}

status_of() {
	towerify-queue show -J "$1" | jq -r .status
}

status_is() {
	have=$(status_of "$1")
	[ "$have" = "$2" ] && return
	echo "change $1 is $have, wanted $2"
	towerify-queue show "$1"
	towerify-queue why "$1" || :
	towerify-queue log "$1" | tail -n 20
	cat "$work/err"
	return 1
}

reason_is() {	# reason_is ID PATTERN
	have=$(towerify-queue show -J "$1" | jq -r .reason)
	# shellcheck disable=SC2254 # a pattern
	case $have in $2) return ;; esac
	echo "the reason is: $have"
	return 1
}

steps_are() {
	have=$(towerify-queue show -J "$1" |
		jq -r '[.steps[] | .state + "/" + (.undo // "-")] | join(" ")')
	[ "$have" = "$2" ] || { echo "steps: $have"; echo "wanted: $2"
		return 1; }
}

host_is() {	# host_is NAME STATUS [REASON-PATTERN]
	have=$(towerify-host show -J "$1" | jq -r '.status, .held_reason')
	# shellcheck disable=SC2254 # a pattern
	case $have in "$2$newline"${3-*}) return ;; esac
	echo "$1 is: $have"
	return 1
}

# log_is LINES: exactly these, in this order
log_is() {
	have=$(cat "$log" 2>/dev/null || :)
	[ "$have" = "$1" ] && return
	printf -- '--- log\n%s\n--- wanted\n%s\n' "$have" "$1"
	return 1
}

lines() {	# lines N FILE
	have=$(wc -l 2>/dev/null <"$2" || echo 0)
	[ "$have" -eq "$1" ] || { echo "$have lines, wanted $1"; return 1; }
}

# The executor's process on spool $1.
executor() {
	set -- "$1"/jobs/*/pid
	read -r _ pid _ <"$1"
	echo "$pid"
}

# Processes with $1 in their environment or command line, this shell and what
# looks for them apart.
bearing() {
	printf '%s' "$1" | env -i "PATH=$PATH" grep -lsF -f - \
		/proc/[0-9]*/environ /proc/[0-9]*/cmdline |
		cut -d / -f 3 | sort -u | while read -r pid; do
		[ "$pid" = $$ ] || ended "$pid" || echo "$pid"
	done
}

none_bears() {
	have=$(bearing "$1")
	[ -z "$have" ] && return
	for pid in $have; do
		echo "$pid: $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done
	return 1
}

# A host's leave of a job is taken with the next request: hosts that can be
# reached are asked.
# A request that was given up may still have been at work there, and have died
# later: the next one sweeps up.
is_swept() {
	rmdir_would "$1" || {
		towerify-host -q check "${reachable:-*}" && rmdir_would "$1"
	}
}

spools_are_empty() {
	towerify-host -q check "${reachable:-*}" >"$work/out" 2>&1 || {
		cat "$work/out"
		return 1
	}
	for spool in "$work"/spool-*; do
		if ! until_ rmdir_would "$spool/jobs" ||
			! until_ is_swept "$spool/in"; then
			find "$spool/jobs" "$spool/in"
			return 1
		fi
	done
}

rmdir_would() {
	set -- "$1"/*
	[ ! -e "$1" ]
}

nobody_is_left() {
	until_ none_bears "$work" || none_bears "$work"
}

leave() {
	ok 'the end: the audit trail is whole' towerify-audit verify
	ok 'the end: no job is left on a host' spools_are_empty
	for sshd_dir in "$work"/sshd*; do
		sshd_stop "$sshd_dir"
	done
	ok 'the end: no process is left' nobody_is_left
	others_clean
	if [ -e "$work" ]; then
		fail 'the end: no file is left' </dev/null
	else
		pass 'the end: no file is left'
	fi
	finish
}
