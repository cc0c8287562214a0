#!/bin/sh
# cut.t - the connection is cut after byte k, in either direction: each step has
# run once, all of its output is there, nothing is left (cut.c)
#
# TOWERIFY_WIRE_LONG: every k; else a sample.  TOWERIFY_WIRE_WAYS: "HOST/WAY …",
# these alone, and TOWERIFY_WIRE_K that place alone.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR
# shellcheck source=tests/wire/lib.sh
. "$top/tests/wire/lib.sh"

cut=$build/tests/wire/cut

# The hosts were made by the tools; from here on a host is a directory, the HOME
# of the sessions there.
tower_sshd
tower_hosts 3
two_changes
add h1 "$work/good.yaml"
add h2 "$work/bad.yaml"
add h3 "$work/good.yaml"
add h3 "$work/good.yaml" -p word=next
sshd_stop "$work/sshd"
sql "UPDATE host SET address = '$home',
	sshconfig = json_remove(sshconfig, '\$.hostname')"

driven() {
	"$cut" "$work" "$@" "seed=$seed" >"$work/driven" 2>&1 || :
	while IFS= read -r line; do
		case $line in
		'ok '*) pass "${line#ok * - }" ;;
		'not ok '*) fail "${line#not ok * - }" </dev/null ;;
		1..*) ;;
		*) printf '%s\n' "$line" ;;
		esac
	done <"$work/driven"
	grep -q '^1\.\.' "$work/driven" ||
		fail "the driver came to its end: $*" <"$work/driven"
}

# --- is what looks for faults able to find any? --------------------------------------

planted() {	# planted NAME PATTERN
	if "$cut" "$work" h1 start-sent k=20000 "plant=$1" \
		>"$work/driven" 2>&1 || ! grep -q "$2" "$work/driven"; then
		fail "planted: $1 is found" <"$work/driven"
	else
		pass "planted: $1 is found"
	fi
}
planted twice 'have not run exactly once'
planted output 'state is not as without a cut'
planted lost 'state is not as without a cut'
planted verdict 'state is not as without a cut'
planted audit 'towerify-audit verify'
planted job 'keeps a job'
planted undone 'does not come to its end'

# --- the cuts --------------------------------------------------------------------------

if [ -n "${TOWERIFY_WIRE_WAYS-}" ]; then
	for way in $TOWERIFY_WIRE_WAYS; do
		driven "${way%/*}" "${way#*/}" "sample=$(sample 8 0)" \
			chain=250 "k=${TOWERIFY_WIRE_K:--1}"
	done
	finish
	exit
fi
for host in h1 h2; do
	for way in start-sent start-received resume-sent resume-received \
		each-received; do
		driven "$host" "$way" "sample=$(sample 5 0)" chain=250
	done
done
driven h3 next-sent "sample=$(sample 5 0)" chain=250
driven h3 next-received "sample=$(sample 5 0)"
finish
