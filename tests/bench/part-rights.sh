#!/bin/sh
# part-rights.sh - a tower that many share: permissions, other tenants
# shellcheck source=tests/bench/lib.sh
. "${0%/*}/lib.sh"

shared=$work/shared
export TOWERIFY_STATE="$shared"
towerify-op -q org add red
towerify-op -q org add blue
"$tools/rights" grants "$shared" red 10000
figure 'permission check, 10,000 grants of 101 operators' \
	"$("$tools/rights" check "$shared" red other7 node15)" 1 ms
figure 'the same of an operator who has 5,000' \
	"$("$tools/rights" check "$shared" red many node9998)" 1 ms
"$tools/rights" changes "$shared" blue 1000
cp -R "$shared" "$work/alone"
"$tools/rights" changes "$shared" red 100000

try() {
	TOWERIFY_STATE=$work/$1
	timed 1 towerify-queue --org blue list
}
contest 21 alone shared
note 'queue list, 1,000 changes' "$(of alone 1)" ms
note 'the same beside 100,000 of another organisation' "$(of shared 1)" ms
# a tenth more is what two such runs differ by
figure 'ratio' "$(calc "$(of shared 1) / $(of alone 1)")" 1.10 x
