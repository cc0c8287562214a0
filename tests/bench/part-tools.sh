#!/bin/sh
# part-tools.sh - how long a tool takes, on a small tower
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"
# shellcheck source=tests/bench/hosts.sh
. "$here/hosts.sh"

hosts_up 3
hosts_add 1 3
steps 1 true >"$work/one.yaml"

figure 'a pass with nothing to do' \
	"$(field "$(timed 21 towerify-run)" 1)" 10 ms
figure 'towerify-queue add' \
	"$(field "$(timed 21 towerify-queue add h1 "$work/one.yaml")" 1)" 15 ms
note 'towerify-queue list' \
	"$(field "$(timed 21 towerify-queue list)" 1)" ms
