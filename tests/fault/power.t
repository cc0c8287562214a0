#!/bin/sh
# power.t - power is lost at every point of every verb that writes to the state:
# unsynced writes dropped, reordered, torn (power.c, replay.h)
#
# TOWERIFY_FAULT_LONG: each unsynced write alone, too; every verb.
top=${abs_top_srcdir:-$(cd "$(dirname "$0")/../.." && pwd)}
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
export TMPDIR
# shellcheck source=tests/fault/scene.sh
. "$top/tests/fault/scene.sh"

scene
acts "$work/acts"

plants 'planted: a disk that only says it has synced is found' \
	'not there whole\|no sound state\|told done' \
	"$power" "$work" "$shim" "$work/acts" few=yes random=2 \
	verb=queue-add plant=lying

if [ -n "${TOWERIFY_FAULT_LONG-}" ]; then
	driven "$power" "$work" "$shim" "$work/acts" "seed=$seed"
else
	some "$work/acts"
	driven "$power" "$work" "$shim" "$work/acts" few=yes random=1 \
		"seed=$seed"
fi
finish
