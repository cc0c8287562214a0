#!/bin/sh
# fail.t - the n-th call fails: every verb says so, with the right exit status,
# and leaves the state as it was or as it should be; run again, it does its work
#
# TOWERIFY_FAULT_LONG: every call and every error, once and for ever; else a
# sample (sweep.c).  TOWERIFY_SEED chooses it.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR
# shellcheck source=tests/fault/scene.sh
. "$top/tests/fault/scene.sh"

scene
acts "$work/acts"
passes "$work/passes"

# --- is what looks for faults able to find any? --------------------------------------

planted() {	# planted NAME VERB TABLE PATTERN
	plants "planted: $1 is found" "$4" "$sweep" "$work" "$shim" \
		"$work/$3" few=yes kind=open sample=2 "verb=$2" "plant=$1"
}
planted damage queue-add acts 'integrity_check: \|damaged\|malformed'
planted audit queue-add acts 'towerify-audit verify'
planted between queue-add acts 'neither as before nor as after'
planted lost queue-add acts 'does not come to the same end'
planted signal queue-add acts 'ended by signal 11'
planted status queue-add acts 'exit status 70'
planted silence queue-add acts 'no message came'
planted short queue-show acts 'has not said all'
planted twice pass passes 'have not run exactly once'

# --- the verbs ------------------------------------------------------------------------

grep '^queue-why|' "$work/acts" >"$work/why"
grep '^op-can|\|^queue-log-text|' "$work/acts" >"$work/told"
grep '^op-add-install|' "$work/acts" >"$work/install"
some "$work/acts"
spread 1
driven "$sweep" "$work" "$shim" "$work/acts" "$few" "sample=$sample" \
	"seed=$seed"
driven "$sweep" "$work" "$shim" "$work/passes" "$few" "sample=$sample" \
	"seed=$seed"

# What these have found once, and a sample may miss.
grep '^host-key|' "$work/acts" >"$work/key"
driven "$sweep" "$work" "$shim" "$work/key" few=yes kind=mem last=4
driven "$sweep" "$work" "$shim" "$work/why" few=yes kind=mem last=2
driven "$sweep" "$work" "$shim" "$work/told" few=yes kind=mem last=4
driven "$sweep" "$work" "$shim" "$work/install" few=yes kind=mem last=25
grep '^pass|' "$work/passes" >"$work/pass"
driven "$sweep" "$work" "$shim" "$work/pass" few=yes kind=sync last=3

# Standard output is full: what was done is done, and the status tells.
full() {
	"$@" >/dev/full 2>"$work/err" && return 1
	grep -q 'No space left on device' "$work/err"
}
ok 'a full standard output is told' full towerify-queue add h3 \
	"$work/good.yaml" --key full
try towerify-queue add h3 "$work/good.yaml" --key full
like '... and the key settles it' 0 '1[0-9]' '*filed before under this key*'

finish
