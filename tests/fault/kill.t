#!/bin/sh
# kill.t - SIGKILL before and after the n-th write, sync, rename, message to or
# from the host, of every verb and of a pass: run again, it comes to the same
# end, and each step has run exactly once; and the same with power lost there
#
# TOWERIFY_FAULT_LONG: at every call; else a sample.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR
# shellcheck source=tests/fault/scene.sh
. "$top/tests/fault/scene.sh"

scene
acts "$work/acts"
passes "$work/passes"
grep -v '^queue-plan' "$work/passes" >"$work/reaching"
# what is replayed after a loss of power begins from the scene as it was saved
grep '^pass|' "$work/passes" >"$work/pass"

plants 'planted: a step that ran twice is found' 'not run exactly once' \
	"$sweep" "$work" "$shim" "$work/pass" do=kill few=yes kind=send \
	sample=2 plant=twice
plants 'planted: work left undone is found' 'does not come to the same end' \
	"$sweep" "$work" "$shim" "$work/pass" do=kill few=yes kind=send \
	sample=2 plant=lost

some "$work/acts"
spread 1
driven "$sweep" "$work" "$shim" "$work/acts" do=kill "$few" \
	"sample=$sample" "seed=$seed"
driven "$sweep" "$work" "$shim" "$work/reaching" do=kill "$few" \
	"sample=$sample" "seed=$seed"
driven "$sweep" "$work" "$shim" "$work/pass" do=power "$few" \
	"sample=$sample" "seed=$seed"
finish
