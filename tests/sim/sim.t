#!/bin/sh
# sim.t - seeds of the simulation, and planted bugs that its checkers must find
#
# TW_SIM_SEEDS=N plays so many seeds, from $seed on (tests/lib/tap.sh: 1, or
# TOWERIFY_SEED, or drawn in a long run).  A seed that breaks an invariant is
# printed with the command that plays it again, which adds --trace.
# shellcheck disable=SC2154 # abs_top_*: see tests/local.mk
# shellcheck source=tests/lib/tap.sh
. "$abs_top_srcdir/tests/lib/tap.sh"

sim=$abs_top_builddir/tests/sim/sim
work=$(mktemp -d "${TMPDIR:-/tmp}/towerify-sim.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

[ -x "$sim" ] || {
	echo '1..0 # SKIP the simulation is not built'
	exit 0
}

# Each bug breaks the invariant whose checker it is for, or is seen before by what
# may never be said (0).
finds() {
	"$sim" --from 1 --seeds 300 --bug "$1" >"$work/found"
	[ $? -eq 1 ] && grep -q "invariant [0$2] broken" "$work/found"
}

# two executors wait for one lock, and one of them dies with it; a spool is lost
# between two towers that send the same; what is to be confirmed is given up
once_broken='5690 7428 8441'
play_again() {
	for n in $once_broken; do
		"$sim" --seed "$n" || return 1
	done
}

same_twice() {
	"$sim" --trace --seed "$1" >"$work/one" &&
		"$sim" --trace --seed "$1" >"$work/two" &&
		[ "$(wc -l <"$work/one")" -gt 100 ] &&
		cmp "$work/one" "$work/two"
}

plays() {
	"$sim" --from "$seed" --seeds "$1" --jobs "$(nproc)"
}

ok 'a seed is the same run, to the byte of its trace' same_twice 7
plays "${TW_SIM_SEEDS:-150}" >"$work/played"
status=$?
sed 's/^/# /' "$work/played"
sed -n 's/^seeds .* failed; \(.*\); .* simulated .*/\1/p' "$work/played" |
	sed "s/^/# figures: ${TW_SIM_SEEDS:-150} seeds, /"
ok 'no seed breaks an invariant' test "$status" -eq 0
ok 'nor one that has' play_again

bugs='twice=1 left=1 lifo=2 rerun=3 no-fence=3 undo-twice=4 undo-all=4 eat=5
deaf=4 silent=5 forget=5 ahead=5 verdict=5 may=0 stray=0 behind=3 stuck=5 leave=5 no-audit=7 audit-more=7 serial=8 idle-write=9'
for bug in $bugs; do
	ok "planted: ${bug%=*} breaks invariant ${bug#*=}" \
		finds "${bug%=*}" "${bug#*=}"
done
all_planted() {
	"$sim" --list-bugs | while read -r name; do
		case " $(echo $bugs) " in *" $name="*) ;; *) echo "$name" ;; esac
	done >"$work/missing"
	[ ! -s "$work/missing" ]
}
ok 'each bug that can be planted was' all_planted
finish
