#!/bin/sh
# part-big.sh - 500 hosts x 3 steps in one pass; 1,000 hosts of which 900 are dead
#
# The dead ones: half refuse the connection, half take it and never say a word.
# BENCH_ROUNDS (5) makes it shorter.
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/bench/hosts.sh
. "$here/hosts.sh"

hosts_up 500
hosts_add 1 500
steps 3 true >"$work/three.yaml"

filed() { # TARGETS
	towerify-queue add -q "$1" "$work/three.yaml" >/dev/null
	timed 1 towerify-run
}
try() {
	case $1 in
	fifty) filed 'h[1-50]' ;;
	all) filed 'h[1-500]' ;;
	esac
}
filed 'h[1-500]' >/dev/null
contest "${BENCH_ROUNDS:-5}" fifty all
memory=$(cut -d ' ' -f 3 "$work/contest.all" | sort -n | tail -n 1)
note '50 hosts x 3 steps' "$(of fifty 1)" ms
note '500 hosts x 3 steps' "$(of all 1)" ms
figure '500 hosts / 10 times 50 hosts' \
	"$(calc "$(of all 1) / ($(of fifty 1) * 10)")" 1.15 x
figure 'memory, 500 hosts' "$memory" $((20 * 1024 + 300 * 500)) KiB

# --- the dead ------------------------------------------------------------------

# Dead are the hosts of two sshds, of which one is ended and one stopped.
dead_up() { # NAME DIR
	SSHD_EXTRA='LogLevel ERROR' sshd_start "$2" 100
	cp "$near/authorized_keys" "$2/authorized_keys"
	host=1
	while [ "$host" -le 450 ]; do
		towerify-host -q add "$1$host" \
			"$(id -un)@$(host_address "$host"):$(cat "$2/port")" \
			--accept-host-key --spool "$work/spool/$1$host"
		host=$((host + 1))
	done
}
pass=
dead_down() {
	[ -z "$pass" ] || kill "$pass" 2>/dev/null || :
	sshd_clean "$work/refusing" >/dev/null 2>&1 || :
	sshd_clean "$work/mute" >/dev/null 2>&1 || :
	hosts_down
}
trap dead_down EXIT
dead_up r "$work/refusing"
dead_up m "$work/mute"
sshd_stop "$work/refusing"
kill -STOP "$(sshd_pid "$work/mute")"

# The pass goes on for the dead: what counts is when the live ones have ended.
# A dead host is tried again ever later, so there is one such pass, the first.
try() {
	[ "$1" = alone ] ||
		towerify-queue add -q 'r[1-450],m[1-450]' "$work/three.yaml" \
			>/dev/null
	live=$(towerify-queue add -q 'h[1-100]' "$work/three.yaml")
	begun=$(date +%s%3N)
	towerify-run -q >/dev/null 2>&1 &
	pass=$!
	# shellcheck disable=SC2086 # numbers
	towerify-queue wait -q $live >/dev/null
	ended=$(date +%s%3N)
	kill "$pass" 2>/dev/null || :
	wait "$pass" || :
	pass=
	echo "$((ended - begun)) 0 0 0"
}
contest "${BENCH_ROUNDS:-5}" alone
contest 1 among
note '100 hosts x 3 steps' "$(of alone 1)" ms
note 'the same beside 900 dead ones' "$(of among 1)" ms
figure 'beside 900 dead ones / alone' "$(calc "$(of among 1) / $(of alone 1)")" \
	1.2 x
